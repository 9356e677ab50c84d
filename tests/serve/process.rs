//! Processes in a folder of their own, and their output.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Longer than anything that a test waits for.
const DEADLINE: Duration = Duration::from_mins(1);

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("there is room for a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn touch(&self, name: &str) {
        std::fs::write(self.path(name), "").expect("the folder is ours");
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_served-pipelines"));
        command
            .args(args)
            .current_dir(self.0.path())
            .env("PIPELINE_LOG", "info")
            .env_remove("PIPELINE_LOG_FORMAT")
            .env_remove("NOTIFY_SOCKET")
            .env_remove("RUST_BACKTRACE")
            .env_remove("PIPELINE_JOURNAL")
            .env("PIPELINE_DASHBOARD", "off");
        command
    }

    /// Runs a command to its end, and returns its exit code, stdout and stderr.
    pub(crate) fn call(&self, args: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.command(args).output().expect("it was built");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
        (status.code().unwrap_or(-1), text(stdout), text(stderr))
    }

    /// Runs a command that must succeed, and returns its stdout.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let (code, stdout, stderr) = self.call(args);
        assert_eq!(code, 0, "{args:?}: {stdout}{stderr}");
        stdout
    }

    /// Runs a command that must be refused, and returns its stderr.
    pub(crate) fn refused(&self, args: &[&str]) -> String {
        let (code, stdout, stderr) = self.call(args);
        assert_eq!(code, 2, "{args:?}: {stdout}{stderr}");
        stderr
    }

    /// The runs of a pipeline in the journal, oldest first.
    pub(crate) fn runs(&self, pipeline: &str) -> Vec<serde_json::Value> {
        let listed = self.ok(&["runs", "--pipeline", pipeline, "--json", "--limit", "1000"]);
        let mut runs: Vec<_> = listed.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect();
        runs.reverse();
        runs
    }

    /// Starts a process and lets it run.
    pub(crate) fn start(&self, args: &[&str]) -> Process {
        self.start_with::<&str>(args, &[])
    }

    /// The same, with these variables in its environment.
    pub(crate) fn start_with<V: AsRef<OsStr>>(&self, args: &[&str], environment: &[(&str, V)]) -> Process {
        let mut command = self.command(args);
        command.envs(environment.iter().map(|(name, value)| (name, value.as_ref())));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was built");
        let (tell, lines) = channel();
        for stream in [child.stdout.take().map(boxed), child.stderr.take().map(boxed)].into_iter().flatten() {
            let tell = tell.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    // The receiver may be gone.
                    let _ = tell.send(line);
                }
            });
        }
        Process { child, lines, printed: Vec::new() }
    }

    /// Starts `serve`, and waits until it serves.
    pub(crate) fn serve(&self, args: &[&str]) -> Process {
        let mut process = self.start(&[&["serve"], args].concat());
        process.wait_for_line("serving ordered");
        process
    }
}

fn boxed(stream: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    Box::new(stream)
}

/// A process that runs until it is told to end.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    printed: Vec<String>,
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that contains this.
    pub(crate) fn wait_for_line(&mut self, part: &str) -> String {
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) => {
                    self.printed.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(error) => panic!("waited for {part:?}: {error}; printed\n{}", self.printed.join("\n")),
            }
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.id().to_string()]).status().expect("there is `kill`");
        assert!(sent.success());
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn wait_for_exit(&mut self) -> ExitStatus {
        // When it ends, its streams are closed, and no more lines come.
        while let Ok(line) = self.lines.recv_timeout(DEADLINE) {
            self.printed.push(line);
        }
        self.child.wait().expect("it is ours")
    }

    /// Sends a signal, waits for the end, and returns the exit code.
    pub(crate) fn ended_by(&mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.wait_for_exit().code()
    }

    /// The first line so far that contains this.
    pub(crate) fn printed_line(&self, part: &str) -> String {
        self.printed.iter().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no line has {part:?}")).clone()
    }

    /// Waits for a line that contains this, unless there was one already: the lines of the two streams come in any order.
    pub(crate) fn wait_until_printed(&mut self, part: &str) {
        if !self.has_printed(part) {
            self.wait_for_line(part);
        }
    }

    pub(crate) fn has_printed(&self, part: &str) -> bool {
        self.printed.iter().any(|line| line.contains(part))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
