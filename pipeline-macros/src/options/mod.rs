//! Options: the contents of an attribute's parentheses.
//!
//! [`table`] lists the options of each macro, [`pieces`] splits the tokens so that one bad option does not hide the next,
//! [`value`] reads each value by its shape, [`rules`] compares options with one another, and [`expand`] turns the valid options
//! into a chain of builder calls. [`completion`] is for editors.

mod completion;
mod expand;
mod groups;
mod paths;
mod pieces;
mod rules;
mod table;
#[cfg(test)]
mod tests;
mod value;
mod values;
mod when;

pub(crate) use completion::completion;
pub(crate) use table::Place;
pub(crate) use values::{cron, defaults, every};

use crate::error::Errors;
use pieces::Entry;
use proc_macro2::{Ident, TokenStream};
use std::time::Duration;
use syn::Path;
use table::Spec;
use value::Value;

/// The options of one item.
pub(crate) struct Options {
    place: Place,
    settings: Vec<Setting>,
}

/// One option as given.
struct Setting {
    spec: &'static Spec,
    name: Ident,
    /// The value's tokens, to report errors at.
    written: TokenStream,
    /// `None` if the value was wrong. That is reported already and must not cause a second error.
    value: Option<Value>,
}

impl Options {
    /// Reads all options and reports every mistake in them. Returns the options that are right.
    pub(crate) fn parse(place: Place, tokens: TokenStream, errors: &mut Errors) -> Options {
        let mut options = Options { place, settings: Vec::new() };
        for entry in pieces::entries(tokens, errors) {
            if let Some(setting) = options.read(entry, errors) {
                options.settings.push(setting);
            }
        }
        rules::check(&options, errors);
        options
    }

    /// The id, if one was given.
    pub(crate) fn id(&self) -> Option<&str> {
        match &self.get("id")?.value {
            Some(Value::Id(id)) => Some(id),
            _ => None,
        }
    }

    /// The path of the runtime, if one was given.
    pub(crate) fn runtime(&self) -> Option<&Path> {
        match &self.get("crate")?.value {
            Some(Value::Runtime(path)) => Some(path),
            _ => None,
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn read(&self, entry: Entry, errors: &mut Errors) -> Option<Setting> {
        let name = entry.name.to_string();
        let Some(spec) = table::find(self.place, &name) else {
            errors.at(entry.name.span(), table::explain_unknown(self.place, &name));
            return None;
        };
        if self.has(&name) {
            errors.at(entry.name.span(), format!("`{name}` is given twice; keep one"));
            return None;
        }
        let value = value::read(self.place, spec, &entry, errors);
        Some(Setting { spec, written: entry.written(), name: entry.name, value })
    }

    fn get(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.spec.name == name)
    }

    /// The given duration, or the default if none was given, or `None` if the given one is wrong or a constant.
    fn duration_or(&self, name: &str, default: Duration) -> Option<Duration> {
        match self.get(name).map(|setting| &setting.value) {
            None => Some(default),
            Some(Some(Value::Duration(duration))) => Some(*duration),
            Some(_) => None,
        }
    }
}
