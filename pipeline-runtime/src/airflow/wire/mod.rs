//! The conversation with Airflow's supervisor: frames on a socket, requests and their answers, and the log lines beside them.
//!
//! - [`frame`]: one message, as bytes.
//! - [`supervisor`]: requests and their answers. The caller may wait for each.
//! - [`startup`]: the first message, which names the task of this process.
//! - [`request`]: a task's requests, and its final message.
//! - [`xcom`]: values in the form that Airflow stores without loss.
//! - [`log_socket`]: log lines.
//!
//! Airflow does not answer a message that it cannot decode. So every request here has a deadline, and only fields that Airflow
//! 3.3 knows are sent.

mod frame;
mod log_socket;
mod request;
mod startup;
mod supervisor;
mod xcom;

pub(super) use frame::Encoding;
pub(super) use log_socket::LogSocket;
pub(super) use request::{DagRunKey, FinalMessage, NodeStates, ReadError, XCom};
pub(super) use startup::Startup;
pub(super) use supervisor::{CallError, Supervisor};
pub(super) use xcom::unpack;
