//! Airflow connections: where their passwords come from.
//!
//! # Why a secret asks through a function that is set once
//!
//! The conversation of a process with Airflow belongs to a folder that imports this one, while a secret reads its value itself.

use percent_encoding::percent_decode_str;
use std::sync::{Arc, OnceLock};

/// Finds the password of a connection, or returns why there is none.
type PasswordLookup = Box<dyn Fn(&str) -> Result<Option<String>, String> + Send + Sync>;

static LOOKUP: OnceLock<PasswordLookup> = OnceLock::new();

/// Sets how connections are found. Only the first call counts.
pub(crate) fn set_lookup(lookup: impl Fn(&str) -> Result<Option<String>, String> + Send + Sync + 'static) {
    // A process runs one task, so a second call cannot differ.
    let _ = LOOKUP.set(Box::new(lookup));
}

/// The password of a connection.
pub(super) fn password(connection: &str) -> Result<Arc<str>, String> {
    let variable = format!("AIRFLOW_CONN_{}", connection.to_ascii_uppercase());
    let found = match LOOKUP.get() {
        Some(lookup) => lookup(connection).map_err(|why| format!("has no value: {why}"))?,
        None => match std::env::var(&variable) {
            Ok(text) => password_in(&text)?,
            Err(_) => {
                return Err(format!(
                    "has no value: no Airflow runs this process, and the environment variable {variable} is not set"
                ));
            }
        },
    };
    found.map(Into::into).ok_or_else(|| "has no value: the connection has no password".to_owned())
}

/// The password in an Airflow connection, which is a URL or JSON.
fn password_in(text: &str) -> Result<Option<String>, String> {
    if text.trim_start().starts_with('{') {
        // The error itself is left out, because it may show the value.
        let fields: serde_json::Value =
            serde_json::from_str(text).map_err(|_| "is not a connection: it is not JSON".to_owned())?;
        return Ok(fields["password"].as_str().map(str::to_owned));
    }
    let (_, rest) = text.split_once("://").ok_or("is not a connection: it is neither JSON nor a URL")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let password = authority.rsplit_once('@').and_then(|(login, _)| login.split_once(':')).map(|(_, password)| password);
    Ok(password.map(|password| percent_decode_str(password).decode_utf8_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_read_as_airflow_reads_it() {
        let of = |text: &str| password_in(text).unwrap();
        assert_eq!(of("postgres://me:p%40ss%2Fw@db:5432/shop?sslmode=require").as_deref(), Some("p@ss/w"));
        assert_eq!(of("postgres://me@db").as_deref(), None);
        assert_eq!(of("http://db").as_deref(), None);
        assert_eq!(of(r#"{"conn_type": "aws", "login": "a", "password": "b:c"}"#).as_deref(), Some("b:c"));
        assert_eq!(of(r#"{"conn_type": "aws"}"#), None);
    }

    #[test]
    fn what_is_none_does_not_show_itself() {
        let refused = |text: &str| password_in(text).unwrap_err();
        assert_eq!(refused("{\"password\": hunter2}"), "is not a connection: it is not JSON");
        assert_eq!(refused("hunter2"), "is not a connection: it is neither JSON nor a URL");
    }

    #[test]
    fn without_airflow_the_variable_is_named() {
        let error = password("nobody_has_this").unwrap_err();
        assert!(error.ends_with("the environment variable AIRFLOW_CONN_NOBODY_HAS_THIS is not set"), "{error}");
    }
}
