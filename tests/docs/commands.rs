//! Checks that `docs/internals/commands.md` lists each block of commands of the README and the guide, with the test that runs it or the reason why none does.

use crate::pages::{blocks, guide};
use std::collections::BTreeSet;
use std::fs;

const TABLE: &str = "../docs/internals/commands.md";

/// Identifies a block of commands by its page and its first line.
type Key = (String, String);

/// Returns all blocks of commands.
fn command_blocks() -> Vec<Key> {
    let readme = fs::read_to_string("../README.md").expect("the README");
    let mut pages = vec![("README.md".to_owned(), readme)];
    pages.extend(guide().into_iter().map(|page| (format!("docs/{}", page.name), page.text)));
    let mut keys = Vec::new();
    for (page, text) in &pages {
        for block in blocks(text) {
            assert!(!matches!(block.language, "bash" | "shell" | "console"), "{page}, line {}: commands are `sh`", block.line);
            if block.language == "sh" {
                let first = block.text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
                keys.push((page.clone(), first.unwrap_or_default().to_owned()));
            }
        }
    }
    keys
}

/// Returns the rows of the table, each with the text of its last column.
fn rows() -> Vec<(Key, String)> {
    let page = fs::read_to_string(TABLE).expect("the table");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        let [page, first, how] = cells[..] else { panic!("a row of other cells: {row}") };
        let plain = |cell: &str| cell.trim_start_matches('`').strip_suffix('`').unwrap_or(cell).replace("\\|", "|");
        ((plain(page), plain(first)), how.to_owned())
    })
    .collect()
}

#[test]
fn each_block_of_commands_is_in_the_table() {
    let shown = command_blocks();
    let rows: Vec<Key> = rows().into_iter().map(|(key, _)| key).collect();
    let missing: Vec<&Key> = shown.iter().filter(|key| !rows.contains(key)).collect();
    let surplus: Vec<&Key> = rows.iter().filter(|key| !shown.contains(key)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "not in {TABLE}: {missing:#?}\nin no page: {surplus:#?}");
    assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), rows.len(), "a row twice");
    assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), shown.len(), "two blocks of a page begin alike");
}

/// The last column names a test or a script that exists, or begins with `not run: `.
#[test]
fn each_row_names_what_runs_it_or_why_nothing_does() {
    for ((page, first), how) in rows() {
        if how.starts_with("not run: ") {
            continue;
        }
        let runs =
            how.strip_prefix('`').and_then(|how| how.split('`').next()).unwrap_or_else(|| panic!("{page}, `{first}`: {how}"));
        let (file, test) = runs.split_once("::").map_or((runs, None), |(file, test)| (file, Some(test)));
        let source = fs::read_to_string(format!("../{file}")).unwrap_or_else(|error| panic!("{file}: {error}"));
        if let Some(test) = test {
            assert!(source.contains(&format!("fn {test}(")), "{file} has no test `{test}`");
        }
    }
}
