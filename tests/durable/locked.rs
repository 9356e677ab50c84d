//! Locks across kills: the next process knows which run holds a lock before it starts anything.

use crate::folder::{Folder, RunningProcess};
use crate::kills::effects;

#[test]
fn the_run_that_held_a_lock_holds_it_after_a_kill_and_then_it_is_the_others() {
    let folder = Folder::new();
    folder.put("hang");
    let mut serve = folder.command(&["serve"]);
    let mut serve = RunningProcess::spawn(&mut serve, &["serving locked"]);
    folder.transcript(&["trigger", "locked_too", "--logical-date", "2024-03-25"]);
    serve.wait_for_line("it hangs");
    for date in ["2024-03-25", "2024-03-26"] {
        folder.transcript(&["trigger", "locked", "--logical-date", date]);
    }
    let shown = folder.transcript(&["show", "locked/manual__2024-03-26T00:00:00Z"]);
    assert!(shown.contains("g.enter"), "{shown}");
    serve.kill();
    let traces =
        || -> Vec<String> { effects(folder.path()).iter().map(|line| line.rsplit_once('/').unwrap().0.to_owned()).collect() };
    assert_eq!(traces().len(), 1, "nobody else has entered: {:?}", traces());

    std::fs::remove_file(folder.path().join("data-bucket/hang")).unwrap();
    assert!(folder.transcript(&["resume"]).contains("[exit 0]"));
    let traces = traces();
    let runs: Vec<&str> = traces.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    let entered: Vec<&str> = traces.iter().map(|line| line.split_once(' ').unwrap().0).collect();
    assert_eq!(entered, ["g.enter", "g.leave", "g.enter", "g.leave", "g.enter", "g.leave"], "{traces:?}");
    assert!(runs.chunks(2).all(|pair| pair[0] == pair[1]), "{traces:?}");
    assert!(runs[0].starts_with("locked_too/"), "{traces:?}");
}
