//! `airflow export` on the command line.

use super::supervisor::BINARY;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn export(folder: &Path, args: &[&str]) -> Output {
    Command::new(BINARY).args(["airflow", "export", "--without", "sla", "--to"]).arg(folder).args(args).output().unwrap()
}

#[test]
fn an_export_is_fresh_until_the_code_changes() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("new");
    let stale = export(&to, &["--check"]);
    assert_eq!(stale.status.code(), Some(1));
    let said = String::from_utf8(stale.stderr).unwrap();
    assert!(said.starts_with("stale: re-export: ") && said.contains("airflow-pipelines.py"), "{said}");
    assert_eq!(export(&to, &[]).status.code(), Some(0));
    assert_eq!(export(&to, &["--check"]).status.code(), Some(0));
    // The bundle is the program itself, and exports the same files.
    let bundle = to.join("airflow-pipelines");
    let again = folder.path().join("again");
    assert!(
        Command::new(&bundle)
            .args(["airflow", "export", "--without", "sla", "--to"])
            .arg(&again)
            .output()
            .unwrap()
            .status
            .success()
    );
    assert_eq!(fs::read(to.join("airflow-pipelines.py")).unwrap(), fs::read(again.join("airflow-pipelines.py")).unwrap());
    assert!(fs::read(&bundle).unwrap() == fs::read(again.join("airflow-pipelines")).unwrap(), "not the same bundle");
    // An export of only some pipelines differs.
    assert_eq!(export(&to, &["--check", "values"]).status.code(), Some(1));
    let unknown = export(&to, &["nobody"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("no pipeline has the id `nobody`"));
}
