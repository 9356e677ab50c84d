//! The command that is being carried out: its effect and the note that it was carried out share one commit.
//!
//! Only the thread that carries out a command submits for it. Other threads submit meanwhile, under the engine's lock, and their
//! submissions do not belong to the command.

use super::Ticket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;

#[derive(Debug, Default)]
pub(super) struct Claim {
    /// True if the next submission may be the command's, so that all others need not lock.
    is_waiting: AtomicBool,
    command: Mutex<Option<Command>>,
}

#[derive(Debug, Clone, Copy)]
struct Command {
    ticket: Ticket,
    thread: ThreadId,
    /// Its next submission carries it out.
    carries_next: bool,
}

impl Claim {
    fn with<T>(&self, work: impl FnOnce(&mut Option<Command>) -> T) -> T {
        work(&mut self.command.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// This thread carries out that command from now on.
    pub(super) fn begin(&self, ticket: Ticket) {
        self.with(|command| *command = Some(Command { ticket, thread: std::thread::current().id(), carries_next: false }));
    }

    /// Returns the command that this thread carries out.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        let here = std::thread::current().id();
        self.with(|command| command.filter(|command| command.thread == here).map(|command| command.ticket))
    }

    /// What this thread submits next is the command's effect.
    pub(super) fn carries_next(&self) {
        let here = std::thread::current().id();
        self.with(|command| {
            if let Some(command) = command.as_mut().filter(|command| command.thread == here) {
                command.carries_next = true;
                self.is_waiting.store(true, Ordering::Release);
            }
        });
    }

    /// Returns the command that the present submission carries out.
    pub(super) fn take(&self) -> Option<Ticket> {
        if !self.is_waiting.load(Ordering::Acquire) {
            return None;
        }
        let here = std::thread::current().id();
        self.with(|command| {
            let command = command.as_mut().filter(|command| command.thread == here && command.carries_next)?;
            command.carries_next = false;
            self.is_waiting.store(false, Ordering::Release);
            Some(command.ticket)
        })
    }

    /// The command is answered.
    pub(super) fn end(&self) {
        self.is_waiting.store(false, Ordering::Release);
        self.with(|command| *command = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_threads_submit_meanwhile_is_not_the_commands() {
        let claim = Claim::default();
        claim.carries_next();
        assert_eq!(claim.take(), None, "no command is carried out");
        claim.begin(7);
        assert_eq!((claim.ticket(), claim.take()), (Some(7), None));
        claim.carries_next();
        let elsewhere = std::thread::scope(|threads| threads.spawn(|| (claim.ticket(), claim.take())).join().unwrap());
        assert_eq!(elsewhere, (None, None));
        assert_eq!(claim.take(), Some(7));
        assert_eq!(claim.take(), None, "one submission is");
        claim.carries_next();
        claim.end();
        assert_eq!((claim.ticket(), claim.take()), (None, None));
    }
}
