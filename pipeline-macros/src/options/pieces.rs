//! The syntax of options: `name = value, name(list), ..`, read piece by piece.

use super::table::Owner;
use crate::error::Errors;
use proc_macro2::{Delimiter, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// One option as written.
pub(crate) struct Entry {
    pub(crate) name: Ident,
    pub(crate) argument: Argument,
}

/// What follows the name.
pub(crate) enum Argument {
    /// `name = value`: the value, and the span of the `=`.
    Value(TokenStream, Span),
    /// `name(list)`: the content of the parentheses.
    List(TokenStream),
}

impl Entry {
    /// The tokens to report errors of the value at.
    pub(crate) fn value_tokens(&self) -> TokenStream {
        match &self.argument {
            Argument::Value(value, _) => value.clone(),
            Argument::List(_) => self.name.to_token_stream(),
        }
    }
}

/// Splits `tokens` into options. Anything that is not an option is reported and left out.
pub(crate) fn entries(tokens: TokenStream, errors: &mut Errors) -> Vec<Entry> {
    let mut entries = Vec::new();
    for piece in split(tokens, errors) {
        for part in at_missing_commas(&piece, errors) {
            entries.extend(entry(part, errors));
        }
    }
    entries
}

/// Returns the tokens as one piece, or the pieces of a bracketed list.
pub(crate) fn one_or_list(tokens: &TokenStream, errors: &mut Errors) -> Vec<Vec<TokenTree>> {
    let mut trees = tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(list)), None) if list.delimiter() == Delimiter::Bracket => split(list.stream(), errors),
        _ => vec![tokens.clone().into_iter().collect()],
    }
}

/// Splits at the top-level commas, except those within `<..>` of a path. A trailing comma is allowed.
pub(crate) fn split(tokens: TokenStream, errors: &mut Errors) -> Vec<Vec<TokenTree>> {
    let mut pieces = vec![Vec::new()];
    let mut depth = 0_usize;
    let mut after_arrow = false;
    for token in tokens {
        let punct = match &token {
            TokenTree::Punct(punct) => Some(punct.as_char()),
            _ => None,
        };
        match punct {
            Some('<') => depth += 1,
            Some('>') if !after_arrow => depth = depth.saturating_sub(1),
            _ => {}
        }
        after_arrow = matches!(&token, TokenTree::Punct(punct)
            if matches!(punct.as_char(), '=' | '-') && punct.spacing() == Spacing::Joint);
        let piece = pieces.last_mut();
        match piece {
            Some(piece) if punct == Some(',') && depth == 0 => {
                if piece.is_empty() {
                    errors.on(token, "unexpected comma: remove it");
                } else {
                    pieces.push(Vec::new());
                }
            }
            Some(piece) => piece.push(token),
            None => {}
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Splits where a comma is missing: `retries = 2 timeout = "5m"` is two options and one mistake.
fn at_missing_commas(piece: &[TokenTree], errors: &mut Errors) -> Vec<Vec<TokenTree>> {
    let starts_option = |at: usize| {
        let TokenTree::Ident(_) = &piece[at] else {
            return false;
        };
        // Not the `Pool` of `pool = crate::Pool`.
        let follows_path = matches!(&piece[at - 1], TokenTree::Punct(_));
        let assigns =
            matches!(piece.get(at + 1), Some(TokenTree::Punct(p)) if p.as_char() == '=' && p.spacing() == Spacing::Alone);
        assigns && !follows_path
    };
    let starts: Vec<_> = (1..piece.len()).filter(|at| starts_option(*at)).collect();
    let mut rest = piece.to_owned();
    let mut parts = Vec::new();
    for start in starts.into_iter().rev() {
        errors.on(&piece[start], format!("missing comma before `{}`", piece[start]));
        parts.push(rest.split_off(start));
    }
    parts.push(rest);
    parts.reverse();
    parts
}

fn entry(piece: Vec<TokenTree>, errors: &mut Errors) -> Option<Entry> {
    let all: TokenStream = piece.iter().cloned().collect();
    let mut tokens = piece.into_iter();
    let Some(TokenTree::Ident(name)) = tokens.next() else {
        errors.on(all, "expected an option, as in `retries = 2`");
        return None;
    };
    let second = tokens.next();
    let rest: TokenStream = tokens.collect();
    let argument = match second {
        Some(TokenTree::Punct(punct)) if punct.as_char() == '=' && !rest.is_empty() => Argument::Value(rest, punct.span()),
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis && rest.is_empty() => {
            Argument::List(group.stream())
        }
        None | Some(TokenTree::Punct(_)) => {
            let colon = all.to_string().contains(':');
            let message = if colon { format!("expected `=` after `{name}`") } else { format!("`{name}` needs a value") };
            errors.on(all, message + &as_in(&name));
            return None;
        }
        Some(_) => {
            errors.on(all, format!("expected `=` after `{name}`{}", as_in(&name)));
            return None;
        }
    };
    Some(Entry { name, argument })
}

/// The example of an option of that name, wherever it belongs.
fn as_in(name: &Ident) -> String {
    let name = name.to_string();
    [Owner::Task, Owner::Sensor, Owner::Pipeline]
        .into_iter()
        .find_map(|owner| super::table::find(owner, &name))
        .map(|spec| format!(", as in `{}`", spec.example))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn read(tokens: TokenStream) -> (Vec<String>, Vec<String>) {
        let mut errors = Errors::default();
        let names = entries(tokens, &mut errors)
            .iter()
            .map(|entry| {
                let value = match &entry.argument {
                    Argument::Value(value, _) => format!(" = {value}"),
                    Argument::List(list) => format!("({list})"),
                };
                format!("{}{value}", entry.name)
            })
            .collect();
        (names, errors.messages())
    }

    #[test]
    fn options_are_split_at_commas() {
        let (names, errors) = read(quote!(retries = 2, backoff(start = "1s", max = "2s"), on_retry = a::b::<C, D>,));
        assert_eq!(names, ["retries = 2", "backoff(start = \"1s\" , max = \"2s\")", "on_retry = a :: b :: < C , D >"]);
        assert!(errors.is_empty());
    }

    #[test]
    fn half_typed_options_do_not_hide_the_others() {
        let (names, errors) = read(quote!(retries =, timeout, , "x", poke: "5s", sla = "1h"));
        assert_eq!(names, ["sla = \"1h\""]);
        assert_eq!(
            errors,
            [
                "unexpected comma: remove it",
                "`retries` needs a value, as in `retries = 2`",
                "`timeout` needs a value, as in `timeout = \"10m\"`",
                "expected an option, as in `retries = 2`",
                "expected `=` after `poke`, as in `poke = \"45s\"`",
            ]
        );
    }

    #[test]
    fn a_missing_comma_is_one_mistake() {
        let (names, errors) = read(quote!(retries = 2 timeout = "5m" pool = a::B));
        assert_eq!(names, ["retries = 2", "timeout = \"5m\"", "pool = a :: B"]);
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors.contains(&"missing comma before `timeout`".to_owned()));
    }

    #[test]
    fn nothing_is_fine_and_a_comma_is_not() {
        assert_eq!(read(quote!()), (vec![], vec![]));
        assert_eq!(read(quote!(,)).1, ["unexpected comma: remove it"]);
    }
}
