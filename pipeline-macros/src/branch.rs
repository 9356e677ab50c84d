//! `#[derive(Branch)]`: turns an enum's variants into the arms of a branch, a struct of typed nodes.

use crate::error::{Errors, poison};
use crate::options::{Options, Owner};
use crate::runtime::{Runtime, at_attr, words_at_attr};
use crate::types;
use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Fields, Item, ItemEnum, Meta, Token, Variant, Visibility};

/// The whole expansion. Even if there are errors, it contains the arms' struct and its traits, so that `#[branch]` functions of
/// the type cause no second error.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let items = match syn::parse2::<Item>(item) {
        Ok(Item::Enum(item)) => {
            let runtime = runtime(&item.attrs, &item.ident, &mut errors);
            expand_enum(&item, &runtime, &mut errors)
        }
        Ok(Item::Struct(item)) => {
            errors.on(item.struct_token, only_enums());
            placeholder(&item.vis, &item.ident, &item.generics, &runtime(&item.attrs, &item.ident, &mut errors))
        }
        Ok(Item::Union(item)) => {
            errors.on(item.union_token, only_enums());
            placeholder(&item.vis, &item.ident, &item.generics, &runtime(&item.attrs, &item.ident, &mut errors))
        }
        Ok(other) => {
            errors.on(other, only_enums());
            TokenStream::new()
        }
        Err(error) => {
            errors.push(error);
            TokenStream::new()
        }
    };
    let errors = errors.into_items();
    quote!(#items #errors)
}

/// The runtime, by the path in `#[branch(crate = ..)]` if there is one.
fn runtime(attrs: &[Attribute], name: &Ident, errors: &mut Errors) -> Runtime {
    let mut written = TokenStream::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("branch")) {
        match &attr.meta {
            Meta::List(list) => {
                if !written.is_empty() && !ends_with_comma(&written) {
                    written.extend(quote!(,));
                }
                written.extend(list.tokens.clone());
            }
            other => errors.on(
                other,
                "on an enum, `#[branch]` takes only `crate`: write `#[branch(crate = my_facade::pipeline)]`, or remove it",
            ),
        }
    }
    let options = Options::parse(Owner::Arms, written, errors);
    Runtime::new(options.runtime(), &arms_name(name))
}

/// True for a list with a trailing comma. One more comma would be a mistake that the user did not make.
fn ends_with_comma(list: &TokenStream) -> bool {
    matches!(list.clone().into_iter().last(), Some(TokenTree::Punct(mark)) if mark.as_char() == ',')
}

fn only_enums() -> &'static str {
    "only an enum can derive `Branch`: write one variant per arm, as in `enum Route { Clean(Report), Nothing }`"
}

/// One arm of the branch.
struct Arm<'a> {
    variant: &'a Ident,
    /// The field of the arms' struct.
    field: Ident,
    /// The arm's name in ids.
    name: String,
    payload: Payload<'a>,
}

enum Payload<'a> {
    None,
    One(&'a syn::Type),
    /// A mistake: the type that reports it.
    Invalid(TokenStream),
}

fn expand_enum(item: &ItemEnum, runtime: &Runtime, errors: &mut Errors) -> TokenStream {
    if !item.generics.params.is_empty() {
        errors.on(&item.generics.params, "a branch cannot be generic, because each of its arms is a node of one type");
        return placeholder(&item.vis, &item.ident, &item.generics, runtime);
    }
    if item.variants.is_empty() {
        errors.on(&item.ident, "a branch needs at least one arm: add a variant, as in `Clean(Report)` or `Nothing`");
        return placeholder(&item.vis, &item.ident, &item.generics, runtime);
    }
    let mut arms: Vec<Arm<'_>> = Vec::new();
    for variant in &item.variants {
        let arm = Arm::new(variant, runtime);
        match arms.iter().find(|other| other.name == arm.name) {
            Some(other) => errors.on(
                arm.variant,
                format!("the arms `{}` and `{}` would both be named `{}`: rename one", other.variant, arm.variant, arm.name),
            ),
            None => arms.push(arm),
        }
    }
    let import = runtime.import();
    let arms_struct = arms_struct(item, &arms, runtime);
    let impls = impls(item, &arms, runtime);
    quote!(#import #arms_struct #impls)
}

impl<'a> Arm<'a> {
    fn new(variant: &'a Variant, runtime: &Runtime) -> Self {
        let name = snake_case(&variant.ident.unraw().to_string());
        let payload = match &variant.fields {
            Fields::Unit => Payload::None,
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                let ty = &fields.unnamed[0].ty;
                match types::refusal(ty) {
                    None => Payload::One(ty),
                    Some(found) => {
                        let message = format!("an arm's value {}", found.reason);
                        Payload::Invalid(poison(runtime, found.part, message))
                    }
                }
            }
            fields => Payload::Invalid(poison(
                runtime,
                fields,
                format!(
                    "an arm carries at most one value, as in `{0}(Report)` or `{0}`: put the fields into a struct",
                    variant.ident
                ),
            )),
        };
        Arm { variant: &variant.ident, field: field(&name, variant.ident.span()), name, payload }
    }

    fn span(&self) -> Span {
        match self.payload {
            Payload::One(ty) => ty.span(),
            Payload::None | Payload::Invalid(_) => self.variant.span(),
        }
    }

    /// The type of the value of the arm's node.
    fn ty(&self) -> TokenStream {
        match &self.payload {
            Payload::None => quote_spanned!(self.variant.span()=> ()),
            Payload::One(ty) => ty.to_token_stream(),
            Payload::Invalid(poison) => poison.clone(),
        }
    }

    /// The match arm in `split`.
    fn split(&self, index: usize, runtime: &Runtime) -> TokenStream {
        let (variant, index) = (self.variant, Literal::usize_unsuffixed(index));
        let value = Ident::new("value", Span::mixed_site());
        let (this, variant) = (Token![Self](Span::call_site()), at_attr(variant.clone()));
        match &self.payload {
            Payload::One(ty) => {
                let erase = runtime.private(self.span(), "value");
                quote_spanned!(self.span()=> #this::#variant(#value) => (#index, #erase::<#ty>(#value)))
            }
            Payload::None => {
                let erase = runtime.private(self.span(), "value");
                quote_spanned!(self.span()=> #this::#variant => (#index, #erase::<>(&())))
            }
            Payload::Invalid(_) => quote!(#this::#variant { .. } => ::core::unimplemented!()),
        }
    }
}

fn arms_struct(item: &ItemEnum, arms: &[Arm<'_>], runtime: &Runtime) -> TokenStream {
    let (vis, name, arms_name) = (&item.vis, &item.ident, arms_name(&item.ident));
    let doc =
        format!("The arms of [`{name}`], as nodes. Taking it apart names every arm, so that a forgotten one is a compile error.");
    let fields = arms.iter().map(|arm| {
        let (field, ty) = (&arm.field, arm.ty());
        let doc = format!("Runs where the branch returned [`{name}::{}`].", arm.variant);
        let (visible, node) = (Token![pub](Span::call_site()), runtime.public(arm.span(), "Node"));
        let doc = words_at_attr(quote_spanned!(arm.span()=> #[doc = #doc]));
        quote_spanned!(arm.span()=> #doc #visible #field: #node<#ty>)
    });
    let made = quote! {
        #[allow(dead_code, reason = "an arm that nothing follows is no mistake")]
        #vis struct #arms_name { #(#fields),* }
    };
    // A derive would repeat the fields' types, and with them the error in one of them.
    if arms.iter().any(|arm| matches!(arm.payload, Payload::Invalid(_))) {
        return quote! {
            #[doc = #doc]
            #made
            impl ::core::marker::Copy for #arms_name {}
            impl ::core::clone::Clone for #arms_name {
                fn clone(&self) -> Self {
                    *self
                }
            }
            impl ::core::fmt::Debug for #arms_name {
                fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::result::Result::Ok(())
                }
            }
        };
    }
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #made
    }
}

fn impls(item: &ItemEnum, arms: &[Arm<'_>], runtime: &Runtime) -> TokenStream {
    let (name, arms_name) = (&item.ident, arms_name(&item.ident));
    let branch = Ident::new("branch", Span::mixed_site());
    let split = arms.iter().enumerate().map(|(index, arm)| arm.split(index, runtime));
    let names = arms.iter().map(|arm| &arm.name);
    let fields = arms.iter().enumerate().map(|(index, arm)| {
        let (field, index) = (at_attr(arm.field.clone()), Literal::usize_unsuffixed(index));
        let take = runtime.private(arm.span(), "arm");
        // The type that reports a mistake stands only in the struct. Here it is inferred.
        let ty = match arm.payload {
            Payload::None | Payload::One(_) => arm.ty(),
            Payload::Invalid(_) => quote!(_),
        };
        quote_spanned!(arm.span()=> #field: #take::<#ty>(#branch, #index))
    });
    // A variant whose name is taken is reported elsewhere. Here the match only has to be exhaustive.
    let left_out = (arms.len() < item.variants.len()).then(|| quote!(, _ => ::core::unimplemented!()));
    let first = arms.first().map(|arm| at_attr(arm.field.clone()));
    let here = Span::call_site();
    let (branch_trait, arms_trait) = (runtime.public(here, "Branch"), runtime.private(here, "Arms"));
    let (datum, handle, branch_of) =
        (runtime.private(here, "Datum"), runtime.private(here, "BranchHandle"), runtime.private(here, "branch_of"));
    quote! {
        const _: () = {
            impl #branch_trait for #name {
                type Arms = #arms_name;
                fn split(&self) -> (usize, &dyn #datum) {
                    match self { #(#split),* #left_out }
                }
            }
            impl #arms_trait<#name> for #arms_name {
                const NAMES: &'static [&'static str] = &[#(#names),*];
                #[track_caller]
                fn from_branch(#branch: #handle) -> Self {
                    Self { #(#fields),* }
                }
                fn branch(&self) -> #handle {
                    #branch_of(&self.#first)
                }
            }
        };
    }
}

/// Implementations for a type that cannot be a branch, so that its uses as a branch cause no further errors.
fn placeholder(vis: &Visibility, name: &Ident, generics: &syn::Generics, runtime: &Runtime) -> TokenStream {
    let arms_name = arms_name(name);
    let (impl_generics, arguments, bounds) = generics.split_for_impl();
    let here = Span::call_site();
    let (branch_trait, arms_trait) = (runtime.public(here, "Branch"), runtime.private(here, "Arms"));
    let (datum, handle) = (runtime.private(here, "Datum"), runtime.private(here, "BranchHandle"));
    let import = runtime.import();
    quote! {
        #import
        #[doc(hidden)]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #vis struct #arms_name {}
        const _: () = {
            impl #impl_generics #branch_trait for #name #arguments #bounds {
                type Arms = #arms_name;
                fn split(&self) -> (usize, &dyn #datum) {
                    ::core::unimplemented!()
                }
            }
            impl #impl_generics #arms_trait<#name #arguments> for #arms_name #bounds {
                const NAMES: &'static [&'static str] = &[];
                fn from_branch(_: #handle) -> Self {
                    ::core::unimplemented!()
                }
                fn branch(&self) -> #handle {
                    ::core::unimplemented!()
                }
            }
        };
    }
}

fn arms_name(name: &Ident) -> Ident {
    format_ident!("{}Arms", name.unraw(), span = name.span())
}

/// A field of that name, even if it is a keyword.
fn field(name: &str, span: Span) -> Ident {
    match syn::parse_str::<Ident>(name) {
        Ok(_) => Ident::new(name, span),
        // These keywords cannot be raw.
        Err(_) if matches!(name, "crate" | "self" | "super") => Ident::new(&format!("{name}_"), span),
        Err(_) => Ident::new_raw(name, span),
    }
}

/// Converts to snake case: `HttpError`, `HTTPError` and `Http_Error` all become `http_error`.
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                let ends_acronym = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
                before != '_' && (!before.is_uppercase() || ends_acronym)
            });
        if begins_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::tokens;

    #[test]
    fn variants_become_snake_case() {
        for (variant, field) in [
            ("Clean", "clean"),
            ("NeedsReview", "needs_review"),
            ("HTTPError", "http_error"),
            ("Http_Error", "http_error"),
            ("Eu1", "eu1"),
            ("A", "a"),
            ("XYZ", "xyz"),
        ] {
            assert_eq!(snake_case(variant), field);
        }
    }

    #[test]
    fn keywords_are_raw() {
        let span = Span::call_site();
        assert_eq!(field("type", span).to_string(), "r#type");
        assert_eq!(field("crate", span).to_string(), "crate_");
        let text = expand(tokens("enum Route { Type(u64), r#Match, }")).to_string();
        assert!(text.contains("pub r#type :"), "{text}");
        assert!(text.contains("& [\"type\" , \"match\"]"), "{text}");
    }

    #[test]
    fn each_mistake_is_one_error_beside_the_arms() {
        for (item, part) in [
            (tokens("struct Route { a: u64, }"), "only an enum"),
            (quote!(union Route { a: u64 }), "only an enum"),
            (tokens("enum Route {}"), "needs at least one arm"),
            (tokens("enum Route<T> { A(T), }"), "cannot be generic"),
            (tokens("enum Route { A(u64, u64), B, }"), "at most one value"),
            (tokens("enum Route { A { x: u64 }, B, }"), "at most one value"),
            (tokens("enum Route { AbC, Ab_C, }"), "both be named `ab_c`"),
            (tokens("enum Route { A(&str), }"), "write `String`"),
            (tokens("#[branch(crate = a,)] #[branch(crate = b)] enum Route { A }"), "`crate` is given twice"),
        ] {
            let text = expand(item).to_string();
            assert_eq!(text.matches("compile_error").count(), 1, "{text}");
            assert!(text.contains(part), "{text}");
            assert!(text.contains("struct RouteArms"), "{text}");
        }
    }
}
