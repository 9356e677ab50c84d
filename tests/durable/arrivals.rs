//! Sensors on `file://` across a restart: an arrival that no process watched counts as a change; a restart alone does not.

use crate::folder::{Folder, RUN, RunningProcess};

impl Folder {
    /// How often each of the sensors was poked.
    fn pokes(&self) -> [usize; 2] {
        let effects = crate::kills::effects(self.path());
        ["one", "any"].map(|node| effects.iter().filter(|line| line.starts_with(&format!("{node} "))).count())
    }

    /// Starts or resumes the run, until the waits of both sensors are durable.
    fn waits(&self, args: &[&str]) -> RunningProcess {
        let run = RunningProcess::spawn(&mut self.command(args), &["run manual__"]);
        let kept = || String::from_utf8(self.call(&["show", RUN]).stdout).unwrap();
        while !["one", "any"].iter().all(|node| kept().contains(&format!("{node}: next poke"))) {}
        run
    }
}

#[test]
fn what_arrived_while_no_process_had_the_run_is_seen_at_once() {
    let folder = Folder::new();
    folder.waits(&["run", "patient", "--logical-date", "2024-03-25"]).kill();
    assert_eq!(folder.pokes(), [1, 1]);
    folder.put("one.json");
    // The bucket's folder did not have this folder at the last poke.
    std::fs::create_dir(folder.path().join("data-bucket/any")).unwrap();
    folder.put("any/b.csv");
    assert_eq!(folder.call(&["resume"]).status.code(), Some(0));
    assert_eq!(folder.pokes(), [2, 2]);
    let effects = crate::kills::effects(folder.path());
    assert_eq!(effects.last().unwrap(), "one.json after 2 pokes, any/b.csv after 2 pokes", "what it remembered is there");
}

#[test]
fn a_restart_pokes_nobody_and_watches_on() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("data-bucket/any")).unwrap();
    folder.waits(&["run", "patient", "--logical-date", "2024-03-25"]).kill();
    for _ in 0..2 {
        folder.waits(&["resume"]).kill();
    }
    assert_eq!(folder.pokes(), [1, 1], "nothing has changed");
    folder.put("one.json");
    let run = RunningProcess::spawn(&mut folder.command(&["resume"]), &["one  success"]);
    assert_eq!(folder.pokes(), [2, 1]);
    // The file arrives in a process that has never poked this sensor.
    folder.put("any/b.csv");
    assert_eq!(run.finish().0, Some(0));
    assert_eq!(folder.pokes(), [2, 2]);
}
