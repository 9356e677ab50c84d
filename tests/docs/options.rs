//! An option is documented on its macro's page, and its text is repeated for editors: by the builder's method, which they show
//! for the option in an attribute, and by the module that completes its name.

use std::collections::BTreeSet;
use std::fs;

const PAGE: &str = "../pipeline-macros/src/lib.rs";
const TABLE: &str = "../pipeline-macros/src/options/table.rs";
const BUILDERS: &str = "../pipeline-runtime/src/author/options.rs";
const NAMES: &str = "../pipeline-runtime/src/author/options/names.rs";

/// One option of a page's table.
struct Row {
    name: String,
    text: String,
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of the options table on the page of `#[place]`, one for each name in its first column.
fn rows(place: &str) -> Vec<Row> {
    let page = read(PAGE);
    let (before, _) = page.split_once(&format!("\npub fn {place}(")).expect("the macro");
    let (_, doc) = before.rsplit_once("\n}\n").unwrap_or(("", before));
    let (_, options) = doc.split_once("/// # Options\n").expect("a table");
    let mut rows = Vec::new();
    for line in options.lines().filter_map(|line| line.strip_prefix("/// | `")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [names, takes, default, meaning, ..] = cells[..] else { panic!("a row of other cells: {line}") };
        for written in names.split("`, `").map(|written| written.trim_matches('`')) {
            let name = written.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            rows.push(Row {
                name: name.to_owned(),
                text: format!("`{written}`: {meaning}. Takes: {takes}. Default: {default}.").replace("[`Pool`]", "`Pool`"),
            });
        }
    }
    // An import cannot name a keyword, and the builder has no such method.
    rows.retain(|row| row.name != "crate");
    assert!(rows.len() > 5, "{place}");
    rows
}

/// The doc comment above the line that begins with `item`, in one line.
fn doc(code: &str, item: &str) -> Option<String> {
    let lines: Vec<&str> = code.lines().collect();
    let at = lines.iter().position(|line| line.trim_start().starts_with(item))?;
    let docs = lines[..at].iter().rev().map_while(|line| line.trim_start().strip_prefix("///"));
    let mut words: Vec<&str> = docs.flat_map(|line| line.split_whitespace().rev()).collect();
    words.reverse();
    Some(words.join(" "))
}

/// The part of `code` from the line that begins with `begin` to the next line that is just `}`.
fn block<'a>(code: &'a str, begin: &str) -> &'a str {
    let (_, rest) = code.split_once(begin).unwrap_or_else(|| panic!("no `{begin}`"));
    rest.split_once("\n}\n").map_or(rest, |(block, _)| block)
}

/// The identifier after `before`, in each line that begins with it.
fn names(code: &str, before: &str) -> BTreeSet<String> {
    let rest = code.lines().filter_map(|line| line.strip_prefix(before));
    rest.filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()).map(ToOwned::to_owned).collect()
}

#[test]
fn each_option_stands_on_a_page() {
    let written: BTreeSet<String> = ["task", "sensor", "pipeline"].into_iter().flat_map(rows).map(|row| row.name).collect();
    let mut known = names(&read(TABLE), "    row(\"");
    assert!(known.remove("crate"));
    assert_eq!(written, known, "{PAGE} and {TABLE} have other options");
}

#[test]
fn what_completes_an_option_says_what_its_page_does() {
    let modules = read(NAMES);
    for place in ["task", "sensor", "pipeline"] {
        let block = block(&modules, &format!("pub mod {place} {{\n"));
        for row in rows(place) {
            let said = doc(block, &format!("pub mod {} {{", row.name));
            assert_eq!(said.as_deref(), Some(row.text.as_str()), "`{}` of `{place}` in {NAMES}", row.name);
        }
        let written: BTreeSet<String> = rows(place).into_iter().map(|row| row.name).collect();
        assert_eq!(names(block, "    pub mod "), written, "{NAMES}, {place}");
    }
}

#[test]
fn what_an_option_calls_says_what_its_page_does() {
    let builders = read(BUILDERS);
    for (builder, places) in [("TaskOptions", &["task", "sensor"][..]), ("PipelineOptions", &["pipeline"])] {
        let block = block(&builders, &format!("#[doc(hidden)]\nimpl {builder} {{\n"));
        // A node's id is an argument of its definition.
        let rows: Vec<Row> = places.iter().flat_map(|place| rows(place)).filter(|row| row.name != "id").collect();
        for row in &rows {
            let said = doc(block, &format!("pub fn {}(", row.name)).unwrap_or_default();
            assert!(said.contains(&row.text), "`{}` of `{builder}` in {BUILDERS} says\n{said}\nand not\n{}", row.name, row.text);
        }
        let written: BTreeSet<String> = rows.into_iter().map(|row| row.name).collect();
        let mut methods = names(block, "    pub fn ");
        methods.remove("new");
        assert_eq!(methods, written, "{BUILDERS}, {builder}");
    }
}

/// The page of the guide with the tables of all three macros. What is not theirs stands here.
fn page_of_the_guide() -> String {
    let mut page = "\
# Options

The options of the attributes. These tables are those of the macros' own pages (`cargo doc`), which have examples as well; `tests/docs/options.rs` writes this page.

- A callback is an `async fn(n: Notification) -> Result<()>`, or a constant of a type that implements `Notify` ([alerts](alerts.md)).
- A duration is written with a unit, `\"1h30m\"`: `ms`, `s`, `m`, `h`, `d` or `w`, in whole milliseconds, and at most a hundred years. Durations are longer than zero, except for
  `retry_delay` and jitters.
- An id has letters and digits of any script, `_`, `-` and `.`, in at most 200 bytes.
- A constant may replace a literal: `retries = RETRIES` ([constants](pipelines-as-values.md#constants)).
- Every option of a task or a sensor except `id` and `crate` is also a method of the node, `load(rows).retries(5)`. A method takes precedence over the attribute, and the attribute over the
  pipeline's `defaults(..)`. The same holds for [pipelines as values](pipelines-as-values.md).
"
    .to_owned();
    for (place, title) in [("task", "`#[task]` and `#[branch]`"), ("sensor", "`#[sensor]`"), ("pipeline", "`#[pipeline]`")] {
        let note = if place == "sensor" {
            "It has the options of a task as well, with `timeout` and `backoff` as below.\n\n"
        } else {
            ""
        };
        page += &[
            "\n## ",
            title,
            "\n\n",
            note,
            "| option | takes | default | meaning | a typical mistake |\n|---|---|---|---|---|\n",
        ]
        .concat();
        for line in table(place) {
            // Links lead to places of the macros' pages.
            let mut line = line.replace("[`Pool`]", "`Pool`");
            for link in ["[below](#another-name-for-the-runtime)", "[`macro@task`](macro@task#another-name-for-the-runtime)"] {
                line = line.replace(link, "the page of the macro `task`");
            }
            assert!(!line.contains("](#") && !line.contains("macro@"), "a link of the macro's page: {line}");
            page.push_str(&line);
            page.push('\n');
        }
    }
    page
}

/// The rows of a macro's table as they stand there.
fn table(place: &str) -> Vec<String> {
    let page = read(PAGE);
    let (before, _) = page.split_once(&format!("\npub fn {place}(")).expect("the macro");
    let (_, doc) = before.rsplit_once("\n}\n").unwrap_or(("", before));
    let (_, options) = doc.split_once("/// # Options\n").expect("a table");
    options
        .lines()
        .filter_map(|line| line.strip_prefix("/// "))
        .filter(|line| line.starts_with("| `"))
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn the_page_of_options_has_the_macros_tables() {
    let (path, page) = ("../docs/options.md", page_of_the_guide());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &page).expect("the page can be written");
    }
    assert_eq!(read(path), page, "`UPDATE_DOCS=1 cargo test --test docs` writes the page");
}
