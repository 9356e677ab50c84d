//! The little that the macros read from a type. What a type *means* is left to rustc.
//!
//! **Invariant:** the macros interpret a type only to recognize `Context`, and to read `T` from `Result<T>` or `Result<Poke<T>>`,
//! which rustc then verifies. Besides, [`refusal`] finds syntax that no owned type has.

use crate::error::show;
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{
    AngleBracketedGenericArguments, GenericArgument, Path, PathArguments, ReturnType, Type, TypeGroup, TypeParamBound, TypeParen,
    TypePath, TypeReference,
};

/// The type without parentheses, and without the invisible group around a macro's `$t:ty`.
fn bare(mut ty: &Type) -> &Type {
    while let Type::Group(TypeGroup { elem, .. }) | Type::Paren(TypeParen { elem, .. }) = ty {
        ty = elem;
    }
    ty
}

/// True if the runtime supplies a parameter of this type. The expansion passes our `Context`, so another type of that name is a
/// type error at the parameter.
pub(crate) fn is_context(ty: &Type) -> bool {
    let Type::Path(ty) = bare(ty) else { return false };
    ty.qself.is_none() && ty.path.segments.last().is_some_and(|segment| segment.ident == "Context" && segment.arguments.is_none())
}

/// `T` of `name<T, ..>`, whatever the path before it.
pub(crate) fn first_argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(ty) = bare(ty) else { return None };
    let last = ty.path.segments.last().filter(|s| s.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

/// The span of a type. Nearly every type is a path, whose span is found without making tokens.
pub(crate) fn span(ty: &Type) -> Span {
    let Type::Path(TypePath { qself: None, path, .. }) = ty else { return ty.span() };
    let (Some(first), Some(last)) = (path.segments.first(), path.segments.last()) else { return ty.span() };
    let end = match &last.arguments {
        PathArguments::None => last.ident.span(),
        PathArguments::AngleBracketed(arguments) => arguments.gt_token.span,
        PathArguments::Parenthesized(_) => return ty.span(),
    };
    if path.leading_colon.is_none() && path.segments.len() == 1 && last.arguments.is_none() {
        return end;
    }
    let start = path.leading_colon.map_or_else(|| first.ident.span(), |colons| colons.spans[0]);
    start.join(end).unwrap_or(start)
}

/// True if the type is a single word, such as `Report`.
pub(crate) fn is_one_word(ty: &Type) -> bool {
    matches!(bare(ty), Type::Path(ty) if ty.qself.is_none() && ty.path.get_ident().is_some())
}

/// Why a type is not an owned, explicit type, and the part of it that is wrong.
pub(crate) struct Refusal {
    pub(crate) part: TokenStream,
    pub(crate) reason: String,
}

/// True if the first wrong part of the type is a `_`, which rustc refuses in every signature.
pub(crate) fn is_inferred(ty: &Type) -> bool {
    refusal(ty).is_some_and(|found| found.part.to_string() == "_")
}

/// Finds a borrow, an `impl Trait` or a `_` anywhere in the type.
pub(crate) fn refusal(ty: &Type) -> Option<Refusal> {
    match ty {
        Type::Reference(ty) if ty.lifetime.as_ref().is_some_and(|l| l.ident == "static") => refusal(&ty.elem),
        Type::Reference(ty) => Some(borrowed(ty)),
        Type::ImplTrait(ty) => Some(Refusal {
            part: ty.to_token_stream(),
            reason: "must be one named type, not `impl Trait`: write the type itself, such as `String`".to_owned(),
        }),
        Type::Infer(ty) => Some(Refusal {
            part: ty.to_token_stream(),
            reason: "must be an explicit type: `_` is not allowed in a signature".to_owned(),
        }),
        Type::Array(ty) => refusal(&ty.elem),
        Type::Slice(ty) => refusal(&ty.elem),
        Type::Group(ty) => refusal(&ty.elem),
        Type::Paren(ty) => refusal(&ty.elem),
        Type::Tuple(ty) => ty.elems.iter().find_map(refusal),
        Type::Path(ty) => {
            let of_self = ty.qself.as_ref().and_then(|qself| refusal(&qself.ty));
            of_self.or_else(|| in_path(&ty.path))
        }
        Type::TraitObject(ty) => in_bounds(&ty.bounds),
        // A function pointer's parameters may be borrowed: they are borrowed for each call only.
        _ => None,
    }
}

fn borrowed(ty: &TypeReference) -> Refusal {
    let instead = match bare(&ty.elem) {
        Type::Path(p) if p.path.is_ident("str") => "`String`".to_owned(),
        Type::Path(p) if p.path.is_ident("Path") => "`PathBuf`".to_owned(),
        Type::Slice(slice) => format!("`Vec<{}>`", show(&slice.elem)),
        elem => format!("`{0}`, or `Arc<{0}>` to share it without a copy", show(elem)),
    };
    Refusal {
        part: ty.to_token_stream(),
        reason: format!("must be owned, not borrowed, because it outlives the call: write {instead}"),
    }
}

fn in_path(path: &Path) -> Option<Refusal> {
    path.segments.iter().find_map(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => in_arguments(arguments),
        // As in `Box<dyn Fn(&str)>`: borrowed only for the call of the `Fn`.
        PathArguments::None | PathArguments::Parenthesized(_) => None,
    })
}

fn in_arguments(arguments: &AngleBracketedGenericArguments) -> Option<Refusal> {
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => refusal(ty),
        GenericArgument::AssocType(assoc) => refusal(&assoc.ty),
        GenericArgument::Lifetime(lifetime) if lifetime.ident != "static" => Some(Refusal {
            part: lifetime.to_token_stream(),
            reason: "must be owned, not borrowed, because it outlives the call: write a type without a lifetime".to_owned(),
        }),
        _ => None,
    })
}

fn in_bounds<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> Option<Refusal> {
    bounds.into_iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => in_path(&bound.path),
        _ => None,
    })
}

/// The return type, or `None` if there is none, which means `()`.
pub(crate) fn returned(output: &ReturnType) -> Option<&Type> {
    match output {
        ReturnType::Type(_, ty) => Some(ty),
        ReturnType::Default => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn context_is_known_by_its_last_segment() {
        assert!(is_context(&parse_quote!(Context)));
        assert!(is_context(&parse_quote!(pipeline_runtime::Context)));
        assert!(!is_context(&parse_quote!(Context<T>)));
        assert!(!is_context(&parse_quote!(MyContext)));
        assert!(!is_context(&parse_quote!(Option<Context>)));
    }

    #[test]
    fn what_a_macro_puts_around_a_type_is_looked_through() {
        let group = |ty: TokenStream| -> Type {
            let group = proc_macro2::Group::new(proc_macro2::Delimiter::None, ty);
            syn::parse2(proc_macro2::TokenTree::Group(group).into()).expect("a type")
        };
        assert!(is_context(&group(quote::quote!(Context))));
        assert!(is_context(&parse_quote!((Context))));
        let result = group(quote::quote!(Result<u64>));
        assert_eq!(show(first_argument(&result, "Result").expect("Result")), "u64");
        let name = group(quote::quote!(str));
        assert!(refusal(&parse_quote!(&#name)).expect("refused").reason.contains("`String`"));
    }

    #[test]
    fn the_value_is_read_off_the_page() {
        let ty: Type = parse_quote!(std::result::Result<Poke<Object>, Error>);
        let poke = first_argument(&ty, "Result").expect("Result");
        let object = first_argument(poke, "Poke").expect("Poke");
        assert_eq!(show(object), "Object");
        assert!(first_argument(&parse_quote!(Answer<T>), "Result").is_none());
        assert!(first_argument(&parse_quote!(Result), "Result").is_none());
    }

    #[test]
    fn owned_types_pass() {
        for ty in [
            "String",
            "&'static str",
            "Vec<Option<(u64, [u8; 4])>>",
            "Box<dyn Fn(&str) -> &str + Send + Sync>",
            "fn(&str) -> &str",
            "Cow<'static, str>",
            "<A as B>::C",
        ] {
            let ty: Type = syn::parse_str(ty).expect("type");
            assert!(refusal(&ty).is_none(), "{}", show(&ty));
        }
    }

    #[test]
    fn the_guilty_part_is_found() {
        for (ty, part, reason) in [
            ("&str", "&str", "`String`"),
            ("Vec<&[u8]>", "&[u8]", "`Vec<u8>`"),
            ("(u8, &Report)", "&Report", "`Arc<Report>`"),
            ("Cow<'_, str>", "'_", "without a lifetime"),
            ("Box<impl Copy>", "impl Copy", "`impl Trait`"),
            ("Vec<_>", "_", "explicit type"),
            ("Box<dyn Iterator<Item = &str>>", "&str", "`String`"),
        ] {
            let ty: Type = syn::parse_str(ty).expect("type");
            let found = refusal(&ty).expect("refused");
            assert_eq!(show(&found.part), part);
            assert!(found.reason.contains(reason), "{}", found.reason);
        }
    }
}
