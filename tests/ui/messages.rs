//! One mistake is one message, also in the JSON that an editor reads.
//!
//! cargo and trybuild print equal messages only once. An editor shows all of them.

use crate::goldens::goldens;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Runs [`crate::failing_cases`] with a wrapper of rustc that stores the messages, and returns them by case. It runs in a process
/// of its own, because trybuild passes its environment on to cargo. Cases without stored messages are left out.
pub(crate) fn stored(folder: &Path) -> Vec<(String, Vec<String>)> {
    let compiled = Command::new(env::current_exe().expect("this test"))
        .args(["failing_cases", "--exact", "--ignored", "--nocapture"])
        // `trybuild=wiring` selects some of the cases.
        .args(env::args().filter(|argument| argument.starts_with("trybuild=")))
        .env("RUSTC_WORKSPACE_WRAPPER", env!("CARGO_BIN_EXE_ui-rustc"))
        .env("UI_MESSAGES", folder)
        .status()
        .expect("the failing cases");
    assert!(compiled.success(), "see above; `TRYBUILD=overwrite` writes the messages as they are now");
    let cases = goldens().into_iter().filter_map(|(case, _)| {
        let text = fs::read_to_string(folder.join(file(&case))).ok()?;
        Some((case, first_lines(&text)))
    });
    cases.collect()
}

/// The file of a case's messages, named as in `ui/rustc.rs`: `wiring.wrong_type.json` for `ui/wiring/fail/wrong_type.rs`.
fn file(case: &str) -> String {
    let path = PathBuf::from(case);
    let topic = path.iter().nth(1).and_then(|topic| topic.to_str()).unwrap_or_default();
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    format!("{topic}.{name}.json")
}

/// The first lines of a case's errors and warnings.
fn first_lines(text: &str) -> Vec<String> {
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    // rustc ends with a count of its errors, which has no place.
    let with_a_place = messages.filter(|message| message["spans"].as_array().is_some_and(|spans| !spans.is_empty()));
    with_a_place.filter_map(|message| first_line(&message)).collect()
}

/// The first line of a message, `error[E0277]: ..`. The rendered message is not used, because it has a terminal's colors.
fn first_line(message: &Value) -> Option<String> {
    // The name of a closure contains its place. In a golden that is relative to the package's folder.
    let text = message["message"].as_str()?.lines().next()?.replace(env!("CARGO_MANIFEST_DIR"), "$DIR");
    let code = message["code"]["code"].as_str().filter(|code| code.starts_with('E'));
    Some(match (message["level"].as_str()?, code) {
        (level @ ("error" | "warning"), Some(code)) => format!("{level}[{code}]: {text}"),
        (level @ ("error" | "warning"), None) => format!("{level}: {text}"),
        _ => return None,
    })
}
