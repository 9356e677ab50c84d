//! `event_archive demo`: three intervals in a row, and the contents of the archives afterwards.

use pipeline_examples::event_archive::demo;
use std::process::ExitCode;

#[test]
fn the_demo_archives_each_row_once_and_shows_them() {
    let mut out = Vec::new();
    assert_eq!(demo::Command {}.run(&mut out).unwrap(), ExitCode::SUCCESS);
    let said = String::from_utf8(out).unwrap();
    let (runs, archives) = said.split_once("\nContents of the archives:\n").unwrap();
    for start in ["07:00", "07:30", "08:00"] {
        assert!(runs.contains(&format!("\nFrom {start} on arrive:\n")), "{said}");
    }
    assert_eq!(runs.matches("(+").count(), 3 + 4 + 8, "archives that were looked at: {said}");
    let mut rows: Vec<&str> = archives.lines().filter(|line| line.contains("_file_") && line.contains(',')).collect();
    let count = rows.len();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!((count, rows.len()), (30, 30), "two rows of each of 15 files: {said}");
    assert_eq!(archives.matches("id,event,at\n").count(), archives.matches(".csv.gz\n").count(), "a header row in each: {said}");
}
