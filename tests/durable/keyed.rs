//! Keyed elements seen from outside: over a crash, a rebuilt list, a deployment that adds or removes `.keyed`, and by every
//! command that names a node.

use crate::folder::{Folder, RUN, RunningProcess, transcript};
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

struct Loads(Folder);

impl Loads {
    fn command(&self, code: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_durable-deployed"));
        command
            .args(args)
            .current_dir(self.0.path())
            .env("CODE", code)
            .env_remove("PIPELINE_LOG")
            .env_remove("PIPELINE_JOURNAL")
            .env("PIPELINE_DASHBOARD", "off");
        command.stdin(Stdio::null());
        command
    }

    fn transcript(&self, code: &str, args: &[&str]) -> String {
        transcript(&self.command(code, args).output().unwrap())
    }

    fn feeds(&self, feeds: &str) {
        fs::write(self.0.path().join("data-bucket/feeds"), feeds).unwrap();
    }

    /// The loaded elements, each with its key.
    fn loaded(&self) -> Vec<String> {
        let effects = fs::read_to_string(self.0.path().join("effects")).unwrap();
        let mut loaded: Vec<String> = effects.lines().filter(|line| line.contains(" as ")).map(str::to_owned).collect();
        loaded.sort();
        loaded
    }

    /// A run that has loaded these feeds and was killed while it waited for the approval.
    fn killed(code: &str, feeds: &str) -> Self {
        let loads = Self(Folder::new());
        loads.feeds(feeds);
        let mut run = loads.command(code, &["run", "loads", "--logical-date", "2024-03-25", "--log", "info"]);
        let begun = RunningProcess::spawn(&mut run, &["approval  up_for_reschedule"]);
        let deadline = Instant::now() + Duration::from_mins(1);
        // Events are printed a moment before they are durable.
        loop {
            let shown = loads.transcript(code, &["show", RUN]);
            let ended = shown.lines().filter(|line| line.starts_with("load[") && line.contains("success"));
            if ended.count() == feeds.lines().count()
                && shown.lines().any(|line| line.starts_with("count") && line.contains("success"))
            {
                break;
            }
            assert!(Instant::now() < deadline, "{shown}");
        }
        begun.kill();
        loads
    }
}

/// By index, `new` would not be loaded, and another element twice.
#[test]
fn after_a_crash_and_a_retry_every_element_was_loaded_once_under_its_own_key() {
    let loads = Loads::killed("", "ber\nzrh\nlon");
    loads.0.put("approved");
    let resumed = loads.transcript("", &["resume"]);
    assert!(resumed.contains("success"), "{resumed}");
    assert_eq!(loads.loaded(), ["ber as load[ber]", "lon as load[lon]", "zrh as load[zrh]"]);

    loads.feeds("new\nber\nzrh");
    let retried = loads.transcript("", &["retry", RUN, "feeds"]);
    assert!(retried.contains("load[new]") && !retried.contains("load[ber]  running"), "{retried}");
    assert_eq!(loads.loaded(), ["ber as load[ber]", "lon as load[lon]", "new as load[new]", "zrh as load[zrh]"]);

    let shown = loads.transcript("", &["show", RUN]);
    let line = |node: &str| shown.lines().find(|line| line.starts_with(node)).unwrap_or_else(|| panic!("{node}: {shown}"));
    assert!(line("load[lon]").contains("removed") && line("load[new]").contains("success"), "{shown}");
    let logs = loads.transcript("", &["logs", RUN, "load[new]"]);
    assert!(logs.contains("new is loaded") && logs.lines().filter(|line| line.contains("is loaded")).count() == 1, "{logs}");
    let again = loads.transcript("", &["retry", RUN, "load[ber]"]);
    assert!(again.contains("load[ber]"), "{again}");
    assert_eq!(loads.loaded().iter().filter(|line| *line == "ber as load[ber]").count(), 2);
    let gone = loads.transcript("", &["retry", RUN, "load[lon]"]);
    assert!(gone.contains("`load[lon]` is removed"), "{gone}");
    let none = loads.transcript("", &["retry", RUN, "load[0]"]);
    assert!(none.contains("no node `load[0]`"), "{none}");
}

#[test]
fn a_run_goes_on_whose_mapping_has_keys_since_or_has_them_no_longer() {
    for (before, after, element) in [("by index", "", "load[1]"), ("", "by index", "load[zrh]")] {
        let loads = Loads::killed(before, "ber\nzrh");
        loads.0.put("approved");
        let resumed = loads.transcript(after, &["resume"]);
        assert!(resumed.contains("success"), "{resumed}");
        assert_eq!(loads.loaded().len(), 2, "what was loaded is not loaded again");
        let shown = loads.transcript(after, &["show", RUN]);
        assert!(shown.lines().any(|line| line.starts_with(element)), "it goes by what it went by: {shown}");

        // The elements of a rebuilt list cannot be matched with the old ones, so the retry is refused: no element is lost or
        // loaded twice.
        loads.feeds("new\nber");
        let retried = loads.transcript(after, &["retry", RUN, "feeds"]);
        assert!(retried.contains("which elements of the rebuilt list they are cannot be told"), "{retried}");
        assert_eq!(loads.loaded().len(), 2);
        let retried = loads.transcript(before, &["retry", RUN, "each(load)"]);
        assert!(retried.contains("success"), "{retried}");
    }
}
