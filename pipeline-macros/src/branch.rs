//! `#[derive(Branch)]`: an enum's variants become the arms of a branch, a struct of typed nodes.

use crate::error::{Errors, poison};
use crate::types;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Fields, Item, ItemEnum, Variant, Visibility};

/// The whole expansion. Whatever is wrong, the arms' struct and its traits come out, so that `#[branch]` functions of
/// the type have no second error.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let items = match syn::parse2::<Item>(item) {
        Ok(Item::Enum(item)) => expand_enum(&item, &mut errors),
        Ok(Item::Struct(item)) => {
            errors.on(item.struct_token, only_enums());
            stand_in(&item.vis, &item.ident, &item.generics)
        }
        Ok(Item::Union(item)) => {
            errors.on(item.union_token, only_enums());
            stand_in(&item.vis, &item.ident, &item.generics)
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

fn only_enums() -> &'static str {
    "only an enum can be a branch: one variant per arm, as in `enum Route { Clean(Report), Nothing }`"
}

/// One arm of the branch.
struct Arm<'a> {
    variant: &'a Ident,
    /// The field of the arms' struct.
    field: Ident,
    /// What the arm is called in ids.
    name: String,
    payload: Payload<'a>,
}

enum Payload<'a> {
    None,
    One(&'a syn::Type),
    /// A mistake, as the type that reports it.
    Refused(TokenStream),
}

fn expand_enum(item: &ItemEnum, errors: &mut Errors) -> TokenStream {
    if !item.generics.params.is_empty() {
        errors.on(&item.generics.params, "a branch cannot be generic: its arms are nodes of one type each");
        return stand_in(&item.vis, &item.ident, &item.generics);
    }
    if item.variants.is_empty() {
        errors.on(&item.ident, "a branch needs arms: add variants, as in `Clean(Report)` or `Nothing`");
        return stand_in(&item.vis, &item.ident, &item.generics);
    }
    let mut arms: Vec<Arm<'_>> = Vec::new();
    for variant in &item.variants {
        let arm = Arm::new(variant);
        match arms.iter().find(|other| other.name == arm.name) {
            Some(other) => errors.on(
                arm.variant,
                format!("the arms `{}` and `{}` would both be called `{}`: rename one", other.variant, arm.variant, arm.name),
            ),
            None => arms.push(arm),
        }
    }
    let arms_struct = arms_struct(item, &arms);
    let impls = impls(item, &arms);
    quote!(#arms_struct #impls)
}

impl<'a> Arm<'a> {
    fn new(variant: &'a Variant) -> Self {
        let name = snake_case(&variant.ident.unraw().to_string());
        let payload = match &variant.fields {
            Fields::Unit => Payload::None,
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                let ty = &fields.unnamed[0].ty;
                match types::refusal(ty) {
                    None => Payload::One(ty),
                    Some(found) => {
                        let message = format!("an arm's value {}", found.reason);
                        Payload::Refused(poison(found.part, message))
                    }
                }
            }
            fields => Payload::Refused(poison(
                fields,
                format!(
                    "an arm carries one value or none, as in `{0}(Report)` or `{0}`: gather the fields in a struct",
                    variant.ident
                ),
            )),
        };
        Arm { variant: &variant.ident, field: field(&name, variant.ident.span()), name, payload }
    }

    fn span(&self) -> Span {
        match self.payload {
            Payload::One(ty) => ty.span(),
            Payload::None | Payload::Refused(_) => self.variant.span(),
        }
    }

    /// The type of the arm's node's value.
    fn ty(&self) -> TokenStream {
        match &self.payload {
            Payload::None => quote_spanned!(self.variant.span()=> ()),
            Payload::One(ty) => ty.to_token_stream(),
            Payload::Refused(poison) => poison.clone(),
        }
    }

    /// One arm of `split`'s match.
    fn split(&self, index: usize) -> TokenStream {
        let (variant, index) = (self.variant, Literal::usize_unsuffixed(index));
        let value = Ident::new("value", Span::mixed_site());
        match &self.payload {
            Payload::One(ty) => quote_spanned! {self.span()=>
                Self::#variant(#value) => (#index, ::pipeline_runtime::__private::value::<#ty>(#value))
            },
            Payload::None => quote_spanned! {self.span()=>
                Self::#variant => (#index, ::pipeline_runtime::__private::value(&()))
            },
            Payload::Refused(_) => quote!(Self::#variant { .. } => ::core::unimplemented!()),
        }
    }
}

fn arms_struct(item: &ItemEnum, arms: &[Arm<'_>]) -> TokenStream {
    let (vis, name, arms_name) = (&item.vis, &item.ident, arms_name(&item.ident));
    let doc =
        format!("The arms of [`{name}`], as nodes. Taking it apart names every arm, so that a forgotten one is a compile error.");
    let fields = arms.iter().map(|arm| {
        let (field, ty) = (&arm.field, arm.ty());
        let doc = format!("Runs where the branch returned [`{name}::{}`].", arm.variant);
        quote_spanned!(arm.span()=> #[doc = #doc] pub #field: ::pipeline_runtime::Node<#ty>)
    });
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #[allow(dead_code, reason = "an arm that nothing follows is no mistake")]
        #vis struct #arms_name { #(#fields),* }
    }
}

fn impls(item: &ItemEnum, arms: &[Arm<'_>]) -> TokenStream {
    let (name, arms_name) = (&item.ident, arms_name(&item.ident));
    let branch = Ident::new("branch", Span::mixed_site());
    let split = arms.iter().enumerate().map(|(index, arm)| arm.split(index));
    let names = arms.iter().map(|arm| &arm.name);
    let fields = arms.iter().enumerate().map(|(index, arm)| {
        let (field, index) = (&arm.field, Literal::usize_unsuffixed(index));
        // A mistake is a type, too; it stands in the struct, and is inferred here.
        let ty = match arm.payload {
            Payload::None | Payload::One(_) => arm.ty(),
            Payload::Refused(_) => quote!(_),
        };
        quote_spanned!(arm.span()=> #field: ::pipeline_runtime::__private::arm::<#ty>(#branch, #index))
    });
    // Reported beside; here it only has to match.
    let left_out = (arms.len() < item.variants.len()).then(|| quote!(, _ => ::core::unimplemented!()));
    let first = arms.first().map(|arm| &arm.field);
    quote! {
        const _: () = {
            impl ::pipeline_runtime::Branch for #name {
                type Arms = #arms_name;
                fn split(&self) -> (usize, &dyn ::pipeline_runtime::__private::Datum) {
                    match self { #(#split),* #left_out }
                }
            }
            impl ::pipeline_runtime::__private::Arms<#name> for #arms_name {
                const NAMES: &'static [&'static str] = &[#(#names),*];
                #[track_caller]
                fn from_branch(#branch: ::pipeline_runtime::__private::BranchHandle) -> Self {
                    Self { #(#fields),* }
                }
                fn branch(&self) -> ::pipeline_runtime::__private::BranchHandle {
                    ::pipeline_runtime::__private::branch_of(&self.#first)
                }
            }
        };
    }
}

/// What keeps a type that cannot be a branch from further errors where it is used as one.
fn stand_in(vis: &Visibility, name: &Ident, generics: &syn::Generics) -> TokenStream {
    let arms_name = arms_name(name);
    let (impl_generics, arguments, bounds) = generics.split_for_impl();
    quote! {
        #[doc(hidden)]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #vis struct #arms_name {}
        const _: () = {
            impl #impl_generics ::pipeline_runtime::Branch for #name #arguments #bounds {
                type Arms = #arms_name;
                fn split(&self) -> (usize, &dyn ::pipeline_runtime::__private::Datum) {
                    ::core::unimplemented!()
                }
            }
            impl #impl_generics ::pipeline_runtime::__private::Arms<#name #arguments> for #arms_name #bounds {
                const NAMES: &'static [&'static str] = &[];
                fn from_branch(_: ::pipeline_runtime::__private::BranchHandle) -> Self {
                    ::core::unimplemented!()
                }
                fn branch(&self) -> ::pipeline_runtime::__private::BranchHandle {
                    ::core::unimplemented!()
                }
            }
        };
    }
}

fn arms_name(name: &Ident) -> Ident {
    format_ident!("{}Arms", name.unraw(), span = name.span())
}

/// A field of that name, though it be a keyword.
fn field(name: &str, span: Span) -> Ident {
    match syn::parse_str::<Ident>(name) {
        Ok(_) => Ident::new(name, span),
        // The keywords that cannot be raw.
        Err(_) if matches!(name, "crate" | "self" | "super") => Ident::new(&format!("{name}_"), span),
        Err(_) => Ident::new_raw(name, span),
    }
}

/// `HttpError`, `HTTPError` and `Http_Error` are all `http_error`.
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
            (tokens("enum Route {}"), "needs arms"),
            (tokens("enum Route<T> { A(T), }"), "cannot be generic"),
            (tokens("enum Route { A(u64, u64), B, }"), "one value or none"),
            (tokens("enum Route { A { x: u64 }, B, }"), "one value or none"),
            (tokens("enum Route { AbC, Ab_C, }"), "both be called `ab_c`"),
            (tokens("enum Route { A(&str), }"), "write `String`"),
        ] {
            let text = expand(item).to_string();
            assert_eq!(text.matches("compile_error").count(), 1, "{text}");
            assert!(text.contains(part), "{text}");
            assert!(text.contains("struct RouteArms"), "{text}");
        }
    }
}
