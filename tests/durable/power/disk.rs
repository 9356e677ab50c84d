//! The contents of a disk after a power failure.
//!
//! Of the writes to a file since its last sync anything may be left: none, all, the first N, or any sectors of any of them. Of
//! the changes to a folder's names since its last sync, the first N are left. What was synced is there.

use super::log::Op;
use crate::kills::Random;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The files of a folder by their paths; a folder within it has no content.
pub(super) type Files = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// An unsynced change of a file.
#[derive(Debug, Clone, Copy)]
enum Change<'a> {
    Write { at: usize, data: &'a [u8] },
    Length(usize),
}

impl Change<'_> {
    fn make(self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, data } => {
                content.resize(content.len().max(at + data.len()), 0);
                content[at..at + data.len()].copy_from_slice(data);
            }
            Self::Length(length) => content.resize(length, 0),
        }
    }
}

/// A file or a folder, independent of its name.
#[derive(Debug, Default)]
struct Thing<'a> {
    is_folder: bool,
    synced: Vec<u8>,
    later: Vec<Change<'a>>,
}

impl Thing<'_> {
    fn now(&self) -> Vec<u8> {
        let mut content = self.synced.clone();
        self.later.iter().for_each(|change| change.make(&mut content));
        content
    }
}

/// An unsynced change of a folder's names.
#[derive(Debug, Clone)]
enum Naming {
    Give { name: PathBuf, thing: usize },
    Take { name: PathBuf },
    Change { from: PathBuf, to: PathBuf },
}

impl Naming {
    fn folder(&self) -> &Path {
        let (Self::Give { name, .. } | Self::Take { name } | Self::Change { to: name, .. }) = self;
        name.parent().unwrap()
    }

    fn make(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Give { name, thing } => drop(names.insert(name.clone(), *thing)),
            Self::Take { name } => drop(names.remove(name)),
            Self::Change { from, to } => {
                if let Some(thing) = names.remove(from) {
                    names.insert(to.clone(), thing);
                }
            }
        }
    }
}

/// A folder's files, and which part of them is synced.
pub(super) struct Disk<'a> {
    root: PathBuf,
    things: Vec<Thing<'a>>,
    inodes: BTreeMap<u64, usize>,
    synced: BTreeMap<PathBuf, usize>,
    names: BTreeMap<PathBuf, usize>,
    later: Vec<Naming>,
    /// Files whose names end like this ignore their syncs: the disk lies, or the program forgets to sync.
    forgets: Option<&'static str>,
}

/// The file that processes share as memory is not on the disk.
fn is_shared(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-shm")
}

impl<'a> Disk<'a> {
    /// A disk with these files, all synced.
    pub(super) fn new(root: &Path, files: &Files, forgets: Option<&'static str>) -> Self {
        let thing = |content: &Option<Vec<u8>>| Thing {
            is_folder: content.is_none(),
            synced: content.clone().unwrap_or_default(),
            later: Vec::new(),
        };
        let names: BTreeMap<_, _> = files.keys().enumerate().map(|(thing, path)| (root.join(path), thing)).collect();
        Self {
            root: root.to_owned(),
            things: files.values().map(thing).collect(),
            inodes: BTreeMap::new(),
            synced: names.clone(),
            names,
            later: Vec::new(),
            forgets,
        }
    }

    fn name(&mut self, naming: Naming) {
        naming.make(&mut self.names);
        self.later.push(naming);
    }

    /// Returns the file or folder at this path, and creates it if there is none.
    fn at(&mut self, path: &Path, is_folder: bool) -> usize {
        if let Some(thing) = self.names.get(path) {
            return *thing;
        }
        self.things.push(Thing { is_folder, ..Thing::default() });
        let thing = self.things.len() - 1;
        // The root folder always exists.
        if path == self.root {
            self.names.insert(path.to_owned(), thing);
        } else {
            self.name(Naming::Give { name: path.to_owned(), thing });
        }
        thing
    }

    pub(super) fn apply(&mut self, ops: &[Op<'a>]) {
        for op in ops {
            self.apply_one(*op);
        }
    }

    fn apply_one(&mut self, op: Op<'a>) {
        match op {
            Op::Open { inode, path, is_folder } => {
                let thing = self.at(path, is_folder);
                self.inodes.insert(inode, thing);
            }
            Op::MakeFolder { path } => drop(self.at(path, true)),
            Op::Write { inode, at, data } => self.things[self.inodes[&inode]].later.push(Change::Write { at, data }),
            Op::Length { inode, length } => self.things[self.inodes[&inode]].later.push(Change::Length(length)),
            Op::Rename { from, to } => {
                assert_eq!(from.parent(), to.parent(), "only renames within one folder are ordered");
                self.name(Naming::Change { from: from.to_owned(), to: to.to_owned() });
            }
            Op::Remove { path } => self.name(Naming::Take { name: path.to_owned() }),
            Op::Sync { inode } => self.sync(self.inodes[&inode]),
            Op::Share { inode } => {
                let thing = self.inodes[&inode];
                let is_it = |(path, of): (&PathBuf, &usize)| *of == thing && !is_shared(path);
                assert!(!self.names.iter().any(is_it), "what is written to this file is not recorded");
            }
            Op::Note { .. } => {}
        }
    }

    fn sync(&mut self, thing: usize) {
        let path = self.names.iter().find(|(_, of)| **of == thing).map(|(path, _)| path.clone());
        if let (Some(forgets), Some(path)) = (self.forgets, &path)
            && path.to_string_lossy().ends_with(forgets)
        {
            return;
        }
        let of = &mut self.things[thing];
        of.later.drain(..).for_each(|change| change.make(&mut of.synced));
        if of.is_folder {
            let is_in = |naming: &Naming| Some(naming.folder()) == path.as_deref();
            let (inside, elsewhere): (Vec<_>, Vec<_>) = self.later.drain(..).partition(is_in);
            self.later = elsewhere;
            for naming in inside {
                naming.make(&mut self.synced);
            }
        }
    }

    /// The files as the processes see them, without shared memory.
    pub(super) fn now(&self) -> Files {
        self.files(&self.names, Thing::now)
    }

    fn files(&self, names: &BTreeMap<PathBuf, usize>, mut content: impl FnMut(&Thing<'a>) -> Vec<u8>) -> Files {
        let of_all = names.iter().filter(|(path, _)| **path != self.root && !is_shared(path));
        // An entry of a missing folder is missing as well.
        let is_there =
            |path: &Path| path.ancestors().skip(1).take_while(|of| **of != *self.root).all(|of| names.contains_key(of));
        let there = of_all.filter(|(path, _)| is_there(path));
        let relative = |path: &Path| path.strip_prefix(&self.root).unwrap().to_owned();
        there
            .map(|(path, thing)| {
                let thing = &self.things[*thing];
                (relative(path), (!thing.is_folder).then(|| content(thing)))
            })
            .collect()
    }

    /// Returns the files that are left, and how they were chosen.
    pub(super) fn cut(&self, random: &mut Random) -> (Files, String) {
        let mut how = String::new();
        let mut later: BTreeMap<&Path, Vec<&Naming>> = BTreeMap::new();
        for naming in &self.later {
            later.entry(naming.folder()).or_default().push(naming);
        }
        let mut names = self.synced.clone();
        for (folder, namings) in later {
            let first = some_of(random, namings.len());
            let _ = write!(how, "\n  {}: {first} of {} changes of names", folder.display(), namings.len());
            namings[..first].iter().for_each(|naming| naming.make(&mut names));
        }
        let files = self.files(&names, |thing| {
            let (content, left) = content_after_cut(thing, random);
            if !thing.later.is_empty() {
                let _ = write!(how, "\n  {} bytes, {} changes: {left}", thing.synced.len(), thing.later.len());
            }
            content
        });
        (files, how)
    }
}

/// None, all, or a number in between.
fn some_of(random: &mut Random, all: usize) -> usize {
    match random.below(4) {
        0 => 0,
        1 => all,
        _ => usize::try_from(random.below(all as u64 + 1)).unwrap(),
    }
}

fn content_after_cut(thing: &Thing<'_>, random: &mut Random) -> (Vec<u8>, String) {
    let mut content = thing.synced.clone();
    if random.below(2) == 0 {
        let first = some_of(random, thing.later.len());
        thing.later[..first].iter().for_each(|change| change.make(&mut content));
        return (content, format!("the first {first}"));
    }
    let sector = [512, 4096][usize::try_from(random.below(2)).unwrap()];
    for change in &thing.later {
        match change {
            Change::Write { at, data } => {
                let mut from = 0;
                while from < data.len() {
                    // Sectors are aligned to the disk, not to the start of the write.
                    let to = data.len().min((at + from) / sector * sector + sector - at);
                    if random.below(2) == 0 {
                        Change::Write { at: at + from, data: &data[from..to] }.make(&mut content);
                    }
                    from = to;
                }
            }
            Change::Length(_) if random.below(2) == 0 => change.make(&mut content),
            Change::Length(_) => {}
        }
    }
    // The file's length may be on the disk without the contents.
    let is_longer = random.below(2) == 0;
    if is_longer {
        content.resize(content.len().max(thing.now().len()), 0);
    }
    (content, format!("torn at {sector}{}", if is_longer { ", with its length" } else { "" }))
}

mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// All possible results of these operations, as text; a folder is `/`.
    fn left_of(ops: &[Op<'_>], forgets: Option<&'static str>) -> BTreeSet<Vec<(String, String)>> {
        let mut disk = Disk::new(Path::new("/root"), &Files::new(), forgets);
        disk.apply(ops);
        let mut random = Random(7);
        let text = |content: Option<Vec<u8>>| content.map_or("/".to_owned(), |content| String::from_utf8(content).unwrap());
        let mut cut = || disk.cut(&mut random).0.into_iter().map(|(path, of)| (path.display().to_string(), text(of))).collect();
        (0..200).map(|_| cut()).collect()
    }

    fn all_of<const N: usize>(left: [&[(&str, &str)]; N]) -> BTreeSet<Vec<(String, String)>> {
        let owned = |(path, content): &(&str, &str)| ((*path).to_owned(), (*content).to_owned());
        left.into_iter().map(|files| files.iter().map(owned).collect()).collect()
    }

    fn open(inode: u64, path: &str) -> Op<'_> {
        Op::Open { inode, path: Path::new(path), is_folder: path == "/root" }
    }

    fn write(at: usize, text: &str) -> Op<'_> {
        Op::Write { inode: 1, at, data: text.as_bytes() }
    }

    const FILE: Op<'_> = Op::Sync { inode: 1 };
    const FOLDER: Op<'_> = Op::Sync { inode: 2 };

    #[test]
    fn what_is_synced_is_there_and_what_is_not_may_be_gone() {
        let ops = [open(2, "/root"), open(1, "/root/a"), write(0, "one"), FILE, FOLDER, write(3, "two")];
        assert_eq!(left_of(&ops[..5], None), all_of([&[("a", "one")]]));
        let with_length = "one\0\0\0";
        assert_eq!(left_of(&ops, None), all_of([&[("a", "one")], &[("a", "onetwo")], &[("a", with_length)]]));
    }

    #[test]
    fn a_name_is_there_once_its_folder_is_synced() {
        let ops = [open(2, "/root"), open(1, "/root/new"), write(0, "one"), FILE];
        let renamed = Op::Rename { from: Path::new("/root/new"), to: Path::new("/root/a") };
        assert_eq!(left_of(&ops, None), all_of([&[], &[("new", "one")]]));
        let ops = [&ops[..], &[FOLDER, renamed]].concat();
        assert_eq!(left_of(&ops, None), all_of([&[("new", "one")], &[("a", "one")]]));
        assert_eq!(left_of(&[&ops[..], &[FOLDER]].concat(), None), all_of([&[("a", "one")]]));
    }

    #[test]
    fn what_is_in_a_folder_is_there_once_the_folder_is() {
        let made = Op::MakeFolder { path: Path::new("/root/in") };
        let inner = Op::Open { inode: 3, path: Path::new("/root/in"), is_folder: true };
        let ops = [open(2, "/root"), made, inner, open(1, "/root/in/a"), write(0, "one"), FILE, Op::Sync { inode: 3 }];
        let whole: &[_] = &[("in", "/"), ("in/a", "one")];
        assert_eq!(left_of(&ops, None), all_of([&[], whole]));
        assert_eq!(left_of(&[&ops[..], &[FOLDER]].concat(), None), all_of([whole]));
    }

    #[test]
    fn a_write_is_torn_where_the_disk_has_its_sectors() {
        let (before, after) = ("a".repeat(1200), "b".repeat(1100));
        let ops = [open(2, "/root"), open(1, "/root/a"), write(0, &before), FILE, FOLDER, write(100, &after)];
        let torn = format!("{}{}{}", "a".repeat(512), "b".repeat(512), "a".repeat(176));
        assert!(left_of(&ops, None).contains(&vec![("a".to_owned(), torn)]));
    }

    #[test]
    fn a_disk_that_forgets_syncs_may_lose_what_was_synced() {
        let ops = [open(2, "/root"), open(1, "/root/a-wal"), FOLDER, write(0, "one"), FILE];
        assert_eq!(left_of(&ops, None), all_of([&[("a-wal", "one")]]));
        assert!(left_of(&ops, Some("-wal")).contains(&vec![("a-wal".to_owned(), String::new())]));
    }
}
