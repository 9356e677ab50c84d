//! Reads params. A type requests what it is, and so determines how a text from a command line is read.

use super::failure::Failure;
use super::tree::{Entry, Node, join};
use crate::author::secret;
use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// How to read, and what was observed on the way.
#[derive(Debug, Default)]
pub(super) struct ReadContext {
    /// If true, every struct refuses unknown keys; otherwise only the outermost.
    pub(super) is_strict: bool,
    /// Texts to read the other way, if the type accepts anything.
    pub(super) flipped: BTreeSet<usize>,
    /// If true, defaults are left out of objects whose type accepts anything.
    pub(super) only_given: bool,
    /// The fields of each struct, by its path.
    pub(super) structs: RefCell<BTreeMap<String, &'static [&'static str]>>,
    /// Texts that might be JSON, and for which the type did not determine how to read them.
    pub(super) ambiguous: RefCell<BTreeSet<usize>>,
    /// True if an object was read whose type did not tell whether it is a struct.
    pub(super) has_open_object: Cell<bool>,
    /// The value as which each text was read.
    pub(super) texts: RefCell<BTreeMap<usize, Value>>,
    /// The paths of secrets.
    pub(super) secrets: RefCell<BTreeSet<String>>,
}

/// Deserializes a node.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    node: &'a Node,
    path: String,
    context: &'a ReadContext,
}

impl<'a> Reader<'a> {
    pub(super) fn new(node: &'a Node, context: &'a ReadContext) -> Self {
        Self { node, path: String::new(), context }
    }

    fn text(&self) -> Option<Text<'a>> {
        match self.node {
            Node::Text(id, text) => Some(Text { text, of: Some((*id, self.context)) }),
            _ => None,
        }
    }

    fn list<'de, V: Visitor<'de>>(self, items: &[Node], visitor: V) -> Result<V::Value, Failure> {
        let item = |(index, node)| Reader { node, path: format!("{}[{index}]", self.path), context: self.context };
        let mut list = SeqDeserializer::<_, Failure>::new(items.iter().enumerate().map(item));
        let value = visitor.visit_seq(&mut list)?;
        list.end()?;
        Ok(value)
    }

    /// Visits the entries of an object that satisfy `is_wanted`.
    fn object<'de, V: Visitor<'de>>(
        self,
        entries: &BTreeMap<String, Entry>,
        is_wanted: impl Fn(&str, &Entry) -> bool,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let wanted = entries.iter().filter(|(key, entry)| is_wanted(key, entry));
        let read = wanted.map(|(key, entry)| {
            (Text { text: key, of: None }, Reader { node: &entry.node, path: join(&self.path, key), context: self.context })
        });
        visitor.visit_map(MapDeserializer::new(read))
    }

    /// Reads a text as JSON.
    fn json<'de, T>(
        &self,
        text: &Text<'a>,
        example: &str,
        read: impl FnOnce(Reader<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure>
    where
        T: 'de,
    {
        let value: Value = serde_json::from_str(text.text).map_err(|error| {
            Failure::Message(format!("{:?} is not JSON ({}): write it as in `{example}`", text.text, words(&error)))
        })?;
        let node = Node::of_json(&value, true);
        text.was(value);
        read(Reader { node: &node, path: self.path.clone(), context: self.context })
    }
}

impl IntoDeserializer<'_, Failure> for Reader<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The message of `serde_json` without the position, which is useless in a text of one line.
fn words(error: &serde_json::Error) -> String {
    let words = error.to_string();
    words.split(" at line ").next().unwrap_or_default().to_owned()
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn failed(error: serde_json::Error) -> Failure {
    Failure::Message(error.to_string())
}

/// The methods that read scalars.
macro_rules! scalars {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            match self.node {
                Node::Scalar(value) => value.clone().$method(visitor).map_err(failed),
                Node::Text(id, text) => Text { text, of: Some((*id, self.context)) }.$method(visitor),
                Node::List(_) | Node::Object(_) => self.deserialize_any(visitor),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Failure;

    scalars! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.node {
            Node::Scalar(value) => value.clone().deserialize_any(visitor).map_err(failed),
            Node::List(items) => self.list(items, visitor),
            Node::Object(entries) => {
                self.context.has_open_object.set(true);
                let only_given = self.context.only_given;
                self.object(entries, |_, entry| entry.is_given || !only_given, visitor)
            }
            // The type accepts anything, or serde buffers the value for later. A text that looks like a number stays a text.
            Node::Text(id, text) => {
                let source = Text { text, of: Some((*id, self.context)) };
                let Ok(value) = serde_json::from_str::<Value>(text) else { return source.deserialize_any(visitor) };
                self.context.ambiguous.borrow_mut().insert(*id);
                let is_list_or_object = value.is_array() || value.is_object();
                if is_list_or_object == self.context.flipped.contains(id) {
                    return source.deserialize_any(visitor);
                }
                self.json(&source, "", |read| read.deserialize_any(visitor))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.node {
            Node::Scalar(Value::Null) => visitor.visit_none(),
            Node::Text(_, text) if text == "null" => {
                if let Some(text) = self.text() {
                    text.was(Value::Null);
                }
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        if name == secret::TYPE_NAME {
            self.context.secrets.borrow_mut().insert(self.path.clone());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.text() {
            Some(text) => self.json(&text, r#"["a", "b"]"#, |read| read.deserialize_seq(visitor)),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match (self.text(), self.node) {
            (Some(text), _) => self.json(&text, r#"{"a": 1}"#, |read| read.deserialize_map(visitor)),
            (None, Node::Object(entries)) => self.object(entries, |_, _| true, visitor),
            (None, _) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        if self.text().is_some() {
            self.context.structs.borrow_mut().insert(self.path.clone(), fields);
        }
        let entries = match (self.text(), self.node) {
            (Some(text), _) => return self.json(&text, r#"{"a": 1}"#, |read| read.deserialize_struct(name, fields, visitor)),
            (None, Node::Object(entries)) => entries,
            (None, _) => return self.deserialize_any(visitor),
        };
        let is_checked = self.context.is_strict || self.path.is_empty();
        let is_unknown = |(key, entry): &(&String, &Entry)| entry.is_given && !fields.contains(&key.as_str());
        if let Some((key, _)) = entries.iter().find(is_unknown).filter(|_| is_checked) {
            return Err(Failure::unknown_field(key, fields));
        }
        self.context.structs.borrow_mut().insert(self.path.clone(), fields);
        // The type does not know a default that is written under another name than it is read by.
        self.object(entries, |key, entry| entry.is_given || fields.contains(&key), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.node {
            Node::Scalar(value) => value.clone().deserialize_enum(name, variants, visitor).map_err(failed),
            Node::Text(id, text) => {
                let source = Text { text, of: Some((*id, self.context)) };
                if text.starts_with('{') {
                    return self.json(&source, r#"{"Variant": 1}"#, |read| read.deserialize_enum(name, variants, visitor));
                }
                source.was(Value::String(text.clone()));
                visitor.visit_enum(StrDeserializer::<Failure>::new(text))
            }
            Node::List(_) => {
                Err(Failure::invalid_type(Unexpected::Seq, &"the name of a variant, or an object with it as its key"))
            }
            Node::Object(entries) => {
                // If a variant is given, the default, another variant, is dropped.
                let has_given = entries.values().any(|entry| entry.is_given);
                let is_wanted = |entry: &Entry| entry.is_given || !has_given;
                if entries.values().filter(|entry| is_wanted(entry)).count() != 1 {
                    return Err(Failure::custom("an enum is an object with one key, the name of its variant"));
                }
                let wanted = entries.iter().filter(|(_, entry)| is_wanted(entry));
                let read = wanted.map(|(key, entry)| {
                    let path = join(&self.path, key);
                    (Text { text: key, of: None }, Reader { node: &entry.node, path, context: self.context })
                });
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(read)))
            }
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }
}

/// A text from a command line, or an object's key, which is never JSON.
#[derive(Debug, Clone, Copy)]
struct Text<'a> {
    text: &'a str,
    of: Option<(usize, &'a ReadContext)>,
}

impl Text<'_> {
    /// Records the value as which the text was read.
    fn was(&self, value: Value) {
        if let Some((id, context)) = self.of {
            context.texts.borrow_mut().insert(id, value);
        }
    }

    fn integer<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if let Ok(number) = self.text.parse::<u64>() {
            self.was(number.into());
            visitor.visit_u64(number)
        } else if let Ok(number) = self.text.parse::<i64>() {
            self.was(number.into());
            visitor.visit_i64(number)
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn float<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        // JSON has neither NaN nor infinity.
        match self.text.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.was(number.into());
                visitor.visit_f64(number)
            }
            _ => self.deserialize_any(visitor),
        }
    }
}

impl IntoDeserializer<'_, Failure> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! forward {
    ($to:ident: $($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            self.$to(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Failure;

    forward! { integer:
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32
        deserialize_u64 deserialize_u128
    }
    forward! { float: deserialize_f32 deserialize_f64 }
    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit_struct seq tuple tuple_struct map struct identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.was(Value::String(self.text.to_owned()));
        visitor.visit_str(self.text)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.text.parse::<bool>() {
            Ok(value) => {
                self.was(value.into());
                visitor.visit_bool(value)
            }
            Err(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.text == "null" {
            self.was(Value::Null);
            return visitor.visit_unit();
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_enum(StrDeserializer::<Failure>::new(self.text))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }
}
