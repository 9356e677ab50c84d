//! Completion of options, for editors alone.
//!
//! rust-analyzer knows nothing of what may stand in an attribute, but it does complete an import. So the expansion imports what stands where
//! options' names do, whole or half-typed, from a module of the runtime that has a documented module for each option. Only rust-analyzer
//! sets `cfg(rust_analyzer)`; rustc drops all of it. bon does the same.
//!
//! It comes first in the expansion: in what follows a half-typed name, rust-analyzer no longer finds its place.

use super::pieces;
use super::table::Place;
use crate::error::Errors;
use crate::runtime::words_aside;
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Path;

/// What completes the options that stand in `tokens`.
pub(crate) fn completion(place: Place, tokens: TokenStream, runtime: Option<&Path>) -> TokenStream {
    let place = Ident::new(
        match place {
            Place::Task | Place::Branch => "task",
            Place::Sensor | Place::Defaults | Place::SharedDefaults => "sensor",
            Place::Pipeline | Place::Arms => "pipeline",
        },
        Span::call_site(),
    );
    let names = names(tokens);
    let runtime = runtime.map_or_else(|| quote!(::pipeline_runtime), |path| words_aside(quote!(#path)).into_token_stream());
    quote! {
        #[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
        const _: () = {
            #[cfg(rust_analyzer)]
            {
                mod options {
                    use #runtime::__private::options::#place::*;
                    use self::{ #(#names),* };
                }
            }
        };
    }
}

/// Each option's name as typed; of a list, those within it.
fn names(tokens: TokenStream) -> Vec<TokenStream> {
    let pieces = pieces::split(tokens, &mut Errors::default());
    pieces.into_iter().filter_map(|piece| name(&piece)).collect()
}

fn name(piece: &[TokenTree]) -> Option<TokenStream> {
    let (first, rest) = piece.split_first()?;
    // No keyword, such as `crate`, can be imported.
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
