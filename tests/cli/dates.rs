//! Dates as people write them: a date alone is a day in the pipeline's zone, for all commands.
//!
//! `sales` runs at six in Berlin, whose clock goes forward on March 31.

use crate::command::{PIPELINES, call, command, transcript};
use expect_test::expect;
use std::process::Command;

/// A folder with a journal that has a run of March 25.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        let mut command = command(PIPELINES, &[]);
        let folder = Self(command.get_current_dir().expect("each call has one").to_owned());
        let first = transcript(
            &command.args(["run", "sales", "--logical-date", "2024-03-25", "--log", "off"]).output().expect("it was built"),
        );
        assert!(
            first
                .contains("\nrun manual__2024-03-25T05:00:00Z of sales: data interval 2024-03-25T05:00:00Z/2024-03-26T05:00:00Z"),
            "{first}"
        );
        assert!(!first.contains("another run"), "{first}");
        folder
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(PIPELINES, args);
        command.current_dir(&self.0);
        command
    }

    fn call(&self, args: &[&str]) -> String {
        transcript(&self.command(args).output().expect("it was built"))
    }

    /// The first line of the output that begins with this text.
    fn line(&self, args: &[&str], beginning: &str) -> String {
        let said = self.call(args);
        said.lines().find(|line| line.starts_with(beginning)).unwrap_or_else(|| panic!("{said}")).to_owned()
    }
}

#[test]
fn a_backfill_has_what_starts_on_its_days_both_of_them_and_those_between() {
    expect![[r#"
        2024-03-30T05:00:00Z/2024-03-31T04:00:00Z  would run
        2024-03-31T04:00:00Z/2024-04-01T04:00:00Z  would run
        2024-04-01T04:00:00Z/2024-04-02T04:00:00Z  would run
        [exit 0]
    "#]]
    .assert_eq(&call(&["backfill", "sales", "--from", "2024-03-30", "--to", "2024-04-01", "--dry-run"]));
    expect![[r#"
        2024-03-30T05:00:00Z/2024-03-31T04:00:00Z  would run
        [exit 0]
    "#]]
    .assert_eq(&call(&["backfill", "sales", "--from", "2024-03-30T06:00", "--to", "2024-03-31T05:59", "--dry-run"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --to: 2024-03-29 is before 2024-03-30, where it begins
    "#]]
    .assert_eq(&call(&["backfill", "sales", "--from", "2024-03-30", "--to", "2024-03-29", "--dry-run"]));
}

#[test]
fn another_run_of_a_date_says_so_and_where_the_earlier_one_is() {
    let folder = Folder::new();
    let said = "this date already has a run: run ";
    assert_eq!(
        folder.line(&["run", "sales", "--logical-date", "2024-03-25", "--log", "off"], said),
        format!("{said}manual__2024-03-25T05:00:00Z is success, and `show sales/manual__2024-03-25T05:00:00Z` shows it")
    );
    // The newest run of the date, also for `trigger`, which runs it itself as no process serves.
    assert_eq!(
        folder.line(&["trigger", "sales", "--logical-date", "2024-03-25"], said),
        format!("{said}manual__2024-03-25T05:00:00Z__2 is success, and `show sales/manual__2024-03-25T05:00:00Z__2` shows it")
    );
    assert!(
        folder
            .call(&["show", "sales/manual__2024-03-25T05:00:00Z__3"])
            .starts_with("run manual__2024-03-25T05:00:00Z__3 of sales: success")
    );
    // A date without a run, and output for programs.
    let next = folder.call(&["run", "sales", "--logical-date", "2024-03-26", "--log", "off"]);
    assert!(next.contains("[exit 0]") && !next.contains(said), "{next}");
    assert!(!folder.call(&["run", "sales", "--logical-date", "2024-03-25", "--json"]).contains(said));
}

#[test]
fn runs_since_a_date_that_does_not_exist_says_why() {
    let folder = Folder::new();
    let refused = |since| folder.call(&["runs", "sales", "--since", since]);
    assert!(
        refused("2024-03-31T02:30").contains("error: --since: `2024-03-31T02:30` does not exist in Europe/Berlin"),
        "{}",
        refused("2024-03-31T02:30")
    );
    assert!(refused("2024-02-30").contains("error: --since: `2024-02-30` does not exist: the calendar has no such day"));
    // Dates for pipelines of several zones are in UTC, whose clock skips nothing.
    let all = folder.call(&["runs", "--since", "2024-03-31T02:30"]);
    assert!(all.contains("manual__2024-03-25T05:00:00Z") && all.contains("[exit 0]"), "{all}");
}
