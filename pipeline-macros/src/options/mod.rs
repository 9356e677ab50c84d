//! Options: the contents of an attribute's parentheses.
//!
//! [`table`] lists the options of each macro, [`pieces`] splits the tokens so that one bad option does not hide the next,
//! [`value`] reads each value by its shape, [`rules`] compares options with one another, and [`expand`] turns the valid options
//! into a chain of builder calls. [`value_macros`] has the macros whose results are an option's value, and [`completion`] is for
//! editors.

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
mod value_macros;
mod when;

pub(crate) use completion::completion;
pub(crate) use table::Owner;
pub(crate) use value_macros::{cron, defaults, every};

use crate::error::Errors;
use pieces::Entry;
use proc_macro2::{Ident, TokenStream};
use std::time::Duration;
use syn::Path;
use table::Spec;
use value::Value;

/// The options of one item.
pub(crate) struct Options {
    owner: Owner,
    /// In the order in which they were written.
    parsed: Vec<ParsedOption>,
}

/// One option and its value.
struct ParsedOption {
    /// Its row in the table.
    spec: &'static Spec,
    /// The name's token, to report errors at.
    name: Ident,
    /// The value's tokens, to report errors at.
    tokens: TokenStream,
    /// `None` if the value was wrong. That is reported already and must not cause a second error.
    value: Option<Value>,
}

impl Options {
    /// Reads all options and reports every mistake in them. Returns the options that are right.
    pub(crate) fn parse(owner: Owner, tokens: TokenStream, errors: &mut Errors) -> Options {
        let mut options = Options { owner, parsed: Vec::new() };
        for entry in pieces::entries(tokens, errors) {
            if let Some(option) = options.read(entry, errors) {
                options.parsed.push(option);
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

    fn read(&self, entry: Entry, errors: &mut Errors) -> Option<ParsedOption> {
        let name = entry.name.to_string();
        let Some(spec) = table::find(self.owner, &name) else {
            errors.at(entry.name.span(), table::explain_unknown(self.owner, &name));
            return None;
        };
        if self.has(&name) {
            errors.at(entry.name.span(), format!("`{name}` is given twice; keep one"));
            return None;
        }
        let value = value::read(self.owner, spec, &entry, errors);
        Some(ParsedOption { spec, tokens: entry.value_tokens(), name: entry.name, value })
    }

    fn get(&self, name: &str) -> Option<&ParsedOption> {
        self.parsed.iter().find(|option| option.spec.name == name)
    }

    /// The given duration, or the default if none was given, or `None` if the given one is wrong or a constant.
    fn duration_or(&self, name: &str, default: Duration) -> Option<Duration> {
        match self.get(name).map(|option| &option.value) {
            None => Some(default),
            Some(Some(Value::Duration(duration))) => Some(*duration),
            Some(_) => None,
        }
    }
}
