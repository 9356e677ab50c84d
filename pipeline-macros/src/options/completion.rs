//! Completion of options, only for editors.
//!
//! rust-analyzer knows nothing about the options of an attribute, but it completes imports. So the expansion imports each
//! option's name, complete or half-typed, from a module of the runtime that has a documented module for each option. Only
//! rust-analyzer sets `cfg(rust_analyzer)`, so rustc drops all of it. The crate bon uses the same technique.
//!
//! The imports come first in the expansion: rust-analyzer does not find the place of a half-typed name in later items.

use super::pieces;
use super::table::Owner;
use crate::error::Errors;
use crate::runtime::words_at_attr;
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Path;

/// The imports that complete the options in `tokens`.
pub(crate) fn completion(owner: Owner, tokens: TokenStream, runtime: Option<&Path>) -> TokenStream {
    let owner = Ident::new(
        match owner {
            Owner::Task | Owner::Branch => "task",
            Owner::Sensor | Owner::Defaults | Owner::SharedDefaults => "sensor",
            Owner::Pipeline | Owner::Arms => "pipeline",
        },
        Span::call_site(),
    );
    let names = names(tokens);
    let runtime = runtime.map_or_else(|| quote!(::pipeline_runtime), |path| words_at_attr(quote!(#path)).into_token_stream());
    quote! {
        #[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
        const _: () = {
            #[cfg(rust_analyzer)]
            {
                mod options {
                    use #runtime::__private::options::#owner::*;
                    use self::{ #(#names),* };
                }
            }
        };
    }
}

/// The imports of the options' names as typed, and of the names within lists.
fn names(tokens: TokenStream) -> Vec<TokenStream> {
    let pieces = pieces::split(tokens, &mut Errors::default());
    pieces.into_iter().filter_map(|piece| name(&piece)).collect()
}

fn name(piece: &[TokenTree]) -> Option<TokenStream> {
    let (first, rest) = piece.split_first()?;
    // A keyword, such as `crate`, cannot be imported.
    let name: Ident = syn::parse2(first.clone().into()).ok()?;
    match rest {
        [TokenTree::Group(list)] if list.delimiter() == Delimiter::Parenthesis && is_list_of_options(&name) => {
            let names = names(list.stream());
            Some(quote!(#name::{ #(#names),* }))
        }
        _ => Some(quote!(#name as _)),
    }
}

fn is_list_of_options(name: &Ident) -> bool {
    name == "backoff" || name == "defaults" || name == "schedule"
}
