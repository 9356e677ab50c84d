//! Collects mistakes, so that a user who made three sees all three at once.

use crate::runtime::Runtime;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use std::fmt::Display;

/// Every mistake found in one item.
#[derive(Default)]
pub(crate) struct Errors {
    /// All mistakes, combined into one error.
    combined: Option<syn::Error>,
}

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.combined {
            Some(all) => all.combine(error),
            none => *none = Some(error),
        }
    }

    /// Adds a mistake at one token.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    /// Adds a mistake that spans `tokens`, from the first to the last.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// The errors as items, to be added to the expansion.
    pub(crate) fn into_items(self) -> TokenStream {
        self.combined.map(syn::Error::into_compile_error).unwrap_or_default()
    }

    /// The errors as one expression, to replace the expansion, or `None` if there are none.
    pub(crate) fn into_expression(self) -> Option<TokenStream> {
        let errors = self.combined?.into_iter().map(syn::Error::into_compile_error);
        Some(quote!({ #(#errors);* }))
    }

    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        self.combined.into_iter().flatten().map(|e| e.to_string()).collect()
    }
}

/// A mistake *as a type*: rustc reports it once, and nothing about uses of the type.
///
/// A bare `compile_error!` in a type position counts as `()`, so every caller would get a second error. As a const argument it is
/// an error const, and rustc reports nothing about a type that contains one.
pub(crate) fn poison(runtime: &Runtime, tokens: impl ToTokens, message: impl Display) -> TokenStream {
    let error = syn::Error::new_spanned(tokens, message).into_compile_error();
    let poison = runtime.private(Span::call_site(), "Poison");
    quote!(#poison<{ #error }>)
}

/// Tokens as a user would have typed them: `Vec<String>`, not `Vec < String >`.
pub(crate) fn show(tokens: impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, tight) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        ("' ", "'"),
        ("( ", "("),
        (" )", ")"),
        (" (", "("),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        (" !", "!"),
        ("- ", "-"),
    ] {
        text = text.replace(spaced, tight);
    }
    text
}

/// Parses tokens from a text, for tests: rustfmt would spread a `quote!` over many lines.
#[cfg(test)]
pub(crate) fn tokens(text: &str) -> TokenStream {
    text.parse().expect(text)
}

/// Items as rustfmt would lay them out, for tests.
#[cfg(test)]
pub(crate) fn pretty(items: &TokenStream) -> String {
    match syn::parse2(items.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(error) => panic!("the expansion does not parse: {error}\n{items}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_add_up_in_order() {
        let mut errors = Errors::default();
        errors.at(Span::call_site(), "first");
        errors.on(quote!(a b), "second");
        assert_eq!(errors.messages(), ["first", "second"]);
    }

    #[test]
    fn no_mistake_is_no_token() {
        assert!(Errors::default().into_items().is_empty());
        assert!(Errors::default().into_expression().is_none());
    }

    #[test]
    fn types_read_as_typed() {
        assert_eq!(show(quote!(a::Vec<(String, &'static [u8])>)), "a::Vec<(String, &'static [u8])>");
    }
}
