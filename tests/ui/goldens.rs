//! Checks that hold for every golden, whatever its message.

use std::fs;
use std::path::PathBuf;

/// The golden of each failing case, by the case's path below `ui`.
pub(crate) fn goldens() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for topic in fs::read_dir("ui").expect("ui").map(|entry| entry.expect("entry").path()).filter(|path| path.is_dir()) {
        let cases = fs::read_dir(topic.join("fail")).into_iter().flatten().map(|entry| entry.expect("entry").path());
        for case in cases.filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
            let golden = case.with_extension("stderr");
            let text = fs::read_to_string(&golden).unwrap_or_else(|error| panic!("{}: {error}", golden.display()));
            all.push((case.display().to_string(), text));
        }
    }
    assert!(all.len() > 100, "only {} cases: is the folder right?", all.len());
    all
}

/// The first lines of a golden's errors.
fn errors(golden: &str) -> Vec<&str> {
    golden.lines().filter(|line| line.starts_with("error")).collect()
}

/// The first lines of a golden's errors and warnings.
pub(crate) fn messages(golden: &str) -> Vec<&str> {
    golden.lines().filter(|line| line.starts_with("error") || line.starts_with("warning")).collect()
}

#[test]
fn each_mistake_is_one_error() {
    let mut wrong = Vec::new();
    for (case, golden) in goldens() {
        let errors = errors(&golden);
        let several = case.ends_with("__all.rs");
        let mut different = errors.clone();
        different.sort_unstable();
        different.dedup();
        let fine = if several { errors.len() > 1 && different.len() == errors.len() } else { errors.len() == 1 };
        if !fine {
            wrong.push(format!("{case}:\n  {}", errors.join("\n  ")));
        }
    }
    assert!(
        wrong.is_empty(),
        "one mistake is one error, with the suffix `__all` each mistake another one:\n{}",
        wrong.join("\n")
    );
}

/// The primary place of each error is in the user's own file.
#[test]
fn errors_stand_in_the_users_file() {
    for (case, golden) in goldens() {
        let lines: Vec<&str> = golden.lines().collect();
        for at in (0..lines.len()).filter(|at| lines[*at].starts_with("error")) {
            let place = lines.get(at + 1).copied().unwrap_or_default();
            assert!(place.trim_start().starts_with(&format!("--> {case}")), "{case}: {place}");
        }
    }
}

/// No golden quotes the standard library's source, because not every machine has it.
#[test]
fn goldens_quote_no_foreign_source() {
    for (case, golden) in goldens() {
        for word in ["$RUST", "__DEFINITION"] {
            assert!(!golden.contains(word), "{case} has {word}:\n{golden}");
        }
    }
}

/// The mistakes that `cargo check` refuses, as the design lists them. Each has a case.
const ROWS: &[&str] = &[
    "wrong type on an edge",
    "missing argument",
    "extra argument",
    "a `()` task wired as data",
    "unknown task",
    "unknown value",
    "use before definition",
    "output that is not `Data`",
    "value that is not `Send + Sync`",
    "future that is not `Send`",
    "non-`Result` return",
    "sensor not returning `Poke`",
    "`self`",
    "generics",
    "`impl Trait` parameters",
    "borrowed parameters",
    "pattern parameters",
    "unknown option",
    "option on the wrong kind",
    "repeated option",
    "`poke` with `backoff`",
    "bad duration",
    "bad cron",
    "bad time zone",
    "bad date",
    "bad mode",
    "bad integer",
    "`poke >= timeout`",
    "backoff whose start exceeds its max",
    "`end` before `start`",
    "bad template syntax",
    "unknown template variable",
    "unknown template filter",
    "callback of the wrong signature",
    "pool that is no pool",
    "forgotten branch arm",
    "unknown branch arm",
    "enum that is not `Branch`",
    "`.each` on what is not a list",
    "`Outcome<T>` fed by the wrong `T`",
    "pipeline with two parameters",
    "`async` pipeline",
    "unwired task",
    "unregistered pipeline",
    "all mistakes of one item",
];

#[test]
fn every_row_has_a_case() {
    let heads: Vec<String> = goldens()
        .iter()
        .map(|(case, _)| fs::read_to_string(case).expect("case").lines().next().unwrap_or_default().to_owned())
        .collect();
    for row in ROWS {
        assert!(heads.contains(&format!("//! Row: {row}")), "no case for: {row}");
    }
}

/// Each case begins with a line that names its mistake.
#[test]
fn cases_say_what_they_are() {
    for (case, _) in goldens() {
        let text = fs::read_to_string(PathBuf::from(&case)).expect("case");
        assert!(text.starts_with("//! Row: ") || text.starts_with("//! Also: "), "{case}");
    }
}
