//! What a sensor's last poke looked for, which its timeout names.

use std::cell::RefCell;

/// The most that a timeout names.
const MAX_NAMED: usize = 3;

/// What one poke looked for.
#[derive(Debug, Default)]
pub(crate) struct LastSeen(RefCell<Found>);

#[derive(Debug, Default)]
struct Found {
    nothing: Names,
    something: Names,
}

#[derive(Debug, Default)]
struct Names {
    first: Vec<String>,
    others: bool,
}

impl LastSeen {
    /// A look that found nothing.
    pub(crate) fn found_nothing(&self, name: String) {
        self.0.borrow_mut().nothing.add(name);
    }

    /// A look that found something, which the poke was not content with.
    pub(crate) fn found(&self, name: String) {
        self.0.borrow_mut().something.add(name);
    }

    /// What a timeout says of it, if there is anything to say. What is there is not what was waited for, unless all is there.
    pub(super) fn told(&self) -> Option<Box<str>> {
        let found = self.0.borrow();
        let said = |what: &str, names: &Names| names.listed().map(|names| format!("it last {what} {names}").into());
        said("looked for", &found.nothing).or_else(|| said("saw", &found.something))
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
