//! Detects an item inside an `impl` or a trait, where the expansion's items are not allowed.
//!
//! rustc tells an attribute macro nothing about the code around its item. Inside an `impl`, the generated items would be two
//! errors about an `enum` that the user did not write. But the macro can read the source file: in code that is formatted by
//! rustfmt, the line that opens the block around an item is the nearest line above with less indentation. Without a file, or in
//! another layout, nothing is detected, and rustc reports its own errors.

use crate::error::Errors;
use crate::item::{FnItem, unexpanded};
use proc_macro::{Span, TokenStream};

/// Returns the item and an error, if it stands inside an `impl` or a trait. A method with a receiver is refused elsewhere.
///
/// Nearly all items start in the first column. For them the file is not read.
pub(crate) fn reject_associated(macro_name: &str, item: &TokenStream) -> Option<TokenStream> {
    let first = item.clone().into_iter().next()?.span();
    if first.column() <= 1 || !is_associated(first) {
        return None;
    }
    let item: proc_macro2::TokenStream = item.clone().into();
    let function: FnItem = syn::parse2(item.clone()).ok()?;
    if function.sig.receiver().is_some() {
        return None;
    }
    let mut errors = Errors::default();
    errors.on(&function.sig.ident, format!("a {macro_name} must be a free function: move it out of the `impl` or the trait"));
    Some(unexpanded(&item, errors).into())
}

fn is_associated(item: Span) -> bool {
    let source = item.local_file().and_then(|file| std::fs::read_to_string(file).ok());
    source.is_some_and(|source| is_inside(&source, item.line()))
}

/// True if the line with this number, counted from one, is inside an `impl` or a trait.
fn is_inside(source: &str, line: usize) -> bool {
    let lines: Vec<&str> = source.lines().take(line).collect();
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let Some((own, above)) = lines.split_last() else { return false };
    let opens = above.iter().rev().find(|line| !line.trim().is_empty() && indentation(line) < indentation(own));
    opens.is_some_and(|line| {
        let mut words = line.trim_end().strip_suffix('{').unwrap_or_default().split_whitespace();
        let first = words.find(|word| !matches!(*word, "unsafe" | "pub" | "default") && !word.starts_with("pub("));
        first.is_some_and(|word| word == "trait" || word == "impl" || word.starts_with("impl<"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_an_impl_is_found() {
        for source in [
            "impl Warehouse {\n    #[task]",
            "impl<T> Warehouse<T> {\n    fn a() {\n        b();\n    }\n\n    /// Loads.\n    #[task]",
            "mod a {\n    unsafe impl A for B {\n        #[task]",
            "pub(crate) trait Load: Sized {\n    #[task]",
        ] {
            assert!(is_inside(source, source.lines().count()), "{source}");
        }
    }

    #[test]
    fn other_items_are_free() {
        for source in [
            "#[task]",
            "mod tests {\n    #[task]",
            "impl A {\n    fn a() {\n        #[task]",
            "impl A {\n}\n\nmod tests {\n    #[task]",
            "fn implied() {\n    #[task]",
            "/// impl A {\nfn a() {\n    #[task]",
            "impl A {}\n    #[task]",
        ] {
            assert!(!is_inside(source, source.lines().count()), "{source}");
        }
        assert!(!is_inside("", 3));
    }
}
