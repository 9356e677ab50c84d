//! The gzip file by itself.

use flate2::read::MultiGzDecoder;
use pipeline_examples::event_archive::archive::{Archive, Piece, Rows, Source};
use std::io::{Read, Seek, SeekFrom, Write};

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

/// The archive's bytes; some may be reused from the former archive.
fn bytes(archive: Archive, former: &[u8]) -> Vec<u8> {
    let (pieces, mut new) = archive.into_pieces().unwrap();
    let mut all = Vec::new();
    new.seek(SeekFrom::Start(0)).unwrap();
    new.read_to_end(&mut all).unwrap();
    let piece = |piece: &Piece| {
        let range = usize::try_from(piece.range().start).unwrap()..usize::try_from(piece.range().end).unwrap();
        if matches!(piece, Piece::Existing(_)) { former[range].to_vec() } else { all[range].to_vec() }
    };
    pieces.iter().flat_map(piece).collect()
}

/// Reads an archive by its index alone; `None` if it has no valid one.
fn indexed(bytes: &[u8]) -> Option<Archive> {
    let begins = Archive::index_begins(bytes, bytes.len() as u64)?;
    Archive::indexed(&bytes[usize::try_from(begins).unwrap()..], begins, "07.csv", Rows::AsTheyAre).unwrap()
}

fn scanned(bytes: &[u8]) -> Archive {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Archive::read(file, "07.csv", Rows::AsTheyAre).unwrap()
}

fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn an_archive_tells_what_it_holds_after_it_was_read_again() {
    let written = bytes(with(with(empty(), "a/ü.csv", "1", "first\n"), "b.csv", "\"2\"", "second\n"), &[]);
    assert_eq!(text(&written), "first\nsecond\n");
    for archive in [indexed(&written).unwrap(), scanned(&written)] {
        assert!(archive.holds("a/ü.csv", "1") && archive.holds("b.csv", "\"2\""));
        assert!(!archive.holds("a/ü.csv", "2") && !archive.holds("c.csv", "1"));
        assert_eq!(archive.files(), 2);
        assert_eq!(bytes(archive, &written), written, "nothing is added by reading it");
    }
}

#[test]
fn a_version_is_replaced_and_the_others_stay_byte_for_byte() {
    let archive = ["a", "b", "c", "d"].iter().fold(empty(), |archive, key| with(archive, key, "1", &format!("{key}\n")));
    let first = bytes(with(archive, "b", "2", "b, corrected\n"), &[]);
    let second = bytes(with(indexed(&first).unwrap(), "c", "2", ""), &first);
    let third = bytes(with(indexed(&second).unwrap(), "a", "2", "A\n"), &second);
    assert_eq!(indexed(&third).unwrap().files(), 4);
    assert_eq!(text(&third), "d\nb, corrected\nA\n");
}

/// Reused are the first bytes of the former archive, all but its index.
#[test]
fn what_is_added_follows_on_all_that_was_there() {
    let first = bytes(with(empty(), "a", "1", "a\n"), &[]);
    let begins = Archive::index_begins(&first, first.len() as u64).unwrap();
    let (pieces, _) = with(indexed(&first).unwrap(), "b", "1", "b\n").into_pieces().unwrap();
    assert_eq!((pieces.len(), &pieces[0]), (2, &Piece::Existing(0..begins)));
    assert!(matches!(&pieces[1], Piece::New(new) if new.start == 0));
}

/// An extra field has at most 64 KiB.
#[test]
fn an_index_may_be_larger_than_one_member_can_hold() {
    let mut archive = empty();
    let mut random = 1_u64;
    for number in 0..6000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        archive = with(archive, &format!("{number}"), &format!("{random:016x}{:016x}", random.rotate_left(17)), "");
    }
    let written = bytes(archive, &[]);
    let begins = Archive::index_begins(&written, written.len() as u64).unwrap();
    assert!(written.len() as u64 - begins > 1 << 16, "{}", written.len() as u64 - begins);
    assert_eq!((indexed(&written).unwrap().files(), text(&written).as_str()), (6000, ""));
    // The last member alone is enough to find the start of the whole index.
    assert_eq!(Archive::index_begins(&written[written.len() - 9000..], written.len() as u64), Some(begins));
}

/// Whatever another writer does, its bytes are found, and an index that is not of these bytes is not trusted.
#[test]
fn an_index_is_of_just_these_bytes() {
    let one = bytes(with(empty(), "a", "1", "a\n"), &[]);
    let two = bytes(with(with(empty(), "b", "1", "b\n"), "c", "1", "c\n"), &[]);
    let mut theirs = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    theirs.write_all(b"theirs\n").unwrap();
    let theirs = theirs.finish().unwrap();
    let mut flipped = two.clone();
    let place = usize::try_from(Archive::index_begins(&two, two.len() as u64).unwrap()).unwrap() + 40;
    flipped[place] ^= 1;
    for (what, changed, files, rows) in [
        ("one behind another", [&one[..], &two].concat(), 3, "a\nb\nc\n"),
        ("another writer's behind it", [&one[..], &theirs].concat(), 1, "a\ntheirs\n"),
        ("another writer's before it", [&theirs[..], &one].concat(), 1, "theirs\na\n"),
        ("only another writer's", theirs.clone(), 0, "theirs\n"),
        ("a bit of it is another", flipped, 2, "b\nc\n"),
    ] {
        assert!(indexed(&changed).is_none(), "{what}");
        let archive = scanned(&changed);
        assert_eq!(archive.files(), files, "{what}");
        let grown = bytes(with(archive, "d", "1", "d\n"), &changed);
        assert_eq!((text(&grown), indexed(&grown).unwrap().files()), (format!("{rows}d\n"), files + 1), "{what}");
    }
}
