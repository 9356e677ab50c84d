//! Expands options to a chain of calls on the runtime's builders. If a user's path is wrong, rustc reports it at that path.

use super::groups::{Backoff, Recurrence};
use super::paths::Constant;
use super::table::{Shape, Spec};
use super::value::{DurationArg, Value};
use super::{Options, ParsedOption};
use crate::runtime::{self, Runtime};
use pipeline_syntax::duration::Zero;
use pipeline_syntax::limits;
use pipeline_syntax::zone::WallClock;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use std::time::Duration;
use syn::spanned::Spanned;
use syn::{ExprPath, Token};

impl ParsedOption {
    /// True if the option is a call on the builder. An id is an argument of the definition instead, and the runtime's path is
    /// used everywhere.
    fn is_call(&self) -> bool {
        !matches!(self.spec.shape, Shape::Id | Shape::Runtime)
    }
}

impl Options {
    /// `TaskOptions::new().retries(1).retry_delay(300000)`
    pub(crate) fn chain(&self, runtime: &Runtime) -> TokenStream {
        let new = runtime.private(Span::call_site(), "TaskOptions::new");
        let calls = self.parsed.iter().map(|option| call(option, runtime));
        quote!(#new()#(#calls)*)
    }

    /// `Defaults::new(|o| o.retries(1))`
    pub(crate) fn shared(&self, runtime: &Runtime) -> TokenStream {
        let new = runtime.private(Span::call_site(), "Defaults::new");
        let closure = self.closure(runtime);
        quote!(#new(#closure))
    }

    /// `|o| o.retries(1).retry_delay(300000)`; without options `identity`.
    pub(crate) fn closure(&self, runtime: &Runtime) -> TokenStream {
        if self.parsed.iter().all(|option| !option.is_call()) {
            return quote!(::core::convert::identity);
        }
        // Hygienic: it does not clash with the user's names.
        let o = Ident::new("o", Span::mixed_site());
        let calls = self.parsed.iter().map(|option| call(option, runtime));
        quote!(|#o| #o #(#calls)*)
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each shape of a value")]
fn call(option: &ParsedOption, runtime: &Runtime) -> TokenStream {
    let Some(value) = option.value.as_ref().filter(|_| option.is_call()) else {
        return TokenStream::new();
    };
    let method = Ident::new(option.spec.name, option.name.span());
    match value {
        Value::Count(count) => {
            let count = Literal::u32_unsuffixed(*count);
            quote!(.#method(#count))
        }
        Value::Signed(number) => {
            let number = Literal::i32_unsuffixed(*number);
            quote!(.#method(#number))
        }
        Value::Bool(on) => quote!(.#method(#on)),
        Value::Duration(duration) => {
            let millis = millis(*duration);
            quote!(.#method(#millis))
        }
        Value::Date(text) => quote!(.#method(#text)),
        Value::Lines(lines) => {
            let cron = cron(lines, runtime);
            quote!(.#method(#cron))
        }
        Value::Every(recurrence) => {
            let every = every(recurrence, runtime);
            quote!(.#method(#every))
        }
        Value::Constant(path) => {
            let value = constant(option.spec, path, runtime);
            quote_spanned!(path.path.span()=> .#method(#value))
        }
        Value::Zone(zone) => {
            let name = zone.name();
            quote!(.#method(#name))
        }
        Value::Word(of, variant) => {
            let variant = runtime.private(Span::call_site(), &format!("{of}::{variant}"));
            quote!(.#method(#variant))
        }
        Value::Callbacks(paths) => paths.iter().map(|path| at_path(path, &method, None)).collect(),
        Value::NoCallback => {
            let no_callback = runtime.private(Span::call_site(), "Nobody");
            quote!(.#method(#no_callback))
        }
        Value::Pool(path) => {
            quote_spanned!(path.span()=> .#method(&#path))
        }
        Value::When(when) => {
            let new = runtime.private(Span::call_site(), &format!("When::{}", when.rule));
            // At `all` or `any`: there rustc reports an argument that is not an asset.
            let of = Ident::new("of", when.rule.span());
            let assets = when.assets.iter().map(|path| quote_spanned!(path.span()=> .#of(&#path)));
            quote!(.#method(#new() #(#assets)*))
        }
        Value::Backoff(backoff) => {
            let backoff = backoff.expand(runtime);
            quote!(.#method(#backoff))
        }
        Value::Escalation(steps) => steps
            .iter()
            .flat_map(|step| {
                let after = duration_millis(&step.after, "limit", runtime);
                step.callbacks.iter().map(|path| at_path(path, &method, Some(&after))).collect::<Vec<_>>()
            })
            .collect(),
        Value::Tags(tags) => quote!(.#method(&[#(#tags),*])),
        // No call: see above.
        Value::Runtime(_) | Value::Id(_) => TokenStream::new(),
        Value::Defaults(options) => {
            let defaults = options.shared(runtime);
            quote!(.#method(#defaults))
        }
    }
}

/// `Cron::checked(&["0 6 * * *"])`
pub(crate) fn cron(lines: &[String], runtime: &Runtime) -> TokenStream {
    let checked = runtime.private(Span::call_site(), "Cron::checked");
    quote!(#checked(&[#(#lines),*]))
}

/// `Every::checked("4w", "2023-05-16")`
pub(crate) fn every(Recurrence { every, from, .. }: &Recurrence, runtime: &Runtime) -> TokenStream {
    let checked = runtime.private(Span::call_site(), "Every::checked");
    quote!(#checked(#every, #from))
}

/// A call whose method has the option's span, as for other options. The rest has the path's span, so that a callback of the wrong
/// signature is an error there.
fn at_path(path: &ExprPath, method: &Ident, before: Option<&TokenStream>) -> TokenStream {
    let span = path.span();
    let before = before.into_iter();
    quote_spanned!(span=> .#method(#(#before,)* #path))
}

impl Backoff {
    fn expand(&self, runtime: &Runtime) -> TokenStream {
        let (start, max) = (duration_millis(&self.start, "limit", runtime), duration_millis(&self.max, "limit", runtime));
        let factor = self.factor.map(Literal::f64_unsuffixed).into_iter();
        let jitter = self.jitter.as_ref().map(|jitter| duration_millis(jitter, "wait", runtime)).into_iter();
        let from_millis = runtime.private(Span::call_site(), "Backoff::from_millis");
        let backoff = quote! {
            #from_millis(#start, #max)
                #(.with_factor(#factor))*
                #(.with_jitter_millis(#jitter))*
        };
        // If both are literals, the macro has compared them already.
        let constant = [&self.start, &self.max].into_iter().find_map(DurationArg::constant);
        match constant {
            None => backoff,
            Some(constant) => {
                let of = runtime.private(constant.path.span(), "Backoff");
                checked("backoff", &of.into_token_stream(), constant, &backoff, runtime)
            }
        }
    }
}

/// A duration's milliseconds.
fn duration_millis(duration: &DurationArg, bound: &str, runtime: &Runtime) -> TokenStream {
    match duration {
        DurationArg::Literal(literal) => millis(*literal).into_token_stream(),
        DurationArg::Constant(constant) => bounded(bound, &quote!(u64), constant, runtime),
    }
}

/// A constant instead of a literal. If the option has limits, rustc checks them when it evaluates constants. Other values are
/// checked by their type, or by the plan.
fn constant(spec: &Spec, constant: &Constant, runtime: &Runtime) -> TokenStream {
    let (bound, of) = match spec.shape {
        Shape::Count(0, _) => ("retries", quote!(u32)),
        Shape::Count(..) => ("at_least_one", quote!(u32)),
        Shape::Backoff => ("backoff", runtime.private(constant.path.span(), "Backoff").into_token_stream()),
        Shape::Duration => match limits::zero_of(spec.name) {
            Zero::Allowed => ("wait", quote!(u64)),
            Zero::Refused => ("limit", quote!(u64)),
        },
        _ => return constant.path.to_token_stream(),
    };
    bounded(bound, &of, constant, runtime)
}

/// A constant that is checked against limits: `{ const CHECKED: u32 = retries(PATH); CHECKED }`.
fn bounded(bound: &str, of: &TokenStream, constant: &Constant, runtime: &Runtime) -> TokenStream {
    checked(bound, of, constant, &constant.path.to_token_stream(), runtime)
}

/// The value, checked against its limits in an item, because `cargo check` evaluates constants that are items.
fn checked(bound: &str, of: &TokenStream, constant: &Constant, value: &TokenStream, runtime: &Runtime) -> TokenStream {
    let span = constant.path.span();
    let check = runtime::respan(constant.check_span, runtime.private(span, &format!("constant::{bound}")));
    let name = Ident::new("__PIPELINE_CHECKED", Span::call_site().resolved_at(span));
    let keyword = Token![const](Span::call_site());
    quote_spanned!(span=> { #keyword #name: #of = #check(#value); #name })
}

/// A duration's milliseconds, which fit because the parser limits durations.
fn millis(duration: Duration) -> Literal {
    Literal::u64_unsuffixed(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
