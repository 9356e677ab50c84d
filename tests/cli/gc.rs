//! `gc`, with its exact output.

use crate::command::call;
use expect_test::expect;
use std::fs::File;
use std::time::{Duration, SystemTime};

#[test]
fn what_killed_processes_have_left_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("raw")).unwrap();
    let left = File::create(folder.path().join("raw/export.csv#1")).unwrap();
    left.set_modified(SystemTime::now() - Duration::from_hours(2)).unwrap();
    let url = format!("file://{}", folder.path().display());
    let said = |url: &str| call(&["gc", url]).replace(&*folder.path().display().to_string(), "FOLDER");
    expect![[r#"
        gc file://FOLDER: 1 unfinished file(s) removed

        [exit 0]
    "#]]
    .assert_eq(&said(&url));
    expect![[r#"
        gc file://FOLDER: 0 unfinished file(s) removed

        [exit 0]
    "#]]
    .assert_eq(&said(&url));
    expect![[r#"
        [exit 2]
        [stderr]
        error: could not remove leftovers from `file://FOLDER/none`: there is no such bucket; create the folder, or correct the URL
    "#]]
    .assert_eq(&said(&format!("{url}/none")));
}
