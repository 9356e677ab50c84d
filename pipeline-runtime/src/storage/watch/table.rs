//! Which sensors wait for what, and in which watched folders.

use super::super::key;
use super::super::staged::is_staged;
use super::super::store::KeyFilter;
use super::super::walk::walk_folder;
use crate::engine::Wake;
use notify::{RecursiveMode, Watcher};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most folders in which one listing is watched; files in further ones are left to the next tick.
const MAX_FOLDERS: usize = 1024;

/// Identifies a [`Wait`].
pub(super) type Id = u64;

pub(super) struct Table {
    watcher: Box<dyn Watcher + Send>,
    /// The watched folders, keyed by their paths without links.
    folders: HashMap<Arc<Path>, Folder>,
    waits: HashMap<Id, Box<Wait>>,
    last: Id,
}

/// One read of a poke.
struct Wait {
    wake: Wake,
    root: Arc<Path>,
    /// The key; for a listing, the folder that all its keys share.
    path: Box<str>,
    /// `Some` for a listing.
    filter: Option<Box<KeyFilter>>,
    at: Position,
}

/// Where a sensor waits.
enum Position {
    /// In the folder that the first `n` segments of the path lead to, for the next segment.
    Name(Arc<Path>, usize),
    /// In these folders, for any wanted key.
    Folders(Vec<Arc<Path>>),
}

/// A watched folder.
struct Folder {
    identity: Identity,
    /// Waits for one name in the folder.
    names: HashMap<Box<str>, Ids>,
    /// Listings that wait for any wanted key in the folder, with the prefixes of the keys in it: several if links lead to it.
    listings: HashMap<Id, Vec<Box<str>>>,
}

/// Usually there is only one.
enum Ids {
    One(Id),
    Many(BTreeSet<Id>),
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("folders", &self.folders.len()).field("waits", &self.waits.len()).finish_non_exhaustive()
    }
}

impl Table {
    pub(super) fn new(watcher: Box<dyn Watcher + Send>) -> Self {
        Self { watcher, folders: HashMap::new(), waits: HashMap::new(), last: 0 }
    }

    /// Waits for a key of the bucket whose folder is `root`.
    pub(super) fn await_key(&mut self, root: &Arc<Path>, key: &str, wake: Wake) -> notify::Result<Id> {
        self.add(Wait { wake, root: Arc::clone(root), path: key.into(), filter: None, at: Position::Folders(Vec::new()) })
    }

    /// Waits for all wanted keys. The folders that may contain them have to be [added](Self::add_folder).
    pub(super) fn await_keys(&mut self, root: &Arc<Path>, filter: &KeyFilter, wake: Wake) -> notify::Result<Id> {
        let path = filter.prefix().folder().into();
        let filter = Some(Box::new(filter.clone()));
        self.add(Wait { wake, root: Arc::clone(root), path, filter, at: Position::Folders(Vec::new()) })
    }

    fn add(&mut self, wait: Wait) -> notify::Result<Id> {
        self.last += 1;
        let id = self.last;
        self.waits.insert(id, Box::new(wait));
        let placed = self.place(id);
        if placed.is_err() {
            self.waits.remove(&id);
        }
        placed.map(|()| id)
    }

    /// Watches a folder for a listing. A path that is not a folder is ignored: the listing waits elsewhere for it.
    pub(super) fn add_folder(&mut self, id: Id, folder: &Path, below: &str) -> notify::Result<()> {
        let Some(Position::Folders(folders)) = self.waits.get(&id).map(|wait| &wait.at) else { return Ok(()) };
        if folders.len() >= MAX_FOLDERS {
            let why = format!("the listing has more than {MAX_FOLDERS} folders");
            return Err(notify::Error::generic(&why).add_path(folder.to_owned()));
        }
        let Some((real, identity)) = resolved(folder) else { return Ok(()) };
        let real = self.watch(real, identity)?;
        let Some(watched) = self.folders.get_mut(&real) else { return Ok(()) };
        let prefixes = watched.listings.entry(id).or_default();
        let is_new = prefixes.is_empty();
        if prefixes.iter().all(|known| **known != *below) {
            prefixes.push(below.into());
        }
        if is_new && let Some(Position::Folders(folders)) = self.waits.get_mut(&id).map(|wait| &mut wait.at) {
            folders.push(real);
        }
        Ok(())
    }

    /// Ends a wait.
    pub(super) fn end(&mut self, id: Id) {
        self.leave(id);
        self.waits.remove(&id);
    }

    /// The sensors to wake for a file that has arrived.
    pub(super) fn awaiting(&self, file: &Path) -> Vec<Wake> {
        let Some((folder, name)) = split(file) else { return Vec::new() };
        let Some(folder) = self.folders.get(folder).filter(|_| !is_staged(name)) else { return Vec::new() };
        let named = folder.names.get(name).into_iter().flat_map(Ids::iter).filter(|id| self.is_last(*id));
        let listed = folder.listings.iter().filter(|(id, prefixes)| {
            let Some(filter) = self.waits.get(id).and_then(|wait| wait.filter.as_ref()) else { return false };
            let is_wanted = |below| key::parse(&format!("{below}{name}")).is_ok_and(|key| filter.contains(key.as_ref()));
            prefixes.iter().any(is_wanted)
        });
        let ids: BTreeSet<Id> = named.chain(listed.map(|(id, _)| *id)).collect();
        ids.iter().filter_map(|id| Some(self.waits.get(id)?.wake.clone())).collect()
    }

    /// Handles a new folder. Returns the awaited files in it; it is unknown whether they are complete.
    pub(super) fn on_appeared(&mut self, path: &Path) -> Vec<PathBuf> {
        let Some((folder, name)) = split(path) else { return Vec::new() };
        let Some(folder) = self.folders.get(folder) else { return Vec::new() };
        let named: Vec<Id> = folder.names.get(name).into_iter().flat_map(Ids::iter).filter(|id| !self.is_last(*id)).collect();
        let below = |(id, prefixes): (&Id, &Vec<Box<str>>)| {
            prefixes.iter().map(|below| (*id, format!("{below}{name}/"))).collect::<Vec<_>>()
        };
        let listed: Vec<(Id, String)> = folder.listings.iter().flat_map(below).collect();
        let mut found = Vec::new();
        for id in named {
            self.place_anew(id, &mut found);
        }
        for (id, below) in listed {
            self.scan(id, path, &below, &mut found);
        }
        found
    }

    /// Handles a folder that may be gone. If another folder has replaced it, returns the same as
    /// [`on_appeared`](Self::on_appeared).
    pub(super) fn on_removed(&mut self, path: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let Some(folder) = self.folders.get(path) else { return found };
        if resolved(path).is_some_and(|(_, identity)| identity == folder.identity) {
            return found;
        }
        let named: Vec<Id> = folder.names.values().flat_map(Ids::iter).collect();
        let listed: Vec<(Id, Vec<Box<str>>)> = folder.listings.iter().map(|(id, prefixes)| (*id, prefixes.clone())).collect();
        for id in named {
            self.place_anew(id, &mut found);
        }
        for (id, prefixes) in listed {
            let Some(wait) = self.waits.get_mut(&id) else { continue };
            if prefixes.iter().any(|below| below.strip_suffix('/').unwrap_or_default() == &*wait.path) {
                self.place_anew(id, &mut found);
                continue;
            }
            if let Position::Folders(folders) = &mut wait.at {
                folders.retain(|folder| &**folder != path);
            }
            if let Some(folder) = self.folders.get_mut(path) {
                folder.listings.remove(&id);
            }
        }
        self.release(&Arc::from(path));
        found
    }

    fn is_last(&self, id: Id) -> bool {
        self.waits.get(&id).is_some_and(|wait| wait.is_last())
    }

    fn place_anew(&mut self, id: Id, found: &mut Vec<PathBuf>) {
        self.leave(id);
        if let Err(error) = self.place(id) {
            return super::hub::warn_unwatched(Path::new("/"), &error);
        }
        let Some(wait) = self.waits.get(&id) else { return };
        match (&wait.at, &wait.filter) {
            (Position::Name(folder, _), None) if wait.is_last() => {
                let file = folder.join(wait.name());
                found.extend(file.is_file().then_some(file));
            }
            (Position::Folders(_), Some(_)) => {
                let below = if wait.path.is_empty() { String::new() } else { format!("{}/", wait.path) };
                let folder = wait.root.join(&*wait.path);
                self.scan(id, &folder, &below, found);
            }
            _ => {}
        }
    }

    /// Watches a new folder and all folders below it for a listing.
    fn scan(&mut self, id: Id, folder: &Path, below: &str, found: &mut Vec<PathBuf>) {
        let Some(filter) = self.waits.get(&id).and_then(|wait| wait.filter.clone()) else { return };
        let known = |(real, _): &(PathBuf, Identity)| {
            let prefixes = self.folders.get(real.as_path()).and_then(|folder| folder.listings.get(&id));
            prefixes.is_some_and(|prefixes| prefixes.iter().any(|known| **known == *below))
        };
        // The poke's own listing has already been here, and has seen the contents.
        if !below.starts_with(filter.prefix().as_str()) && *below != *folder_prefix(&filter)
            || resolved(folder).as_ref().is_some_and(known)
        {
            return;
        }
        let mut failed = None;
        let listed = walk_folder(folder, below, &filter, &mut |folder, below| {
            if let Err(error) = self.add_folder(id, folder, below) {
                failed = Some(error);
            }
        });
        if let Some(error) = failed {
            super::hub::warn_unwatched(folder, &error);
        }
        // If the folder cannot be read, the next poke reports it.
        for meta in listed.unwrap_or_default() {
            let file = folder.join(&meta.key.as_ref()[below.len()..]);
            let real = file.parent().and_then(|folder| folder.canonicalize().ok()).zip(file.file_name());
            found.extend(real.map(|(folder, name)| folder.join(name)));
        }
    }

    /// Places a wait in the deepest existing folder on the way to what it waits for.
    fn place(&mut self, id: Id) -> notify::Result<()> {
        let Some(wait) = self.waits.get(&id) else { return Ok(()) };
        let (root, path, is_key) = (Arc::clone(&wait.root), wait.path.clone(), wait.filter.is_none());
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let way = if is_key { &segments[..segments.len() - 1] } else { &segments[..] };
        let below = |depth: usize| way[..depth].iter().fold(root.to_path_buf(), |folder, segment| folder.join(segment));
        loop {
            let there = (0..=way.len()).rev().find_map(|depth| Some((depth, resolved(&below(depth))?)));
            let Some((depth, (folder, identity))) = there else {
                return Err(notify::Error::path_not_found().add_path(root.to_path_buf()));
            };
            if depth == way.len() && !is_key {
                // Its folders are added one by one.
                return Ok(());
            }
            let folder = self.watch(folder, identity)?;
            // The next folder was created after it was looked for and before the watch began: no event reports it.
            if depth < way.len() && below(depth + 1).is_dir() {
                self.release(&folder);
                continue;
            }
            if let (Some(wait), Some(watched)) = (self.waits.get_mut(&id), self.folders.get_mut(&folder)) {
                watched.names.entry(segments[depth].into()).and_modify(|ids| ids.add(id)).or_insert(Ids::One(id));
                wait.at = Position::Name(folder, depth);
            }
            return Ok(());
        }
    }

    /// Watches a folder, once for all waits in it.
    fn watch(&mut self, real: PathBuf, identity: Identity) -> notify::Result<Arc<Path>> {
        if let Some((path, folder)) = self.folders.get_key_value(real.as_path()) {
            if folder.identity == identity {
                return Ok(Arc::clone(path));
            }
            // Another folder has replaced it, and the watch is on the old one.
            let _ = self.watcher.unwatch(&real);
        }
        if let Err(error) = self.watcher.watch(&real, RecursiveMode::NonRecursive) {
            return Err(if error.paths.is_empty() { error.add_path(real) } else { error });
        }
        let path: Arc<Path> = real.into();
        let folder = self.folders.entry(Arc::clone(&path));
        let new = || Folder { identity, names: HashMap::new(), listings: HashMap::new() };
        folder.and_modify(|folder| folder.identity = identity).or_insert_with(new);
        Ok(path)
    }

    /// Removes a wait from all folders.
    fn leave(&mut self, id: Id) {
        let Some(wait) = self.waits.get_mut(&id) else { return };
        let at = std::mem::replace(&mut wait.at, Position::Folders(Vec::new()));
        match at {
            Position::Name(folder, depth) => {
                let name = wait.path.split('/').nth(depth).unwrap_or_default();
                if let Some(watched) = self.folders.get_mut(&folder)
                    && watched.names.get_mut(name).is_some_and(|ids| ids.remove(id))
                {
                    watched.names.remove(name);
                }
                self.release(&folder);
            }
            Position::Folders(folders) => {
                for folder in folders {
                    if let Some(watched) = self.folders.get_mut(&folder) {
                        watched.listings.remove(&id);
                    }
                    self.release(&folder);
                }
            }
        }
    }

    /// Ends a folder's watch if there are no waits in it.
    fn release(&mut self, folder: &Arc<Path>) {
        if self.folders.get(folder).is_some_and(|folder| folder.names.is_empty() && folder.listings.is_empty()) {
            self.folders.remove(folder);
            // The folder may be gone, and its watch with it.
            let _ = self.watcher.unwatch(folder);
        }
    }
}

impl Wait {
    /// The name that it waits for.
    fn name(&self) -> &str {
        match self.at {
            Position::Name(_, depth) => self.path.split('/').nth(depth).unwrap_or_default(),
            Position::Folders(_) => "",
        }
    }

    /// True if it waits for the last segment of its key.
    fn is_last(&self) -> bool {
        matches!(self.at, Position::Name(_, depth) if self.filter.is_none() && self.path.split('/').count() == depth + 1)
    }
}

impl Ids {
    fn add(&mut self, id: Id) {
        match self {
            Self::One(one) => *self = Self::Many([*one, id].into()),
            Self::Many(many) => drop(many.insert(id)),
        }
    }

    /// Removes an id. Returns whether it was the last one.
    fn remove(&mut self, id: Id) -> bool {
        match self {
            Self::One(one) => *one == id,
            Self::Many(many) => {
                many.remove(&id);
                many.is_empty()
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = Id> + '_ {
        let (one, many) = match self {
            Self::One(one) => (Some(*one), None),
            Self::Many(many) => (None, Some(many)),
        };
        one.into_iter().chain(many.into_iter().flat_map(|many| many.iter().copied()))
    }
}

/// Distinguishes a folder from another one that takes its name.
type Identity = (u64, u64);

/// The path of the folder without links, if it is a folder.
fn resolved(folder: &Path) -> Option<(PathBuf, Identity)> {
    let real = folder.canonicalize().ok()?;
    let metadata = fs::metadata(&real).ok().filter(fs::Metadata::is_dir)?;
    Some((real, identity(&metadata)))
}

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Identity {
    (0, 0)
}

/// A file's folder and name; `None` if the name is not UTF-8.
fn split(file: &Path) -> Option<(&Path, &str)> {
    Some((file.parent()?, file.file_name()?.to_str()?))
}

/// The prefix of the keys in the folder that all wanted keys share.
fn folder_prefix(filter: &KeyFilter) -> String {
    let folder = filter.prefix().folder();
    if folder.is_empty() { String::new() } else { format!("{folder}/") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::key::Prefix;
    use notify::{Config, ErrorKind, EventHandler, WatcherKind};

    /// Watches at most this many folders, then returns Linux's error.
    #[derive(Debug)]
    struct Limited(usize);

    impl Watcher for Limited {
        fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Self> {
            Ok(Self(0))
        }
        fn watch(&mut self, _: &Path, _: RecursiveMode) -> notify::Result<()> {
            self.0 = self.0.checked_sub(1).ok_or_else(|| notify::Error::new(ErrorKind::MaxFilesWatch))?;
            Ok(())
        }
        fn unwatch(&mut self, _: &Path) -> notify::Result<()> {
            self.0 += 1;
            Ok(())
        }
        fn kind() -> WatcherKind {
            WatcherKind::NullWatcher
        }
    }

    fn table(folders: usize) -> (Table, tempfile::TempDir, Arc<Path>) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().into();
        (Table::new(Box::new(Limited(folders))), folder, root)
    }

    #[test]
    fn a_folder_is_watched_once_until_the_last_who_waits_in_it_ends() {
        let (mut table, _folder, root) = table(1);
        let ids: Vec<Id> = (0..1000).map(|n| table.await_key(&root, &format!("{}", n % 10), Wake::nobody()).unwrap()).collect();
        assert_eq!(table.folders.len(), 1);
        assert_eq!(table.awaiting(&root.join("3")).len(), 100);
        assert!(table.awaiting(&root.join("10")).is_empty());
        for id in ids {
            assert_eq!(table.folders.len(), 1);
            table.end(id);
        }
        assert!(table.folders.is_empty() && table.waits.is_empty());
    }

    #[test]
    fn what_the_system_refuses_to_watch_leaves_nothing_behind() {
        let (mut table, folder, root) = table(1);
        fs::create_dir(folder.path().join("a")).unwrap();
        let first = table.await_key(&root, "b", Wake::nobody()).unwrap();
        let refused = table.await_key(&root, "a/b", Wake::nobody()).unwrap_err();
        assert!(matches!(refused.kind, ErrorKind::MaxFilesWatch), "{refused}");
        assert_eq!((table.folders.len(), table.waits.len()), (1, 1));
        table.end(first);
        // With room again, the next poke is watched.
        table.await_key(&root, "a/b", Wake::nobody()).unwrap();
    }

    #[test]
    fn a_key_is_awaited_in_the_deepest_folder_there_is() {
        let (mut table, folder, root) = table(10);
        table.await_key(&root, "a/b/c", Wake::nobody()).unwrap();
        let file = root.join("a/b/c");
        assert!(table.folders.contains_key(&root) && table.awaiting(&file).is_empty());
        fs::create_dir(folder.path().join("a")).unwrap();
        assert!(table.on_appeared(&root.join("a")).is_empty());
        assert!(table.folders.contains_key(&*root.join("a")) && !table.folders.contains_key(&root));
        // The next folder is created and filled before it could be watched.
        fs::create_dir(folder.path().join("a/b")).unwrap();
        fs::write(&file, "1").unwrap();
        assert_eq!(table.on_appeared(&root.join("a/b")), std::slice::from_ref(&file));
        assert_eq!((table.awaiting(&file).len(), table.folders.len()), (1, 1));
        fs::remove_dir_all(root.join("a")).unwrap();
        table.on_removed(&root.join("a/b"));
        assert!(table.folders.contains_key(&root) && table.folders.len() == 1);
    }

    /// The pattern matches the folder's own name, and not that of a link to it, which comes later in the listing.
    #[cfg(unix)]
    #[test]
    fn a_folder_with_two_names_wakes_by_both() {
        let (mut table, folder, root) = table(10);
        fs::create_dir(folder.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", folder.path().join("rel")).unwrap();
        let filter = KeyFilter::Pattern(crate::storage::pattern::Pattern::parse("re?l/x").unwrap());
        let id = table.await_keys(&root, &filter, Wake::nobody()).unwrap();
        for name in ["real", "rel"] {
            table.add_folder(id, &root.join(name), &format!("{name}/")).unwrap();
        }
        assert_eq!((table.folders.len(), table.awaiting(&root.join("real/x")).len()), (1, 1));
        table.end(id);
        assert!(table.folders.is_empty());
    }

    #[test]
    fn a_listing_has_so_many_folders_and_no_more() {
        let (mut table, folder, root) = table(MAX_FOLDERS * 2);
        let filter = KeyFilter::Prefix(Prefix::parse("").unwrap());
        let id = table.await_keys(&root, &filter, Wake::nobody()).unwrap();
        let mut refused = 0;
        for n in 0..MAX_FOLDERS + 3 {
            let below = folder.path().join(n.to_string());
            fs::create_dir(&below).unwrap();
            refused += usize::from(table.add_folder(id, &below, &format!("{n}/")).is_err());
        }
        assert_eq!((table.folders.len(), refused), (MAX_FOLDERS, 3));
        assert_eq!(table.awaiting(&root.join("7/x")).len(), 1);
        assert!(table.awaiting(&root.join("7/x#1")).is_empty(), "an unfinished file");
        table.end(id);
        assert!(table.folders.is_empty());
    }
}
