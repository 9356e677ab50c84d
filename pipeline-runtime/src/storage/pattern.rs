//! Glob patterns over keys, with Airflow's rules: `*` crosses `/`.

use super::key::Prefix;

/// A pattern with at least one wildcard, and the literal prefix of every match.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    glob: glob::Pattern,
    prefix: Prefix,
}

impl Pattern {
    /// True if `text` contains a wildcard; without one it is a plain key, which a single lookup finds.
    pub(super) fn is_one(text: &str) -> bool {
        text.contains(WILDCARDS)
    }

    /// Parses a pattern. The error completes the sentence "it …".
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let literal = text.find(WILDCARDS).map_or(text, |end| &text[..end]);
        let prefix = Prefix::parse(literal)?;
        let glob = glob::Pattern::new(text)
            .map_err(|error| format!("is malformed at byte {}: {}; a single `*` crosses `/`", error.pos, error.msg))?;
        Ok(Self { glob, prefix })
    }

    /// The longest literal prefix: only keys that begin with it have to be listed.
    pub(super) fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// The pattern as it was written.
    pub(super) fn as_str(&self) -> &str {
        self.glob.as_str()
    }

    pub(super) fn matches(&self, key: &str) -> bool {
        // The default options: case matters, and no wildcard stops at `/` or at a leading dot.
        self.glob.matches(key)
    }
}

const WILDCARDS: [char; 3] = ['*', '?', '['];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_cross_folders() -> Result<(), String> {
        let pattern = Pattern::parse("raw/*/2024-??-[0-9]*.csv")?;
        assert_eq!(pattern.prefix().as_str(), "raw/");
        assert!(pattern.matches("raw/a/b/2024-03-25.csv"));
        assert!(!pattern.matches("raw/2024-03-25.csv"));
        assert!(Pattern::parse("*.csv")?.matches("a/.b/c.csv"));
        Ok(())
    }

    #[test]
    fn mistakes_are_told() {
        assert!(Pattern::parse("a[").is_err());
        assert!(Pattern::parse("../*").is_err());
        let error = Pattern::parse("raw/a**").err().unwrap_or_default();
        assert!(error.contains("a single `*` crosses `/`"), "{error}");
    }
}
