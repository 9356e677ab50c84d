//! A program as Airflow's task process, under a supervisor of the tests' own. `.ci/airflow` does the same under a real one.

mod ends;
mod export;
mod inputs;
mod supervisor;
mod upsets;
