//! Glob patterns over keys, as Airflow reads them: `*` crosses `/`.

use super::key::Prefix;

/// A pattern with at least one wildcard, and what every match begins with.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    glob: glob::Pattern,
    prefix: Prefix,
}

impl Pattern {
    /// Whether `text` needs a pattern at all; without a wildcard it is a plain key, which one look answers.
    pub(super) fn is_one(text: &str) -> bool {
        text.contains(WILDCARDS)
    }

    /// The error ends the sentence "it …".
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let literal = text.find(WILDCARDS).map_or(text, |end| &text[..end]);
        let prefix = Prefix::parse(literal)?;
        let glob = glob::Pattern::new(text)
            .map_err(|error| format!("breaks off at byte {}: {}; `*` alone crosses `/`", error.pos, error.msg))?;
        Ok(Self { glob, prefix })
    }

    /// The longest literal prefix: only what begins so has to be listed.
    pub(super) fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// As it was written.
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
        assert!(error.contains("`*` alone crosses `/`"), "{error}");
    }
}
