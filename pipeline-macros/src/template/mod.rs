//! `template!`: a text that is rendered when its task runs, checked when it is compiled.
//!
//! [`names`] lists what a template may use, [`check`] finds what it may not. A mistake is reported at the literal:
//! a span within it is nightly Rust's alone, so the message has the piece and, of several lines, the place.

mod check;
mod names;

use crate::error::Errors;
use crate::runtime::Runtime;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{LitStr, Token};

/// The whole expansion, an expression.
///
/// The first token is the runtime's `$crate`, the second a comma.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut tokens = input.into_iter();
    let runtime = Runtime::rooted(tokens.next().into_iter().collect());
    let input: TokenStream = tokens.skip(1).collect();
    let mut errors = Errors::default();
    // rustfmt leaves a comma where it breaks the call into lines.
    let literal = |input: ParseStream<'_>| -> syn::Result<LitStr> {
        let source = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok(source)
    };
    let Ok(source) = literal.parse2(input.clone()) else {
        refuse(input, &mut errors);
        return errors.into_expression().unwrap_or_default();
    };
    for mistake in check::mistakes(&source.value()) {
        errors.at(source.span(), mistake);
    }
    let template = runtime.private(Span::call_site(), "template");
    errors.into_expression().unwrap_or_else(|| quote!(#template(#source)))
}

fn refuse(input: TokenStream, errors: &mut Errors) {
    let mut tokens = input.clone().into_iter();
    let (first, second) = (tokens.next(), tokens.next());
    match (first, second) {
        (None, _) => errors.at(Span::call_site(), "`template!` takes a text, as in `template!(\"raw/{{ ds_nodash }}.json\")`"),
        (Some(TokenTree::Literal(_)), Some(TokenTree::Punct(comma))) if comma.as_char() == ',' => errors.on(
            tokens.collect::<TokenStream>(),
            "`template!` takes a text alone: what the pipeline's function knows goes in by `params`, as in \
             `{{ params.region }}`",
        ),
        _ => errors.on(
            input,
            "`template!` takes a text in quotes, written out, as it is checked here: \
             `template!(\"raw/{{ ds_nodash }}.json\")`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_a_call() {
        let tokens = expand(quote!(root, "raw/{{ ds_nodash }}.json"));
        assert_eq!(crate::error::show(tokens), "root::__private::template(\"raw/{{ ds_nodash }}.json\")");
        assert_eq!(crate::error::show(expand(quote!(root, "raw",))), "root::__private::template(\"raw\")");
    }

    #[test]
    fn anything_else_is_refused() {
        for (input, part) in [
            (quote!(), "takes a text, as in"),
            (quote!(KEY), "written out"),
            (quote!("{{ ds }}", key), "takes a text alone"),
            (quote!("{{ ds }}",,), "takes a text alone"),
            (quote!("{{ dss }}"), "did you mean `ds`?"),
        ] {
            let text = expand(quote!(root, #input)).to_string();
            assert_eq!(text.matches("compile_error").count(), 1, "{text}");
            assert!(text.contains(part), "{text}");
        }
    }
}
