//! The items of a task's expansion.
//!
//! Logic is in generic functions of the runtime; here are only types and spans. The spans decide where rustc reports its errors,
//! and whether it merges two equal ones:
//! - an input's bound and uses have the span of its type, so that "required by a bound" underlines the user's type;
//! - everything about the output has the span of the return type;
//! - `impl` and `call` have the span of the name, so that the proposals for an unknown type are equal, and become one error;
//! - the call of the body has the span of the name, where rustc reports a future that is not `Send`;
//! - locals are `mixed_site`, so that the user's tokens cannot see them.
//!
//! Of the expansion's own tokens, only the punctuation has these spans; its words have that of the attribute (see
//! [`crate::runtime`]). So a path at the start or end of an expression starts with `::` or `<`, and ends with `>` or an empty
//! `::<>`.
//!
//! The body comes first: an editor completes a parameter's type at its first occurrence, and finds nothing in the arguments of a
//! bound.
//!
//! A type that cannot be an input is an error in the constructor and in `call`. Both have the same words, place and hygiene, so
//! rustc merges them. (With different hygiene, a terminal would show one error and an editor two.) Because `call` has an error,
//! rustc does not also report that its future holds such a type. For the same reason, a mistake that the macro itself finds is
//! one `compile_error!` in one place, and other places refer to it.
//!
//! If only the runtime's traits can name what the constructor returns, the const argument of an associated type checks the
//! output. A failed check is an error there. A type that contains an error const causes no errors where it is used, so callers
//! get none. A task that returns `Result<T>` needs no such type, which would be two more items for rustc.

use super::model::{Kind, Model, Output, Param, Role, ValueType, unraw};
use super::output_name;
use crate::runtime::{Runtime, Tokens, at_attr, attr_span, words_at_attr};
use crate::types;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{FnArg, ReturnType, Token, Type};

/// From this number of parameters on, clippy warns. The expansion silences that for the constructor; the user decides for the
/// body.
const MANY_PARAMETERS: usize = 8;

/// The items, as separate streams, because a stream within a stream would be copied.
pub(super) fn items(model: &Model<'_>) -> impl Iterator<Item = TokenStream> {
    let always = [body(model), constructor(model), namespace(model)];
    model
        .runtime
        .import()
        .into_iter()
        .chain(always)
        .chain(checks_impl(model))
        .chain(task_name_impl(model))
        .chain(mistake_impl(model))
}

/// The function that users call in a pipeline.
fn constructor(model: &Model<'_>) -> TokenStream {
    let name = model.name();
    let span = model.output_span();
    let vis = &model.function.vis;
    let (public, lints) = (&model.attrs.public, &model.attrs.lints);
    let params = model.params.iter().filter_map(|param| param.constructor_param(&model.runtime));
    let node = node_type(model);
    let make = if model.valid { constructor_body(model) } else { quote!(::core::unimplemented!()) };
    let mut block = Group::new(Delimiter::Brace, make);
    block.set_span(span);
    let quiet = allow_in_constructor(model);
    let track = words_at_attr(quote_spanned!(span=> #[track_caller]));
    // The user's own `fn`: there rustc points at the task if an unknown name resembles it.
    let keyword = &model.function.sig.fn_token;
    quote_spanned! {span=>
        #(#public)* #(#lints)* #quiet
        #track
        #vis #keyword #name(#(#params),*) -> #node #block
    }
}

/// Silences the lints that can apply. The others are left out, because rustc reads and checks each lint for every task.
fn allow(lints: &[(bool, &str)], reason: &str) -> Option<TokenStream> {
    let lints: Vec<_> = lints.iter().filter(|(can_speak, _)| *can_speak).map(|(_, lint)| Tokens::path(lint)).collect();
    (!lints.is_empty()).then(|| quote!(#[allow(#(#lints,)* reason = #reason)]))
}

/// Silences lints that would report the constructor instead of the user's function, or both.
fn allow_in_constructor(model: &Model<'_>) -> Option<TokenStream> {
    let lints = [
        (!model.valid, "unused_variables"),
        (model.is_public(), "clippy::must_use_candidate"),
        (model.params.len() >= MANY_PARAMETERS, "clippy::too_many_arguments"),
    ];
    allow(&lints, "the call alone wires the node, with the inputs of its body")
}

/// Silences lints about what a task cannot change: it owns its inputs, and returns what its place in the plan requires.
fn allow_in_body(model: &Model<'_>) -> Option<TokenStream> {
    let asynchronous = model.function.sig.asyncness.is_some();
    let lints = [
        (true, "dead_code"),
        (asynchronous, "clippy::unused_async"),
        (!asynchronous, "clippy::missing_const_for_fn"),
        (!asynchronous, "clippy::needless_pass_by_value"),
        (!asynchronous, "clippy::unnecessary_wraps"),
        (is_wrapped(model) && is_one_expression(&model.function.body), "unused_braces"),
        (model.is_public(), "clippy::missing_errors_doc"),
        (model.is_public(), "clippy::missing_panics_doc"),
    ];
    allow(&lints, "a task's signature is its place in the plan")
}

/// Silences lints about the type: it has no values, and its name is the function's.
fn allow_in_namespace(model: &Model<'_>) -> Option<TokenStream> {
    let lints = [(true, "dead_code"), (true, "non_camel_case_types"), (model.is_public(), "missing_debug_implementations")];
    allow(&lints, "the home of `call`, without values; it shares the function's name")
}

/// `Node<T>`, or the struct of a branch's arms.
fn node_type(model: &Model<'_>) -> TokenStream {
    let span = model.output_span();
    if model.output.is_by_traits() {
        return from_traits(model, "Wired");
    }
    let (node, value) = (model.runtime.public(span, "Node"), value_type(model));
    quote_spanned!(span=> #node<#value>)
}

/// The type of the value that the node passes on.
fn value_type(model: &Model<'_>) -> TokenStream {
    match &model.output {
        Output::Invalid(_) => mistake_type(model),
        Output::Valid { value: ValueType::Unit, .. } => quote_spanned!(model.output_span()=> ()),
        Output::Valid { value: ValueType::Parsed(ty), .. } => ty.to_token_stream(),
        Output::Valid { value: ValueType::ByTraits, .. } => from_traits(model, "Value"),
    }
}

/// An associated type by which the runtime's traits describe the output.
fn from_traits(model: &Model<'_>, what: &str) -> TokenStream {
    let span = model.output_span();
    let (checked, returned, what) = (checked_output(model), return_type(model), at_attr(Ident::new(what, span)));
    let (as_, wires) = (Token![as](Span::call_site()), model.runtime.private(span, "Wires"));
    quote_spanned!(span=> <#checked #as_ #wires<#returned>>::#what)
}

/// The constructor's body: how to start an attempt, the options and the wired inputs. Values that need a drop come last, because
/// rustc generates drop code for each call that may panic before they are used.
fn constructor_body(model: &Model<'_>) -> TokenStream {
    let span = model.output_span();
    let (name, returned, inferred) = (at_attr(model.name().clone()), return_type(model), word("_", span));
    let maker = if model.output.is_by_traits() {
        let (wire, checked) = (model.runtime.private(span, "wire"), checked_output(model));
        quote_spanned!(span=> #wire::<#name, #checked, #returned, #inferred>)
    } else {
        // At the value's type, in the user's own tokens, rustc reports the traits that it lacks.
        let (maker, value) = (model.runtime.private(span, model.kind.word()), value_type(model));
        quote_spanned!(span=> #maker::<#name, #returned, #value, #inferred>)
    };
    let options = model.options.chain(&model.runtime);
    let inputs = model.params.iter().filter_map(|param| param.input(&model.runtime));
    let start = start(model);
    let (equality, value) = (model.runtime.private(span, "Equality"), value_type(model));
    let (ask, answer) = (word("ask", span), word("answer", span));
    quote_spanned! {span=>
        #maker(
            #start,
            #equality::<#value>::#ask().#answer(),
            #options,
            [#(#inputs),*],
        )
    }
}

/// A word of the expansion's own, with the span of the attribute.
fn word(text: &str, span: Span) -> Ident {
    Ident::new(text, attr_span(span))
}

/// `Definition::task::<Self>("count", "Counts the rows.", "u64")`, which records its call's place: the task's name.
fn definition(model: &Model<'_>) -> TokenStream {
    let span = model.name().span();
    let of = match model.kind {
        Kind::Task => "Definition::task",
        Kind::Sensor => "Definition::sensor",
        Kind::Branch => "Definition::branch",
    };
    let (of, this) = (model.runtime.private(span, of), word("Self", span));
    let (id, description, output) = (&model.id, &model.attrs.description, output_name::of(&model.output));
    quote_spanned!(span=> #of::<#this>(#id, #description, #output))
}

/// Up to this number of inputs, a function of the runtime passes them to the body.
const FEW_INPUTS: usize = 6;

/// `body2(name::call)`, or for a body that takes a context, blocks or has many inputs
/// `Start::by(|inputs, erase| drive(erase, inputs, name::call(Inputs::take(inputs), ..)))`.
fn start(model: &Model<'_>) -> TokenStream {
    let span = model.output_span();
    let name = model.name();
    let is_async = model.function.sig.asyncness.is_some();
    let (home, callee) = (at_attr(name.clone()), word("call", name.span()));
    let body = quote_spanned!(name.span()=> <#home>::#callee::<>);
    let takes_inputs_alone = model.params.iter().all(|param| matches!(param.role, Role::Wired(_)));
    if is_async && takes_inputs_alone && model.params.len() <= FEW_INPUTS {
        // Here rustc reports a future that is not `Send`.
        let of = model.runtime.private(name.span(), &format!("body{}", model.params.len()));
        return quote_spanned!(name.span()=> #of::<>(#body));
    }
    let (inputs, erase) = (inputs(), local("erase"));
    let taken = model.params.iter().filter_map(|param| param.call_argument(&model.runtime));
    let call = quote_spanned!(name.span()=> #body(#(#taken),*));
    let by = model.runtime.private(span, "Start::by");
    if is_async {
        let drive = model.runtime.private(span, "drive");
        quote_spanned!(span=> #by::<>(|#inputs, #erase| #drive::<>(#erase, #inputs, #call)))
    } else {
        let drive = model.runtime.private(span, "drive_blocking");
        quote_spanned!(span=> #by::<>(|#inputs, #erase| #drive::<>(#erase, #inputs, |#inputs| #call)))
    }
}

/// The closure's first parameter.
fn inputs() -> Ident {
    local("inputs")
}

/// A name that the user's tokens cannot see.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The type with the function's name, which has `name::call`.
fn namespace(model: &Model<'_>) -> TokenStream {
    let (vis, name) = (&model.function.vis, model.name());
    let keyword = Token![enum](Span::call_site());
    let quiet = allow_in_namespace(model);
    quote! {
        #[doc(hidden)]
        #quiet
        #vis #keyword #name {}
    }
}

/// `name::call`: the user's function, for unit tests and for the engine.
fn body(model: &Model<'_>) -> TokenStream {
    let name = model.name();
    let (lints, rest) = (&model.attrs.lints, &model.attrs.body);
    let vis = &model.function.vis;
    let sig = call_signature(model);
    let body = checked_body(model);
    let quiet = allow_in_body(model);
    // At the name, or an unknown type is two errors: see the module. The price: an editor shows the keyword's page at the name.
    let keyword = Token![impl](name.span());
    let home = at_attr(name.clone());
    let doc = format!("Runs the body of `{}` directly, without a pipeline: for unit tests.", unraw(name));
    quote! {
        #keyword #home {
            #[doc = #doc]
            #quiet
            #(#lints)* #(#rest)*
            #vis #sig #body
        }
    }
}

fn call_signature(model: &Model<'_>) -> TokenStream {
    let mut sig = model.function.sig.clone();
    sig.ident = Ident::new("call", model.name().span());
    // Reported already. rustc would add three errors of its own.
    sig.variadic = None;
    let params = sig.inputs.iter_mut().filter_map(|arg| match arg {
        FnArg::Typed(param) => Some(&mut param.ty),
        FnArg::Receiver(_) => None,
    });
    for (ty, param) in params.zip(&model.params) {
        match &param.role {
            Role::Wired(_) if model.valid => wrap(ty, &model.runtime),
            Role::Inferred(poison) => **ty = Type::Verbatim(poison.clone()),
            _ => {}
        }
    }
    if let ReturnType::Type(_, ty) = &mut sig.output {
        match &model.output {
            Output::Valid { .. } if model.valid => wrap(ty, &model.runtime),
            // rustc would report a borrow without a lifetime, too.
            Output::Invalid(_) => **ty = Type::Verbatim(mistake_type(model)),
            Output::Valid { .. } => {}
        }
    }
    sig.into_token_stream()
}

/// Wraps a type of one word in `Id<..>`. rustc proposes a generic parameter for an unknown type only inside of `<..>`, where the
/// constructor has the type, too. A bare type would get another message, and so the mistake would be two errors.
fn wrap(ty: &mut Type, runtime: &Runtime) {
    if types::is_one_word(ty) {
        let (id, word) = (runtime.private(Span::call_site(), "Id"), &*ty);
        *ty = Type::Verbatim(quote!(#id<#word>));
    }
}

/// True if the user's body becomes the last expression of another block, after the mentions of its inputs.
fn is_wrapped(model: &Model<'_>) -> bool {
    model.valid && model.params.iter().any(|param| param.type_check(&model.runtime).is_some())
}

/// True if rustc would find the braces of the body unused when it is the last expression of another block.
fn is_one_expression(body: &TokenStream) -> bool {
    let is_end = |token: TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
    match body.clone().into_iter().next() {
        Some(TokenTree::Group(block)) => !block.stream().into_iter().any(is_end),
        _ => false,
    }
}

/// The user's body, after a mention of each input (see the module). If it is not a block, rustc reports that.
fn checked_body(model: &Model<'_>) -> TokenStream {
    let body = &model.function.body;
    let mut checks = model.params.iter().filter_map(|param| param.type_check(&model.runtime)).peekable();
    let mut tokens = body.clone().into_iter();
    let (Some(TokenTree::Group(block)), None, true) = (tokens.next(), tokens.next(), model.valid && checks.peek().is_some())
    else {
        return body.clone();
    };
    let (attributes, statements) = inner_attributes(block.stream());
    // The user's block stays whole, as the last expression, so that a missing value is an error at its closing brace.
    let checked = if attributes.is_empty() { quote!(#(#checks)* #block) } else { quote!(#attributes #(#checks)* #statements) };
    let mut checked = Group::new(block.delimiter(), checked);
    checked.set_span(block.span());
    TokenTree::Group(checked).into()
}

/// Splits off the inner attributes `#![..]` at the start of a block.
fn inner_attributes(block: TokenStream) -> (TokenStream, TokenStream) {
    let tokens: Vec<TokenTree> = block.into_iter().collect();
    let is = |token: Option<&TokenTree>, c: char| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == c);
    let mut end = 0;
    while is(tokens.get(end), '#') && is(tokens.get(end + 1), '!') {
        end = tokens.len().min(end + 3);
    }
    let mut attributes = tokens;
    let statements = attributes.split_off(end);
    (attributes.into_iter().collect(), statements.into_iter().collect())
}

/// The one place that checks an output whose type only the traits know.
fn checks_impl(model: &Model<'_>) -> Option<TokenStream> {
    if !model.output.is_by_traits() {
        return None;
    }
    let span = model.output_span();
    let name = model.name();
    let returned = return_type(model);
    let (role, output) = match model.kind {
        Kind::Task => ("AsTask", "task_output"),
        Kind::Sensor => ("AsSensor", "sensor_output"),
        Kind::Branch => ("AsBranch", "branch_output"),
    };
    let runtime = &model.runtime;
    let (checks, checked) = (runtime.private(span, "Checks"), runtime.private(span, "Checked"));
    let (role, output) = (runtime.private(span, role), runtime.private(span, output));
    let keyword = Token![impl](Span::call_site());
    let (of, home, ty, declared) = (word("for", span), at_attr(name.clone()), word("type", span), word("Output", span));
    Some(quote_spanned! {span=>
        #keyword #checks #of #home {
            #ty #declared = #checked<#role, { #output::<#returned>() }>;
        }
    })
}

/// The one place that reports a mistake in the output: each `compile_error!` is an error of its own.
fn mistake_impl(model: &Model<'_>) -> Option<TokenStream> {
    let Output::Invalid(poison) = &model.output else {
        return None;
    };
    let (of, name) = (model.runtime.private(Span::call_site(), "Refused"), at_attr(model.name().clone()));
    Some(quote! {
        impl #of for #name {
            type Mistake = #poison;
        }
    })
}

/// The type of a refused output: it refers to the one place that reports the mistake.
fn mistake_type(model: &Model<'_>) -> TokenStream {
    let (of, name) = (model.runtime.private(Span::call_site(), "Refused"), at_attr(model.name().clone()));
    quote!(<#name as #of>::Mistake)
}

/// The implementation of `TaskName` for the type: the task's definition, for its constructor, and the type of its nodes' value,
/// for other pipelines that read it.
fn task_name_impl(model: &Model<'_>) -> Option<TokenStream> {
    if !model.valid {
        return None;
    }
    let span = model.output_span();
    let (name, value) = (at_attr(model.name().clone()), value_type(model));
    // The keyword is at the name, as in `body`.
    let (task_name, keyword) = (model.runtime.private(span, "TaskName"), Token![impl](model.name().span()));
    // Inside `<..>`, as in the constructor, so that an unknown type is one error: see `wrap`.
    let named = model.runtime.private(span, "Id");
    let (of, ty, output) = (word("for", span), word("type", span), word("Output", span));
    let (constant, constant_name, definition) = (word("const", span), word("DEFINITION", span), definition(model));
    let definition_type = model.runtime.private(span, "Definition");
    Some(quote_spanned! {span=>
        #keyword #task_name #of #name {
            #ty #output = #named<#value>;
            #constant #constant_name: #definition_type = #definition;
        }
    })
}

/// The checked output, as all items but the check refer to it.
fn checked_output(model: &Model<'_>) -> TokenStream {
    let span = model.name().span();
    let (name, checks) = (at_attr(model.name().clone()), model.runtime.private(span, "Checks"));
    let (as_, output) = (word("as", span), word("Output", span));
    quote_spanned!(span=> <#name #as_ #checks>::#output)
}

fn return_type(model: &Model<'_>) -> TokenStream {
    match model.output {
        Output::Valid { returned: Some(ty), .. } => ty.to_token_stream(),
        Output::Valid { returned: None, .. } | Output::Invalid(_) => {
            quote_spanned!(model.name().span()=> ())
        }
    }
}

impl Param<'_> {
    /// The parameter in the constructor's signature.
    fn constructor_param(&self, runtime: &Runtime) -> Option<TokenStream> {
        let name = &self.name;
        match &self.role {
            Role::Wired(ty) => {
                let (keyword, bound) = (Token![impl](Span::call_site()), runtime.public(types::span(ty), "IntoInput"));
                Some(quote_spanned!(types::span(ty)=> #name: #keyword #bound<#ty>))
            }
            Role::Context(_) | Role::Unsupplied => None,
            Role::Incomplete(in_place) => Some(quote!(#name: #in_place)),
            Role::Invalid(poison) => {
                let anything = runtime.private(Span::call_site(), "Anything");
                Some(quote!(#name: impl #anything<#poison>))
            }
            Role::Inferred(_) | Role::InvalidFunction => {
                let anything = runtime.private(Span::call_site(), "Anything");
                Some(quote!(#name: impl #anything<()>))
            }
        }
    }

    /// The wired input in the constructor's body.
    fn input(&self, runtime: &Runtime) -> Option<TokenStream> {
        let Role::Wired(ty) = &self.role else {
            return None;
        };
        let span = types::span(ty);
        let (input, name, label) = (runtime.private(span, "input"), at_attr(self.name.clone()), unraw(&self.name));
        let inferred = word("_", span);
        Some(quote_spanned!(span=> #input::<#ty, #inferred>(#label, #name)))
    }

    /// The argument of `call` when an attempt starts.
    fn call_argument(&self, runtime: &Runtime) -> Option<TokenStream> {
        let (ty, method) = match &self.role {
            Role::Wired(ty) => (ty, "Inputs::take"),
            Role::Context(ty) => (ty, "Inputs::context"),
            Role::Invalid(_) | Role::Inferred(_) | Role::InvalidFunction | Role::Incomplete(_) | Role::Unsupplied => return None,
        };
        let (method, inputs) = (runtime.private(types::span(ty), method), inputs());
        Some(quote_spanned!(types::span(ty)=> #method::<>(#inputs)))
    }

    /// The mention of an input in the body. It is no call, because nothing may happen there. Its `let` is hidden from lints of
    /// the user's code. The path has the place and hygiene that it has in the constructor, so that rustc merges the two errors.
    fn type_check(&self, runtime: &Runtime) -> Option<TokenStream> {
        let Role::Wired(ty) = &self.role else {
            return None;
        };
        let span = types::span(ty);
        let input = runtime.private(span, "input");
        let named = quote_spanned!(span=> #input::<#ty, #ty>);
        let hidden = Span::mixed_site().located_at(span);
        let (let_, nothing) = (word("let", hidden), word("_", hidden));
        Some(quote_spanned!(hidden=> #let_ #nothing = #named;))
    }
}
