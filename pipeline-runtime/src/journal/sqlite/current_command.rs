//! The command that is being carried out: its effect and the note that it was carried out share one commit.
//!
//! Only the thread that carries out a command submits for it. Other threads submit meanwhile, under the engine's lock, and their
//! submissions do not belong to the command.

use super::Ticket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;

#[derive(Debug, Default)]
pub(super) struct CurrentCommand {
    /// True if the next submission may be the command's, so that all others need not lock.
    is_waiting: AtomicBool,
    command: Mutex<Option<Carried>>,
}

#[derive(Debug, Clone, Copy)]
struct Carried {
    ticket: Ticket,
    thread: ThreadId,
    /// Its next submission carries it out.
    next_is_effect: bool,
}

impl CurrentCommand {
    fn with<T>(&self, work: impl FnOnce(&mut Option<Carried>) -> T) -> T {
        work(&mut self.command.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// This thread carries out that command from now on.
    pub(super) fn begin(&self, ticket: Ticket) {
        self.with(|command| *command = Some(Carried { ticket, thread: std::thread::current().id(), next_is_effect: false }));
    }

    /// Returns the command that this thread carries out.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        let here = std::thread::current().id();
        self.with(|command| command.filter(|command| command.thread == here).map(|command| command.ticket))
    }

    /// What this thread submits next is the command's effect.
    pub(super) fn next_is_effect(&self) {
        let here = std::thread::current().id();
        self.with(|command| {
            if let Some(command) = command.as_mut().filter(|command| command.thread == here) {
                command.next_is_effect = true;
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
            let command = command.as_mut().filter(|command| command.thread == here && command.next_is_effect)?;
            command.next_is_effect = false;
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
        let current_command = CurrentCommand::default();
        current_command.next_is_effect();
        assert_eq!(current_command.take(), None, "no command is carried out");
        current_command.begin(7);
        assert_eq!((current_command.ticket(), current_command.take()), (Some(7), None));
        current_command.next_is_effect();
        let elsewhere =
            std::thread::scope(|threads| threads.spawn(|| (current_command.ticket(), current_command.take())).join().unwrap());
        assert_eq!(elsewhere, (None, None));
        assert_eq!(current_command.take(), Some(7));
        assert_eq!(current_command.take(), None, "one submission is");
        current_command.next_is_effect();
        current_command.end();
        assert_eq!((current_command.ticket(), current_command.take()), (None, None));
    }
}
