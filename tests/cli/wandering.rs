//! A body that changes the process's folder does not affect the journal's path or other relative paths given before.

use crate::command::{PARAMS, command, transcript};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

/// Runs `wandering`, whose body goes to another folder. Once it is there, calls `meanwhile` with the original folder. Returns the
/// output.
fn wander(to: &Path, meanwhile: impl FnOnce(&Path)) -> String {
    let go = to.join("go");
    let params = [format!("to={}", to.display()), format!("go={}", go.display())];
    let args = ["run", "wandering", "--metrics", "m.json", "--param", &params[0], "--param", &params[1]];
    let mut run = command(PARAMS, &args);
    let folder = run.get_current_dir().expect("it has a folder of its own").to_owned();
    std::fs::write(folder.join("key-of-the-start"), "s3cr3t-of-the-start").expect("the folder is ours");
    let mut run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was built");
    let mut said = BufReader::new(run.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    assert!(said.any(|line| line.contains("wander  success")), "it did not come to that");
    meanwhile(&folder);
    std::fs::write(go, "").expect("the folder is ours");
    let said = said.collect::<Vec<_>>().join("\n");
    let output = run.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{said}{}", transcript(&output));
    assert_eq!(std::fs::read_dir(to).expect("it is there").count(), 1, "nothing of it is in the other folder");
    let shown = command(PARAMS, &["runs"]).current_dir(&folder).output().expect("it was built");
    assert!(transcript(&shown).contains("success"), "{}", transcript(&shown));
    assert!(folder.join("m.json").exists(), "{said}");
    format!("{said}{}", transcript(&output))
}

#[test]
fn what_was_named_where_the_process_was_started_stays_what_it_was() {
    let to = tempfile::tempdir().expect("there is room");
    wander(to.path(), |folder| {
        // The process that carries out a command checks the journal's file just before.
        let asked = ["prune", "--older-than", "1000d"];
        let asked = command(PARAMS, &asked).current_dir(folder).output().expect("it was built");
        assert!(asked.status.success(), "{}", transcript(&asked));
    });
}

#[test]
fn metrics_replace_no_file_that_has_come_to_be_one_of_the_journal() {
    let to = tempfile::tempdir().expect("there is room");
    let said = wander(to.path(), |folder| {
        std::fs::hard_link(folder.join(".pipeline/journal.db.lock"), folder.join("m.json")).expect("the folder is ours");
    });
    assert!(said.contains("the metrics could not be written to m.json: it belongs to the journal"), "{said}");
}
