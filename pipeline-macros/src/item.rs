//! The annotated function, as far as the macros parse it: its body remains tokens.

use crate::error::Errors;
use crate::runtime::Runtime;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, FnArg, Path, Signature, Type, Visibility};

/// A function whose body is never parsed: rustc reports mistakes in it, and a half-typed body causes no other errors.
pub(crate) struct FnItem {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The block, as tokens.
    pub(crate) body: TokenStream,
}

impl Parse for FnItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(FnItem { attrs: input.call(Attribute::parse_outer)?, vis: input.parse()?, sig: input.parse()?, body: input.parse()? })
    }
}

impl FnItem {
    /// Parses the function under `#[macro_name]`. For an item that cannot be expanded, returns the item itself and the errors, so
    /// that other uses of it cause no further errors.
    pub(crate) fn parse(
        macro_name: &str,
        item: &TokenStream,
        runtime: Option<&Path>,
        mut errors: Errors,
    ) -> Result<(FnItem, Errors), TokenStream> {
        let mut function: FnItem = match syn::parse2(item.clone()) {
            Ok(function) => function,
            Err(error) => {
                if let Some(mut function) = half_typed(item) {
                    drop_other_attributes(macro_name, &mut function.attrs, runtime, &mut errors);
                    return Ok((function, errors));
                }
                match first_keyword(item) {
                    Some(span) => errors.at(span, expected_function(macro_name)),
                    None => errors.push(error),
                }
                return Err(unexpanded(item, errors));
            }
        };
        if let Some(receiver) = function.sig.receiver() {
            // The expansion's items are not allowed inside an `impl`.
            errors.on(
                receiver,
                format!(
                    "a {macro_name} must be a free function, without `self`: move it out of the `impl`, and pass what \
                     it needs as a parameter"
                ),
            );
            return Err(unexpanded(item, errors));
        }
        drop_other_attributes(macro_name, &mut function.attrs, runtime, &mut errors);
        Ok((function, errors))
    }
}

/// Reports and removes further attributes of ours, because each of them would expand this expansion again.
fn drop_other_attributes(macro_name: &str, attrs: &mut Vec<Attribute>, runtime: Option<&Path>, errors: &mut Errors) {
    attrs.retain(|attr| {
        let ours = Runtime::has(runtime, attr.path());
        let name = attr.path().segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        if !ours || !["task", "sensor", "branch", "pipeline"].contains(&name.as_str()) {
            return true;
        }
        if name == macro_name {
            errors.on(attr, format!("`#[{name}]` is given twice: write all options in one attribute"));
        } else {
            errors.on(attr, format!("a function cannot be both a {macro_name} and a {name}: remove one of the attributes"));
        }
        false
    });
}

/// Parses a function with a parameter that is still being typed, such as `rows` without its type, or with `->` and no type after
/// it.
///
/// rustc has reported that already: it parses the item before a macro sees it. Here the parameter only keeps its place, so that
/// callers of the function get no second error. The body is left out, because it would use parameters that have no type yet.
fn half_typed(item: &TokenStream) -> Option<FnItem> {
    let mut tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    let is_fn = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "fn");
    let list = tokens.iter().position(is_fn)? + 2;
    let TokenTree::Group(written) = tokens.get(list)? else { return None };
    if written.delimiter() != Delimiter::Parenthesis {
        return None;
    }
    let params: Vec<TokenStream> = split_at_commas(written.stream());
    if let [TokenTree::Punct(dash), TokenTree::Punct(arrow), TokenTree::Group(body)] = &tokens[list + 1..]
        && (dash.as_char(), arrow.as_char(), body.delimiter()) == ('-', '>', Delimiter::Brace)
    {
        tokens.drain(list + 1..list + 3);
    }
    let broken: Vec<bool> = params.iter().map(|param| syn::parse2::<FnArg>(param.clone()).is_err()).collect();
    let in_place = params.iter().zip(&broken).enumerate().map(|(position, (param, broken))| {
        if *broken {
            let name = first_word(param).unwrap_or_else(|| format_ident!("input_{}", position + 1));
            quote!(#name: _)
        } else {
            param.clone()
        }
    });
    let in_place = quote!(#(#in_place),*);
    tokens[list] = TokenTree::Group(Group::new(Delimiter::Parenthesis, in_place));
    let mut function: FnItem = syn::parse2(tokens.into_iter().collect()).ok()?;
    for (param, _) in function.sig.inputs.iter_mut().zip(broken).filter(|(_, broken)| *broken) {
        if let FnArg::Typed(param) = param {
            *param.ty = Type::Verbatim(quote!(impl ::core::marker::Sized));
        }
    }
    let names = function.sig.inputs.iter().filter_map(|param| match param {
        FnArg::Typed(param) => Some(&param.pat),
        FnArg::Receiver(_) => None,
    });
    function.body = quote!({ let _ = (#(#names,)*); ::core::unimplemented!() });
    Some(function)
}

/// Splits at the commas, except those of generic arguments.
fn split_at_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    let mut depth = 0_u32;
    for token in tokens {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth = depth.saturating_sub(1),
            TokenTree::Punct(punct) if punct.as_char() == ',' && depth == 0 => {
                parts.push(TokenStream::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.extend([token]);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn first_word(param: &TokenStream) -> Option<Ident> {
    match param.clone().into_iter().next()? {
        TokenTree::Ident(word) => syn::parse2(TokenTree::Ident(word).into()).ok(),
        _ => None,
    }
}

/// The item itself, and the errors.
pub(crate) fn unexpanded(item: &TokenStream, errors: Errors) -> TokenStream {
    let errors = errors.into_items();
    quote!(#item #errors)
}

fn expected_function(macro_name: &str) -> String {
    let shape = match macro_name {
        "pipeline" => "`fn name() -> Result<()> { .. }`",
        "sensor" => "`async fn name(..) -> Result<Poke<T>> { .. }`",
        "branch" => "`async fn name(..) -> Result<Route> { .. }`, where the enum `Route` has `#[derive(Branch)]`",
        _ => "`async fn name(..) -> Result<T> { .. }`",
    };
    format!("`#[{macro_name}]` goes on a function: {shape}")
}

/// The keyword of an item that is not a function (`struct`, `mod`, …).
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
        match FnItem::parse(macro_name, item, None, Errors::default()) {
            Ok(_) => panic!("accepted"),
            Err(tokens) => tokens.to_string(),
        }
    }

    #[test]
    fn a_body_may_be_anything() {
        let item = quote!(pub async fn f(a: u64) -> Result<()> { let x = ; .. });
        assert!(FnItem::parse("task", &item, None, Errors::default()).is_ok());
    }

    #[test]
    fn a_parameter_being_typed_keeps_its_place() {
        let item = quote!(async fn f(a: Vec<(u8, u8)>, rows, b:, 3) -> Result<u64> { Ok(rows.len()) });
        let Ok((function, errors)) = FnItem::parse("task", &item, None, Errors::default()) else { panic!("refused") };
        assert!(errors.messages().is_empty(), "rustc has said it");
        let inputs = &function.sig.inputs;
        assert_eq!(
            crate::error::show(quote!(#inputs)),
            "a : Vec<(u8, u8)>, rows : impl::core::marker::Sized, b : impl::core::marker::Sized, \
             input_4 : impl::core::marker::Sized"
        );
        assert!(!function.body.to_string().contains("len"));
    }

    #[test]
    fn an_output_being_typed_is_none_yet() {
        let item = quote!(pub async fn f(a: u64) -> { Ok(a) });
        let Ok((function, errors)) = FnItem::parse("task", &item, None, Errors::default()) else { panic!("refused") };
        assert!(errors.messages().is_empty(), "rustc has said it");
        assert!(matches!(function.sig.output, syn::ReturnType::Default));
        assert!(!function.body.to_string().contains("Ok"));
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
    fn a_second_attribute_of_ours_is_not_expanded_as_well() {
        for (attr, message) in [
            (quote!(#[task(retries = 2)]), "`#[task]` is given twice: write all options in one attribute"),
            (
                quote!(#[pipeline_runtime::pipeline]),
                "a function cannot be both a task and a pipeline: remove one of the attributes",
            ),
        ] {
            let item = quote!(#[instrument] #attr #[other::task] async fn f() {});
            let Ok((function, errors)) = FnItem::parse("task", &item, None, Errors::default()) else { panic!("refused") };
            assert_eq!(errors.messages(), [message]);
            assert_eq!(function.attrs.len(), 2);
        }
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
        assert!(tokens.contains("a sensor must be a free function"), "{tokens}");
    }
}
