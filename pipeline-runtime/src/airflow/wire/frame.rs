//! One message of the conversation, as bytes.
//!
//! Airflow's own format is a length of four bytes in big-endian order, and one msgpack value: `[id, body]` to the supervisor,
//! `[id, body, error]` from it. The operators of an export without a coordinator speak one JSON value per line, since their
//! Python may lack msgpack.

use chrono::{DateTime, SecondsFormat, Utc};
use rmpv::Value as Msgpack;
use serde_json::{Map, Number, Value};
use std::io::{self, BufRead, Read, Write};

/// A longer frame does not come from a supervisor, whose values have 100 MiB at most.
const MAX_FRAME: u32 = 1 << 30;

/// How messages are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::airflow) enum Encoding {
    /// As Airflow's supervisor reads them.
    #[default]
    Msgpack,
    /// As the operators of an export read them.
    JsonLines,
}

/// A message from the other side.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    pub(super) id: i128,
    pub(super) body: Value,
    pub(super) error: Value,
}

/// Why bytes are not a valid message.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("a frame of {0} bytes is not a valid message")]
    Length(u32),
    #[error("a frame could not be read: {0}")]
    Undecodable(String),
}

/// Writes a request.
pub(super) fn write(to: &mut impl Write, encoding: Encoding, id: u64, body: &Value) -> io::Result<()> {
    match encoding {
        Encoding::Msgpack => {
            let message = Msgpack::Array(vec![id.into(), to_msgpack(body)]);
            let mut bytes = vec![0; 4];
            rmpv::encode::write_value(&mut bytes, &message).map_err(io::Error::other)?;
            let length = u32::try_from(bytes.len() - 4).map_err(io::Error::other)?;
            bytes[..4].copy_from_slice(&length.to_be_bytes());
            to.write_all(&bytes)?;
        }
        Encoding::JsonLines => {
            let mut line = serde_json::to_vec(&serde_json::json!([id, body]))?;
            line.push(b'\n');
            to.write_all(&line)?;
        }
    }
    to.flush()
}

/// Reads the next message. Returns `None` if the other side has closed the connection between two messages.
pub(super) fn read(from: &mut impl BufRead, encoding: Encoding) -> Result<Option<Message>, FrameError> {
    if from.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let whole = match encoding {
        Encoding::Msgpack => {
            let mut length = [0; 4];
            from.read_exact(&mut length)?;
            let length = u32::from_be_bytes(length);
            if length == 0 || length > MAX_FRAME {
                return Err(FrameError::Length(length));
            }
            let mut bytes = Vec::new();
            from.take(length.into()).read_to_end(&mut bytes)?;
            if bytes.len() < length as usize {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            let value = rmpv::decode::read_value(&mut &*bytes).map_err(|error| FrameError::Undecodable(error.to_string()))?;
            from_msgpack(value)
        }
        Encoding::JsonLines => {
            let mut line = String::new();
            from.read_line(&mut line)?;
            serde_json::from_str(&line).map_err(|error| FrameError::Undecodable(error.to_string()))?
        }
    };
    message(whole).map(Some)
}

fn message(whole: Value) -> Result<Message, FrameError> {
    let Value::Array(parts) = whole else {
        return Err(FrameError::Undecodable("it is not a list".to_owned()));
    };
    let mut parts = parts.into_iter();
    let id = match parts.next() {
        Some(Value::Number(id)) => id.as_i64().map(i128::from).or(id.as_u64().map(i128::from)),
        _ => None,
    };
    let id = id.ok_or_else(|| FrameError::Undecodable("it has no id".to_owned()))?;
    Ok(Message { id, body: parts.next().unwrap_or_default(), error: parts.next().unwrap_or_default() })
}

fn to_msgpack(value: &Value) -> Msgpack {
    match value {
        Value::Null => Msgpack::Nil,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => integer.into(),
            (None, Some(integer)) => integer.into(),
            // A JSON number is always one of these three.
            (None, None) => number.as_f64().unwrap_or_default().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => Msgpack::Array(items.iter().map(to_msgpack).collect()),
        Value::Object(fields) => {
            Msgpack::Map(fields.iter().map(|(name, value)| (name.as_str().into(), to_msgpack(value))).collect())
        }
    }
}

fn from_msgpack(value: Msgpack) -> Value {
    match value {
        Msgpack::Boolean(value) => value.into(),
        Msgpack::Integer(integer) => match (integer.as_i64(), integer.as_u64()) {
            (Some(integer), _) => integer.into(),
            (None, integer) => integer.into(),
        },
        Msgpack::F32(float) => Number::from_f64(float.into()).into(),
        Msgpack::F64(float) => Number::from_f64(float).into(),
        Msgpack::String(text) => String::from_utf8_lossy(text.as_bytes()).into_owned().into(),
        Msgpack::Binary(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
        Msgpack::Array(items) => items.into_iter().map(from_msgpack).collect(),
        Msgpack::Map(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (key(name), from_msgpack(value))).collect::<Map<_, _>>())
        }
        Msgpack::Ext(-1, bytes) => {
            timestamp(&bytes).map_or(Value::Null, |time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true).into())
        }
        Msgpack::Nil | Msgpack::Ext(..) => Value::Null,
    }
}

fn key(name: Msgpack) -> String {
    match from_msgpack(name) {
        Value::String(name) => name,
        other => other.to_string(),
    }
}

/// msgpack's timestamp, of 32, 64 or 96 bits: <https://github.com/msgpack/msgpack/blob/master/spec.md#timestamp-extension-type>.
fn timestamp(bytes: &[u8]) -> Option<DateTime<Utc>> {
    match bytes.len() {
        4 => DateTime::from_timestamp(u32::from_be_bytes(bytes.try_into().ok()?).into(), 0),
        8 => {
            let both = u64::from_be_bytes(bytes.try_into().ok()?);
            let seconds = i64::try_from(both & ((1 << 34) - 1)).ok()?;
            DateTime::from_timestamp(seconds, u32::try_from(both >> 34).ok()?)
        }
        12 => {
            let nanos = u32::from_be_bytes(bytes[..4].try_into().ok()?);
            DateTime::from_timestamp(i64::from_be_bytes(bytes[4..].try_into().ok()?), nanos)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A message as a supervisor writes it.
    fn frame(value: &Msgpack) -> Vec<u8> {
        let mut body = Vec::new();
        rmpv::encode::write_value(&mut body, value).unwrap();
        let mut bytes = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend(body);
        bytes
    }

    #[test]
    fn a_request_is_a_length_and_a_list_of_its_number_and_its_body() {
        let mut bytes = Vec::new();
        write(&mut bytes, Encoding::Msgpack, 1, &json!({"type": "GetXCom"})).unwrap();
        assert_eq!(bytes, [&[0, 0, 0, 16, 0x92, 1, 0x81, 0xa4][..], b"type", &[0xa7], b"GetXCom"].concat());
        let mut line = Vec::new();
        write(&mut line, Encoding::JsonLines, 1, &json!({"type": "GetXCom"})).unwrap();
        assert_eq!(line, b"[1,{\"type\":\"GetXCom\"}]\n");
    }

    #[test]
    fn what_is_written_is_read_in_both_forms() {
        let body = json!({"a": [null, true, -1, u64::MAX, 0.5, "\u{e4}"], "b": {"": {}}});
        for encoding in [Encoding::Msgpack, Encoding::JsonLines] {
            let mut bytes = Vec::new();
            write(&mut bytes, encoding, 7, &body).unwrap();
            write(&mut bytes, encoding, 8, &json!(null)).unwrap();
            let mut from = &*bytes;
            assert_eq!(read(&mut from, encoding).unwrap().unwrap(), Message { id: 7, body: body.clone(), error: Value::Null });
            assert_eq!(read(&mut from, encoding).unwrap().unwrap().id, 8);
            assert_eq!(read(&mut from, encoding).unwrap(), None);
        }
    }

    #[test]
    fn times_of_all_three_widths_become_texts() {
        let time = |bytes: Vec<u8>| {
            let bytes = frame(&Msgpack::Array(vec![0.into(), Msgpack::Ext(-1, bytes)]));
            read(&mut &*bytes, Encoding::Msgpack).unwrap().unwrap().body
        };
        assert_eq!(time(1_711_346_400_u32.to_be_bytes().to_vec()), "2024-03-25T06:00:00Z");
        assert_eq!(time(((500_000_000_u64 << 34) + 1_711_346_400).to_be_bytes().to_vec()), "2024-03-25T06:00:00.500Z");
        let wide = [1_u32.to_be_bytes().to_vec(), (-1_i64).to_be_bytes().to_vec()].concat();
        assert_eq!(time(wide), "1969-12-31T23:59:59.000000001Z");
        assert_eq!(time(vec![1, 2]), Value::Null);
    }

    #[test]
    fn a_frame_that_is_cut_off_or_no_message_is_an_error() {
        let whole = frame(&Msgpack::Array(vec![0.into(), Msgpack::Nil]));
        for end in 1..whole.len() {
            assert!(matches!(read(&mut &whole[..end], Encoding::Msgpack), Err(FrameError::Io(_))), "{end}");
        }
        assert!(matches!(read(&mut &[0; 4][..], Encoding::Msgpack), Err(FrameError::Length(0))));
        assert!(matches!(read(&mut &[255; 4][..], Encoding::Msgpack), Err(FrameError::Length(u32::MAX))));
        assert!(matches!(read(&mut &*frame(&Msgpack::Nil), Encoding::Msgpack), Err(FrameError::Undecodable(_))));
        assert!(matches!(read(&mut &*frame(&Msgpack::Array(vec![])), Encoding::Msgpack), Err(FrameError::Undecodable(_))));
        assert!(matches!(read(&mut &b"{\n"[..], Encoding::JsonLines), Err(FrameError::Undecodable(_))));
    }
}
