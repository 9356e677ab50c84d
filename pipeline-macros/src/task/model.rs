//! The model of a task: everything that the expansion needs, already validated.

use super::validate;
use crate::attrs::SortedAttrs;
use crate::error::Errors;
use crate::item::FnItem;
use crate::options::{Options, Owner};
use crate::runtime::Runtime;
use crate::types;
use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{FnArg, Pat, PatType, Type, Visibility};

/// The attribute on the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Task,
    Sensor,
    Branch,
}

impl Kind {
    /// The word for messages, as in "a task".
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Task => "task",
            Kind::Sensor => "sensor",
            Kind::Branch => "branch",
        }
    }

    pub(crate) fn place(self) -> Owner {
        match self {
            Kind::Task => Owner::Task,
            Kind::Sensor => Owner::Sensor,
            Kind::Branch => Owner::Branch,
        }
    }
}

/// A task, sensor or branch.
pub(crate) struct Model<'a> {
    pub(crate) kind: Kind,
    pub(crate) function: &'a FnItem,
    pub(crate) attrs: SortedAttrs<'a>,
    pub(crate) options: Options,
    pub(crate) runtime: Runtime,
    /// The default id of its nodes.
    pub(crate) id: String,
    pub(crate) params: Vec<Param<'a>>,
    pub(crate) output: Output<'a>,
    /// True if the constructor can get its body. Otherwise a mistake was reported, and only the signature matters.
    pub(crate) valid: bool,
}

/// One parameter of the function.
pub(crate) struct Param<'a> {
    /// Its name in the constructor and, as the edge's label, in the plan.
    pub(crate) name: Ident,
    pub(crate) role: Role<'a>,
}

pub(crate) enum Role<'a> {
    /// An input, which the caller of the constructor wires.
    Wired(&'a Type),
    /// Supplied by the runtime.
    Context(&'a Type),
    /// A mistake: the type that reports it in the constructor.
    Invalid(TokenStream),
    /// A `_`: the type that reports it in the body, where rustc would report the `_`, too.
    Inferred(TokenStream),
    /// The whole function is refused. Its output reports the mistake.
    InvalidFunction,
    /// The type is still being typed, which rustc has reported: a type that accepts any argument.
    Incomplete(TokenStream),
    /// A mistake, already reported, in a parameter that callers do not supply.
    Unsupplied,
}

/// What the function returns.
pub(crate) enum Output<'a> {
    /// A valid return type.
    Valid {
        /// The type as written. `None` is `()`.
        returned: Option<&'a Type>,
        value: ValueType<'a>,
    },
    /// A mistake: the type that reports it.
    Invalid(TokenStream),
}

/// The type of the value that a node passes on.
pub(crate) enum ValueType<'a> {
    /// The function returns nothing.
    Unit,
    /// Read from the return type's syntax.
    Parsed(&'a Type),
    /// Known only to the runtime's traits. A branch always is, because they know its arms.
    ByTraits,
}

impl Output<'_> {
    /// True if only the runtime's traits know what the constructor returns.
    pub(crate) fn is_by_traits(&self) -> bool {
        matches!(self, Output::Valid { value: ValueType::ByTraits, .. })
    }
}

impl<'a> Model<'a> {
    pub(crate) fn new(kind: Kind, function: &'a FnItem, attrs: SortedAttrs<'a>, options: Options, errors: &mut Errors) -> Self {
        let mut valid = validate::qualifiers(kind, &function.sig, errors);
        let id = match options.id() {
            Some(id) => id.to_owned(),
            None => validate::default_id(&function.sig.ident, &options, errors),
        };
        let runtime = Runtime::new(options.runtime(), &function.sig.ident);
        let (params, output) = match validate::generics(kind, &function.sig, &runtime) {
            Some(poison) => refuse_whole(function, poison),
            None => (params(kind, function, &runtime, errors), output(kind, function, &runtime)),
        };
        valid &= params.iter().all(|param| matches!(param.role, Role::Wired(_) | Role::Context(_)));
        valid &= matches!(output, Output::Valid { .. });
        Model { kind, function, attrs, options, runtime, id, params, output, valid }
    }

    /// True if the function has a visibility, so that other modules may see it.
    pub(crate) fn is_public(&self) -> bool {
        !matches!(self.function.vis, Visibility::Inherited)
    }

    pub(crate) fn name(&self) -> &'a Ident {
        &self.function.sig.ident
    }

    /// The span of the return type, or else of the function's name.
    pub(crate) fn output_span(&self) -> Span {
        match types::returned(&self.function.sig.output) {
            Some(ty) => types::span(ty),
            None => self.name().span(),
        }
    }
}

/// Parameters and output of a generic function. None of its types can be used, because they may name the generic parameters.
fn refuse_whole(function: &FnItem, poison: TokenStream) -> (Vec<Param<'_>>, Output<'_>) {
    let params = typed_params(function)
        .enumerate()
        .map(|(position, param)| Param {
            name: plain_name(&param.pat).cloned().unwrap_or_else(|| unnamed(position, param.pat.span())),
            role: Role::InvalidFunction,
        })
        .collect();
    (params, Output::Invalid(poison))
}

fn params<'a>(kind: Kind, function: &'a FnItem, runtime: &Runtime, errors: &mut Errors) -> Vec<Param<'a>> {
    let taken: Vec<String> =
        typed_params(function).map(|param| plain_name(&param.pat).map_or_else(String::new, ToString::to_string)).collect();
    typed_params(function)
        .enumerate()
        .map(|(position, param)| {
            validate::attributes(kind, param, errors);
            let name = match plain_name(&param.pat) {
                // rustc reports a repeated name, in `call`.
                Some(name) if !taken[..position].contains(&name.to_string()) => without_underscore(name, &taken),
                Some(_) | None => unnamed(position, param.pat.span()),
            };
            let refused = validate::pattern(kind, &param.pat, runtime);
            let role = refused.map_or_else(|| role(kind, &param.ty, runtime, errors), Role::Invalid);
            Param { name, role }
        })
        .collect()
}

fn role<'a>(kind: Kind, ty: &'a Type, runtime: &Runtime, errors: &mut Errors) -> Role<'a> {
    if types::is_context(ty) {
        return Role::Context(ty);
    }
    if validate::is_borrowed_context(kind, ty, errors) {
        return Role::Unsupplied;
    }
    if let Type::Verbatim(in_place) = ty {
        return Role::Incomplete(in_place.clone());
    }
    match validate::input(kind, ty, runtime) {
        Some(poison) if types::is_inferred(ty) => Role::Inferred(poison),
        Some(poison) => Role::Invalid(poison),
        None => Role::Wired(ty),
    }
}

/// Reads `T` from `Result<T>` and `Result<Poke<T>>`, so that the editor shows `Node<T>` and a wrong type is only one error. rustc
/// verifies the result. Any other return type, such as an alias, goes through the runtime's traits.
fn output<'a>(kind: Kind, function: &'a FnItem, runtime: &Runtime) -> Output<'a> {
    let returned = types::returned(&function.sig.output);
    if let Some(poison) = returned.and_then(|ty| validate::output(kind, ty, runtime)) {
        return Output::Invalid(poison);
    }
    let result = returned.and_then(|ty| types::first_argument(ty, "Result"));
    let read = match kind {
        Kind::Task => result,
        Kind::Sensor => result.and_then(|ty| types::first_argument(ty, "Poke")),
        Kind::Branch => None,
    };
    let value = match read {
        Some(ty) => ValueType::Parsed(ty),
        None if returned.is_none() && kind == Kind::Task => ValueType::Unit,
        None => ValueType::ByTraits,
    };
    Output::Valid { returned, value }
}

/// The parameters with a type, which excludes `self`.
fn typed_params(function: &FnItem) -> impl Iterator<Item = &PatType> {
    function.sig.inputs.iter().filter_map(|arg| match arg {
        FnArg::Typed(param) => Some(param),
        // Invalid before the model is made.
        FnArg::Receiver(_) => None,
    })
}

/// The name, if the pattern is only a name.
pub(super) fn plain_name(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => Some(&ident.ident),
        _ => None,
    }
}

/// Removes leading underscores: `_report` is unused in the body, but it is the input's name in the plan.
fn without_underscore(name: &Ident, taken: &[String]) -> Ident {
    let text = name.to_string();
    let bare = text.trim_start_matches('_');
    if bare == text || taken.iter().any(|other| other == bare) {
        return name.clone();
    }
    match syn::parse_str::<Ident>(bare) {
        Ok(_) => Ident::new(bare, name.span()),
        Err(_) => name.clone(),
    }
}

fn unnamed(position: usize, span: Span) -> Ident {
    Ident::new(&format!("input_{}", position + 1), span)
}

/// The name without `r#`.
pub(crate) fn unraw(name: &Ident) -> String {
    name.unraw().to_string()
}
