//! The table of `docs/storage.md` has a row for each case that runs on other servers, and a column for each server with a script.
//! `.ci/s3` checks that each cell is true.

use std::collections::BTreeSet;
use std::process::Command;

const PAGE: &str = include_str!("../../docs/storage.md");
const STORES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.ci/stores");

macro_rules! names {
    ($($case:ident),+ $(,)?) => { const SUITE: &[&str] = &[$(stringify!($case)),+]; };
}
crate::cases::every!(names);

fn cells(line: &str) -> Vec<&str> {
    line.split('|').map(str::trim).collect()
}

#[test]
fn each_case_is_a_row_and_each_store_a_column() {
    let own =
        include_str!("elsewhere.rs").split("async fn ").skip(1).filter_map(|text| text.split_once("() -> Tested")?.0.into());
    let cases: BTreeSet<&str> = SUITE.iter().copied().chain(own).filter(|name| !name.contains(' ')).collect();
    let mut table = PAGE.lines().skip_while(|line| !line.starts_with("| | case |"));
    let head = cells(table.next().expect("the table"));
    let rows: Vec<Vec<&str>> = table.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect();
    let named: BTreeSet<&str> = rows.iter().map(|row| row[2].trim_matches('`')).collect();
    assert_eq!(named, cases);
    assert_eq!(rows.len(), cases.len(), "each once");
    for cell in rows.iter().flat_map(|row| &row[3..row.len() - 1]) {
        assert!(["yes", "refused", "no", "by chance"].contains(cell), "{cell}");
    }
    let columns: BTreeSet<String> = head[3..head.len() - 1].iter().map(|store| store.to_lowercase()).collect();
    let scripts = std::fs::read_dir(STORES).expect("the scripts").map(|entry| entry.expect("a script").path());
    let scripts =
        scripts.filter(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with("signed"))).map(|path| {
            let version = Command::new(&path).arg("version").env("STORES", "/nowhere").output().expect("it runs").stdout;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            format!("{name} {}", String::from_utf8_lossy(&version).trim())
        });
    assert_eq!(columns, scripts.collect());
}
