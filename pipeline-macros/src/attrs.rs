//! The user's other attributes, and the item of the expansion that each of them belongs on.
//!
//! `cfg` and `cfg_attr` are never among them: rustc evaluates those of an item before it calls an attribute macro.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The attributes of one function, sorted by where they belong.
#[derive(Default)]
pub(crate) struct SortedAttrs<'a> {
    /// Attributes for callers (docs, deprecation): on the constructor.
    pub(crate) public: Vec<&'a Attribute>,
    /// Lint levels: on both the constructor and the body.
    pub(crate) lints: Vec<&'a Attribute>,
    /// Everything else, such as `#[instrument]`: on the body.
    pub(crate) body: Vec<&'a Attribute>,
    /// The first paragraph of the documentation.
    pub(crate) description: String,
}

impl<'a> SortedAttrs<'a> {
    pub(crate) fn new(attrs: &'a [Attribute]) -> Self {
        let mut sorted = SortedAttrs { description: description(attrs), ..SortedAttrs::default() };
        for attr in attrs {
            match attr.path().get_ident().map(ToString::to_string).unwrap_or_default().as_str() {
                "doc" | "deprecated" | "must_use" => sorted.public.push(attr),
                "allow" | "warn" | "deny" | "forbid" => sorted.lints.push(attr),
                // On two items, an expectation would be unfulfilled on one of them.
                "expect" if mentions_use(attr) => sorted.public.push(attr),
                _ => sorted.body.push(attr),
            }
        }
        sorted
    }
}

/// True if the lints are about unused or deprecated items: only the constructor can be unused.
fn mentions_use(attr: &Attribute) -> bool {
    let Meta::List(list) = &attr.meta else {
        return false;
    };
    list.tokens.clone().into_iter().any(|token| matches!(token.to_string().as_str(), "dead_code" | "unused" | "deprecated"))
}

fn description(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let paragraph: Vec<_> =
        text.lines().map(str::trim).skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty()).collect();
    paragraph.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;
    use syn::parse::Parser;

    fn parse(text: &str) -> Vec<Attribute> {
        Attribute::parse_outer.parse_str(text).expect("attributes")
    }

    fn names(of: &[&Attribute]) -> Vec<String> {
        of.iter().map(|a| a.to_token_stream().to_string().replace(' ', "")).collect()
    }

    #[test]
    fn each_attribute_finds_its_item() {
        let attrs = parse(
            "#[doc(hidden)] #[deprecated] #[must_use] #[allow(unused_mut)] #[instrument(skip_all)] #[expect(dead_code)] \
             #[expect(clippy::pedantic)]",
        );
        let sorted = SortedAttrs::new(&attrs);
        assert_eq!(names(&sorted.public), ["#[doc(hidden)]", "#[deprecated]", "#[must_use]", "#[expect(dead_code)]"]);
        assert_eq!(names(&sorted.lints), ["#[allow(unused_mut)]"]);
        assert_eq!(names(&sorted.body), ["#[instrument(skip_all)]", "#[expect(clippy::pedantic)]"]);
    }

    #[test]
    fn the_first_paragraph_describes() {
        let attrs = parse("///\n/// Waits for the\n/// day's export.\n///\n/// More.\n");
        assert_eq!(SortedAttrs::new(&attrs).description, "Waits for the day's export.");
    }

    #[test]
    fn block_comments_describe_too() {
        let attrs = parse("/** One\n    two.\n\n rest */");
        assert_eq!(SortedAttrs::new(&attrs).description, "One two.");
    }
}
