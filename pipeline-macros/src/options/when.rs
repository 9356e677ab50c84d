//! `when = all(VISITS, PROCESSES)`: the assets whose updates begin a run.

use super::paths::{NotAPath, path, static_name};
use super::pieces;
use super::table::Spec;
use crate::error::Errors;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ExprPath, Lit};

/// The rule, and the assets that it is about.
pub(crate) struct When {
    /// `all` or `any`.
    pub(crate) rule: Ident,
    pub(crate) assets: Vec<ExprPath>,
}

pub(crate) fn when(spec: &Spec, tokens: &TokenStream, errors: &mut Errors) -> Option<When> {
    let example = spec.example;
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let (rule, list) = match trees.as_slice() {
        [TokenTree::Ident(rule), TokenTree::Group(list)] if list.delimiter() == Delimiter::Parenthesis => (rule, list.stream()),
        _ => {
            errors.on(tokens, wrong_shape(example, tokens));
            return None;
        }
    };
    if rule != "all" && rule != "any" {
        errors.on(rule, format!("expected `all(..)`, for each of the assets, or `any(..)`, for one of them, as in `{example}`"));
        return None;
    }
    let pieces = pieces::split(list, errors);
    if pieces.is_empty() {
        errors.on(rule, format!("`{rule}(..)` is empty: name an asset, as in `{example}`"));
        return None;
    }
    // All are read before the list is refused, so that every mistake is reported.
    let read: Vec<_> = pieces.into_iter().map(|piece| asset(rule, &piece.into_iter().collect(), errors)).collect();
    let assets: Vec<ExprPath> = read.into_iter().collect::<Option<_>>()?;
    for (n, asset) in assets.iter().enumerate() {
        let text = asset.to_token_stream().to_string();
        if assets[..n].iter().any(|other| other.to_token_stream().to_string() == text) {
            errors.on(asset, format!("`{text}` is named twice; keep one"));
            return None;
        }
    }
    Some(When { rule: rule.clone(), assets })
}

/// The message for a value that is neither `all(..)` nor `any(..)`.
fn wrong_shape(example: &str, tokens: &TokenStream) -> String {
    if syn::parse2::<ExprPath>(tokens.clone()).is_ok() {
        return format!("`when` takes `all(..)` or `any(..)`: write `when = all({})`", crate::error::show(tokens.clone()));
    }
    match syn::parse2::<Lit>(tokens.clone()) {
        Ok(Lit::Str(text)) => asset_by_name(&text.value()),
        _ => format!("`when` takes `all(..)` or `any(..)` of assets, as in `{example}`"),
    }
}

fn asset_by_name(name: &str) -> String {
    let path = static_name(name, "VISITS");
    format!(
        "`when` takes the assets themselves, not their names: declare `static {path}: Asset<T> = Asset::new({name:?});` and write `when = all({path})`"
    )
}

fn asset(rule: &Ident, tokens: &TokenStream, errors: &mut Errors) -> Option<ExprPath> {
    path(tokens, errors, |written| match written {
        NotAPath::Text(name) => asset_by_name(name),
        NotAPath::Call(callee) if matches!(callee.as_str(), "all" | "any") => {
            format!("`all(..)` and `any(..)` cannot be nested: list the assets in one `{rule}(..)`")
        }
        _ => format!(
            "`{rule}(..)` takes paths of `static` assets, as in `{rule}(VISITS)` with `static VISITS: Asset<T> = Asset::new(\"visits\");`"
        ),
    })
}
