//! The inputs that the bodies of `durable-noted` report.

use std::collections::BTreeMap;

/// What bodies have noted, line by line.
#[derive(Debug, Default)]
pub(crate) struct Heard<'a> {
    /// The run and node of each body that has started.
    pub(crate) begun: Vec<(&'a str, &'a str)>,
    /// The outputs that downstream bodies received, by run and node.
    pub(crate) given: BTreeMap<(&'a str, &'a str), &'a str>,
    /// Lines of bodies that received another output of a node than an earlier body.
    pub(crate) changed: Vec<&'a str>,
    /// Lines of bodies that started although their node's output had been passed on before.
    pub(crate) again: Vec<&'a str>,
}

impl<'a> Heard<'a> {
    pub(crate) fn hear(&mut self, line: &'a str) {
        let mut words = line.split(' ');
        let ("begin", Some(run), Some(node)) = (words.next().unwrap_or_default(), words.next(), words.next()) else { return };
        self.begun.push((run, node));
        if self.given.contains_key(&(run, node)) {
            self.again.push(line);
        }
        for output in words {
            let (node, word) = output.rsplit_once(':').unwrap();
            if *self.given.entry((run, node)).or_insert(word) != word {
                self.changed.push(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_runs_after_its_output_was_given_and_another_output_are_heard() {
        let mut heard = Heard::default();
        let told = "begin p/1 a\nmade p/1 a x\nbegin p/1 b a:x\nbegin p/2 a\nbegin p/1 b a:x\nbegin p/1 c b:y";
        told.lines().for_each(|line| heard.hear(line));
        assert!(heard.again.is_empty() && heard.changed.is_empty(), "the one that was cut off runs again: {heard:?}");
        assert_eq!(heard.given, BTreeMap::from([(("p/1", "a"), "x"), (("p/1", "b"), "y")]));
        heard.hear("begin p/1 a");
        heard.hear("begin p/1 d a:z");
        assert_eq!((&heard.again[..], &heard.changed[..]), (&["begin p/1 a"][..], &["begin p/1 d a:z"][..]));
    }
}
