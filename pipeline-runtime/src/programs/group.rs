//! The process group of a program: whatever ends the attempt terminates all of the group.
//!
//! # Why there is a shell beside each program
//!
//! A killed process cannot terminate its children. Linux's `PR_SET_PDEATHSIG` has to be set between fork and exec, which is
//! `unsafe`, and only reaches the child itself. So the group's first member is a shell of a few lines that reads from a pipe,
//! which the system closes when this process dies for any reason. The shell starts before the program, so no death can go
//! unnoticed; and until it has been waited for, the group's number cannot be reused. It takes a millisecond or two to start.
//!
//! # Who does what
//!
//! - The attempt is aborted, or this process dies: the pipe is closed, by [`Group`]'s drop or by the system. The shell sends the
//!   group SIGTERM, and SIGKILL ten seconds later. It does both by itself, so the ten seconds are the same if this process dies
//!   meanwhile. The program's output is read and discarded meanwhile: without a reader the program would die of SIGPIPE in the
//!   middle of its cleanup.
//! - The program ends: SIGTERM is sent to the processes that it left behind in its group.
//!
//! One thread for each program waits for the program's end, and then for the shell's, so that no zombie remains. If this is the
//! first process of a container, it inherits the program's orphans, and waits for those as well.

use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpgid};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{Builder, sleep};
use std::time::Duration;
use tokio::sync::oneshot;

/// The time between SIGTERM and SIGKILL; [`SUPERVISOR`] contains the same number.
const KILL_DELAY: Duration = Duration::from_secs(10);

/// Every Unix has a shell here.
const SHELL: &str = "/bin/sh";
/// Every Unix has `sleep` here: without it there would be no pause between SIGTERM and SIGKILL.
const TOOLS: &str = "/usr/bin:/bin";
/// Waits for a line, or the end of its input, and then terminates its group. It has to survive SIGTERM itself.
const SUPERVISOR: &str = "trap '' HUP INT QUIT TERM; read -r _; kill -TERM 0; sleep 10; kill -KILL 0";

/// A running program.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) output: ChildStdout,
    pub(super) errors: ChildStderr,
    pub(super) status: oneshot::Receiver<io::Result<ExitStatus>>,
    pub(super) group: Group,
}

/// The program's process group, for as long as the attempt lives.
#[derive(Debug)]
pub(super) struct Group {
    id: Pid,
    /// The pipe to the shell, and the channel to the thread that waits for both. `None` once the program has ended.
    ends: Option<(ChildStdin, Sender<ChildStdin>)>,
    /// The read ends of its output, for when the attempt no longer reads it.
    output: Vec<OwnedFd>,
}

/// Starts a program in a process group of its own.
pub(super) fn start(program: &mut Command) -> io::Result<Running> {
    let mut shell = Shell::start()?;
    let (Some(pipe), Some(id)) = (shell.0.stdin.take(), Pid::from_raw(shell.0.id().cast_signed())) else {
        return Err(io::Error::other("the shell that supervises it has no input"));
    };
    let (program_sender, program_receiver) = mpsc::channel();
    let (end_sender, end_receiver) = mpsc::channel();
    let (status_sender, status) = oneshot::channel();
    // Before the program, which would have no waiting thread if the system refused one.
    spawn_small_thread("program", move || wait(id, shell, &program_receiver, status_sender, &end_receiver))?;
    let program = program.process_group(id.as_raw_nonzero().get()).stdin(Stdio::null());
    let mut program = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (output, errors) = (program.stdout.take(), program.stderr.take());
    let duplicates = [output.as_ref().map(AsFd::as_fd), errors.as_ref().map(AsFd::as_fd)];
    let duplicates = duplicates.into_iter().flatten().filter_map(|pipe| pipe.try_clone_to_owned().ok()).collect();
    let group = Group { id, ends: Some((pipe, end_sender)), output: duplicates };
    // The thread waits for this.
    let _ = program_sender.send(program);
    match (output, errors) {
        (Some(output), Some(errors)) => Ok(Running { output, errors, status, group }),
        _ => Err(io::Error::other("its output is not available")),
    }
}

impl Group {
    /// Called when the program has ended and its output was read.
    pub(super) fn ended(mut self) {
        if let Some((pipe, end)) = self.ends.take() {
            let _ = end.send(pipe);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The shell has not been waited for until the signals are sent, so the number is still the group's.
        let Some((mut pipe, _end)) = self.ends.take() else { return };
        let output = std::mem::take(&mut self.output);
        // If no thread can be started, the program's output has no reader.
        let _ = spawn_small_thread("program-output", move || drain(output));
        if pipe.write_all(b"\n").is_err() {
            // The shell has been terminated, so nothing is left that could wait for ten seconds.
            send(self.id, Signal::TERM);
            send(self.id, Signal::KILL);
        }
    }
}

/// The shell; dropping it kills it and waits for it.
#[derive(Debug)]
struct Shell(Child);

impl Shell {
    fn start() -> io::Result<Self> {
        // It gets no other variable of this process's environment, which may contain secrets.
        let mut path = std::env::var_os("PATH").filter(|path| !path.is_empty()).unwrap_or_else(|| TOOLS.into());
        path.push(":");
        path.push(TOOLS);
        let mut shell = Command::new(SHELL);
        shell.args(["-c", SUPERVISOR]).env_clear().env("PATH", path).current_dir("/").process_group(0);
        let started = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let describe =
            |error: io::Error| io::Error::other(format!("{SHELL}, which has to supervise it, cannot be started: {error}"));
        started.map(Self).map_err(describe)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // If its group was terminated, it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for a program, for its attempt, and for its group.
fn wait(
    id: Pid,
    mut shell: Shell,
    program: &Receiver<Child>,
    status: oneshot::Sender<io::Result<ExitStatus>>,
    end: &Receiver<ChildStdin>,
) {
    // The program could not be started.
    let Ok(mut program) = program.recv() else { return };
    // The attempt may be over, and no longer receive it.
    let _ = status.send(program.wait());
    match end.recv() {
        Ok(_pipe) => {
            send(id, Signal::TERM);
            drop(shell);
        }
        // The attempt was aborted. The shell dies with the group.
        Err(_) => drop(shell.0.wait()),
    }
    for _ in 0..KILL_DELAY.as_millis() / POLL_INTERVAL.as_millis() {
        match waitpgid(id, WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => sleep(POLL_INTERVAL),
            // This process has inherited no orphan.
            Err(_) => return,
        }
    }
    send(id, Signal::KILL);
    while let Ok(Some(_)) = waitpgid(id, WaitOptions::empty()) {}
}

/// Reads and discards the output of a program that is being terminated, until it has ended or is killed.
fn drain(output: Vec<OwnedFd>) {
    let mut output: Vec<File> = output.into_iter().map(File::from).collect();
    let mut bytes = vec![0; 16 << 10];
    for _ in 0..=KILL_DELAY.as_millis() / POLL_INTERVAL.as_millis() {
        output.retain_mut(|pipe| {
            loop {
                match pipe.read(&mut bytes) {
                    Ok(0) => return false,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // The attempt has made the pipe non-blocking.
                    Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
                }
            }
        });
        if output.is_empty() {
            return;
        }
        sleep(POLL_INTERVAL);
    }
}

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Errors are ignored: the group may be empty.
fn send(id: Pid, signal: Signal) {
    let _ = kill_process_group(id, signal);
}

/// A thread with a small stack for work that mostly waits.
fn spawn_small_thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    Builder::new().name(name.into()).stack_size(64 << 10).spawn(work).map(drop)
}
