//! The gzip file alone.

use flate2::read::MultiGzDecoder;
use pipeline_examples::event_archive::archive::{Archive, Rows, Source};
use std::io::Read;

fn with(archive: Archive, key: &str, version: &str, contents: &str) -> Archive {
    let source = Source { key: key.into(), version: version.into(), modified: "2021-09-01T07:00:00Z".parse().unwrap() };
    let mut appending = archive.append(source, None).unwrap();
    for part in contents.as_bytes().chunks(3) {
        appending.write(part).unwrap();
    }
    appending.finish().unwrap()
}

fn empty() -> Archive {
    Archive::new("07.csv", Rows::AsTheyAre).unwrap()
}

fn again(archive: Archive) -> Archive {
    Archive::read(archive.into_file().unwrap().0, "07.csv", Rows::AsTheyAre).unwrap()
}

fn text(archive: Archive) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(archive.into_file().unwrap().0).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn an_archive_tells_what_it_holds_after_it_was_read_again() {
    let archive = with(with(empty(), "a/ü.csv", "1", "first\n"), "b.csv", "\"2\"", "second\n");
    let archive = again(archive);
    assert!(archive.holds("a/ü.csv", "1") && archive.holds("b.csv", "\"2\""));
    assert!(!archive.holds("a/ü.csv", "2") && !archive.holds("c.csv", "1"));
    assert_eq!(archive.files(), 2);
    assert_eq!(text(archive), "first\nsecond\n");
}

#[test]
fn a_version_is_replaced_and_the_others_stay_byte_for_byte() {
    let archive = ["a", "b", "c", "d"].iter().fold(empty(), |archive, key| with(archive, key, "1", &format!("{key}\n")));
    let archive = with(archive, "b", "2", "b, corrected\n");
    let archive = with(again(archive), "c", "2", "");
    let archive = with(archive, "a", "2", "A\n");
    assert_eq!(archive.files(), 4);
    assert_eq!(text(archive), "d\nb, corrected\nA\n");
}
