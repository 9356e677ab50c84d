//! The process group of a program: whatever ends the attempt ends all of it.
//!
//! # Why there is a shell beside each program
//!
//! A process that is killed cannot end its children, and what Linux has for that (`PR_SET_PDEATHSIG`) is set between fork and exec, which
//! is `unsafe`, and reaches the child alone. So the group's first member is a shell of a few lines that reads from a pipe, which the system
//! closes when this process dies, however it does. It is there before the program, so there is no moment at which a death goes unseen; and as
//! long as it was not waited for, the group's number is not another's. It costs a millisecond or two to start.
//!
//! # Who does what
//!
//! - The attempt is cut off, or this process dies: the pipe is closed, by [`Group`]'s drop or by the system. The shell sends the group SIGTERM, and SIGKILL
//!   ten seconds later. It does both alone, so that a process which dies within those ten seconds makes them no longer.
//!   What it prints meanwhile is read and left: a program whose output nobody takes would die of it, in the middle of its cleaning up.
//! - The program ends: what it left behind in its group is sent SIGTERM.
//!
//! One thread for each program waits for its end, and then for the shell's, so that no zombie stays. Where this is the first process of a
//! container, it inherits the program's orphans, and waits for those as well.

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

/// How long a program has from SIGTERM to SIGKILL, as [`WATCHES`] has it, too.
const TO_END: Duration = Duration::from_secs(10);

/// Where each Unix has a shell.
const SHELL: &str = "/bin/sh";
/// Where each Unix has `sleep`: without it there would be no time between SIGTERM and SIGKILL.
const TOOLS: &str = "/usr/bin:/bin";
/// Waits for the end of its input, or a line, and then ends its group. It has to survive SIGTERM itself.
const WATCHES: &str = "trap '' HUP INT QUIT TERM; read -r _; kill -TERM 0; sleep 10; kill -KILL 0";

/// A program that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) output: ChildStdout,
    pub(super) errors: ChildStderr,
    pub(super) status: oneshot::Receiver<io::Result<ExitStatus>>,
    pub(super) group: Group,
}

/// Its process group, for as long as the attempt lives.
#[derive(Debug)]
pub(super) struct Group {
    id: Pid,
    /// To the shell, and to the thread that waits for both. None once the program has ended.
    ends: Option<(ChildStdin, Sender<ChildStdin>)>,
    /// Where its output comes from, for when the attempt reads it no longer.
    output: Vec<OwnedFd>,
}

/// Starts a program in a process group of its own.
pub(super) fn start(program: &mut Command) -> io::Result<Running> {
    let mut shell = Shell::start()?;
    let (Some(pipe), Some(id)) = (shell.0.stdin.take(), Pid::from_raw(shell.0.id().cast_signed())) else {
        return Err(io::Error::other("the shell that watches over it has no input"));
    };
    let (give, given) = mpsc::channel();
    let (end, ended) = mpsc::channel();
    let (tell, status) = oneshot::channel();
    // Before the program, which would be nobody's if the system gave no thread.
    small("program", move || wait(id, shell, &given, tell, &ended))?;
    let program = program.process_group(id.as_raw_nonzero().get()).stdin(Stdio::null());
    let mut program = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (output, errors) = (program.stdout.take(), program.stderr.take());
    let twice = [output.as_ref().map(AsFd::as_fd), errors.as_ref().map(AsFd::as_fd)];
    let twice = twice.into_iter().flatten().filter_map(|pipe| pipe.try_clone_to_owned().ok()).collect();
    let group = Group { id, ends: Some((pipe, end)), output: twice };
    // It waits for just that.
    let _ = give.send(program);
    match (output, errors) {
        (Some(output), Some(errors)) => Ok(Running { output, errors, status, group }),
        _ => Err(io::Error::other("its output is not to be had")),
    }
}

impl Group {
    /// The program has ended, and what it printed was read.
    pub(super) fn ended(mut self) {
        if let Some((pipe, end)) = self.ends.take() {
            let _ = end.send(pipe);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Until the signals are sent nobody has waited for the shell, so the number is the group's.
        let Some((mut pipe, _end)) = self.ends.take() else { return };
        let output = std::mem::take(&mut self.output);
        // Without a thread the program's output has nobody.
        let _ = small("program-output", move || drain(output));
        if pipe.write_all(b"\n").is_err() {
            // Somebody has ended the shell, and nobody else is there to wait for ten seconds.
            send(self.id, Signal::TERM);
            send(self.id, Signal::KILL);
        }
    }
}

/// The shell, which is ended and waited for when it is dropped.
#[derive(Debug)]
struct Shell(Child);

impl Shell {
    fn start() -> io::Result<Self> {
        // It gets nothing of this process's environment, which may hold secrets.
        let mut path = std::env::var_os("PATH").filter(|path| !path.is_empty()).unwrap_or_else(|| TOOLS.into());
        path.push(":");
        path.push(TOOLS);
        let mut shell = Command::new(SHELL);
        shell.args(["-c", WATCHES]).env_clear().env("PATH", path).current_dir("/").process_group(0);
        let started = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let told = |error: io::Error| io::Error::other(format!("{SHELL}, which is to watch over it, cannot be started: {error}"));
        started.map(Self).map_err(told)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // It has ended already where its group was.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for a program, for its attempt, and for its group.
fn wait(
    id: Pid,
    mut shell: Shell,
    given: &Receiver<Child>,
    tell: oneshot::Sender<io::Result<ExitStatus>>,
    ended: &Receiver<ChildStdin>,
) {
    // It could not be started.
    let Ok(mut program) = given.recv() else { return };
    // The attempt may be over.
    let _ = tell.send(program.wait());
    match ended.recv() {
        Ok(_pipe) => {
            send(id, Signal::TERM);
            drop(shell);
        }
        // It was cut off. The shell dies with the group.
        Err(_) => drop(shell.0.wait()),
    }
    for _ in 0..TO_END.as_millis() / STEP.as_millis() {
        match waitpgid(id, WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => sleep(STEP),
            // There is no orphan that this process has inherited.
            Err(_) => return,
        }
    }
    send(id, Signal::KILL);
    while let Ok(Some(_)) = waitpgid(id, WaitOptions::empty()) {}
}

/// Reads what a program prints that was told to end, until it has ended or is killed.
fn drain(output: Vec<OwnedFd>) {
    let mut output: Vec<File> = output.into_iter().map(File::from).collect();
    let mut bytes = vec![0; 16 << 10];
    for _ in 0..=TO_END.as_millis() / STEP.as_millis() {
        output.retain_mut(|pipe| {
            loop {
                match pipe.read(&mut bytes) {
                    Ok(0) => return false,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // The attempt has set it so that nobody waits for it.
                    Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
                }
            }
        });
        if output.is_empty() {
            return;
        }
        sleep(STEP);
    }
}

const STEP: Duration = Duration::from_millis(20);

/// Nobody may be left in it.
fn send(id: Pid, signal: Signal) {
    let _ = kill_process_group(id, signal);
}

/// A thread that does next to nothing.
fn small(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    Builder::new().name(name.into()).stack_size(64 << 10).spawn(work).map(drop)
}
