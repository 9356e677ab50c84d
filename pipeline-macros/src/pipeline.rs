//! `#[pipeline]`: turns a function that wires nodes into one that returns the `Pipeline`.

use crate::attrs::SortedAttrs;
use crate::error::Errors;
use crate::item::FnItem;
use crate::options::{Options, Owner, completion};
use crate::runtime::{Runtime, at_attr, words_at_attr};
use crate::types;
use pipeline_syntax::id;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{FnArg, Safety, Signature, Type};

/// The whole expansion. Even if there are errors, `name()` returns a `Pipeline`, and the tasks in the body count as used.
pub(crate) fn expand(attr: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::parse(Owner::Pipeline, attr.clone(), &mut errors);
    let completion = completion(Owner::Pipeline, attr, options.runtime());
    let (function, mut errors) = match FnItem::parse("pipeline", item, options.runtime(), errors) {
        Ok(parsed) => parsed,
        Err(unexpanded) => return unexpanded,
    };
    let valid = check(&function.sig, &options, &mut errors);
    let attrs = SortedAttrs::new(&function.attrs);
    let (public, lints, rest) = (&attrs.public, &attrs.lints, &attrs.body);
    let FnItem { vis, sig, body, .. } = &function;
    let name = &sig.ident;
    let runtime = Runtime::new(options.runtime(), name);
    let describe = if valid { describe(sig, &attrs.description, &options, &runtime) } else { quote!(::core::unimplemented!()) };
    let errors = errors.into_items();
    let (import, keyword, described) = (runtime.import(), &sig.fn_token, runtime.public(name.span(), "Pipeline"));
    let quiet = words_at_attr(quote_spanned! {name.span()=>
        #[allow(
            dead_code, clippy::needless_pass_by_value, clippy::unnecessary_wraps,
            reason = "an unregistered pipeline is reported once, by its outer name; a run calls it with owned params"
        )]
    });
    // The wiring function is nested, so that the module gets no second name. It has the pipeline's name, for messages.
    quote_spanned! {name.span()=>
        #completion
        #import
        #(#public)* #(#lints)*
        #vis #keyword #name() -> #described {
            #quiet
            #(#lints)* #(#rest)*
            #sig #body
            #describe
        }
        #errors
    }
}

/// The tokens of `pipeline1(PipelineDefinition::new(..), wiring)`.
fn describe(sig: &Signature, description: &str, options: &Options, runtime: &Runtime) -> TokenStream {
    let name = &sig.ident;
    let id = options.id().map_or_else(|| name.unraw().to_string(), ToOwned::to_owned);
    let closure = options.closure(runtime);
    let new = runtime.private(name.span(), "PipelineDefinition::new");
    let definition = quote_spanned!(name.span()=> #new::<>(#id, #description, #closure));
    let returned = types::returned(&sig.output);
    let output_span = returned.map_or(name.span(), Spanned::span);
    let output = returned.map_or_else(|| quote_spanned!(name.span()=> ()), ToTokens::to_token_stream);
    let wire = param(sig).map_or_else(
        || {
            let wire = runtime.private(output_span, "pipeline0");
            quote_spanned!(output_span=> #wire::<#output>)
        },
        |params| {
            let wire = runtime.private(output_span, "pipeline1");
            quote_spanned!(output_span=> #wire::<#params, #output>)
        },
    );
    let name = at_attr(name.clone());
    quote_spanned!(output_span=> #wire(#definition, #name))
}

fn param(sig: &Signature) -> Option<&Type> {
    match sig.inputs.first() {
        Some(FnArg::Typed(param)) => Some(&param.ty),
        _ => None,
    }
}

/// Reports what is wrong with the signature. Returns whether the function can be a pipeline's wiring.
fn check(sig: &Signature, options: &Options, errors: &mut Errors) -> bool {
    let mut valid = true;
    let mut refuse = |tokens: &dyn ToTokens, message: &str| {
        errors.on(tokens.to_token_stream(), message);
        valid = false;
    };
    if let Some(token) = &sig.asyncness {
        refuse(token, "a pipeline cannot be `async`, because it only wires the nodes: write `fn`");
    }
    if let Some(token) = &sig.constness {
        refuse(token, "a pipeline cannot be `const`: write `fn`");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        refuse(token, "a pipeline cannot be `unsafe`: use an `unsafe` block in its body");
    }
    if let Some(token) = &sig.abi {
        refuse(token, "a pipeline cannot be `extern`: write `fn`");
    }
    if !sig.generics.params.is_empty() {
        refuse(&sig.generics.params, "a pipeline cannot be generic, because it has one name and one type of params");
    } else if let Some(found) = param(sig).and_then(types::refusal) {
        refuse(
            &found.part,
            "a pipeline's parameter must be an owned type with a name, because it is deserialized from the run's params",
        );
    }
    // The parameter is still being typed, and rustc has reported that.
    let half_typed = matches!(param(sig), Some(Type::Verbatim(_)));
    if let Some(second) = sig.inputs.iter().nth(1) {
        refuse(
            second,
            "a pipeline takes at most one parameter: put its params into one struct that derives `Default`, \
             `serde::Serialize` and `serde::Deserialize`",
        );
    }
    let name = sig.ident.unraw().to_string();
    if let Err(why) = id::check(&name)
        && !options.has("id")
    {
        refuse(&sig.ident, &format!("`{name}` cannot be a pipeline's id: {why}; or set another id with `id = \"..\"`"));
    }
    valid && !half_typed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::tokens;

    fn expanded(attr: TokenStream, item: &TokenStream) -> String {
        crate::error::pretty(&expand(attr, item))
    }

    #[test]
    fn whatever_is_wrong_there_is_a_pipeline() {
        for (item, part) in [
            (tokens("async fn p() {}"), "a pipeline cannot be `async`"),
            (tokens("fn p(a: A, b: B) {}"), "at most one parameter"),
            (tokens("fn p<T>(a: T) {}"), "cannot be generic"),
            (tokens("fn p(a: &Options) {}"), "an owned type with a name"),
            (tokens("unsafe fn p() {}"), "cannot be `unsafe`"),
        ] {
            let text = expanded(quote!(), &item);
            assert!(text.contains("fn p() -> ::pipeline_runtime::Pipeline"), "{text}");
            assert_eq!(text.matches("compile_error").count(), 1, "{text}");
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_wrong_option_leaves_the_rest() {
        let text = expanded(quote!(retries =, sla = "45m"), &tokens("pub fn p(o: Options) -> Result<()> { body }"));
        assert!(text.contains("sla(2700000)"), "{text}");
        assert!(text.contains("Options,\n        Result<()>,"), "{text}");
        assert_eq!(text.matches("compile_error").count(), 1, "{text}");
    }
}
