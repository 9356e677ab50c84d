//! The inputs that the bodies of `durable-notes` report.

use std::collections::BTreeMap;

/// What bodies have noted, line by line.
#[derive(Debug, Default)]
pub(crate) struct BodyNotes<'a> {
    /// The run and node of each body that has started.
    pub(crate) started: Vec<(&'a str, &'a str)>,
    /// The outputs that downstream bodies received, by run and node.
    pub(crate) received: BTreeMap<(&'a str, &'a str), &'a str>,
    /// Lines of bodies that received another output of a node than an earlier body.
    pub(crate) changed: Vec<&'a str>,
    /// Lines of bodies that started although their node's output had been passed on before.
    pub(crate) repeated: Vec<&'a str>,
}

impl<'a> BodyNotes<'a> {
    pub(crate) fn read(&mut self, line: &'a str) {
        let mut words = line.split(' ');
        let ("begin", Some(run), Some(node)) = (words.next().unwrap_or_default(), words.next(), words.next()) else { return };
        self.started.push((run, node));
        if self.received.contains_key(&(run, node)) {
            self.repeated.push(line);
        }
        for output in words {
            let (node, word) = output.rsplit_once(':').unwrap();
            if *self.received.entry((run, node)).or_insert(word) != word {
                self.changed.push(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_runs_after_its_output_was_passed_on_and_another_output_are_found() {
        let mut notes = BodyNotes::default();
        let lines = "begin p/1 a\nmade p/1 a x\nbegin p/1 b a:x\nbegin p/2 a\nbegin p/1 b a:x\nbegin p/1 c b:y";
        lines.lines().for_each(|line| notes.read(line));
        assert!(notes.repeated.is_empty() && notes.changed.is_empty(), "the one that was cut off runs again: {notes:?}");
        assert_eq!(notes.received, BTreeMap::from([(("p/1", "a"), "x"), (("p/1", "b"), "y")]));
        notes.read("begin p/1 a");
        notes.read("begin p/1 d a:z");
        assert_eq!((&notes.repeated[..], &notes.changed[..]), (&["begin p/1 a"][..], &["begin p/1 d a:z"][..]));
    }
}
