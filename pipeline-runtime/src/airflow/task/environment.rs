//! How a process is started as a task, and which part of its environment is hidden from bodies.

use super::super::wire::Encoding;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Airflow's own settings, among them the URL of its database and the secrets of its API: a worker passes on its whole
/// environment.
const AIRFLOW_SETTINGS: &str = "AIRFLOW__";
/// Those that this program reads.
const LOGGING_SETTINGS: &str = "AIRFLOW__LOGGING__";

/// The addresses that the supervisor listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::airflow) struct Sockets {
    pub(super) comm: String,
    pub(super) logs: String,
    pub(super) encoding: Encoding,
}

impl Sockets {
    /// Reads the arguments of a process that was started as a task. Returns `None` for any other use of the program.
    pub(in crate::airflow) fn of(args: &[OsString]) -> Option<Self> {
        let named = |name: &str| args.iter().skip(1).find_map(|arg| arg.to_str()?.strip_prefix(name).map(str::to_owned));
        let encoding = if named("--wire=").as_deref() == Some("json") { Encoding::JsonLines } else { Encoding::Msgpack };
        Some(Self { comm: named("--comm=")?, logs: named("--logs=")?, encoding })
    }
}

/// Hides Airflow's settings from bodies. The process executes itself again without them, since variables cannot safely be removed
/// from the environment of a running process. Returns `None` if nothing has to be hidden, or why it failed.
pub(super) fn hide_settings() -> Option<String> {
    let is_hidden = |name: &OsString| {
        name.to_str().is_some_and(|name| name.starts_with(AIRFLOW_SETTINGS) && !name.starts_with(LOGGING_SETTINGS))
    };
    let hidden: Vec<OsString> = std::env::vars_os().map(|(name, _)| name).filter(is_hidden).collect();
    if hidden.is_empty() {
        return None;
    }
    let this = match std::env::current_exe() {
        Ok(this) => this,
        Err(error) => return Some(format!("the path of this executable is unknown: {error}")),
    };
    let mut command = Command::new(this);
    command.args(std::env::args_os().skip(1));
    for name in hidden {
        command.env_remove(name);
    }
    Some(format!("this program could not be started again without Airflow's settings: {}", command.exec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_told_from_other_uses_by_its_sockets() {
        let of = |args: &[&str]| Sockets::of(&args.iter().map(OsString::from).collect::<Vec<_>>());
        let sockets = of(&["bin", "--comm=127.0.0.1:1", "--logs=127.0.0.1:2"]).unwrap();
        assert_eq!((&*sockets.comm, &*sockets.logs, sockets.encoding), ("127.0.0.1:1", "127.0.0.1:2", Encoding::Msgpack));
        assert_eq!(of(&["bin", "--comm=a", "--logs=b", "--wire=json"]).unwrap().encoding, Encoding::JsonLines);
        assert_eq!(of(&["bin", "run"]), None);
        assert_eq!(of(&["--comm=a", "--logs=b"]), None);
    }
}
