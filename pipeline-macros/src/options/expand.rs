//! Options as a chain of calls on the runtime's builders. Whatever rustc may find wrong with a user's path is said at
//! that path.

use super::groups::Backoff;
use super::table::Shape;
use super::value::Value;
use super::{Options, Setting};
use crate::runtime::Runtime;
use pipeline_syntax::zone::WallClock;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::time::Duration;
use syn::ExprPath;
use syn::spanned::Spanned;

impl Setting {
    /// Whether it is a call of a builder's: an id is an argument of the definition's, and the runtime's path is in everything.
    fn is_call(&self) -> bool {
        !matches!(self.spec.shape, Shape::Id | Shape::Runtime)
    }
}

impl Options {
    /// `TaskOptions::new().retries(1).retry_delay(300000)`
    pub(crate) fn chain(&self, runtime: &Runtime) -> TokenStream {
        let new = runtime.private(Span::call_site(), "TaskOptions::new");
        let calls = self.settings.iter().map(|setting| call(setting, runtime));
        quote!(#new()#(#calls)*)
    }

    /// `|o| o.retries(1).retry_delay(300000)`; without options a function that exists.
    pub(crate) fn closure(&self, runtime: &Runtime) -> TokenStream {
        if self.settings.iter().all(|setting| !setting.is_call()) {
            return quote!(::core::convert::identity);
        }
        // Invisible to the user's paths, whatever their names.
        let o = Ident::new("o", Span::mixed_site());
        let calls = self.settings.iter().map(|setting| call(setting, runtime));
        quote!(|#o| #o #(#calls)*)
    }
}

fn call(setting: &Setting, runtime: &Runtime) -> TokenStream {
    let Some(value) = setting.value.as_ref().filter(|_| setting.is_call()) else {
        return TokenStream::new();
    };
    let method = Ident::new(setting.spec.name, setting.name.span());
    match value {
        Value::Count(count) => {
            let count = Literal::u32_unsuffixed(*count);
            quote!(.#method(#count))
        }
        Value::Rank(rank) => {
            let rank = Literal::i32_unsuffixed(*rank);
            quote!(.#method(#rank))
        }
        Value::Switch(on) => quote!(.#method(#on)),
        Value::Duration(duration) => {
            let millis = millis(*duration);
            quote!(.#method(#millis))
        }
        Value::Text(text) | Value::Date(text) => quote!(.#method(#text)),
        Value::Zone(zone) => {
            let name = zone.name();
            quote!(.#method(#name))
        }
        Value::Word(of, variant) => {
            let variant = runtime.private(Span::call_site(), &format!("{of}::{variant}"));
            quote!(.#method(#variant))
        }
        Value::Callbacks(paths) => paths.iter().map(|path| at_path(path, &method, None)).collect(),
        Value::Pool(path) => {
            quote_spanned!(path.span()=> .#method(&#path))
        }
        Value::When(when) => {
            let new = runtime.private(Span::call_site(), &format!("When::{}", when.rule));
            let assets = when.assets.iter().map(|path| quote_spanned!(path.span()=> .of(&#path)));
            quote!(.#method(#new() #(#assets)*))
        }
        Value::Backoff(backoff) => {
            let backoff = backoff.expand(runtime);
            quote!(.#method(#backoff))
        }
        Value::Escalation(rungs) => rungs
            .iter()
            .flat_map(|rung| {
                let after = millis(rung.after);
                rung.callbacks.iter().map(|path| at_path(path, &method, Some(&after))).collect::<Vec<_>>()
            })
            .collect(),
        Value::Tags(tags) => quote!(.#method(&[#(#tags),*])),
        // No call: see above.
        Value::Runtime(_) => TokenStream::new(),
        Value::Defaults(options) => {
            let closure = options.closure(runtime);
            quote!(.#method(#closure))
        }
    }
}

/// The name keeps the option's place, as for any other, and the rest has the path's, so that a callback of the wrong signature is an error there.
fn at_path(path: &ExprPath, method: &Ident, before: Option<&Literal>) -> TokenStream {
    let span = path.span();
    let before = before.into_iter();
    quote_spanned!(span=> .#method(#(#before,)* #path))
}

impl Backoff {
    fn expand(&self, runtime: &Runtime) -> TokenStream {
        let (start, max) = (millis(self.start), millis(self.max));
        let factor = self.factor.map(Literal::f64_unsuffixed).into_iter();
        let jitter = self.jitter.map(millis).into_iter();
        let from_millis = runtime.private(Span::call_site(), "Backoff::from_millis");
        quote! {
            #from_millis(#start, #max)
                #(.with_factor(#factor))*
                #(.with_jitter_millis(#jitter))*
        }
    }
}

/// The parser bounds durations, so that their milliseconds fit.
fn millis(duration: Duration) -> Literal {
    Literal::u64_unsuffixed(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
