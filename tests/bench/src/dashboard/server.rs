//! A process that serves the page.

use crate::history::command;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The process ends when this is dropped.
pub(super) struct Server {
    child: Child,
    pub(super) address: String,
}

impl Server {
    /// Starts the process, and waits until the page is served.
    pub(super) fn start(folder: &Path, args: &[&str]) -> Self {
        let mut child = command(folder).args(args).stdout(Stdio::piped()).spawn().expect("it was built");
        let mut lines = BufReader::new(child.stdout.take().expect("it is a pipe")).lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("dashboard http://").map(str::to_owned)).expect("it says where it is");
        // Its output must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: url.trim_end_matches('/').to_owned() }
    }

    /// Starts a process without the page.
    pub(super) fn begin(command: &mut Command) -> Self {
        let child = command.spawn().expect("it was built");
        Self { child, address: String::new() }
    }

    /// Its resident memory, in bytes.
    pub(super) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
    }

    /// How long its threads have been on a processor.
    pub(super) fn cpu(&self) -> Duration {
        // The scheduler's accounting of each thread, in nanoseconds.
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        let nanos = tasks.filter_map(|task| {
            let stat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            stat.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanos.sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
