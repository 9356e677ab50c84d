//! The annotated function, as far as the macros read it: its body stays tokens.

use crate::error::Errors;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Signature, Visibility};

/// A function whose body is never parsed: a mistake in it is rustc's to report, and a half-typed one costs nothing else.
pub(crate) struct FnItem {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: TokenStream,
}

impl Parse for FnItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(FnItem { attrs: input.call(Attribute::parse_outer)?, vis: input.parse()?, sig: input.parse()?, body: input.parse()? })
    }
}

impl FnItem {
    /// The function under `#[macro_name]`; on anything that cannot be expanded, the item itself beside the errors,
    /// so that whatever else the user does with it keeps working.
    pub(crate) fn parse(macro_name: &str, item: &TokenStream, mut errors: Errors) -> Result<(FnItem, Errors), TokenStream> {
        let function: FnItem = match syn::parse2(item.clone()) {
            Ok(function) => function,
            Err(error) => {
                match first_keyword(item) {
                    Some(span) => errors.at(span, goes_on_a_function(macro_name)),
                    None => errors.push(error),
                }
                return Err(untouched(item, errors));
            }
        };
        if let Some(receiver) = function.sig.receiver() {
            // Inside an `impl` no further items may stand.
            errors.on(
                receiver,
                format!(
                    "a {macro_name} is a free function, without `self`: pass what it needs as a parameter, \
                     and move it out of the `impl`"
                ),
            );
            return Err(untouched(item, errors));
        }
        Ok((function, errors))
    }
}

fn untouched(item: &TokenStream, errors: Errors) -> TokenStream {
    let errors = errors.into_items();
    quote!(#item #errors)
}

fn goes_on_a_function(macro_name: &str) -> String {
    let shape = match macro_name {
        "pipeline" => "`fn name() -> Result<()> { .. }`",
        "sensor" => "`async fn name(..) -> Result<Poke<T>> { .. }`",
        "branch" => "`async fn name(..) -> Result<Route> { .. }`, where the enum `Route` has `#[derive(Branch)]`",
        _ => "`async fn name(..) -> Result<T> { .. }`",
    };
    format!("`#[{macro_name}]` goes on a function: {shape}")
}

/// Where an item that is no function says what it is (`struct`, `mod`, …).
fn first_keyword(item: &TokenStream) -> Option<Span> {
    let after_visibility = |input: ParseStream<'_>| -> syn::Result<TokenStream> {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        input.parse()
    };
    let rest = after_visibility.parse2(item.clone()).ok()?;
    let is_function = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "fn");
    if rest.clone().into_iter().any(|token| is_function(&token)) {
        return None;
    }
    rest.into_iter().next().map(|token| token.span())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(macro_name: &str, item: &TokenStream) -> String {
        match FnItem::parse(macro_name, item, Errors::default()) {
            Ok(_) => panic!("accepted"),
            Err(tokens) => tokens.to_string(),
        }
    }

    #[test]
    fn a_body_may_be_anything() {
        let item = quote!(pub async fn f(a: u64) -> Result<()> { let x = ; .. });
        assert!(FnItem::parse("task", &item, Errors::default()).is_ok());
    }

    #[test]
    fn an_item_that_is_no_function_comes_back() {
        let tokens = refused(
            "task",
            &quote!(
                pub struct S {
                    a: u64,
                }
            ),
        );
        assert!(tokens.starts_with("pub struct S { a : u64"), "{tokens}");
        assert!(tokens.contains("`#[task]` goes on a function"), "{tokens}");
    }

    #[test]
    fn a_method_comes_back() {
        let tokens = refused(
            "sensor",
            &quote!(
                async fn f(&self) {}
            ),
        );
        assert!(tokens.starts_with("async fn f (& self) { }"), "{tokens}");
        assert!(tokens.contains("a sensor is a free function"), "{tokens}");
    }
}
