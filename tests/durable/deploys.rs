//! Deployments over unfinished runs of each kind: runs that the new code can resume continue, the others are blocked with their
//! reason, and neither delays the other.

use crate::folder::{Folder, RunningProcess, transcript};
use expect_test::expect;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

const DEPLOYED: &str = env!("CARGO_BIN_EXE_durable-deployed");

/// The runs of `shop` that the old code left. A scheduled run and the backfill's first have counted and wait for the approval; a
/// triggered run and the backfill's second wait for their turn.
const STARTED: [&str; 2] = ["scheduled__2024-03-01T00:00:00Z", "backfill__2024-03-10T00:00:00Z"];
const QUEUED: [&str; 2] = ["manual__2024-03-05T00:00:00Z", "backfill__2024-03-11T00:00:00Z"];

struct Shop(Folder);

impl Shop {
    fn command(&self, code: &str, args: &[&str]) -> Command {
        let mut command = Command::new(DEPLOYED);
        command.args(args).current_dir(self.0.path()).env("CODE", code).env("USER", "ada");
        command
            .env_remove("PIPELINE_LOG")
            .env_remove("PIPELINE_JOURNAL")
            .env("PIPELINE_DASHBOARD", "off")
            .stdin(std::process::Stdio::null());
        command
    }

    fn transcript(&self, code: &str, args: &[&str]) -> String {
        transcript(&self.command(code, args).output().unwrap())
    }

    /// The folder that the old code leaves when it is killed.
    fn unfinished() -> Self {
        let shop = Self(Folder::new());
        let mut run = shop.command("", &["run", "neighbour", "--logical-date", "2024-03-01", "--log", "info"]);
        RunningProcess::spawn(&mut run, &["approval  up_for_reschedule"]).kill();
        let mut serve = shop.command("", &["serve", "--log", "info"]);
        let serve = RunningProcess::spawn(&mut serve, &["serving shop"]);
        let waits = shop.transcript("", &["trigger", "shop", "--logical-date", "2024-03-05"]);
        assert!(waits.contains("waits for its turn"), "{waits}");
        let backfill = ["backfill", "shop", "--from", "2024-03-10", "--to", "2024-03-11", "--max-active-runs", "1"];
        assert!(shop.transcript("", &backfill).contains("2 intervals of shop are run"));
        for run in STARTED {
            shop.shown_once(&["show", run], |shown| {
                let has_ended = |node: &str| shown.lines().any(|line| line.starts_with(node) && line.contains("success"));
                ["count", "names", "upload[0]", "upload[1]", "long"].into_iter().all(has_ended)
            });
        }
        serve.kill();
        shop
    }

    fn shown_once(&self, args: &[&str], says: impl Fn(&str) -> bool) {
        self.shown_by("", args, says);
    }

    /// The output of that code, once it satisfies the condition.
    fn shown_by(&self, code: &str, args: &[&str], says: impl Fn(&str) -> bool) -> String {
        let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
        loop {
            let shown = self.transcript(code, args);
            if says(&shown) {
                return shown;
            }
            assert!(std::time::Instant::now() < deadline, "{shown}");
        }
    }

    /// Returns a copy of the folder in its current state.
    fn copy(&self) -> Self {
        let copy = Folder::new();
        copy_all(self.0.path(), copy.path());
        Self(copy)
    }

    /// The states of the runs.
    fn states(&self) -> BTreeMap<String, String> {
        let listed = self.command("", &["runs", "--json", "--limit", "100"]).output().unwrap().stdout;
        let read = |line: &str| {
            let run: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| run[name].as_str().unwrap().to_owned();
            assert_eq!(run["blocked"].is_string(), run["state"] == "blocked", "{line}");
            (format!("{}/{}", text("pipeline"), text("run_id")), text("state"))
        };
        String::from_utf8(listed).unwrap().lines().map(read).collect()
    }

    fn states_of(&self, runs: [&str; 2]) -> Vec<String> {
        let states = self.states();
        let mut states: Vec<String> = runs.map(|run| states[&format!("shop/{run}")].clone()).to_vec();
        states.dedup();
        states
    }

    /// How often each run of `shop` has counted.
    fn counted(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for line in fs::read_to_string(self.0.path().join("effects")).unwrap().lines() {
            if let Some(run) = line.strip_prefix("count ") {
                *counted.entry(run.to_owned()).or_default() += 1;
            }
        }
        counted
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &to);
        } else {
            assert!(fs::copy(entry.path(), to).is_ok());
        }
    }
}

#[test]
fn a_deployment_goes_on_with_what_it_can_and_blocks_the_rest_with_its_reason() {
    let left = Shop::unfinished();
    // The change, its effect on runs that have started and on queued ones, and the reason.
    let changes = [
        ("renamed task", "blocked", "success", "`count` is not in it any more"),
        ("removed task", "blocked", "success", "`count` is not in it any more"),
        ("removed pipeline", "blocked", "blocked", "of pipeline `shop`, which this binary does not have"),
        ("id", "blocked", "blocked", "of pipeline `shop`, which this binary does not have"),
        ("type", "blocked", "success", "`count` returned `u64` and now returns `String`"),
        ("params", "blocked", "blocked", "no param `customer` in pipeline `shop`"),
        ("failing function", "blocked", "blocked", "the list of shops is missing"),
        (
            "mapping",
            "blocked",
            "success",
            "`upload` took `each(upload).element` (all_success) and now takes `check` (all_success)",
        ),
        ("branch arm", "blocked", "success", "`way` returned `Way` and now returns `Ways`"),
        ("notifier", "success", "success", ""),
        ("schedule", "success", "success", ""),
        ("pool", "success", "success", ""),
    ];
    for (change, begun, queued, reason) in changes {
        let shop = left.copy();
        shop.0.put("approved");
        let resumed = shop.transcript(change, &["resume"]);
        let (states, of_begun) = (shop.states(), shop.states_of(STARTED));
        assert_eq!((of_begun, shop.states_of(QUEUED)), (vec![begun.to_owned()], vec![queued.to_owned()]), "{change}: {resumed}");
        assert_eq!(states["neighbour/manual__2024-03-01T00:00:00Z"], "success", "{change}: {resumed}");
        if begun == "success" {
            assert!(resumed.contains("[exit 0]"), "{change}: {resumed}");
            continue;
        }
        assert!(resumed.contains("[exit 1]"), "{change}: {resumed}");
        for run in STARTED {
            // The process prints it once; commands about the run show it for as long as it is blocked.
            assert_eq!(resumed.matches(&format!("run {run} of shop stays as it is")).count(), 1, "{change}: {resumed}");
            let shown = shop.transcript(change, &["show", run]);
            assert!(shown.contains(": blocked, data interval") && shown.contains(reason), "{change}: {shown}");
            assert!(shown.contains("[exit 0]"), "{change}: {shown}");
        }
        let listed = shop.transcript(change, &["runs", "--state", "blocked"]);
        let blocked = 2 + 2 * usize::from(queued == "blocked");
        assert_eq!(listed.matches("blocked: run ").count(), blocked, "{change}: {listed}");
        // Code that cannot resume the run can cancel it. Otherwise the code that started it finishes it: nothing runs again.
        let cancelled = shop.transcript(change, &["cancel", &format!("shop/{}", STARTED[0])]);
        assert!(cancelled.contains("[exit 0]"), "{change}: {cancelled}");
        let resumed = shop.transcript("", &["resume"]);
        let states = shop.states();
        assert_eq!(states[&format!("shop/{}", STARTED[0])], "cancelled", "{change}: {resumed}");
        assert_eq!(states[&format!("shop/{}", STARTED[1])], "success", "{change}: {resumed}");
        assert_eq!(shop.states_of(QUEUED), ["success"], "{change}: {resumed}");
        assert!(shop.counted().values().all(|times| *times == 1), "{change}: {:?}", shop.counted());
    }
}

#[test]
fn a_process_that_serves_tells_of_what_is_blocked_and_serves_the_rest() {
    let shop = Shop::unfinished();
    shop.0.put("approved");
    let mut serve = shop.command("params", &["serve", "--log", "info"]);
    let serve = RunningProcess::spawn(&mut serve, &["of neighbour: success"]);
    // Whether a queued run is blocked is found out when it is about to start.
    shop.shown_once(&["runs", "--state", "blocked"], |listed| listed.matches("blocked: run ").count() == 4);
    let cancelled = shop.transcript("params", &["cancel", &format!("shop/{}", QUEUED[0])]);
    assert!(cancelled.contains("is cancelled"), "{cancelled}");
    serve.kill();
    // It never started, so it took no time.
    let listed = shop.command("", &["runs", "--state", "cancelled", "--json"]).output().unwrap().stdout;
    let cancelled: serde_json::Value = serde_json::from_slice(&listed).unwrap();
    assert_eq!((&cancelled["run_id"], &cancelled["started"]), (&QUEUED[0].into(), &cancelled["finished"]));
    // The callers of commands are recorded.
    expect![[r#"
        when                  who  command                                                              answer
        _  ada  cancel shop/manual__2024-03-05T00:00:00Z                             run manual__2024-03-05T00:00:00Z of shop is cancelled
        _  ada  backfill shop --from 2024-03-10 --to 2024-03-11 --max-active-runs 1  2 intervals of shop are run
        _  ada  trigger shop --logical-date 2024-03-05                               run manual__2024-03-05T00:00:00Z of shop waits for its turn: 1 run is active, which is the pipeline's `max_active_runs`
        [exit 0]
    "#]]
    .assert_eq(&shop.transcript("", &["acts"]));
}

#[test]
fn what_is_gone_is_dropped_from_a_run_if_somebody_accepts_that() {
    let left = Shop::unfinished();
    // Dropping a node gives another input to one that has succeeded, so a user has to accept it.
    let shop = left.copy();
    shop.0.put("approved");
    assert!(shop.transcript("removed task", &["resume"]).contains("`resume --accept-removed`"));
    let resumed = shop.transcript("removed task", &["resume", "--accept-removed"]);
    assert!(resumed.contains("[exit 0]"), "{resumed}");
    assert_eq!((shop.states_of(STARTED), shop.states_of(QUEUED)), (vec!["success".to_owned()], vec!["success".to_owned()]));
    let shown = shop.transcript("removed task", &["show", STARTED[0]]);
    assert!(shown.contains("removed by `resume --accept-removed`: count, way, short, long\n"), "{shown}");
    // A mapping that has expanded cannot be dropped, and the message does not advise to try.
    let shop = left.copy();
    shop.0.put("approved");
    let resumed = shop.transcript("no mapping", &["resume"]);
    assert!(resumed.contains("`upload` is not in it any more") && !resumed.contains("--accept-removed"), "{resumed}");
    let resumed = shop.transcript("no mapping", &["resume", "--accept-removed"]);
    assert!(resumed.contains("a removed mapping has already expanded into its elements"), "{resumed}");
    // A changed type cannot be accepted.
    let shop = left.copy();
    shop.0.put("approved");
    let resumed = shop.transcript("type", &["resume", "--accept-removed"]);
    assert!(resumed.contains("[exit 1]") && resumed.contains("`count` returned `u64`"), "{resumed}");
    assert_eq!(shop.states_of(STARTED), ["blocked"]);
}

#[test]
fn what_is_still_to_be_told_of_a_run_that_has_ended_is_given_up_by_cancel() {
    let shop = Shop(Folder::new());
    shop.0.put("approved");
    shop.0.put("quiet");
    let mut run = shop.command("notifier", &["run", "shop", "--logical-date", "2024-03-01", "--log", "info"]);
    let begun = RunningProcess::spawn(&mut run, &["publish  success", "could not notify"]);
    // Events are printed before they are durable.
    shop.shown_once(&["runs"], |listed| listed.contains("success"));
    begun.kill();
    let name = "shop/manual__2024-03-01T00:00:00Z";
    for code in ["removed task", "removed pipeline"] {
        let shop = shop.copy();
        let resumed = shop.transcript(code, &["resume"]);
        assert!(resumed.contains("[exit 2]"), "{resumed}");
        let listed = shop.transcript(code, &["runs"]);
        assert!(listed.contains("success") && !listed.contains("blocked"), "a run that has ended is not blocked: {listed}");
        let cancelled = shop.transcript(code, &["cancel", name]);
        assert!(cancelled.contains("the pending notifications of run") && cancelled.contains("[exit 0]"), "{code}: {cancelled}");
        assert!(shop.transcript(code, &["resume"]).contains("nothing to resume"), "{code}");
        assert!(shop.transcript(code, &["cancel", name]).contains("it has ended"), "{code}");
    }
    // The code that has the notifier delivers the notification.
    fs::remove_file(shop.0.path().join("data-bucket/quiet")).unwrap();
    assert!(shop.transcript("notifier", &["resume"]).contains("[exit 0]"));
    assert!(fs::read_to_string(shop.0.path().join("effects")).unwrap().contains("paged of manual__2024-03-01T00:00:00Z"));
}

#[test]
fn a_run_is_shown_as_it_was_whatever_the_code_has_become() {
    let shop = Shop(Folder::new());
    let run = "manual__2024-03-01T00:00:00Z";
    let mut begun = shop.command("", &["run", "shop", "--logical-date", "2024-03-01", "--log", "info"]);
    let begun = RunningProcess::spawn(&mut begun, &["approval  up_for_reschedule"]);
    shop.shown_once(&["show", run], |shown| shown.contains("up_for_reschedule"));
    for change in ["removed task", "removed pipeline", "params", "failing function"] {
        // Another process runs it with the complete code, and may be poking at this moment.
        let shown = shop.shown_by(change, &["show", run], |shown| shown.contains("approval: next poke "));
        assert!(shown.contains("note: shown with the plan stored in the journal: "), "{change}: {shown}");
        assert!(shown.contains("publish: waits for `approval`"), "{change}: {shown}");
    }
    shop.0.put("approved");
    begun.wait_for_end();
    let of_code = shop.transcript("", &["show", run]);
    assert!(of_code.contains("publish success") && !of_code.contains("note:"), "{of_code}");
    for change in
        ["renamed task", "removed task", "removed pipeline", "id", "type", "params", "failing function", "mapping", "branch arm"]
    {
        let shown = shop.transcript(change, &["show", run]);
        let (note, rest): (Vec<&str>, Vec<&str>) = shown.lines().partition(|line| line.starts_with("note: "));
        assert_eq!(note.len(), 1, "{change}: {shown}");
        assert_eq!(rest.join("\n"), of_code.trim_end(), "{change}");
        for args in [&["logs", run, "count"][..], &["logs", run, "count", "--follow"], &["logs", run, "count", "--json"]] {
            let logged = shop.transcript(change, args);
            assert!(logged.contains("counting for ada") && logged.contains("[exit 0]"), "{change}: {logged}");
        }
        assert!(
            shop.transcript(change, &["logs", run, "upload[1]"]).contains("`upload[1]` has logged nothing; it succeeded"),
            "{change}"
        );
    }
}

#[test]
fn a_run_that_has_ended_is_shown_without_what_its_pipeline_has_gained_since() {
    let shop = Shop(Folder::new());
    shop.0.put("approved");
    let run = "manual__2024-03-01T00:00:00Z";
    assert!(shop.transcript("", &["run", "shop", "--logical-date", "2024-03-01"]).contains("[exit 0]"));
    assert_eq!(shop.transcript("added", &["show", run]), shop.transcript("", &["show", run]));
}
