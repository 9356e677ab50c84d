//! Runs that are killed between fetching, appending and uploading, and then resumed.

use super::figures::figure;
use super::support::{Buckets, INTERVALS};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

fn start(buckets: &Buckets) -> Child {
    let options = buckets.options();
    let mut command = Command::new(env!("CARGO_BIN_EXE_event-archive"));
    command.arg("--journal").arg(buckets.path("journal.db")).args(["run", "--logical-date", INTERVALS[2]]);
    command.args(["--param", &format!("source={}", options.source), "--param", &format!("target={}", options.target)]);
    command.env("PIPELINE_LOG", "info").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Kills the process once its log has had `count` lines with `word`. Returns whether that happened.
fn kill_at(buckets: &Buckets, word: &str, count: usize) -> bool {
    let mut child = start(buckets);
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let reached = lines.map(Result::unwrap).filter(|line| line.contains(word)).nth(count - 1).is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    reached
}

#[test]
fn a_run_killed_between_its_steps_ends_with_the_archives_of_one_that_was_not() {
    let mut kills = 0;
    for (word, count) in [("fetched", 1), ("fetched", 3), ("appended", 1), ("appended", 4), ("uploaded", 1), ("uploaded", 3)] {
        let buckets = Buckets::new();
        (1..=2).for_each(|interval| buckets.seed(interval));
        buckets.run(INTERVALS[0]);
        buckets.seed(3);
        // A late file, so that the next run has an archive to fetch.
        buckets
            .write("source/customer_order_event/2021-09-01/07_33_file_50.csv", "id,event,at\nlate,customer_order_event,07_33\n");
        kills += usize::from(kill_at(&buckets, word, count));
        let mut child = start(&buckets);
        let mut log = String::new();
        child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(child.wait().unwrap().success(), "{word} {count}: {log}");
        assert_eq!(buckets.archived(), buckets.expected(), "{word} {count}: {log}");
    }
    figure!(format!("killed in {kills} places: each row once"));
}
