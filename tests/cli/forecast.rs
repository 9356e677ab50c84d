//! `forecast`: which runs a schedule would start, also while it is paused.

use crate::command::transcript;
use crate::recorded_runs::Folder;
use serde_json::Value;

fn forecast(folder: &Folder, args: &[&str]) -> Value {
    let all = [&["forecast", "sales", "--json", "--ticks", "2", "--takes", "1m"], args].concat();
    let output = folder.command(&all).output().expect("it was built");
    assert_eq!(output.status.code(), Some(0), "{}", transcript(&output));
    serde_json::from_slice(&output.stdout).expect("it is one object")
}

#[test]
fn what_a_paused_pipeline_would_run_if_it_were_unpaused_now() {
    let folder = Folder::new();
    for args in [&["run", "sales", "--logical-date", "2024-03-25"][..], &["pause", "sales"]] {
        assert_eq!(folder.command(args).output().expect("it was built").status.code(), Some(0));
    }
    let states = |forecast: &Value| -> Vec<String> {
        let rows = forecast["rows"].as_array().unwrap().iter();
        rows.map(|row| row["state"].as_str().unwrap().to_owned()).collect()
    };
    let paused = forecast(&folder, &[]);
    assert!(states(&paused).iter().all(|state| state == "none"), "{paused}");
    assert!(paused["notes"][0].as_str().unwrap().contains("`..now`"), "{paused}");
    let unpaused = forecast(&folder, &["--paused", "..now"]);
    assert!(states(&unpaused).iter().all(|state| state == "success"), "{unpaused}");
    assert_eq!(unpaused["notes"], serde_json::json!([]));
    // The last run ends after the last tick, as the others do after theirs.
    let last = unpaused["rows"].as_array().unwrap().last().unwrap();
    assert!(last["ends"].as_str().unwrap() > unpaused["until"].as_str().unwrap(), "{unpaused}");
}
