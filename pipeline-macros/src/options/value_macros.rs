//! `cron!`, `every!` and `defaults!`: values for options, to be stored in a constant.

use super::table::Owner;
use super::{Options, expand, groups, value};
use crate::error::Errors;
use crate::runtime::Runtime;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;

/// Expands `cron!("0 6 * * *")`, with one line or several.
pub(crate) fn cron(input: TokenStream) -> TokenStream {
    let (runtime, written) = Runtime::of_macro(input);
    let mut errors = Errors::default();
    let lines = value::read_lines(&written, &mut errors);
    errors.into_expression().unwrap_or_else(|| expand::cron(&lines.unwrap_or_default(), &runtime))
}

/// Expands `every!("4w", from = "2023-05-16")`.
pub(crate) fn every(input: TokenStream) -> TokenStream {
    let (runtime, written) = Runtime::of_macro(input);
    let mut errors = Errors::default();
    // As in an attribute, but the first value may lack its name, which is the macro's.
    let is_text = matches!(written.clone().into_iter().next(), Some(TokenTree::Literal(_)));
    let list = if is_text { quote!(every = #written) } else { written };
    let recurrence = groups::recurrence(&Ident::new("every", Span::call_site()), &list, &mut errors);
    match (errors.into_expression(), recurrence) {
        (None, Some(recurrence)) => expand::every(&recurrence, &runtime),
        (mistakes, _) => mistakes.unwrap_or_default(),
    }
}

/// Expands `defaults!(retries = 2, on_failure = CHAT)`.
pub(crate) fn defaults(input: TokenStream) -> TokenStream {
    let (runtime, written) = Runtime::of_macro(input);
    let mut errors = Errors::default();
    let options = Options::parse(Owner::SharedDefaults, written, &mut errors);
    errors.into_expression().unwrap_or_else(|| options.shared(&runtime))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_call() {
        let show = |tokens: TokenStream| crate::error::show(tokens).replace(' ', "");
        assert_eq!(show(cron(quote!(root, "0 6 * * *"))), "root::__private::Cron::checked(&[\"06***\"])");
        assert_eq!(show(cron(quote!(root, "@daily", "0 6 * * 1",))), "root::__private::Cron::checked(&[\"@daily\",\"06**1\"])");
        assert_eq!(
            show(every(quote!(root, "4w", from = "2023-05-16"))),
            "root::__private::Every::checked(\"4w\",\"2023-05-16\")"
        );
        assert_eq!(show(defaults(quote!(root, retries = 2))), "root::__private::Defaults::new(|o|o.retries(2))");
    }

    #[test]
    fn each_mistake_is_one_error() {
        for (tokens, part) in [
            (cron(quote!(root, "61 6 * * *")), "minute 61"),
            (cron(quote!(root,)), "takes a cron line"),
            (cron(quote!(root, LINE)), "takes a cron line in quotes"),
            (every(quote!(root, "0w", from = "2023-05-16")), "longer than zero"),
            (every(quote!(root, "4w")), "needs `from`"),
            (every(quote!(root, 4, from = "2023-05-16")), "a duration needs a unit"),
            (every(quote!(root, "4w", form = "2023-05-16")), "did you mean `from`"),
            (defaults(quote!(root, retry = 2)), "did you mean `retries`"),
            (defaults(quote!(root, schedule = "@daily")), "not of `defaults!(..)`"),
        ] {
            let text = tokens.to_string();
            assert_eq!(text.matches("compile_error").count(), 1, "{text}");
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
