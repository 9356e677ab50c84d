//! Prefixes for node names when several runs are reported together.

use std::collections::BTreeMap;

/// The runs that a process reports on, which determine the prefix of a node's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Names {
    /// Runs come and go: pipeline and run are always printed.
    Runs,
    /// These runs were given, one per pipeline. Others only join them on request.
    Given(BTreeMap<String, String>),
}

impl Names {
    /// Creates the names for a process that was given these runs, by pipeline and run.
    pub(crate) fn given<'a>(runs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut given = BTreeMap::new();
        for (pipeline, run) in runs {
            if given.insert(pipeline.to_owned(), run.to_owned()).is_some() {
                return Self::Runs;
            }
        }
        Self::Given(given)
    }

    /// Returns the prefix for the nodes of a run: nothing for the only given run, `nightly/` for one of several, and also the id
    /// for a run that joined them.
    pub(crate) fn prefix(&self, pipeline: &str, run: &str) -> String {
        match self {
            Self::Given(given) if given.get(pipeline).is_some_and(|given| given == run) => {
                if given.len() == 1 {
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
        let one = Names::given([("nightly", "a")]);
        assert_eq!(
            [one.prefix("nightly", "a"), one.prefix("nightly", "b"), one.prefix("hourly", "a")],
            ["", "nightly/b/", "hourly/a/"]
        );
        let two = Names::given([("nightly", "a"), ("hourly", "a")]);
        assert_eq!(
            [two.prefix("nightly", "a"), two.prefix("nightly", "b"), two.prefix("hourly", "a")],
            ["nightly/", "nightly/b/", "hourly/"]
        );
        assert_eq!(Names::given([("nightly", "a"), ("nightly", "b")]), Names::Runs);
        assert_eq!(Names::Runs.prefix("nightly", "a"), "nightly/a/");
    }
}
