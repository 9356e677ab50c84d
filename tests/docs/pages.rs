//! The pages of the guide, and the blocks in them.

use std::fs;
use std::path::Path;

/// A Markdown file below `docs`.
pub(crate) struct Page {
    /// The path within `docs`.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Returns all pages below `docs`, including those for maintainers, sorted by name.
pub(crate) fn guide() -> Vec<Page> {
    let mut pages = Vec::new();
    for folder in ["", "internals/"] {
        for entry in fs::read_dir(Path::new("../docs").join(folder)).expect("a folder of the guide") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let file = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
                let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                pages.push(Page { name: format!("{folder}{file}"), text });
            }
        }
    }
    pages.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(pages.len() > 25, "the guide has only {} pages", pages.len());
    pages
}

/// A block between fences.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'a> {
    /// The text behind the first fence.
    pub(crate) language: &'a str,
    /// The line of the first fence, from 1.
    pub(crate) line: usize,
    /// The last line above the block that is not blank.
    pub(crate) before: &'a str,
    pub(crate) text: &'a str,
}

/// Returns the blocks of a page. The text of a block in a list keeps the list's indentation.
pub(crate) fn blocks(page: &str) -> impl Iterator<Item = Block<'_>> {
    let mut found = Vec::new();
    let mut open: Option<(&str, usize, &str, usize)> = None;
    let (mut before, mut at) = ("", 0);
    for (number, line) in page.split_inclusive('\n').enumerate() {
        let begin = at;
        at += line.len();
        let trimmed = line.trim();
        match (open, trimmed.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language, number + 1, before, at)),
            (Some((language, line, before, from)), Some("")) => {
                found.push(Block { language, line, before, text: &page[from..begin] });
                open = None;
            }
            _ => {}
        }
        if open.is_none() && !trimmed.is_empty() {
            before = trimmed;
        }
    }
    assert!(open.is_none(), "a block has no end: {open:?}");
    found.into_iter()
}
