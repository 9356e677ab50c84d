//! Reads one value by its shape. Every error message says what to write.

use super::groups::{self, Backoff, EscalationStep, Recurrence};
use super::paths::Constant;
use super::pieces::{self, Argument, Entry};
use super::table::{Owner, Shape, Spec};
use super::when::{self, When};
use super::{Options, paths};
use crate::error::Errors;
use pipeline_syntax::suggest;
use pipeline_syntax::zone::{self, Zone};
use pipeline_syntax::{cron, date, duration, every, id, limits};
use proc_macro2::{Span, TokenStream, TokenTree};
use std::time::Duration;
use syn::{ExprPath, Lit, LitInt, LitStr, Path, Token};

/// A valid value.
pub(crate) enum Value {
    Count(u32),
    Signed(i32),
    Bool(bool),
    Duration(Duration),
    Id(String),
    /// The lines of a schedule.
    Lines(Vec<String>),
    Every(Recurrence),
    Zone(Zone),
    Date(String),
    /// The name of the runtime's enum and of the chosen variant.
    Word(&'static str, &'static str),
    Callbacks(Vec<ExprPath>),
    /// `none`: no callback, whatever the pipeline's defaults are.
    NoCallback,
    Pool(ExprPath),
    When(When),
    Backoff(Backoff),
    Escalation(Vec<EscalationStep>),
    Tags(Vec<LitStr>),
    Defaults(Options),
    Runtime(Path),
    /// A constant, whose type rustc checks.
    Constant(Constant),
}

/// Reads the entry's value by the option's shape.
pub(crate) fn read(owner: Owner, spec: &'static Spec, entry: &Entry, errors: &mut Errors) -> Option<Value> {
    let takes_list = matches!(spec.shape, Shape::Backoff | Shape::Escalation | Shape::Defaults | Shape::Schedule);
    let (tokens, equals) = match &entry.argument {
        Argument::List(list) if takes_list => return read_list(spec, entry, list, errors),
        Argument::List(_) => {
            errors.on(&entry.name, format!("`{}` takes a value, not a list in parentheses: write `{}`", spec.name, spec.example));
            return None;
        }
        Argument::Value(value, equals) => (value, *equals),
    };
    if spec.shape == Shape::Callbacks && paths::is_none_keyword(tokens) {
        if matches!(owner, Owner::Task | Owner::Sensor | Owner::Branch) {
            return Some(Value::NoCallback);
        }
        let why = "`none` has no effect here, because a pipeline inherits no callbacks: write it on a task, to remove the pipeline's default there";
        errors.on(tokens, why);
        return None;
    }
    if spec.shape.takes_constant()
        && let Some(constant) = paths::constant(tokens, equals)
    {
        return Some(Value::Constant(constant));
    }
    if takes_list && spec.shape != Shape::Schedule {
        errors.on(&entry.name, format!("`{}` takes a list in parentheses: write `{}`", spec.name, spec.example));
        return None;
    }
    Reader { spec, tokens, errors }.read()
}

fn read_list(spec: &Spec, entry: &Entry, list: &TokenStream, errors: &mut Errors) -> Option<Value> {
    match spec.shape {
        Shape::Backoff => groups::backoff(&entry.name, list, errors).map(Value::Backoff),
        Shape::Escalation => groups::escalation(&entry.name, list, errors).map(Value::Escalation),
        Shape::Schedule => groups::recurrence(&entry.name, list, errors).map(Value::Every),
        _ => Some(Value::Defaults(Options::parse(Owner::Defaults, list.clone(), errors))),
    }
}

/// A duration inside a list, such as `backoff`'s `start`.
pub(crate) enum DurationArg {
    Literal(Duration),
    Constant(Constant),
}

impl DurationArg {
    pub(crate) fn constant(&self) -> Option<&Constant> {
        match self {
            DurationArg::Literal(_) => None,
            DurationArg::Constant(constant) => Some(constant),
        }
    }

    pub(crate) fn literal(&self) -> Option<Duration> {
        match self {
            DurationArg::Literal(duration) => Some(*duration),
            DurationArg::Constant(_) => None,
        }
    }
}

pub(crate) fn read_duration_arg(
    name: &'static str,
    example: &'static str,
    tokens: &TokenStream,
    check_span: Span,
    errors: &mut Errors,
) -> Option<DurationArg> {
    if let Some(constant) = paths::constant(tokens, check_span) {
        return Some(DurationArg::Constant(constant));
    }
    let spec = Spec::unlisted(name, Shape::Duration, example);
    Reader { spec: &spec, tokens, errors }.duration().map(DurationArg::Literal)
}

/// Reads the lines of `cron!`, which commas separate.
pub(crate) fn read_lines(tokens: &TokenStream, errors: &mut Errors) -> Option<Vec<String>> {
    let spec = Spec::unlisted("cron!", Shape::Schedule, "cron!(\"0 6 * * *\")");
    let pieces = pieces::split(tokens.clone(), errors);
    if pieces.is_empty() {
        errors.at(Span::call_site(), "`cron!` takes a cron line in quotes, as in `cron!(\"0 6 * * *\")`");
        return None;
    }
    let is_text = |piece: &Vec<TokenTree>| matches!(piece.as_slice(), [TokenTree::Literal(_)]);
    if let Some(other) = pieces.iter().find(|piece| !is_text(piece)) {
        let other: TokenStream = other.iter().cloned().collect();
        errors.on(&other, "`cron!` takes a cron line in quotes, written out, as in `cron!(\"0 6 * * *\")`");
        return None;
    }
    Reader { spec: &spec, tokens, errors }.each_line(pieces)
}

/// Reads the time between two runs, `"4w"`.
pub(crate) fn read_every(tokens: &TokenStream, errors: &mut Errors) -> Option<String> {
    let spec = Spec::unlisted("every", Shape::Duration, "every = \"4w\"");
    let mut reader = Reader { spec: &spec, tokens, errors };
    if reader.text().is_none() {
        // For a number, the message proposes the quotes and the unit.
        return reader.duration().and(None);
    }
    reader.parsed("distance", every::parse).map(|(_, text)| text)
}

/// Reads a date inside a list.
pub(crate) fn read_date(name: &'static str, example: &'static str, tokens: &TokenStream, errors: &mut Errors) -> Option<String> {
    let spec = Spec::unlisted(name, Shape::Date, example);
    Reader { spec: &spec, tokens, errors }.date()
}

/// Reads the value of one option.
struct Reader<'a> {
    spec: &'a Spec,
    tokens: &'a TokenStream,
    errors: &'a mut Errors,
}

impl Reader<'_> {
    fn read(mut self) -> Option<Value> {
        match self.spec.shape {
            Shape::Count(least, most) => self.count(least, most).map(Value::Count),
            Shape::Signed => self.signed().map(Value::Signed),
            Shape::Bool => self.boolean().map(Value::Bool),
            Shape::Duration => self.duration().map(Value::Duration),
            Shape::Schedule => self.lines().map(Value::Lines),
            Shape::Zone => {
                let parse = |text: &str| zone::parse(text).map_err(|hint| format!("no such time zone; {hint}"));
                self.parsed("time zone", parse).map(|(zone, _)| Value::Zone(zone))
            }
            Shape::Date => self.date().map(Value::Date),
            Shape::Id => self.parsed("id", id::check).map(|((), text)| Value::Id(text)),
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

    /// Refuses the value: "`retries` takes a whole number, as in `retries = 2`".
    fn expected<T>(&mut self, what: &str) -> Option<T> {
        // The value of a constant is only known after the macros have run.
        let constant = syn::parse2::<ExprPath>(self.tokens.clone()).is_ok();
        let or = match constant {
            true if self.spec.shape.takes_constant() => {
                format!(", or a constant, as in `{0} = {1}`", self.spec.name, self.spec.name.to_uppercase())
            }
            true if !what.contains('"') => ", written out".to_owned(),
            _ => String::new(),
        };
        let why = format!("`{}` takes {what}, as in `{}`{or}", self.spec.name, self.spec.example);
        self.refuse(&why)
    }

    fn count(&mut self, least: u32, most: u32) -> Option<u32> {
        let number = self.whole("a whole number")?;
        if number < i128::from(least) {
            let why = format!("`{}` must be at least {least}, as in `{}`", self.spec.name, self.spec.example);
            return self.refuse(&why);
        }
        let number = u32::try_from(number).ok().filter(|number| *number <= most);
        number.or_else(|| self.refuse(&format!("`{}` must be at most {most}", self.spec.name)))
    }

    fn signed(&mut self) -> Option<i32> {
        let number = self.whole("a whole number, negative ones included")?;
        i32::try_from(number).ok().or_else(|| {
            let why = format!("`{}` must be between {} and {}", self.spec.name, i32::MIN, i32::MAX);
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
            _ => self.expected(what),
        }
    }

    fn boolean(&mut self) -> Option<bool> {
        match syn::parse2::<Lit>(self.tokens.clone()) {
            Ok(Lit::Bool(switch)) => Some(switch.value),
            Ok(Lit::Str(text)) if matches!(text.value().as_str(), "true" | "false") => {
                let why =
                    format!("`{0}` takes `true` or `false` without quotes: write `{0} = {1}`", self.spec.name, text.value());
                self.refuse(&why)
            }
            _ => self.expected("`true` or `false`"),
        }
    }

    fn duration(&mut self) -> Option<Duration> {
        let zero = limits::zero_of(self.spec.name);
        if let Ok(number) = syn::parse2::<Lit>(self.tokens.clone())
            && let Lit::Int(_) | Lit::Float(_) = number
        {
            let written = self.tokens.to_string();
            let (missing, quoted) = match duration::parse(&written, zero) {
                Ok(_) => ("quotes", written),
                // The proposed value must be valid itself.
                Err(_) => match duration::parse(&format!("{written}s"), zero) {
                    Ok(_) => ("a unit and quotes", format!("{written}s")),
                    Err(why) => return self.refuse(&format!("invalid duration {written}: {why}")),
                },
            };
            let why = format!("a duration needs {missing}: write `{} = \"{quoted}\"`", self.spec.name);
            return self.refuse(&why);
        }
        self.parsed("duration", |text| duration::parse(text, zero)).map(|(duration, _)| duration)
    }

    fn date(&mut self) -> Option<String> {
        let parse = |text: &str| date::parse(text).map_err(|error| error.reason());
        self.parsed("date", parse).map(|(_, text)| text)
    }

    fn word(&mut self, words: &'static [(&str, &'static str)]) -> Option<&'static str> {
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let Some(text) = self.text() else {
            let listed: Vec<_> = names.iter().map(|name| format!("`\"{name}\"`")).collect();
            return self.expected(&format!("one of {}", listed.join(", ")));
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
            Err(_) => self.expected("a list of texts"),
        }
    }

    /// One line, or a list of them.
    fn lines(&mut self) -> Option<Vec<String>> {
        let example = "schedule = [\"0 6 * * 1-5\", \"0 10 * * 6\"]";
        let pieces = pieces::one_or_list(self.tokens, self.errors);
        if pieces.is_empty() {
            return self.refuse(&format!("the list is empty: add a cron line, as in `{example}`"));
        }
        self.each_line(pieces)
    }

    fn each_line(&mut self, pieces: Vec<Vec<TokenTree>>) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        let mut valid = true;
        for piece in pieces {
            let tokens: TokenStream = piece.into_iter().collect();
            let line = Reader { spec: self.spec, tokens: &tokens, errors: &mut *self.errors }.line();
            match line {
                Some(line) if lines.contains(&line) => {
                    self.errors.on(&tokens, format!("the line {line:?} is given twice; keep one"));
                    valid = false;
                }
                Some(line) => lines.push(line),
                None => valid = false,
            }
        }
        valid.then_some(lines)
    }

    fn line(&mut self) -> Option<String> {
        let parse = |text: &str| cron::parse(text).map_err(|error| error.to_string());
        self.parsed("schedule", parse).map(|(_, text)| text)
    }

    /// Reads a text with `parse`. Returns the parsed value and the text.
    fn parsed<T>(&mut self, what: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<(T, String)> {
        let Some(text) = self.text() else {
            let article = if matches!(what, "id") { "an" } else { "a" };
            return self.expected(&format!("{article} {what} in quotes"));
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

/// A whole number with an optional sign, and without a unit directly after it.
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
