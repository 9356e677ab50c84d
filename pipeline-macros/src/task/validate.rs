//! Rules for a function that becomes a node: one function per rule. A rule about the type of a parameter or of the output returns
//! the mistake as a type (see [`poison`]), for the constructor's signature.

use super::model::{Kind, plain_name, unraw};
use crate::error::{Errors, poison};
use crate::options::Options;
use crate::runtime::Runtime;
use crate::types;
use pipeline_syntax::id;
use proc_macro2::{Ident, TokenStream};
use syn::{Pat, PatType, Safety, Signature, Type};

/// Requires `async` where it is needed, and refuses the other words before `fn`. Returns whether the signature is valid.
pub(super) fn qualifiers(kind: Kind, sig: &Signature, errors: &mut Errors) -> bool {
    let word = kind.word();
    let mut valid = true;
    let mut refuse = |token: &dyn quote::ToTokens, message: String| {
        errors.on(token.to_token_stream(), message);
        valid = false;
    };
    if kind != Kind::Task && sig.asyncness.is_none() {
        refuse(&sig.fn_token, format!("a {word} must be `async`: write `async fn`"));
    }
    if let Some(token) = &sig.constness {
        refuse(token, format!("a {word} cannot be `const`, because it runs with the pipeline: write `async fn` or `fn`"));
    }
    if let Safety::Unsafe(token) = &sig.safety {
        refuse(
            token,
            format!("a {word} cannot be `unsafe`, because the engine calls it from safe code: use an `unsafe` block in its body"),
        );
    }
    if let Some(token) = &sig.abi {
        refuse(token, format!("a {word} cannot be `extern`: write `async fn` or `fn`"));
    }
    if let Some(token) = &sig.variadic {
        refuse(token, format!("a {word} cannot be variadic: take a `Vec<T>` for any number of nodes"));
    }
    valid
}

/// Returns the function's name, which must be a valid id unless another id is given.
pub(super) fn default_id(name: &Ident, options: &Options, errors: &mut Errors) -> String {
    let id = unraw(name);
    if let Err(why) = id::check(&id)
        && !options.has("id")
    {
        errors.on(name, format!("`{id}` cannot be a node's id: {why}; or set another id with `id = \"..\"`"));
    }
    id
}

pub(super) fn generics(kind: Kind, sig: &Signature, runtime: &Runtime) -> Option<TokenStream> {
    let word = kind.word();
    if sig.generics.params.is_empty() {
        return None;
    }
    if sig.generics.params.iter().all(|param| matches!(param, syn::GenericParam::Lifetime(_))) {
        let message = format!(
            "a {word} cannot have lifetimes, because its inputs outlive the call: use owned types, such as `String` for `&str`"
        );
        return Some(poison(runtime, &sig.generics.params, message));
    }
    Some(poison(
        runtime,
        &sig.generics.params,
        format!(
            "a {word} cannot be generic: it has one name and one type in the journal; write one {word} per type, and \
             have them call a generic function"
        ),
    ))
}

/// Refuses patterns: a parameter's name labels its edge in the plan.
pub(super) fn pattern(kind: Kind, pattern: &Pat, runtime: &Runtime) -> Option<TokenStream> {
    if plain_name(pattern).is_some() || matches!(pattern, Pat::Wild(_)) {
        return None;
    }
    Some(poison(
        runtime,
        pattern,
        format!(
            "a {}'s parameter must be a plain name, which labels the input in the plan: destructure it in the body, with \
             `let`",
            kind.word()
        ),
    ))
}

/// Refuses conditional parameters, which would change the number of the constructor's arguments.
pub(super) fn attributes(kind: Kind, param: &PatType, errors: &mut Errors) {
    for attr in &param.attrs {
        if attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr") {
            errors.on(attr, format!("a {0}'s parameter cannot be conditional: put `#[cfg(..)]` on the {0}", kind.word()));
        }
    }
}

/// Refuses `&Context`. Returns whether the type is one: callers do not supply it either.
pub(super) fn is_borrowed_context(kind: Kind, ty: &Type, errors: &mut Errors) -> bool {
    let borrowed = matches!(ty, Type::Reference(ty) if types::is_context(&ty.elem));
    if borrowed {
        errors.on(ty, format!("a {} takes its `Context` by value: write `Context`, without `&`", kind.word()));
    }
    borrowed
}

/// Refuses borrowed types: an input outlives the call that wires it.
pub(super) fn input(kind: Kind, ty: &Type, runtime: &Runtime) -> Option<TokenStream> {
    let found = types::refusal(ty)?;
    Some(poison(runtime, found.part, format!("a {}'s input {}", kind.word(), found.reason)))
}

/// Refuses borrowed types: an output is stored in the journal.
pub(super) fn output(kind: Kind, ty: &Type, runtime: &Runtime) -> Option<TokenStream> {
    let found = types::refusal(ty)?;
    Some(poison(runtime, found.part, format!("a {}'s output {}", kind.word(), found.reason)))
}
