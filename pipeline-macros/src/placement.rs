//! Whether an item stands inside of an `impl` or a trait, where no further items may stand.
//!
//! rustc tells an attribute macro nothing of what is around its item, and the items that it makes would there be two errors that speak
//! of an `enum` that nobody wrote. What can be seen is the source file: in code that rustfmt has laid out, the line that opens the
//! block around an item is the nearest one above with less indentation. Where there is no file, or another layout, nothing is found, and
//! rustc has its say.

use crate::error::Errors;
use crate::item::{FnItem, untouched};
use proc_macro::{Span, TokenStream};

/// The item beside an error, if it stands inside of an `impl` or a trait. What has a receiver is found without this.
///
/// An item at the start of its line, as nearly all are, costs no look at the file.
pub(crate) fn refused(macro_name: &str, item: &TokenStream) -> Option<TokenStream> {
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
    errors.on(&function.sig.ident, format!("a {macro_name} is a free function: move it out of the block that it stands in"));
    Some(untouched(&item, errors).into())
}

fn is_associated(item: Span) -> bool {
    let source = item.local_file().and_then(|file| std::fs::read_to_string(file).ok());
    source.is_some_and(|source| is_inside(&source, item.line()))
}

/// Whether the line with this number, counted from one, stands inside of an `impl` or a trait.
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
