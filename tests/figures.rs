//! Keeps `docs/exercise-2.md` and `docs/exercise-5.md` true: each row of their tables names a test, and its figure is what that
//! test found.

use std::path::{Path, PathBuf};

/// Asserts that the table's figure for this test is what the test found: `figure!("15 pokes")`.
macro_rules! figure {
    ($found:expr) => {{
        fn here() {}
        crate::figures::check(std::any::type_name_of_val(&here), &$found)
    }};
}
pub(crate) use figure;

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    /// `cloud_data_pipeline::criteria::…::test`
    pub(crate) test: String,
    pub(crate) figure: String,
}

/// The rows of both pages that name a test.
pub(crate) fn rows() -> Vec<Row> {
    let row = |line: &str| {
        let [_, figure, test] = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect::<Vec<_>>().try_into().ok()?;
        let test = test.strip_prefix('`')?.strip_suffix('`')?;
        Some(Row { test: test.to_owned(), figure: figure.to_owned() })
    };
    pages().iter().flat_map(|page| page.lines().filter_map(row).collect::<Vec<_>>()).collect()
}

/// The text of both pages.
pub(crate) fn pages() -> [String; 2] {
    ["exercise-2", "exercise-5"].map(|page| std::fs::read_to_string(root().join(format!("docs/{page}.md"))).unwrap())
}

/// Asserts that the table has this figure for the calling test.
#[track_caller]
pub(crate) fn check(here: &str, found: &str) {
    // In an `async fn` it is inside a closure.
    let test = &here.replace("::{{closure}}", "").replace("::here", "");
    let rows = rows();
    let row = rows.iter().find(|row| row.test == *test);
    let row = row.unwrap_or_else(|| panic!("no page in docs/ has a row of `{test}`; its figure is: {found}"));
    assert_eq!(row.figure, found, "docs/ says something else of `{test}`");
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
