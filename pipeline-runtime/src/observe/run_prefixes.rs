//! Prefixes for node names when several runs are reported together.

use std::collections::BTreeMap;

/// The runs that a process reports on, which determine the prefix of a node's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunPrefixes {
    /// Runs come and go: pipeline and run are always printed.
    Full,
    /// These runs were given, one per pipeline. Others only join them on request.
    Short(BTreeMap<String, String>),
}

impl RunPrefixes {
    /// Creates the names for a process that was given these runs, by pipeline and run.
    pub(crate) fn for_runs<'a>(runs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut short = BTreeMap::new();
        for (pipeline, run) in runs {
            if short.insert(pipeline.to_owned(), run.to_owned()).is_some() {
                return Self::Full;
            }
        }
        Self::Short(short)
    }

    /// Returns the prefix for the nodes of a run: nothing for the only given run, `nightly/` for one of several, and also the id
    /// for a run that joined them.
    pub(crate) fn prefix(&self, pipeline: &str, run: &str) -> String {
        match self {
            Self::Short(short) if short.get(pipeline).is_some_and(|short| short == run) => {
                if short.len() == 1 {
                    String::new()
                } else {
                    format!("{pipeline}/")
                }
            }
            _ => format!("{pipeline}/{run}/"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_runs_have_the_same_prefix() {
        let one = RunPrefixes::for_runs([("nightly", "a")]);
        assert_eq!(
            [one.prefix("nightly", "a"), one.prefix("nightly", "b"), one.prefix("hourly", "a")],
            ["", "nightly/b/", "hourly/a/"]
        );
        let two = RunPrefixes::for_runs([("nightly", "a"), ("hourly", "a")]);
        assert_eq!(
            [two.prefix("nightly", "a"), two.prefix("nightly", "b"), two.prefix("hourly", "a")],
            ["nightly/", "nightly/b/", "hourly/"]
        );
        assert_eq!(RunPrefixes::for_runs([("nightly", "a"), ("nightly", "b")]), RunPrefixes::Full);
        assert_eq!(RunPrefixes::Full.prefix("nightly", "a"), "nightly/a/");
    }
}
