//! The token that grants access.

use super::DashboardError;
use std::path::Path;

/// A shorter one could be guessed.
pub(super) const SHORTEST: usize = 16;

/// A secret that clients have to know.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// Creates a token of 128 random bits.
    pub(crate) fn random() -> Self {
        Self(format!("{:032x}", crate::random::new_id()))
    }

    /// Reads a token from a file, without surrounding white space.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or has less than 16 characters.
    pub(crate) fn of_file(path: &Path) -> Result<Self, DashboardError> {
        let text = std::fs::read_to_string(path).map_err(|error| DashboardError::Token { path: path.to_owned(), error })?;
        let token = text.trim();
        match token.chars().count() {
            length if length < SHORTEST => Err(DashboardError::ShortToken { path: path.to_owned(), length }),
            _ => Ok(Self(token.to_owned())),
        }
    }

    /// True if this is the token. The time that it takes does not reveal how much of it is right.
    pub(super) fn is(&self, given: &str) -> bool {
        let (is, given) = (self.0.as_bytes(), given.as_bytes());
        let differ = is.iter().zip(given.iter().chain(std::iter::repeat(&0))).fold(0, |differ, (a, b)| differ | (a ^ b));
        differ == 0 && is.len() == given.len()
    }

    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_itself_alone() {
        let token = Token("0123456789abcdef".to_owned());
        assert!(token.is("0123456789abcdef"));
        for other in ["", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeF"] {
            assert!(!token.is(other), "{other}");
        }
        assert!(Token::random() != Token::random() && Token::random().secret().len() == 32);
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
}
