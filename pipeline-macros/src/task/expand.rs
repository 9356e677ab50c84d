//! The items that a task becomes.
//!
//! Logic lives in generic functions of the runtime; here are only types and spans. The spans decide where rustc puts
//! its errors, and whether it recognises two as one:
//! - an input's bound and uses carry its type's span, so that "required by a bound" underlines the user's type;
//! - what concerns the output carries the return type's span;
//! - `impl` and `call` carry the name's span, so that proposals for an unknown type are equal, and become one error;
//! - the body's call carries the name's span, where a future that is not `Send` is blamed;
//! - locals are `mixed_site`: invisible to the user's tokens.
//!
//! A type that cannot be an input is an error of the constructor and of `call`, in the same words at the same place, which
//! rustc shows once. With `call` in error, its future is not also blamed for holding such a type.
//!
//! Where only the runtime's traits can name what the constructor returns, the output is checked by the const argument of an
//! associated type. A failed check is an error there; a type that holds an error const is silent wherever it is used, so
//! that callers stay clean. A task that writes `Result<T>` goes without: each such type is two more items for rustc.

use super::model::{Kind, Model, Output, Param, Role, Value, unraw};
use super::output_name;
use crate::types;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, ReturnType, Token, Type};

/// From here on clippy finds a function's parameters too many; on the body that is for the user to settle.
const MANY_PARAMETERS: usize = 8;

pub(super) fn items(model: &Model<'_>) -> TokenStream {
    let constructor = constructor(model);
    let namespace = namespace(model);
    let body = body(model);
    let checks = checks(model);
    quote!(#constructor #namespace #body #checks)
}

/// The function that users call inside of a pipeline.
fn constructor(model: &Model<'_>) -> TokenStream {
    let name = model.name();
    let span = model.output_span();
    let vis = &model.function.vis;
    let (public, lints) = (&model.attrs.public, &model.attrs.lints);
    let params = model.params.iter().filter_map(Param::declared);
    let node = node_type(model);
    let make = if model.sound { make(model) } else { quote!(::core::unimplemented!()) };
    let quiet = quiet_constructor(model);
    quote_spanned! {span=>
        #(#public)* #(#lints)* #quiet
        #[track_caller]
        #vis fn #name(#(#params),*) -> #node {
            #make
        }
    }
}

/// Silences lints, where any of them can speak at all: each is read and checked by rustc, for every task.
fn allow(lints: &[(bool, TokenStream)], reason: &str) -> Option<TokenStream> {
    let lints: Vec<_> = lints.iter().filter(|(can_speak, _)| *can_speak).map(|(_, lint)| lint).collect();
    (!lints.is_empty()).then(|| quote!(#[allow(#(#lints,)* reason = #reason)]))
}

/// What would be said of the constructor and not of the user's function, or of both.
fn quiet_constructor(model: &Model<'_>) -> Option<TokenStream> {
    let lints = [
        (!model.sound, quote!(unused_variables)),
        (model.is_public(), quote!(clippy::must_use_candidate)),
        (model.params.len() >= MANY_PARAMETERS, quote!(clippy::too_many_arguments)),
    ];
    allow(&lints, "the call alone wires the node, with the inputs of its body")
}

/// What a task cannot help: it owns its inputs, and returns as its place in the plan demands.
fn quiet_body(model: &Model<'_>) -> Option<TokenStream> {
    let asynchronous = model.function.sig.asyncness.is_some();
    let lints = [
        (true, quote!(dead_code)),
        (asynchronous, quote!(clippy::unused_async)),
        (!asynchronous, quote!(clippy::missing_const_for_fn)),
        (!asynchronous, quote!(clippy::needless_pass_by_value)),
        (!asynchronous, quote!(clippy::unnecessary_wraps)),
        (model.is_public(), quote!(clippy::missing_errors_doc)),
        (model.is_public(), quote!(clippy::missing_panics_doc)),
    ];
    allow(&lints, "a task's signature is its place in the plan")
}

/// The type has no values, and its name is the function's.
fn quiet_namespace(model: &Model<'_>) -> Option<TokenStream> {
    let lints = [
        (true, quote!(dead_code)),
        (true, quote!(non_camel_case_types)),
        (model.is_public(), quote!(missing_debug_implementations)),
    ];
    allow(&lints, "the home of `call`, without values; it shares the function's name")
}

/// `Node<T>`, or the struct of a branch's arms.
fn node_type(model: &Model<'_>) -> TokenStream {
    let span = model.output_span();
    if model.output.is_asked() {
        return asked(model, "Wired");
    }
    let value = value_type(model);
    quote_spanned!(span=> ::pipeline_runtime::Node<#value>)
}

/// What the node passes on.
fn value_type(model: &Model<'_>) -> TokenStream {
    match &model.output {
        Output::Refused(poison) => poison.clone(),
        Output::Sound { value: Value::Unit, .. } => quote_spanned!(model.output_span()=> ()),
        Output::Sound { value: Value::Read(ty), .. } => ty.to_token_stream(),
        Output::Sound { value: Value::Asked, .. } => asked(model, "Value"),
    }
}

/// What the runtime's traits know of the output.
fn asked(model: &Model<'_>, what: &str) -> TokenStream {
    let span = model.output_span();
    let (checked, returned, what) = (checked(model), returned(model), Ident::new(what, span));
    quote_spanned!(span=> <#checked as ::pipeline_runtime::__private::Wires<#returned>>::#what)
}

/// The constructor's body: the definition, the options, the wired inputs and how to start an attempt.
fn make(model: &Model<'_>) -> TokenStream {
    let span = model.output_span();
    let returned = returned(model);
    let maker = if model.output.is_asked() {
        let checked = checked(model);
        quote_spanned!(span=> wire::<#checked, #returned, _>)
    } else {
        let maker = Ident::new(model.kind.word(), span);
        quote_spanned!(span=> #maker::<#returned, _, _>)
    };
    let definition = definition(model);
    let options = model.options.chain();
    let inputs = model.params.iter().filter_map(Param::input);
    let start = start(model);
    let value = value_type(model);
    quote_spanned! {span=>
        ::pipeline_runtime::__private::#maker(
            #definition,
            #options,
            [#(#inputs),*],
            #start,
            ::pipeline_runtime::__private::Equality::<#value>::ask().answer(),
        )
    }
}

/// A constant without a name, so that none of the user's tokens beside it can mean it.
fn definition(model: &Model<'_>) -> TokenStream {
    let kind = match model.kind {
        Kind::Task => quote!(Task),
        Kind::Sensor => quote!(Sensor),
        Kind::Branch => quote!(Branch),
    };
    let (name, id, description, output) = (model.name(), &model.id, &model.attrs.description, output_name::of(&model.output));
    quote_spanned! {model.name().span()=>
        const {
            &::pipeline_runtime::__private::Definition::of::<#name>(
                ::pipeline_runtime::__private::Kind::#kind,
                #id,
                #description,
                #output,
            )
        }
    }
}

/// `|inputs, erase| drive(erase, name::call(inputs.take(), ..))`
fn start(model: &Model<'_>) -> TokenStream {
    let span = model.output_span();
    let name = model.name();
    let (inputs, erase) = (inputs(span), local("erase", span));
    let taken = model.params.iter().filter_map(Param::taken);
    let call = quote_spanned!(name.span()=> #name::call(#(#taken),*));
    if model.function.sig.asyncness.is_some() {
        quote_spanned!(span=> |#inputs, #erase| ::pipeline_runtime::__private::drive(#erase, #call))
    } else {
        quote_spanned!(span=> |#inputs, #erase| ::pipeline_runtime::__private::drive_blocking(#erase, #inputs, |#inputs| #call))
    }
}

/// The closure's first parameter.
fn inputs(span: Span) -> Ident {
    local("inputs", span)
}

/// A name that is invisible to the user's tokens, and blamed at `span`.
fn local(name: &str, span: Span) -> Ident {
    Ident::new(name, Span::mixed_site().located_at(span))
}

/// The type beside the function: the home of `name::call`.
fn namespace(model: &Model<'_>) -> TokenStream {
    let (vis, name) = (&model.function.vis, model.name());
    // At the name, so that inside of an `impl`, where no type may stand, rustc blames the user's line.
    let keyword = Token![enum](name.span());
    let quiet = quiet_namespace(model);
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
    let quiet = quiet_body(model);
    let keyword = Token![impl](name.span());
    let doc = format!("Runs the body of `{}` directly, without a pipeline: for unit tests.", unraw(name));
    quote! {
        #keyword #name {
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
    // Reported already, and rustc has three errors of its own for it.
    sig.variadic = None;
    let params = sig.inputs.iter_mut().filter_map(|arg| match arg {
        FnArg::Typed(param) => Some(&mut param.ty),
        FnArg::Receiver(_) => None,
    });
    for (ty, param) in params.zip(&model.params) {
        match &param.role {
            Role::Wired(_) if model.sound => wrap(ty),
            Role::Refused(poison) if types::is_inferred(ty) => {
                **ty = Type::Verbatim(poison.clone());
            }
            _ => {}
        }
    }
    if let ReturnType::Type(_, ty) = &mut sig.output {
        match &model.output {
            Output::Sound { .. } if model.sound => wrap(ty),
            // rustc has an error of its own for a borrow of nothing.
            Output::Refused(poison) => **ty = Type::Verbatim(poison.clone()),
            Output::Sound { .. } => {}
        }
    }
    sig.into_token_stream()
}

/// A bare unknown type would be reported twice, once with a proposal that rustc makes only inside of `<..>`; the
/// constructor names it there, and so it is named there here.
fn wrap(ty: &mut Type) {
    if types::is_one_word(ty) {
        let word = &*ty;
        *ty = Type::Verbatim(quote!(::pipeline_runtime::__private::Id<#word>));
    }
}

/// The user's body, after a mention of each input (see above). What is no block is rustc's to report.
fn checked_body(model: &Model<'_>) -> TokenStream {
    let body = &model.function.body;
    let mut checks = model.params.iter().filter_map(Param::check).peekable();
    let mut tokens = body.clone().into_iter();
    let (Some(TokenTree::Group(block)), None, true) = (tokens.next(), tokens.next(), model.sound && checks.peek().is_some())
    else {
        return body.clone();
    };
    let (attributes, statements) = inner_attributes(block.stream());
    let mut checked = Group::new(block.delimiter(), quote!(#attributes #(#checks)* #statements));
    checked.set_span(block.span());
    TokenTree::Group(checked).into()
}

/// Splits off the `#![..]` that a block begins with.
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

/// The one place that names the check of an output whose type only the traits know.
fn checks(model: &Model<'_>) -> Option<TokenStream> {
    if !model.output.is_asked() {
        return None;
    }
    let span = model.output_span();
    let name = model.name();
    let returned = returned(model);
    let (role, output) = match model.kind {
        Kind::Task => ("AsTask", "task_output"),
        Kind::Sensor => ("AsSensor", "sensor_output"),
        Kind::Branch => ("AsBranch", "branch_output"),
    };
    let (role, output) = (Ident::new(role, span), Ident::new(output, span));
    let keyword = Token![impl](name.span());
    Some(quote_spanned! {span=>
        #keyword ::pipeline_runtime::__private::Checks for #name {
            type Output = ::pipeline_runtime::__private::Checked<
                ::pipeline_runtime::__private::#role,
                { ::pipeline_runtime::__private::#output::<#returned>() },
            >;
        }
    })
}

/// The checked output, as everything but the checks names it.
fn checked(model: &Model<'_>) -> TokenStream {
    let name = model.name();
    quote_spanned!(name.span()=> <#name as ::pipeline_runtime::__private::Checks>::Output)
}

fn returned(model: &Model<'_>) -> TokenStream {
    match model.output {
        Output::Sound { returned: Some(ty), .. } => ty.to_token_stream(),
        Output::Sound { returned: None, .. } | Output::Refused(_) => {
            quote_spanned!(model.name().span()=> ())
        }
    }
}

impl Param<'_> {
    /// In the constructor's signature.
    fn declared(&self) -> Option<TokenStream> {
        let name = &self.name;
        match &self.role {
            Role::Wired(ty) => Some(quote_spanned!(ty.span()=> #name: impl ::pipeline_runtime::IntoInput<#ty>)),
            Role::Context(_) | Role::Unsupplied => None,
            Role::Refused(poison) => Some(quote!(#name: #poison)),
        }
    }

    /// In the constructor's body.
    fn input(&self) -> Option<TokenStream> {
        let Role::Wired(ty) = &self.role else {
            return None;
        };
        let (name, label) = (&self.name, unraw(&self.name));
        Some(quote_spanned!(ty.span()=> ::pipeline_runtime::__private::input::<#ty, _>(#label, #name)))
    }

    /// When an attempt starts.
    fn taken(&self) -> Option<TokenStream> {
        let (ty, method) = match &self.role {
            Role::Wired(ty) => (ty, quote_spanned!(ty.span()=> take())),
            Role::Context(ty) => (ty, quote_spanned!(ty.span()=> context())),
            Role::Refused(_) | Role::Unsupplied => return None,
        };
        let inputs = inputs(ty.span());
        Some(quote_spanned!(ty.span()=> #inputs.#method))
    }

    /// In the body: no call, as nothing is to happen there. Lints of the user's code must not see it.
    fn check(&self) -> Option<TokenStream> {
        let Role::Wired(ty) = &self.role else {
            return None;
        };
        let span = Span::mixed_site().located_at(ty.span());
        Some(quote_spanned!(span=> let _ = ::pipeline_runtime::__private::input::<#ty, #ty>;))
    }
}
