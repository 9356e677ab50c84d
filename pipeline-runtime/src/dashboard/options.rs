//! The address of the page, and who may see it.

use super::DashboardError;
use super::token::Token;
use std::net::{IpAddr, SocketAddr};

/// The default address of the page.
pub(crate) const DEFAULT_ADDRESS: &str = "127.0.0.1:7373";

/// The address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
}

impl Default for Listen {
    fn default() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 7373)) }
    }
}

impl std::str::FromStr for Listen {
    type Err = String;

    /// Parses `127.0.0.1:7373`, `[::1]:7373`, `0.0.0.0:80`; a port alone means loopback.
    fn from_str(text: &str) -> Result<Self, String> {
        let port = text.strip_prefix(':').unwrap_or(text);
        if let Ok(port) = port.parse() {
            return Ok(Self { address: SocketAddr::from(([127, 0, 0, 1], port)) });
        }
        let text = text.replacen("localhost:", "127.0.0.1:", 1);
        let address =
            text.parse().map_err(|_| format!("expected an address and a port, such as {DEFAULT_ADDRESS}, or a port"))?;
        Ok(Self { address })
    }
}

/// The address of the page, and who may see it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) listen: Listen,
    /// The prefix of all paths: empty, or `/pipelines`.
    pub(crate) base: String,
    pub(crate) read_only: bool,
    pub(crate) token: Option<Token>,
    /// Further host names of requests, as a proxy passes them on.
    pub(crate) hosts: Vec<String>,
}

impl Options {
    /// Parses `--base-path`.
    ///
    /// # Errors
    ///
    /// If it is not a valid path.
    pub(crate) fn base(text: &str) -> Result<String, DashboardError> {
        let base = text.trim_end_matches('/');
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.~/".contains(c);
        let is_path = base.is_empty() || base.starts_with('/') && !base.contains("//") && base.chars().all(is_part);
        if is_path { Ok(base.to_owned()) } else { Err(DashboardError::BasePath(text.to_owned())) }
    }

    /// Returns the address to open in a browser on this machine.
    pub(super) fn url(&self, address: SocketAddr) -> String {
        let address = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], address.port())),
            _ => address,
        };
        let token = self.token.as_ref().map(|token| format!("#token={}", token.secret())).unwrap_or_default();
        format!("http://{address}{}/{token}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_a_port_alone() {
        let of = |text: &str| text.parse::<Listen>().map(|listen| listen.address.to_string());
        assert_eq!(of("8080").as_deref(), Ok("127.0.0.1:8080"));
        assert_eq!(of(":0").as_deref(), Ok("127.0.0.1:0"));
        assert_eq!(of("localhost:80").as_deref(), Ok("127.0.0.1:80"));
        assert_eq!(of("[::1]:7373").as_deref(), Ok("[::1]:7373"));
        assert!(of("here").is_err() && of("99999").is_err());
    }

    #[test]
    fn a_base_is_a_path_without_an_end() {
        let of = |text: &str| Options::base(text).ok();
        assert_eq!(of("/x/y/").as_deref(), Some("/x/y"));
        assert_eq!(of("/").as_deref(), Some(""));
        for wrong in ["x", "/x\"y", "/x y", "//x"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
