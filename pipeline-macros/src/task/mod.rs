//! `#[task]`, `#[sensor]` and `#[branch]`: turn an annotated function into a node constructor of the same name.
//!
//! The expansion has the constructor; an empty type of the same name; `name::call`, the body; and the type's `TaskName`.
//! If only the runtime's traits know what the nodes carry, it also has the type's `Checks` (see [`expand`]).

mod expand;
mod model;
mod output_name;
#[cfg(test)]
mod tests;
mod validate;

pub(crate) use model::Kind;

use crate::attrs::SortedAttrs;
use crate::error::Errors;
use crate::item::FnItem;
use crate::options::{Options, completion};
use model::Model;
use proc_macro2::TokenStream;
use std::iter;

/// The whole expansion. Even if there are errors, it has a constructor that callers can use without a second error.
pub(crate) fn expand(kind: Kind, attr: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::parse(kind.place(), attr.clone(), &mut errors);
    let completion = completion(kind.place(), attr, options.runtime());
    let (function, mut errors) = match FnItem::parse(kind.word(), item, options.runtime(), errors) {
        Ok(parsed) => parsed,
        Err(unexpanded) => return unexpanded,
    };
    let attrs = SortedAttrs::new(&function.attrs);
    let model = Model::new(kind, &function, attrs, options, &mut errors);
    iter::once(completion).chain(expand::items(&model)).chain([errors.into_items()]).collect()
}
