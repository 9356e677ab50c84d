//! Reading one value by its shape. Every refusal says what to write.

use super::groups::{self, Backoff, Rung};
use super::pieces::{Entry, Given};
use super::table::{Place, Shape, Spec};
use super::when::{self, When};
use super::{Options, paths};
use crate::error::Errors;
use pipeline_syntax::suggest;
use pipeline_syntax::zone::{self, Zone};
use pipeline_syntax::{cron, date, duration, id, limits};
use proc_macro2::TokenStream;
use std::time::Duration;
use syn::{ExprPath, Lit, LitInt, LitStr, Path, Token};

/// A value that was read and found right.
pub(crate) enum Value {
    Count(u32),
    Rank(i32),
    Switch(bool),
    Duration(Duration),
    Text(String),
    Zone(Zone),
    Date(String),
    /// The runtime's enum and the variant that was chosen.
    Word(&'static str, &'static str),
    Callbacks(Vec<ExprPath>),
    Pool(ExprPath),
    When(When),
    Backoff(Backoff),
    Escalation(Vec<Rung>),
    Tags(Vec<LitStr>),
    Defaults(Options),
    Runtime(Path),
}

/// Reads the entry's value as the option's shape demands.
pub(crate) fn read(spec: &'static Spec, entry: &Entry, errors: &mut Errors) -> Option<Value> {
    let takes_list = matches!(spec.shape, Shape::Backoff | Shape::Escalation | Shape::Defaults);
    let tokens = match &entry.given {
        Given::List(list) if takes_list => return read_list(spec, entry, list, errors),
        Given::Value(value) if !takes_list => value,
        _ => {
            errors.on(&entry.name, format!("write `{}`", spec.example));
            return None;
        }
    };
    Reader { spec, tokens, errors }.read()
}

fn read_list(spec: &Spec, entry: &Entry, list: &TokenStream, errors: &mut Errors) -> Option<Value> {
    match spec.shape {
        Shape::Backoff => groups::backoff(&entry.name, list, errors).map(Value::Backoff),
        Shape::Escalation => groups::escalation(&entry.name, list, errors).map(Value::Escalation),
        _ => Some(Value::Defaults(Options::parse(Place::Defaults, list.clone(), errors))),
    }
}

/// A duration inside of a list, such as `backoff`'s `start`.
pub(crate) fn read_duration(
    name: &'static str,
    example: &'static str,
    tokens: &TokenStream,
    errors: &mut Errors,
) -> Option<Duration> {
    let spec = Spec::unlisted(name, Shape::Duration, example);
    Reader { spec: &spec, tokens, errors }.duration()
}

/// One value under its option.
struct Reader<'a> {
    spec: &'a Spec,
    tokens: &'a TokenStream,
    errors: &'a mut Errors,
}

impl Reader<'_> {
    fn read(mut self) -> Option<Value> {
        match self.spec.shape {
            Shape::Count(least, most) => self.count(least, most).map(Value::Count),
            Shape::Rank => self.rank().map(Value::Rank),
            Shape::Switch => self.switch().map(Value::Switch),
            Shape::Duration => self.duration().map(Value::Duration),
            Shape::Schedule => {
                let parse = |text: &str| cron::parse(text).map_err(|error| error.to_string());
                self.checked("schedule", parse).map(|(_, text)| Value::Text(text))
            }
            Shape::Zone => {
                let parse = |text: &str| zone::parse(text).map_err(|hint| format!("there is none of that name; {hint}"));
                self.checked("time zone", parse).map(|(zone, _)| Value::Zone(zone))
            }
            Shape::Date => {
                let parse = |text: &str| date::parse(text).map_err(|error| error.reason());
                self.checked("date", parse).map(|(_, text)| Value::Date(text))
            }
            Shape::Id => self.checked("id", id::check).map(|((), text)| Value::Text(text)),
            Shape::Word(of, words) => self.word(words).map(|variant| Value::Word(of, variant)),
            Shape::Tags => self.tags().map(Value::Tags),
            Shape::Callbacks => paths::callbacks(self.spec, self.tokens, self.errors).map(Value::Callbacks),
            Shape::Pool => paths::pool(self.spec, self.tokens, self.errors).map(Value::Pool),
            Shape::When => when::when(self.spec, self.tokens, self.errors).map(Value::When),
            Shape::Runtime => paths::runtime(self.tokens, self.errors).map(Value::Runtime),
            Shape::Backoff | Shape::Escalation | Shape::Defaults => None,
        }
    }

    fn refuse<T>(&mut self, why: &str) -> Option<T> {
        self.errors.on(self.tokens, why);
        None
    }

    /// "`retries` takes a whole number, as in `retries = 2`"
    fn takes<T>(&mut self, what: &str) -> Option<T> {
        // What a name stands for is only known after the macros have run.
        let constant = syn::parse2::<ExprPath>(self.tokens.clone()).is_ok();
        let literal = if constant && !what.contains('"') { " written out" } else { "" };
        let why = format!("`{}` takes {what}{literal}, as in `{}`", self.spec.name, self.spec.example);
        self.refuse(&why)
    }

    fn count(&mut self, least: u32, most: u32) -> Option<u32> {
        let number = self.whole("a whole number")?;
        if number < i128::from(least) {
            let why = format!("`{}` is a whole number from {least} on, as in `{}`", self.spec.name, self.spec.example);
            return self.refuse(&why);
        }
        let number = u32::try_from(number).ok().filter(|number| *number <= most);
        number.or_else(|| self.refuse(&format!("`{}` is at most {most}", self.spec.name)))
    }

    fn rank(&mut self) -> Option<i32> {
        let number = self.whole("a whole number, negative ones included")?;
        i32::try_from(number).ok().or_else(|| {
            let why = format!("`{}` lies between {} and {}", self.spec.name, i32::MIN, i32::MAX);
            self.refuse(&why)
        })
    }

    fn whole(&mut self, what: &str) -> Option<i128> {
        if let Some(number) = integer(self.tokens) {
            return Some(number);
        }
        match syn::parse2::<Lit>(self.tokens.clone()) {
            Ok(Lit::Str(text)) if text.value().trim().parse::<i128>().is_ok() => {
                let why = format!("`{0}` takes a number without quotes: write `{0} = {1}`", self.spec.name, text.value().trim());
                self.refuse(&why)
            }
            _ => self.takes(what),
        }
    }

    fn switch(&mut self) -> Option<bool> {
        match syn::parse2::<Lit>(self.tokens.clone()) {
            Ok(Lit::Bool(switch)) => Some(switch.value),
            Ok(Lit::Str(text)) if matches!(text.value().as_str(), "true" | "false") => {
                let why = format!("write it without quotes: `{} = {}`", self.spec.name, text.value());
                self.refuse(&why)
            }
            _ => self.takes("`true` or `false`"),
        }
    }

    fn duration(&mut self) -> Option<Duration> {
        let zero = limits::zero_of(self.spec.name);
        if let Ok(number) = syn::parse2::<Lit>(self.tokens.clone())
            && let Lit::Int(_) | Lit::Float(_) = number
        {
            let written = self.tokens.to_string();
            let (unit, quoted) = match duration::parse(&written, zero) {
                Ok(_) => ("in quotes", written),
                // What is proposed must be taken.
                Err(_) => match duration::parse(&format!("{written}s"), zero) {
                    Ok(_) => ("with a unit, in quotes", format!("{written}s")),
                    Err(why) => return self.refuse(&format!("invalid duration {written}: {why}")),
                },
            };
            let why = format!("a duration is written {unit}: `{} = \"{quoted}\"`", self.spec.name);
            return self.refuse(&why);
        }
        self.checked("duration", |text| duration::parse(text, zero)).map(|(duration, _)| duration)
    }

    fn word(&mut self, words: &'static [(&str, &'static str)]) -> Option<&'static str> {
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let Some(text) = self.text() else {
            let listed: Vec<_> = names.iter().map(|name| format!("`\"{name}\"`")).collect();
            return self.takes(&format!("one of {}", listed.join(", ")));
        };
        let chosen = words.iter().find(|(word, _)| *word == text);
        if chosen.is_none() {
            self.errors.on(self.tokens, format!("`{}` cannot be {text:?}; {}", self.spec.name, suggest::hint(&text, &names)));
        }
        chosen.map(|(_, variant)| *variant)
    }

    fn tags(&mut self) -> Option<Vec<LitStr>> {
        let list = |input: syn::parse::ParseStream<'_>| {
            let content;
            syn::bracketed!(content in input);
            content.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])
        };
        match syn::parse::Parser::parse2(list, self.tokens.clone()) {
            Ok(tags) => Some(tags.into_iter().collect()),
            Err(_) => self.takes("a list of texts"),
        }
    }

    /// A text that `parse` accepts, with what it made of it.
    fn checked<T>(&mut self, what: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<(T, String)> {
        let Some(text) = self.text() else {
            let article = if matches!(what, "id") { "an" } else { "a" };
            return self.takes(&format!("{article} {what} in quotes"));
        };
        match parse(&text) {
            Ok(value) => Some((value, text)),
            Err(why) => self.refuse(&format!("invalid {what} {text:?}: {why}")),
        }
    }

    fn text(&self) -> Option<String> {
        syn::parse2::<LitStr>(self.tokens.clone()).ok().map(|text| text.value())
    }
}

/// A whole number with an optional sign, and no unit glued to it.
pub(crate) fn integer(tokens: &TokenStream) -> Option<i128> {
    let signed = |input: syn::parse::ParseStream<'_>| -> syn::Result<(bool, LitInt)> {
        let minus = input.parse::<Option<Token![-]>>()?.is_some();
        Ok((minus, input.parse()?))
    };
    let (minus, number) = syn::parse::Parser::parse2(signed, tokens.clone()).ok()?;
    if !matches!(number.suffix(), "" | "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64") {
        return None;
    }
    let magnitude: i128 = number.base10_parse().ok()?;
    Some(if minus { -magnitude } else { magnitude })
}
