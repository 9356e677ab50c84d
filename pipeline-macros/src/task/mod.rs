//! `#[task]`, `#[sensor]` and `#[branch]`: an annotated function becomes a node constructor of the same name.
//!
//! Three items come of it: the constructor; an empty type of that name, so that one name means both; and `name::call`, the
//! body. Where only the runtime's traits know what the function's nodes carry, there is a fourth, which names that (see
//! [`expand`]).

mod expand;
mod model;
mod output_name;
#[cfg(test)]
mod tests;
mod validate;

pub(crate) use model::Kind;

use crate::attrs::Sorted;
use crate::error::Errors;
use crate::item::FnItem;
use crate::options::{Options, completion};
use model::Model;
use proc_macro2::TokenStream;
use std::iter;

/// The whole expansion. Whatever is wrong, a constructor comes out that callers can name without a second error.
pub(crate) fn expand(kind: Kind, attr: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::parse(kind.place(), attr.clone(), &mut errors);
    let completion = completion(kind.place(), attr, options.runtime());
    let (function, mut errors) = match FnItem::parse(kind.word(), item, options.runtime(), errors) {
        Ok(parsed) => parsed,
        Err(untouched) => return untouched,
    };
    let attrs = Sorted::new(&function.attrs);
    let model = Model::new(kind, &function, attrs, options, &mut errors);
    iter::once(completion).chain(expand::items(&model)).chain([errors.into_items()]).collect()
}
