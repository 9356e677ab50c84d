//! The name of an output's type, as its author wrote it.
//!
//! The journal stores it with each run, so that a changed type is detected before outputs are read. The compiler's name of the
//! type is not suitable, because a new compiler may change it. Paths are left out, so that replacing a path by an import is no
//! change.

use super::model::{Output, ValueType};
use crate::types;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Type, TypePath};

/// Returns the name. For an alias of `Result` it is the name of the alias, which the macro cannot resolve.
pub(super) fn of(output: &Output<'_>) -> String {
    let ty = match output {
        Output::Invalid(_) | Output::Valid { value: ValueType::Unit, .. } | Output::Valid { returned: None, .. } => {
            return "()".to_owned();
        }
        Output::Valid { value: ValueType::Parsed(ty), .. } => ty,
        Output::Valid { value: ValueType::ByTraits, returned: Some(ty) } => types::first_argument(ty, "Result").unwrap_or(ty),
    };
    text(ty)
}

fn text(ty: &Type) -> String {
    if let Type::Path(TypePath { qself: None, path, .. }) = ty
        && let Some(word) = path.get_ident()
    {
        return word.unraw().to_string();
    }
    let mut tokens = Vec::new();
    flatten(ty.to_token_stream(), &mut tokens);
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token == text);
    let is_name = |token: &str| token.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let mut name = String::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_path = is(at + 1, ":") && is(at + 2, ":");
        if is_path && is_name(token) {
            // Drops a segment before `::`; of `Vec::<u8>` only the `::`.
            if is(at + 3, "<") {
                name.push_str(token);
            }
            at += 3;
            continue;
        }
        // A path that begins with `::`.
        if token == ":" && is(at + 1, ":") && !name.ends_with('>') {
            at += 2;
            continue;
        }
        if is_name(token) && name.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            name.push(' ');
        }
        name.push_str(token);
        if matches!(token.as_str(), "," | ";") {
            name.push(' ');
        }
        at += 1;
    }
    name
}

/// The tokens as texts. The groups without delimiters that a `macro_rules!` puts around a type leave no trace.
fn flatten(stream: TokenStream, tokens: &mut Vec<String>) {
    for token in stream {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                let delimiters = [open, close].map(str::to_owned).map(|text| Some(text).filter(|text| !text.is_empty()));
                let [open, close] = delimiters;
                tokens.extend(open);
                flatten(group.stream(), tokens);
                tokens.extend(close);
            }
            TokenTree::Ident(ident) => tokens.push(ident.unraw().to_string()),
            TokenTree::Punct(punct) => tokens.push(punct.to_string()),
            TokenTree::Literal(literal) => tokens.push(literal.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn a_type_has_the_name_that_its_author_wrote_without_paths() {
        let name = |ty: &str| text(&syn::parse_str(ty).unwrap());
        assert_eq!(name("u64"), "u64");
        assert_eq!(name("crate :: domain::Report"), "Report");
        assert_eq!(name("::std::vec::Vec<self::Row>"), "Vec<Row>");
        assert_eq!(name("Vec::<u8>"), "Vec<u8>");
        assert_eq!(name("std::collections::HashMap<String,( u8 ,a::B )>"), "HashMap<String, (u8, B)>");
        assert_eq!(name("[f64; 3]"), "[f64; 3]");
        assert_eq!(name("r#type"), "type");
        assert_eq!(name("<a::Rows as b::Table>::Row"), "<Rows as Table>::Row");
        assert_eq!(name("Box<dyn a::Shape + Send>"), "Box<dyn Shape+Send>");
    }
}
