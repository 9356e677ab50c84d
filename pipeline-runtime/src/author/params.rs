//! Params: a pipeline's argument, set for one run and kept with it.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// What a pipeline's argument must be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a pipeline's parameters",
    label = "not `Serialize + DeserializeOwned + Default`",
    note = "add `#[derive(Default, serde::Serialize, serde::Deserialize)]` to `{Self}`"
)]
pub trait Params: Serialize + DeserializeOwned + Default + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Default + 'static> Params for T {}

/// Params that a pipeline does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// A key that is none.
    #[error("no param `{key}` in pipeline `{pipeline}`; {hint}")]
    Unknown {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The key.
        key: String,
        /// What there is.
        hint: String,
    },
    /// A value of the wrong type.
    #[error("the params of pipeline `{pipeline}` do not fit `{type_name}`: {reason}")]
    Invalid {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The argument's type.
        type_name: &'static str,
        /// What serde said.
        reason: String,
    },
    /// More than a run may keep.
    #[error(
        "the params of pipeline `{pipeline}` have {bytes} bytes as JSON; the limit is 1 MiB: put what is large in a bucket, and give its key"
    )]
    TooLarge {
        /// The pipeline's id.
        pipeline: &'static str,
        /// How many they have.
        bytes: usize,
    },
    /// Params for a pipeline without an argument.
    #[error("pipeline `{pipeline}` takes no params")]
    None {
        /// The pipeline's id.
        pipeline: &'static str,
    },
}

/// The most bytes that params may have as JSON: each run keeps its own.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// Reads `given` on top of the defaults. Returns the params whole, as they are kept with the run.
pub(crate) fn complete<P: Params>(pipeline: &'static str, given: &Value) -> Result<(P, Value), ParamsError> {
    let invalid = |reason: String| ParamsError::Invalid { pipeline, type_name: std::any::type_name::<P>(), reason };
    let defaults = serde_json::to_value(P::default()).map_err(|error| invalid(error.to_string()))?;
    let merged = match (defaults.clone(), given) {
        (defaults, Value::Null) => defaults,
        (Value::Object(mut all), Value::Object(given)) => {
            all.extend(given.clone());
            Value::Object(all)
        }
        (_, given) => given.clone(),
    };
    let params: P = serde_json::from_value(merged).map_err(|error| unknown_or(pipeline, &defaults, given, &error, invalid))?;
    let whole = serde_json::to_value(&params).map_err(|error| invalid(error.to_string()))?;
    let json = whole.to_string();
    if json.len() > MAX_BYTES {
        return Err(ParamsError::TooLarge { pipeline, bytes: json.len() });
    }
    // What is nested too deeply can be written but not read again.
    serde_json::from_str::<Value>(&json).map_err(|error| invalid(error.to_string()))?;
    // serde drops a key it does not know, unless the type denies it.
    if let (Value::Object(given), Value::Object(whole), Value::Object(defaults)) = (given, &whole, &defaults)
        && let Some(key) = given.keys().find(|key| !whole.contains_key(*key) && !defaults.contains_key(*key))
    {
        return Err(ParamsError::Unknown { pipeline, key: key.clone(), hint: known(whole) });
    }
    Ok((params, whole))
}

/// `deny_unknown_fields` reports an unknown key in serde's words; the user should hear ours whichever way it is found.
fn unknown_or(
    pipeline: &'static str,
    defaults: &Value,
    given: &Value,
    error: &serde_json::Error,
    invalid: impl Fn(String) -> ParamsError,
) -> ParamsError {
    let reason = error.to_string();
    let unknown = |key: &&String| reason.starts_with(&format!("unknown field `{key}`"));
    match (defaults, given) {
        (Value::Object(defaults), Value::Object(given)) => match given.keys().find(unknown) {
            Some(key) => ParamsError::Unknown { pipeline, key: key.clone(), hint: known(defaults) },
            None => invalid(reason),
        },
        _ => invalid(reason),
    }
}

fn known(of: &Map<String, Value>) -> String {
    let names: Vec<String> = of.keys().map(|key| format!("`{key}`")).collect();
    if names.is_empty() { "it takes none".into() } else { format!("it takes {}", names.join(", ")) }
}

/// Sets one param from a command line: JSON where the default there is no text, else the text as it is.
pub(crate) fn set(params: &mut Map<String, Value>, defaults: &Value, key: &str, text: &str) {
    let is_text = matches!(defaults.get(key), Some(Value::String(_)));
    let value = if is_text { None } else { serde_json::from_str(text).ok() };
    params.insert(key.to_owned(), value.unwrap_or_else(|| Value::String(text.to_owned())));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, Default, PartialEq, Serialize, serde::Deserialize)]
    struct Loose {
        region: String,
        days: u32,
    }

    #[derive(Debug, Default, Serialize, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Strict {
        region: String,
    }

    #[test]
    fn what_is_not_given_stays_at_its_default() {
        let (params, whole) = complete::<Loose>("p", &json!({ "days": 3 })).unwrap();
        assert_eq!(params, Loose { region: String::new(), days: 3 });
        assert_eq!(whole, json!({ "region": "", "days": 3 }));
    }

    #[test]
    fn unknown_keys_are_refused_whether_or_not_the_type_denies_them() {
        let loose = complete::<Loose>("p", &json!({ "regoin": "eu" })).unwrap_err().to_string();
        assert_eq!(loose, "no param `regoin` in pipeline `p`; it takes `days`, `region`");
        let strict = complete::<Strict>("p", &json!({ "regoin": "eu" })).unwrap_err().to_string();
        assert_eq!(strict, "no param `regoin` in pipeline `p`; it takes `region`");
    }

    #[test]
    fn what_is_too_large_or_too_deep_to_be_kept_is_refused() {
        let region = |bytes| complete::<Loose>("p", &json!({ "region": "x".repeat(bytes) })).map(drop);
        let rest = r#"{"days":0,"region":""}"#.len();
        assert_eq!(region(MAX_BYTES - rest), Ok(()));
        let error = region(MAX_BYTES - rest + 1).unwrap_err().to_string();
        assert!(error.starts_with("the params of pipeline `p` have 1048577 bytes as JSON; the limit is 1 MiB: "), "{error}");
        let deep = (0..130).fold(Value::Null, |inner, _| json!([inner]));
        let error = complete::<Value>("p", &json!({ "deep": deep })).unwrap_err().to_string();
        assert!(error.contains("recursion limit exceeded"), "{error}");
    }

    #[test]
    fn a_value_of_the_wrong_type_names_the_type() {
        let error = complete::<Loose>("p", &json!({ "days": "x" })).unwrap_err().to_string();
        assert!(error.starts_with("the params of pipeline `p` do not fit `"), "{error}");
    }

    #[test]
    fn a_text_from_the_command_line_follows_the_default() {
        let defaults = json!({ "region": "", "days": 1 });
        let mut params = Map::new();
        set(&mut params, &defaults, "region", "7");
        set(&mut params, &defaults, "days", "7");
        assert_eq!(Value::Object(params), json!({ "region": "7", "days": 7 }));
    }
}
