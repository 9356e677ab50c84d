//! One header row per archive, and files that have another one.

use super::support::{self, Buckets, INTERVALS, event, unzipped};
use flate2::Compression;
use flate2::GzBuilder;
use flate2::read::GzDecoder;
use pipeline_examples::event_archive::layout::Hour;
use pipeline_examples::event_archive::pipeline::OtherHeader;
use pipeline_runtime::RunState;
use std::fs;
use std::io::Write;

const HOUR: &str = "target-bucket/target/e/2021-09-01/07.csv.gz";

fn source(name: &str) -> String {
    format!("source/e/2021-09-01/{name}.csv")
}

/// The key of the archive of files with this header row.
fn apart(row: &str) -> String {
    support::apart(&Hour::of(&source("07_00_a")).unwrap().0, row)
}

impl Buckets {
    fn text(&self) -> String {
        unzipped(&self.path(HOUR))
    }

    fn text_apart(&self, row: &str) -> String {
        unzipped(&self.path("target-bucket").join(apart(row)))
    }
}

/// An archive as earlier versions of the example wrote it: each member has its source's name and its source's header row.
fn of_former_times(files: &[(&str, &str)]) -> Vec<u8> {
    let members = files.iter().map(|(name, contents)| {
        let held = format!("{}\n1", source(name));
        let extra = [b"EA", &u16::try_from(held.len()).unwrap().to_le_bytes()[..], held.as_bytes()].concat();
        let mut encoder = GzBuilder::new().extra(extra).filename(format!("{name}.csv")).write(Vec::new(), Compression::default());
        encoder.write_all(contents.as_bytes()).unwrap();
        encoder.finish().unwrap()
    });
    members.collect::<Vec<_>>().concat()
}

#[test]
fn an_archive_has_one_header_row_however_its_files_write_it() {
    let buckets = Buckets::new();
    buckets.write(&source("07_00_empty"), "");
    buckets.write(&source("07_01_first"), "id,\"two\nlines\"\n1,a\n");
    buckets.write(&source("07_02_windows"), "\u{feff}id,\"two\nlines\"\r\n2,b\r\n");
    buckets.write(&source("07_03_header_alone"), "id,\"two\nlines\"");
    buckets.write(&source("07_04_no_last_break"), "id,\"two\nlines\"\n3,c");
    buckets.run(INTERVALS[0]);
    assert_eq!(buckets.text(), "id,\"two\nlines\"\n1,a\n2,b\r\n3,c\n");
    // Later files, and rewritten ones, the first file included.
    buckets.write(&source("07_05_later"), "id,\"two\nlines\"\n4,d\n");
    buckets.write(&source("07_01_first"), "id,\"two\nlines\"\n5,e\n");
    let report = buckets.run(INTERVALS[1]);
    assert_eq!(event(&report, 0).1[0], ("target/e/2021-09-01/07.csv.gz".into(), 2, 4));
    assert_eq!(buckets.text(), "id,\"two\nlines\"\n2,b\r\n3,c\n5,e\n4,d\n");
    assert_eq!(buckets.archives().len(), 1);
}

#[test]
fn each_member_has_the_name_of_the_archive() {
    let buckets = Buckets::new();
    buckets.write(&source("07_00_a"), "id\n1\n");
    buckets.write(&source("07_01_b"), "id\n2\n");
    buckets.write(&source("07_02_other"), "other\n3\n");
    buckets.run(INTERVALS[0]);
    let names = |archive: &[u8]| {
        let (mut rest, mut names) = (archive, Vec::new());
        while !rest.is_empty() {
            let mut member = flate2::bufread::GzDecoder::new(rest);
            std::io::copy(&mut member, &mut std::io::sink()).unwrap();
            names.push(String::from_utf8(member.header().unwrap().filename().unwrap().to_owned()).unwrap());
            rest = member.into_inner();
        }
        names
    };
    // The header row, two files, the member that names the other archive, and the index.
    assert_eq!(names(&fs::read(buckets.path(HOUR)).unwrap()), ["07.csv"; 5]);
    let name = apart("other").rsplit('/').next().unwrap().replace(".gz", "");
    assert_eq!(names(&fs::read(buckets.path("target-bucket").join(apart("other"))).unwrap()), [name.as_str(); 3]);
}

#[test]
fn files_with_another_header_row_go_to_an_archive_of_its_own() {
    let buckets = Buckets::new();
    buckets.write(&source("07_00_a"), "id\n1\n");
    buckets.write(&source("07_01_wide"), "id,total\n2,20\n");
    buckets.write(&source("07_02_b"), "id\n3\n");
    let report = buckets.run(INTERVALS[0]);
    assert_eq!(event(&report, 0).1, [("target/e/2021-09-01/07.csv.gz".into(), 3, 0)]);
    assert_eq!((buckets.text().as_str(), buckets.text_apart("id,total").as_str()), ("id\n1\n3\n", "id,total\n2,20\n"));

    let before = buckets.archives();
    let report = buckets.run(INTERVALS[0]);
    assert_eq!(event(&report, 0).1[0].2, 3, "all are known");
    assert_eq!(buckets.archives(), before, "and nothing is written");

    // Files change their header rows, in both directions.
    buckets.write(&source("07_01_wide"), "id\n2\n");
    buckets.write(&source("07_02_b"), "id,total\n3,30\n");
    buckets.run(INTERVALS[1]);
    assert_eq!((buckets.text().as_str(), buckets.text_apart("id,total").as_str()), ("id\n1\n2\n", "id,total\n3,30\n"));
}

#[test]
fn a_file_that_is_in_two_archives_since_a_run_was_cut_off_stays_in_the_one_of_its_version() {
    let buckets = Buckets::new();
    buckets.write(&source("07_00_a"), "id\n1\n");
    buckets.write(&source("07_01_b"), "id,total\n2,20\n");
    buckets.run(INTERVALS[0]);
    let apart = buckets.path("target-bucket").join(apart("id,total"));
    let former = fs::read(&apart).unwrap();
    buckets.write(&source("07_01_b"), "id\n2\n");
    buckets.run(INTERVALS[1]);
    // As if the run was cut off after the hour's archive was written, and before the other one.
    fs::write(&apart, former).unwrap();
    buckets.run(INTERVALS[1]);
    assert_eq!((buckets.text().as_str(), buckets.text_apart("id,total").as_str()), ("id\n1\n2\n", "id,total\n"));
}

#[test]
fn another_header_row_fails_the_hour_where_that_is_wanted() {
    let buckets = Buckets::new();
    buckets.write(&source("07_00_a"), "id\n1\n");
    buckets.write(&source("07_01_wide"), "id,total\n2,20\n");
    let report = buckets.try_run_with(INTERVALS[0], OtherHeader::Fail);
    assert_eq!(report.state(), RunState::Failed);
    let node = report.node("archive_hour[0][0]");
    assert_eq!(node.attempts(), 1);
    assert_eq!(
        node.error().unwrap(),
        "the header row of source/e/2021-09-01/07_01_wide.csv is `id,total`, and that of target/e/2021-09-01/07.csv.gz is `id`; \
         nothing was archived. `--param header=apart` puts such a file into an archive of its own"
    );
    assert!(buckets.archives().is_empty());
}

#[test]
fn files_without_a_header_row_are_kept_as_they_are_where_that_is_wanted() {
    let buckets = Buckets::new();
    buckets.write(&source("07_00_a"), "1,a\n");
    buckets.write(&source("07_01_b"), "1,a\n2,b");
    buckets.write(&source("07_02_c"), "\"never closed\n");
    let report = buckets.try_run_with(INTERVALS[0], OtherHeader::Keep);
    assert_eq!(report.state(), RunState::Success);
    assert_eq!(buckets.text(), "1,a\n1,a\n2,b\"never closed\n");
}

#[test]
fn a_file_that_is_read_in_many_pieces_is_archived_whole() {
    let buckets = Buckets::new();
    let rows: String = (0..300_000).fold(String::new(), |rows, n| rows + &format!("{n},row {n}\n"));
    buckets.write(&source("07_00_a"), &format!("id,text\n{rows}"));
    buckets.write(&source("07_01_b"), "id,text\n-1,last\n");
    let report = buckets.try_run_with(INTERVALS[0], OtherHeader::Fail);
    assert_eq!(report.state(), RunState::Success);
    assert!(buckets.text() == format!("id,text\n{rows}-1,last\n"), "rows are missing, or there are others");
}

#[test]
fn a_file_without_a_row_in_a_mebibyte_fails_with_what_to_do() {
    let buckets = Buckets::new();
    buckets.write(&source("07_00_a"), &format!("\"{}", "never closed\n".repeat(90_000)));
    let report = buckets.try_run_with(INTERVALS[0], OtherHeader::Apart);
    assert_eq!(
        report.node("archive_hour[0][0]").error().unwrap(),
        "source/e/2021-09-01/07_00_a.csv cannot be archived: there is no header row in its first 1 MiB; \
         `--param header=keep` archives files as they are"
    );
}

#[test]
fn an_archive_of_former_times_is_added_to_and_keeps_what_it_has() {
    let buckets = Buckets::new();
    let files = [("07_00_a", "id\n1\n"), ("07_01_b", "id\n2\n")];
    let former = of_former_times(&files);
    let archive = buckets.path(HOUR);
    fs::create_dir_all(archive.parent().unwrap()).unwrap();
    fs::write(&archive, &former).unwrap();
    buckets.write(&source("07_02_c"), "id\n3\n");
    buckets.run(INTERVALS[0]);
    assert!(fs::read(&archive).unwrap().starts_with(&former), "byte for byte");
    assert_eq!(buckets.text(), "id\n1\nid\n2\n3\n");
    // The header row stays when the file that it came with is replaced.
    buckets.write(&source("07_00_a"), "id\n1, corrected\n");
    buckets.run(INTERVALS[1]);
    assert_eq!(buckets.text(), "id\nid\n2\n3\n1, corrected\n");
    buckets.write(&source("07_01_b"), "id\n2, corrected\n");
    buckets.run(INTERVALS[2]);
    assert_eq!(buckets.text(), "id\n3\n1, corrected\n2, corrected\n");
    // A tool that reads only the first member gets this.
    let mut first = String::new();
    std::io::Read::read_to_string(&mut GzDecoder::new(&fs::read(&archive).unwrap()[..]), &mut first).unwrap();
    assert_eq!(first, "id\n");
}

#[test]
fn the_header_row_is_the_first_member_though_an_empty_file_came_first() {
    let buckets = Buckets::new();
    buckets.write(&source("07_00_empty"), "");
    buckets.run(INTERVALS[0]);
    buckets.write(&source("07_01_a"), "id\n1\n");
    buckets.run(INTERVALS[1]);
    let mut first = String::new();
    std::io::Read::read_to_string(&mut GzDecoder::new(&fs::read(buckets.path(HOUR)).unwrap()[..]), &mut first).unwrap();
    assert_eq!(first, "id\n");
    // The members behind it have moved, and are still found.
    buckets.write(&source("07_00_empty"), "id\n2\n");
    buckets.run(INTERVALS[2]);
    assert_eq!(buckets.text(), "id\n1\n2\n");
}
