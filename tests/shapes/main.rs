//! The shapes of fourteen pipelines that run in production elsewhere, in our own words: what they wire, when they run, what they
//! wait for, and what happens on a day that goes wrong. Each module is a program of its own and shares only `support` with the
//! others. `docs/shapes.md` lists them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows only functions with `#[test]`")]

mod database_copy;
mod deletions;
mod index_refresh;
mod live_tables;
mod model_training;
mod records_to_portals;
mod reference_data;
mod rollout;
mod site_visits;
mod snapshots;
mod support;
mod table;
mod traffic_counts;
mod transit_feeds;
mod vendor_file;
mod warehouse_load;
