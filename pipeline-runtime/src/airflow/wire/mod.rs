//! The conversation with Airflow's supervisor: frames on a socket, requests and their answers, and the log lines beside them.
//!
//! - [`frame`]: one message, as bytes.
//! - [`supervisor`]: requests and their answers. The caller may wait for each.
//! - [`startup`]: the first message, which names the task of this process.
//! - [`request`]: a task's requests, and its final message.
//! - [`xcom`]: values in the form that Airflow stores without loss.
//! - [`lines`]: log lines.
//!
//! Airflow does not answer a message that it cannot decode. So every request here has a deadline, and only fields that Airflow
//! 3.3 knows are sent.

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
