//! Values in the form that Airflow stores.
//!
//! Airflow stores an `XCom` as JSON in its database, and returns it through Python. Some values come back changed, or not at all
//! (seen with Airflow 3.3.2 on PostgreSQL): a float without a fraction from 1e16 on becomes an integer, and beyond 2^64 it is
//! unreadable; −0.0 becomes 0.0; a text with a NUL is refused, and so is a value nested deeper than 199. Such a value is stored
//! as a text, `{"$json": "…"}`, and so is one that Airflow would take for one of its own types.

use serde_json::{Map, Value};

/// The only field of a value that is stored as a text.
const AS_TEXT: &str = "$json";
/// The field that marks Airflow's own encoding of Python's types.
const OF_PYTHON: &str = "__classname__";
/// Airflow's database accepts 199, and JSON text is read here down to 127.
const MAX_DEPTH: usize = 100;
/// From here on a float may come back as an integer.
const LARGE: f64 = 9_007_199_254_740_992.0;

/// The error of a stored value that could not be decoded.
#[derive(Debug, thiserror::Error)]
#[error("a value in Airflow is not valid JSON: {0}")]
pub(in crate::airflow) struct DecodeError(#[from] serde_json::Error);

/// Returns the value in the form that is sent to Airflow.
pub(in crate::airflow) fn pack(value: Value) -> Value {
    if survives_round_trip(&value, 0) {
        return value;
    }
    let text = value.to_string();
    Value::Object(Map::from_iter([(AS_TEXT.to_owned(), Value::String(text))]))
}

/// Returns the value that was [packed](pack).
pub(in crate::airflow) fn unpack(stored: Value) -> Result<Value, DecodeError> {
    match &stored {
        Value::Object(fields) if fields.len() == 1 => match fields.get(AS_TEXT) {
            Some(Value::String(text)) => Ok(serde_json::from_str(text)?),
            _ => Ok(stored),
        },
        _ => Ok(stored),
    }
}

fn survives_round_trip(value: &Value, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => match (number.is_f64(), number.as_f64()) {
            (true, Some(float)) => !(float == 0.0 && float.is_sign_negative()) && float.abs() < LARGE,
            // On SQLite an integer that does not fit into a signed 64-bit integer comes back as a float.
            _ => number.is_i64(),
        },
        Value::String(text) => !text.contains('\0'),
        Value::Array(items) => items.iter().all(|item| survives_round_trip(item, depth + 1)),
        Value::Object(fields) => fields.iter().all(|(name, value)| {
            !name.contains('\0') && name != AS_TEXT && name != OF_PYTHON && survives_round_trip(value, depth + 1)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_values_are_kept_as_they_are_so_that_python_reads_them() {
        for value in [json!(null), json!([1, i64::MAX, i64::MIN, 0.1, 1.0, "ä", {"a": {"b": []}}]), json!(1e15), json!("")] {
            assert_eq!(pack(value.clone()), value);
            assert_eq!(unpack(value.clone()).unwrap(), value);
        }
    }

    #[test]
    fn what_would_not_come_back_is_kept_as_a_text() {
        let deep = (0..MAX_DEPTH + 2).fold(json!(1), |inner, _| json!([inner]));
        for value in [
            json!(u64::MAX),
            json!(1e16),
            json!([1e20]),
            json!(-0.0),
            json!("a\0b"),
            json!({"a\0": 1}),
            deep,
            json!({"__classname__": "x"}),
        ] {
            let packed = pack(value.clone());
            assert_eq!(packed[AS_TEXT], value.to_string());
            assert_eq!(unpack(packed).unwrap().to_string(), value.to_string());
        }
        let twice = json!({"$json": "1"});
        assert_eq!(unpack(pack(twice.clone())).unwrap(), twice);
    }

    #[test]
    fn what_was_kept_by_others_and_is_no_json_is_an_error() {
        assert!(unpack(json!({"$json": "{"})).is_err());
    }
}
