//! The binary in a folder of its own, and its output.

use super::http::Site;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

pub(crate) struct Folder {
    folder: tempfile::TempDir,
    has_limits: bool,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("there is room for a folder"), has_limits: false }
    }

    /// A folder whose binary also has the pipelines with limits.
    pub(crate) fn with_limits() -> Self {
        Self { has_limits: true, ..Self::new() }
    }

    /// The same folder; its binary no longer has the pipelines with limits.
    pub(crate) fn without_limits(self) -> Self {
        Self { has_limits: false, ..self }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dashboard-pipelines"));
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null()).env("USER", "ada").env("PIPELINE_LOG", "info");
        for name in ["PIPELINE_JOURNAL", "PIPELINE_LOG_FORMAT", "PIPELINE_DASHBOARD", "RUST_BACKTRACE", "SUDO_USER"] {
            command.env_remove(name);
        }
        if self.has_limits {
            command.env("DASHBOARD_LIMITS", "1");
        }
        command
    }

    /// Runs a command to its end, and returns its exit code and the output on both streams.
    pub(crate) fn call(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.command(args).output().expect("it was built");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), text)
    }

    /// A journal that no process holds: `parted` has a run that succeeded and one that failed, and `waiting` one that waits.
    pub(crate) fn filled() -> Self {
        let folder = Self::new();
        let run = |args: &[&str]| folder.call(&[&["run", "parted", "--logical-date"], args].concat()).0;
        assert_eq!(run(&["2026-01-05"]), Some(0));
        assert_eq!(run(&["2026-01-06", "--param", "fails=true", "--param", "label=<b>bold</b>"]), Some(1));
        folder
    }

    /// Starts a process that serves the page on any port, and waits until it does.
    pub(crate) fn show(&self, args: &[&str]) -> Shown {
        let mut child = self.command(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it was built");
        let mut lines = BufReader::new(child.stdout.take().expect("it is a pipe")).lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("dashboard ").map(str::to_owned)).expect("it says where the page is");
        // Its output must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Shown { child, url }
    }

    /// Serves the page in a process of its own, without a host.
    pub(crate) fn dashboard(&self, args: &[&str]) -> Shown {
        self.show(&[&["dashboard", "--listen", ":0"], args].concat())
    }

    pub(crate) fn serve(&self, args: &[&str]) -> Shown {
        self.show(&[&["serve", "--dashboard", ":0"], args].concat())
    }
}

/// A process that serves the page, until this is dropped.
pub(crate) struct Shown {
    child: Child,
    pub(crate) url: String,
}

impl Shown {
    pub(crate) fn site(&self) -> Site {
        let address = self.url.trim_start_matches("http://");
        Site(address.split('/').next().unwrap_or_default().to_owned())
    }

    /// Kills the process, so that it writes nothing more.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }

    /// Ends the process by a signal, as a user does, and returns its exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("there is `kill`");
        assert!(sent.success());
        self.child.wait().expect("it is ours").code()
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
