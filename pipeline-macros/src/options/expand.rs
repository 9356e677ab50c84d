//! Options as a chain of calls on the runtime's builders. Whatever rustc may find wrong with a user's path is said at
//! that path.

use super::groups::Backoff;
use super::value::Value;
use super::{Options, Setting};
use pipeline_syntax::zone::WallClock;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::time::Duration;
use syn::ExprPath;
use syn::spanned::Spanned;

impl Options {
    /// `TaskOptions::new().retries(1).retry_delay(300000)`
    pub(crate) fn chain(&self) -> TokenStream {
        let calls = self.settings.iter().map(call);
        quote!(::pipeline_runtime::__private::TaskOptions::new()#(#calls)*)
    }

    /// `|o| o.retries(1).retry_delay(300000)`; without options a function that exists.
    pub(crate) fn closure(&self) -> TokenStream {
        if self.settings.iter().all(|setting| setting.spec.name == "id") {
            return quote!(::core::convert::identity);
        }
        // Invisible to the user's paths, whatever their names.
        let o = Ident::new("o", Span::mixed_site());
        let calls = self.settings.iter().map(call);
        quote!(|#o| #o #(#calls)*)
    }
}

fn call(setting: &Setting) -> TokenStream {
    let Some(value) = &setting.value else {
        return TokenStream::new();
    };
    // An id is an argument of the definition's.
    if setting.spec.name == "id" {
        return TokenStream::new();
    }
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
            let (of, variant) = (spanned(of), spanned(variant));
            quote!(.#method(::pipeline_runtime::__private::#of::#variant))
        }
        Value::Callbacks(paths) => paths.iter().map(|path| at_path(path, &method, None)).collect(),
        Value::Pool(path) => {
            quote_spanned!(path.span()=> .#method(&#path))
        }
        Value::Backoff(backoff) => {
            let backoff = backoff.expand();
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
        Value::Defaults(options) => {
            let closure = options.closure();
            quote!(.#method(#closure))
        }
    }
}

/// A call whose name, too, carries the path's span, so that a callback of the wrong signature is an error at the path.
fn at_path(path: &ExprPath, method: &Ident, before: Option<&Literal>) -> TokenStream {
    let span = path.span();
    let method = Ident::new(&method.to_string(), span);
    let before = before.into_iter();
    quote_spanned!(span=> .#method(#(#before,)* #path))
}

impl Backoff {
    fn expand(&self) -> TokenStream {
        let (start, max) = (millis(self.start), millis(self.max));
        let factor = self.factor.map(Literal::f64_unsuffixed).into_iter();
        let jitter = self.jitter.map(millis).into_iter();
        quote! {
            ::pipeline_runtime::__private::Backoff::from_millis(#start, #max)
                #(.with_factor(#factor))*
                #(.with_jitter_millis(#jitter))*
        }
    }
}

fn spanned(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// The parser bounds durations, so that their milliseconds fit.
fn millis(duration: Duration) -> Literal {
    Literal::u64_unsuffixed(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
