//! The fields that the type of a pipeline's params asks for, for a form that a user fills in.
//!
//! The type is known only through serde. So it is read by a deserializer that records what the type requests (which fields, which
//! widths of numbers, which variants) and supplies the defaults; what the type leaves open, its default determines. For an
//! `Option` that is `None` by default, the deserializer makes up a value to learn the inner type, and leaves it `None` if the
//! type refuses that value.

use super::Params;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, Visitor};
use serde_json::{Error, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// A field of a form. Its name is that of a `--param`: with dots if the field is nested.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: FieldKind,
    /// True if it may be null.
    pub(crate) optional: bool,
    pub(crate) default: Value,
}

/// The values that a field takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FieldKind {
    Integer {
        min: i128,
        max: i128,
    },
    Number,
    Text,
    Boolean,
    Choice(Vec<&'static str>),
    Date,
    DateTime,
    /// Any JSON that the type accepts.
    Json,
}

/// The fields of a type with these defaults, in the type's order.
pub(crate) fn fields<P: Params>(defaults: &Value) -> Vec<Field> {
    let notes = Notes::default();
    let mut none = BTreeSet::new();
    // Each walk that fails leaves out one more field, so there are at most as many walks as fields.
    while let (Err(_), Some(path)) = {
        notes.clear();
        let probe = FieldProbe { notes: &notes, path: Vec::new(), value: Some(defaults), none: &none };
        (P::deserialize(probe), notes.last_made_up())
    } {
        if !none.insert(path) {
            break;
        }
    }
    notes.fields(defaults)
}

/// What the type has requested so far.
#[derive(Debug, Default)]
struct Notes {
    /// In the order of their first request.
    kinds: RefCell<Vec<(Vec<String>, FieldKind)>>,
    optional: RefCell<BTreeSet<Vec<String>>>,
    structs: RefCell<BTreeSet<Vec<String>>>,
    /// The path of the last field that was given a made-up value.
    last: RefCell<Option<Vec<String>>>,
}

impl Notes {
    fn clear(&self) {
        self.last.replace(None);
    }

    fn last_made_up(&self) -> Option<Vec<String>> {
        self.last.borrow().clone()
    }

    fn note(&self, path: &[String], kind: FieldKind) {
        let mut kinds = self.kinds.borrow_mut();
        // What is inside a JSON value is not a field.
        let is_known = kinds.iter().any(|(known, kind)| *known == path || *kind == FieldKind::Json && path.starts_with(known));
        if !is_known {
            kinds.push((path.to_vec(), kind));
        }
    }

    fn fields(&self, defaults: &Value) -> Vec<Field> {
        let at = |path: &[String]| path.iter().try_fold(defaults, |value, key| value.get(key)).cloned().unwrap_or_default();
        let kinds = self.kinds.borrow();
        let is_struct = self.structs.borrow().contains(&Vec::new());
        let field = |path: &[String], kind: &FieldKind| Field {
            name: path.join("."),
            kind: kind.clone(),
            optional: (0..=path.len()).any(|of| self.optional.borrow().contains(&path[..of])),
            default: at(path),
        };
        if is_struct {
            return kinds.iter().filter(|(path, _)| !path.is_empty()).map(|(path, kind)| field(path, kind)).collect();
        }
        // A flattened struct is read as a map, so its fields come from the defaults.
        let of_defaults = defaults.as_object().into_iter().flatten();
        of_defaults.map(|(key, value)| field(std::slice::from_ref(key), &kind_of(value))).collect()
    }
}

fn kind_of(value: &Value) -> FieldKind {
    match value {
        Value::Bool(_) => FieldKind::Boolean,
        Value::String(_) => FieldKind::Text,
        Value::Number(number) if number.is_f64() => FieldKind::Number,
        Value::Number(_) => FieldKind::Integer { min: i64::MIN.into(), max: u64::MAX.into() },
        _ => FieldKind::Json,
    }
}

/// Deserializes one field of the params from its default, and notes which kind of value the field's type asks for.
struct FieldProbe<'a> {
    notes: &'a Notes,
    path: Vec<String>,
    /// Its default; `None` if a value must be made up.
    value: Option<&'a Value>,
    /// The paths of the fields that refuse a made-up value.
    none: &'a BTreeSet<Vec<String>>,
}

impl<'a> FieldProbe<'a> {
    /// The default, or the made-up value if there is none.
    fn value(&self, made_up: impl Into<Value>) -> Value {
        if let Some(value) = self.value {
            return value.clone();
        }
        self.notes.last.replace(Some(self.path.clone()));
        made_up.into()
    }

    fn inner(&self, key: &str) -> FieldProbe<'a> {
        let path = [self.path.as_slice(), &[key.to_owned()]].concat();
        FieldProbe {
            notes: self.notes,
            path,
            value: self.value.map(|value| value.get(key).unwrap_or(&Value::Null)),
            none: self.none,
        }
    }
}

macro_rules! scalars {
    ($($method:ident: $kind:expr, $made_up:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.notes.note(&self.path, $kind);
            self.value($made_up).$method(visitor)
        })*
    };
}

fn integer(min: impl Into<i128>, max: impl Into<i128>) -> FieldKind {
    FieldKind::Integer { min: min.into(), max: max.into() }
}

/// What a text must be, according to what its type expects.
fn of_text(expected: &dyn Expected) -> FieldKind {
    let expected = expected.to_string().to_lowercase();
    match () {
        () if expected.contains("date and time") || expected.contains("datetime") => FieldKind::DateTime,
        () if expected.contains("date") => FieldKind::Date,
        () => FieldKind::Text,
    }
}

impl<'de> Deserializer<'de> for FieldProbe<'_> {
    type Error = Error;

    scalars! {
        deserialize_bool: FieldKind::Boolean, false;
        deserialize_i8: integer(i8::MIN, i8::MAX), 0;
        deserialize_i16: integer(i16::MIN, i16::MAX), 0;
        deserialize_i32: integer(i32::MIN, i32::MAX), 0;
        deserialize_i64: integer(i64::MIN, i64::MAX), 0;
        deserialize_u8: integer(0, u8::MAX), 0;
        deserialize_u16: integer(0, u16::MAX), 0;
        deserialize_u32: integer(0, u32::MAX), 0;
        deserialize_u64: integer(0, u64::MAX), 0;
        deserialize_f32: FieldKind::Number, 0.0;
        deserialize_f64: FieldKind::Number, 0.0;
        deserialize_char: FieldKind::Text, "a";
        deserialize_any: FieldKind::Json, Value::Null;
        deserialize_bytes: FieldKind::Json, Value::Null;
        deserialize_byte_buf: FieldKind::Json, Value::Null;
        deserialize_unit: FieldKind::Json, Value::Null;
        deserialize_seq: FieldKind::Json, Value::Array(Vec::new());
        deserialize_map: FieldKind::Json, Value::Object(serde_json::Map::new());
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.notes.note(&self.path, of_text(&visitor));
        self.value("").deserialize_str(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.notes.note(&self.path, of_text(&visitor));
        self.value("").deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.notes.optional.borrow_mut().insert(self.path.clone());
        if self.none.contains(&self.path) {
            return visitor.visit_none();
        }
        let value = self.value.filter(|value| !value.is_null());
        visitor.visit_some(FieldProbe { value, ..self })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.notes.structs.borrow_mut().insert(self.path.clone());
        visitor.visit_map(Struct { probe: self, fields: fields.iter(), field: None })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // A variant with a value is written as an object.
        let kind = match self.value {
            Some(Value::Object(_)) => FieldKind::Json,
            _ => FieldKind::Choice(variants.to_vec()),
        };
        self.notes.note(&self.path, kind);
        self.value(variants.first().copied().unwrap_or_default()).deserialize_enum(name, variants, visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

/// The fields of a struct, one after the other. A field that the default does not write is left out.
struct Struct<'a> {
    probe: FieldProbe<'a>,
    fields: std::slice::Iter<'static, &'static str>,
    field: Option<&'static str>,
}

impl<'de> MapAccess<'de> for Struct<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        // To serde an alias is another field. A field that the default does not write is either an alias or null.
        let is_written = |field: &&&str| self.probe.value.is_none_or(|value| value.get(**field).is_some());
        self.field = self.fields.find(is_written).copied();
        let key = |field: &'static str| -> Result<K::Value, Error> {
            let key: StrDeserializer<'_, Error> = field.into_deserializer();
            seed.deserialize(key)
        };
        self.field.map(key).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.probe.inner(self.field.unwrap_or_default()))
    }
}

/// The fields of a form as JSON.
pub(crate) fn to_json(fields: &[Field]) -> Value {
    let field = |field: &Field| {
        let (kind, range, choices) = match &field.kind {
            FieldKind::Integer { min, max } => ("integer", Some((min, max)), None),
            FieldKind::Number => ("number", None, None),
            FieldKind::Text => ("text", None, None),
            FieldKind::Boolean => ("boolean", None, None),
            FieldKind::Choice(choices) => ("choice", None, Some(choices)),
            FieldKind::Date => ("date", None, None),
            FieldKind::DateTime => ("datetime", None, None),
            FieldKind::Json => ("json", None, None),
        };
        // As texts, because a browser's JSON cannot hold all 64-bit integers.
        let bound = |of: Option<&i128>| of.map(ToString::to_string);
        serde_json::json!({
            "name": field.name,
            "type": kind,
            "min": bound(range.map(|(min, _)| min)),
            "max": bound(range.map(|(_, max)| max)),
            "choices": choices,
            "optional": field.optional,
            "default": field.default,
        })
    };
    fields.iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, NaiveDate, Utc};
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        #[default]
        Full,
        Dry,
    }

    #[derive(Default, Serialize, Deserialize)]
    struct Inner {
        retries: u8,
        name: Option<String>,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(default)]
    struct Everything {
        days: u8,
        offset: i64,
        ratio: f64,
        label: String,
        dry: bool,
        mode: Mode,
        limit: Option<u32>,
        since: NaiveDate,
        until: Option<NaiveDate>,
        at: Option<DateTime<Utc>>,
        tags: Vec<String>,
        inner: Inner,
        free: BTreeMap<String, u8>,
    }

    impl Default for Everything {
        fn default() -> Self {
            Self {
                days: 3,
                offset: -1,
                ratio: 0.5,
                label: "plain".into(),
                dry: false,
                mode: Mode::Full,
                limit: None,
                since: NaiveDate::from_ymd_opt(2024, 3, 25).unwrap(),
                until: None,
                at: None,
                tags: vec!["a".into()],
                inner: Inner::default(),
                free: BTreeMap::new(),
            }
        }
    }

    fn described<P: Params>() -> Vec<String> {
        let defaults = serde_json::to_value(P::default()).unwrap();
        let tell = |field: &Field| {
            let optional = if field.optional { "?" } else { "" };
            format!("{}{optional} {:?} = {}", field.name, field.kind, field.default)
        };
        fields::<P>(&defaults).iter().map(tell).collect()
    }

    #[test]
    fn a_type_is_described_field_by_field() {
        assert_eq!(
            described::<Everything>(),
            [
                "days Integer { min: 0, max: 255 } = 3",
                "offset Integer { min: -9223372036854775808, max: 9223372036854775807 } = -1",
                "ratio Number = 0.5",
                "label Text = \"plain\"",
                "dry Boolean = false",
                "mode Choice([\"full\", \"dry\"]) = \"full\"",
                "limit? Integer { min: 0, max: 4294967295 } = null",
                "since Date = \"2024-03-25\"",
                "until? Date = null",
                "at? DateTime = null",
                "tags Json = [\"a\"]",
                "inner.retries Integer { min: 0, max: 255 } = 0",
                "inner.name? Text = null",
                "free Json = {}",
            ]
        );
    }

    #[derive(Default, Serialize, Deserialize)]
    struct Flattened {
        #[serde(flatten)]
        inner: Inner,
        more: bool,
    }

    #[test]
    fn what_a_type_leaves_open_its_default_tells() {
        let names: Vec<String> =
            described::<Flattened>().into_iter().map(|described| described.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(names, ["more", "name", "retries"]);
    }
}
