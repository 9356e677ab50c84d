//! The conversation with Airflow's supervisor: frames on a socket, requests and their answers, and the log lines beside them.
//!
//! - [`frame`]: one message, as bytes.
//! - [`supervisor`]: requests and their answers; who asks may wait for each.
//! - [`startup`]: the first message: which task this process is.
//! - [`request`]: what a task asks for, and its last word.
//! - [`xcom`]: a value as Airflow keeps it, without loss.
//! - [`lines`]: log lines.
//!
//! Airflow answers nothing to a message that it cannot decode, so every request here has a deadline, and only fields that Airflow 3.3 knows
//! are sent.

mod frame;
mod lines;
mod request;
mod startup;
mod supervisor;
mod xcom;

pub(super) use frame::Form;
pub(super) use lines::Lines;
pub(super) use request::{Final, NodeStates, Place, ReadError, XCom};
pub(super) use startup::Startup;
pub(super) use supervisor::{CallError, Supervisor};
pub(super) use xcom::unpack;
