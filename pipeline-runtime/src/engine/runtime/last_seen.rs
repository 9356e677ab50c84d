//! What a sensor's last poke looked for, which the timeout's message names.

use std::cell::RefCell;

/// The most places that the message names.
const MAX_NAMED: usize = 3;

/// What one poke looked for.
#[derive(Debug, Default)]
pub(crate) struct LastSeen(RefCell<Reads>);

#[derive(Debug, Default)]
struct Reads {
    missing: Names,
    unsatisfying: Names,
}

#[derive(Debug, Default)]
struct Names {
    first: Vec<String>,
    others: bool,
}

impl LastSeen {
    /// Notes a read that found nothing.
    pub(crate) fn found_nothing(&self, name: String) {
        self.0.borrow_mut().missing.add(name);
    }

    /// Notes a read that found something which did not satisfy the poke.
    pub(crate) fn found(&self, name: String) {
        self.0.borrow_mut().unsatisfying.add(name);
    }

    /// Returns the end of the timeout's message, if there is anything to report. What was not found is named first: it is what
    /// the sensor waited for.
    pub(super) fn describe(&self) -> Option<Box<str>> {
        let reads = self.0.borrow();
        let clause = |what: &str, names: &Names| names.listed().map(|names| format!("it last {what} {names}").into());
        clause("looked for", &reads.missing).or_else(|| clause("saw", &reads.unsatisfying))
    }
}

impl Names {
    fn add(&mut self, name: String) {
        if self.first.contains(&name) {
            return;
        }
        if self.first.len() < MAX_NAMED {
            self.first.push(name);
        } else {
            self.others = true;
        }
    }

    fn listed(&self) -> Option<String> {
        let (last, before) = self.first.split_last()?;
        Some(match (before, self.others) {
            ([], _) => last.clone(),
            (before, false) => format!("{} and {last}", before.join(", ")),
            (_, true) => format!("{} and others", self.first.join(", ")),
        })
    }
}
