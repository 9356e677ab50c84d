//! Consecutive intervals, with files that arrive on time, late, again, or with names that cannot be parsed.

use super::figures::figure;
use super::support::{Buckets, INTERVALS, changed, event, unzipped};
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use pipeline_runtime::{RunState, Simulation};
use std::fs;
use std::io::Write;

#[test]
fn three_intervals_in_a_row_archive_each_row_once() {
    let buckets = Buckets::new();
    buckets.seed(1);
    let report = buckets.run(INTERVALS[0]);
    let customers = "customer_new_customer_event";
    assert_eq!(event(&report, 0), (customers.into(), vec![(format!("target/{customers}/2021-09-01/07.csv.gz"), 3, 0)]));
    assert_eq!(buckets.archived(), buckets.expected());
    let mut done = vec![changed(&report)];

    // A new event, and a file that is half an hour late.
    buckets.seed(2);
    done.push(changed(&buckets.run(INTERVALS[1])));
    assert_eq!(buckets.archived(), buckets.expected());

    // Files that are hours late.
    buckets.seed(3);
    done.push(changed(&buckets.run(INTERVALS[2])));
    assert_eq!(buckets.archived(), buckets.expected());
    let list = |of: fn(&(usize, usize)) -> usize| done.iter().map(|done| of(done).to_string()).collect::<Vec<_>>().join(" + ");
    figure!(format!("{} files into {} archives, each row once", list(|done| done.0), list(|done| done.1)));
}

#[test]
fn a_new_event_is_found_by_the_next_interval() {
    let buckets = Buckets::new();
    let events = [1, 2].map(|interval| {
        buckets.seed(interval);
        buckets.run(INTERVALS[usize::from(interval) - 1]).output::<Vec<String>>("list_events").unwrap().len()
    });
    figure!(format!("{} events, then {}", events[0], events[1]));
}

#[test]
fn only_archives_that_change_are_fetched_and_written() {
    let buckets = Buckets::new();
    for hour in 0..6 {
        buckets.write(&format!("source/e/2021-09-01/{hour:02}_00_a.csv"), "id\na\n");
    }
    buckets.run(INTERVALS[0]);
    let before = buckets.archives();
    // Files older than an hour before the next interval's start are not listed again; this one is newer.
    buckets.age("2021-09-01T06:10:00Z");
    buckets.write("source/e/2021-09-01/03_30_late.csv", "id\nb\n");
    let report = buckets.run(INTERVALS[1]);
    let looked_at: Vec<String> = event(&report, 0).1.into_iter().map(|(archive, ..)| archive).collect();
    assert_eq!(looked_at, ["target/e/2021-09-01/03.csv.gz"]);
    let written = buckets.archives().iter().filter(|archive| !before.contains(archive)).count();
    figure!(format!("{} archives, {written} of them fetched and written", before.len()));
}

#[test]
fn after_a_stop_the_next_interval_takes_what_the_missed_ones_left() {
    let buckets = Buckets::new();
    buckets.seed(1);
    buckets.run(INTERVALS[0]);
    buckets.seed(2);
    buckets.seed(3);
    buckets.run(INTERVALS[2]);
    let archived = buckets.archived();
    assert_eq!(archived, buckets.expected());
    let files = archived.values().flatten().filter(|row| row.contains("-1,")).count();
    figure!(format!("1 of 3 intervals missed: {files} files in {} archives", archived.len()));
}

/// A store whose clock is slow, or a multipart upload: the file appears after the run that its time belongs to.
#[test]
fn a_file_that_shows_later_than_its_time_says_is_archived_and_none_twice() {
    let buckets = Buckets::new();
    buckets.write("source/e/2021-09-01/07_00_a.csv", "a\n");
    buckets.age("2021-09-01T07:05:00Z");
    buckets.run(INTERVALS[0]);
    buckets.write("source/e/2021-09-01/07_00_b.csv", "b\n");
    // Before the end of the interval that has run.
    let written: DateTime<Utc> = "2021-09-01T07:10:00Z".parse().unwrap();
    let late = fs::File::options().append(true).open(buckets.path("source-bucket/source/e/2021-09-01/07_00_b.csv")).unwrap();
    late.set_modified(written.into()).unwrap();
    assert_eq!(changed(&buckets.run(INTERVALS[1])), (1, 1));
    assert_eq!(buckets.archived(), buckets.expected());
}

#[test]
fn an_interval_that_is_run_again_writes_nothing() {
    let buckets = Buckets::new();
    buckets.seed(1);
    buckets.run(INTERVALS[0]);
    let before = buckets.archives();
    let report = buckets.run(INTERVALS[0]);
    assert_eq!(event(&report, 0).1[0].2, 3, "known");
    assert_eq!(buckets.archives(), before);
    let (files, archives) = changed(&report);
    figure!(format!("{files} files into {archives} archives"));
}

#[test]
fn a_file_that_is_written_again_takes_the_place_of_its_former_version() {
    let buckets = Buckets::new();
    let files = ["source/e/2021-09-01/07_00_a.csv", "source/e/2021-09-01/07_10_b.csv", "source/e/2021-09-01/07_20_c.csv"];
    for file in files {
        buckets.write(file, &format!("row\nof {file}\n"));
    }
    buckets.run(INTERVALS[0]);
    buckets.write(files[0], "row\ncorrected, and longer than it was before\n");
    buckets.run(INTERVALS[1]);
    assert_eq!(buckets.archived(), buckets.expected());
    buckets.write(files[1], "row\nshort\n");
    buckets.run(INTERVALS[2]);
    assert_eq!(buckets.archived(), buckets.expected());
}

#[test]
fn what_somebody_else_has_put_into_an_archive_stays_in_it() {
    let buckets = Buckets::new();
    let archive = buckets.path("target-bucket/target/e/2021-09-01/07.csv.gz");
    fs::create_dir_all(archive.parent().unwrap()).unwrap();
    let mut encoder = GzEncoder::new(fs::File::create(&archive).unwrap(), Compression::fast());
    encoder.write_all(b"id\ntheirs\n").unwrap();
    encoder.finish().unwrap();
    buckets.write("source/e/2021-09-01/07_00_a.csv", "id\nours\n");
    buckets.run(INTERVALS[0]);
    buckets.run(INTERVALS[1]);
    assert_eq!(unzipped(&archive), "id\ntheirs\nours\n");
}

#[test]
fn a_damaged_archive_is_an_error_at_once_and_is_left_as_it_is() {
    let buckets = Buckets::new();
    buckets.write("source/e/2021-09-01/07_00_a.csv", "ours\n");
    buckets.run(INTERVALS[0]);
    let archive = buckets.path("target-bucket/target/e/2021-09-01/07.csv.gz");
    let whole = fs::read(&archive).unwrap();
    let cut = &whole[..whole.len() - 3];
    fs::write(&archive, cut).unwrap();
    buckets.write("source/e/2021-09-01/07_30_b.csv", "more\n");
    let report = buckets.try_run(INTERVALS[1]);
    assert_eq!(report.state(), RunState::Failed);
    assert_eq!(report.node("archive_hour[0][0]").attempts(), 1);
    let error = report.node("archive_hour[0][0]").error().unwrap();
    assert!(error.starts_with("target-bucket/target/e/2021-09-01/07.csv.gz cannot be added to: the member at byte "), "{error}");
    assert_eq!(fs::read(&archive).unwrap(), cut);
    assert!(
        report
            .output::<String>("report")
            .unwrap()
            .contains("1 event(s): 0 file(s) into 0 archive(s); `archive_hour[0][0]` failed")
    );
}

#[test]
fn one_event_that_fails_holds_no_other_up() {
    let in_memory = serde_json::json!({ "source": "memory://source-bucket", "target": "memory://target-bucket" });
    let report = Simulation::new(pipeline_examples::event_archive::pipeline::event_archive())
        .params(in_memory)
        .logical_date(INTERVALS[0])
        .arrive("0s", "memory://source-bucket/source/a/2021-09-01/07_00_1.csv", "1\n")
        .arrive("0s", "memory://source-bucket/source/b/2021-09-01/07_00_2.csv", "2\n")
        .fail("archive_hour[0][0]", 1, "503")
        .fail("archive_hour[0][0]", 2, "503")
        .fail("archive_hour[0][0]", 3, "503")
        .fail("archive_hour[0][0]", 4, "503")
        .run();
    assert_eq!(report.state(), RunState::Failed);
    // 10 + 20 + 40 s of backoff.
    assert_eq!(report.node("archive_hour[0][0]").finished().unwrap().as_secs(), 70);
    assert_eq!(event(&report, 1).1, [("target/b/2021-09-01/07.csv.gz".to_owned(), 1, 0)]);
    let news = report.output::<String>("report").unwrap();
    assert_eq!(news, "2 event(s): 1 file(s) into 1 archive(s); `archive_hour[0][0]` failed: 503");
}
