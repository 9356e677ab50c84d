//! The listing of a folder, in the order of keys: names are matched before any file's metadata is read.
//!
//! It stops after each page and continues from there, so that a caller need not hold all of it. It holds only the wanted names in
//! the folders that it is inside of: in a folder they are sorted, each folder as if its name ended with `/`, so that keys are in
//! the order of their bytes.
//!
//! Files whose names are not valid keys are skipped: names that are not UTF-8 and names with control characters, which are
//! counted, and [staged](is_staged) files. What vanishes during the walk is skipped, too; a folder that may not be read is an
//! error, because silence would mean that it is empty.
//!
//! # Why it ends, whatever links there are
//!
//! - A link is not followed if a folder through which the walk came lies in the link's target. So no way follows a link twice.
//! - Links to folders that contain such links again lead to each folder in more and more ways. So a walk follows at most
//!   [`MOST_LINKS`] links to one folder, over all its pages. If links lead to `n` of the folders that a file lies in, the file is
//!   listed at most `1 + n * MOST_LINKS` times.
//! - A key has at most 1024 bytes, so no way is longer than 512 folders.
//!
//! The counts are those of one walk. The watch of a listing begins another one for each new folder, with the same limits.

use std::collections::HashMap;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use super::error::{BucketErrorKind, Failure};
use super::invalid_names::InvalidNames;
use super::key::{self, Key, Prefix};
use super::local::meta;
use super::meta::Meta;
use super::staged::is_staged;
use super::store::KeyFilter;

/// How many links to one folder a listing follows; one more is an error, because silence would mean that the rest is empty.
pub(super) const MOST_LINKS: u32 = 100;

/// Called with each folder before it is read, and with the prefix of the keys in it: empty, or ending with `/`.
pub(super) type Visit<'a> = &'a mut dyn FnMut(&Path, &str);

/// All wanted files in a folder whose keys begin with `below`, sorted by key.
pub(super) fn walk_folder(folder: &Path, below: &str, filter: &KeyFilter, visit: Visit<'_>) -> Result<Vec<Meta>, Failure> {
    Walk::of(folder.to_owned(), below.to_owned(), filter.clone()).page(usize::MAX, visit)
}

/// The folders directly under the prefix's folder whose keys begin with the prefix, sorted. Empty folders are included.
pub(super) fn folders(root: &Path, prefix: &Prefix) -> Result<Vec<Key>, Failure> {
    let folder = prefix.folder();
    let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut found = Vec::new();
    for entry in present(fs::read_dir(root.join(folder)))?.into_iter().flatten() {
        let Some(entry) = present(entry)? else { continue };
        let Some(key) = entry.file_name().to_str().and_then(|name| key::parse(&format!("{below}{name}")).ok()) else { continue };
        // Links are followed, as in the walk.
        let is_folder = || Ok::<_, Failure>(present(fs::metadata(entry.path()))?.is_some_and(|metadata| metadata.is_dir()));
        if key.as_ref().starts_with(prefix.as_str()) && is_folder()? {
            found.push(key);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// A listing in progress.
#[derive(Debug)]
pub(super) struct Walk {
    filter: KeyFilter,
    /// The folder to begin with, until the walk has begun.
    first: Option<(PathBuf, String)>,
    /// The folders that the walk is inside of, from the outermost inward.
    open: Vec<OpenFolder>,
    invalid_names: InvalidNames,
    /// How many links to each folder were followed, keyed by its real path.
    followed: HashMap<PathBuf, u32>,
}

/// A folder that the walk is inside of.
#[derive(Debug)]
struct OpenFolder {
    folder: PathBuf,
    /// The prefix of the keys in it: empty, or ending with `/`.
    below: String,
    /// Sorted by key.
    rest: std::vec::IntoIter<Entry>,
    /// If a link led here: the real folder that contains that link.
    link_parent: Option<PathBuf>,
}

#[derive(Debug)]
struct Entry {
    name: Box<str>,
    kind: EntryKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryKind {
    File,
    Folder,
    /// A link to a folder.
    Link,
}

impl Entry {
    /// The bytes of the name for sorting, with a `/` for a folder.
    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.name.bytes().chain((self.kind != EntryKind::File).then_some(b'/'))
    }
}

impl Walk {
    /// A walk of the bucket whose folder is `root`.
    pub(super) fn below(root: &Path, filter: KeyFilter) -> Self {
        let folder = filter.prefix().folder();
        let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        Self::of(root.join(folder), below, filter)
    }

    fn of(folder: PathBuf, below: String, filter: KeyFilter) -> Self {
        let (invalid_names, followed) = (InvalidNames::default(), HashMap::new());
        Self { filter, first: Some((folder, below)), open: Vec::new(), invalid_names, followed }
    }

    /// The next files, `size` of them unless fewer are left.
    pub(super) fn page(&mut self, size: usize, visit: Visit<'_>) -> Result<Vec<Meta>, Failure> {
        if let Some((folder, below)) = self.first.take() {
            self.enter(folder, below, None, visit)?;
        }
        let mut found = Vec::new();
        while found.len() < size
            && let Some(open) = self.open.last_mut()
        {
            let Some(Entry { name, kind }) = open.rest.next() else {
                self.open.pop();
                continue;
            };
            let (path, key) = (open.folder.join(&*name), format!("{}{name}", open.below));
            match kind {
                EntryKind::File => found.extend(Self::file(&path, &key)?),
                EntryKind::Folder => self.enter(path, format!("{key}/"), None, visit)?,
                EntryKind::Link => self.follow(path, format!("{key}/"), visit)?,
            }
        }
        Ok(found)
    }

    /// True if there are no more files.
    pub(super) fn is_over(&self) -> bool {
        self.first.is_none() && self.open.is_empty()
    }

    pub(super) fn key_filter(&self) -> &KeyFilter {
        &self.filter
    }

    /// The names so far that are not valid keys.
    pub(super) fn invalid_names(&self) -> &InvalidNames {
        &self.invalid_names
    }

    /// How many names the walk holds.
    #[cfg(test)]
    fn names_held(&self) -> usize {
        self.open.iter().map(|open| open.rest.len()).sum()
    }

    /// `below` is the prefix of the keys in `folder`.
    fn enter(&mut self, folder: PathBuf, below: String, link_parent: Option<PathBuf>, visit: Visit<'_>) -> Result<(), Failure> {
        visit(&folder, &below);
        let Some(entries) = present(fs::read_dir(&folder))? else {
            return Ok(());
        };
        let mut rest = Vec::new();
        for entry in entries {
            let Some(entry) = present(entry)? else {
                continue;
            };
            rest.extend(self.entry(&below, &entry)?);
        }
        rest.sort_unstable_by(|a, b| a.bytes().cmp(b.bytes()));
        self.open.push(OpenFolder { folder, below, rest: rest.into_iter(), link_parent });
        Ok(())
    }

    /// The entry, if it is a wanted file or a folder that may contain one.
    fn entry(&mut self, below: &str, entry: &DirEntry) -> Result<Option<Entry>, Failure> {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            self.note_invalid_name(&format!("{below}{}", name.display()));
            return Ok(None);
        };
        let path = format!("{below}{name}");
        let Ok(key) = key::parse(&path) else {
            self.note_invalid_name(&path);
            return Ok(None);
        };
        let Some(mut kind) = present(entry.file_type())? else {
            return Ok(None);
        };
        let is_link = kind.is_symlink();
        if is_link {
            kind = match fs::metadata(entry.path()) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return Err(error.into());
                }
                // A link to nothing, or to itself.
                Err(_) => return Ok(None),
                Ok(target) => target.file_type(),
            };
        }
        let kind = match (kind.is_dir(), is_link) {
            (true, _) if !format!("{key}/").starts_with(self.filter.prefix().as_str()) => return Ok(None),
            (true, true) => EntryKind::Link,
            (true, false) => EntryKind::Folder,
            (false, _) if !kind.is_file() || is_staged(name) || !self.filter.contains(key.as_ref()) => return Ok(None),
            (false, _) => EntryKind::File,
        };
        Ok(Some(Entry { name: name.into(), kind }))
    }

    fn note_invalid_name(&mut self, path: &str) {
        if path.starts_with(self.filter.prefix().as_str()) {
            self.invalid_names.add(path);
        }
    }

    fn file(path: &Path, key: &str) -> Result<Option<Meta>, Failure> {
        let (Some(metadata), Ok(key)) = (present(fs::metadata(path))?, key::parse(key)) else { return Ok(None) };
        meta(key, &metadata).map(Some)
    }

    /// Follows a link to a folder, unless a real folder on the way here is that folder or lies in it: the link would be a cycle.
    fn follow(&mut self, link: PathBuf, below: String, visit: Visit<'_>) -> Result<(), Failure> {
        let Some(OpenFolder { folder, .. }) = self.open.last() else { return Ok(()) };
        let (Some(from), Some(target)) = (present(folder.canonicalize())?, present(link.canonicalize())?) else {
            return Ok(());
        };
        let link_parents = self.open.iter().filter_map(|open| open.link_parent.as_ref());
        if link_parents.chain([&from]).any(|real| real.starts_with(&target)) {
            return Ok(());
        }
        self.count_link(&target)?;
        self.enter(link, below, Some(from), visit)
    }

    fn count_link(&mut self, target: &Path) -> Result<(), Failure> {
        let followed = self.followed.entry(target.to_owned()).or_default();
        *followed += 1;
        if *followed <= MOST_LINKS {
            return Ok(());
        }
        let target = target.display();
        let detail = format!(
            "more than {MOST_LINKS} symbolic links lead to the folder {target}, counting each way to a link; remove some of them"
        );
        Err(Failure::new(BucketErrorKind::Other, detail))
    }
}

/// `None` if it does not exist, or no longer.
fn present<T>(result: io::Result<T>) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::KeyFilter;
    use super::*;

    type Tested = Result<(), Box<dyn std::error::Error>>;

    fn all() -> KeyFilter {
        KeyFilter::Prefix(Prefix::parse("").expect("the empty prefix is one"))
    }

    /// Some names sort differently with a `/` at the end.
    #[test]
    fn keys_come_in_the_order_of_their_bytes() -> Tested {
        let root = tempfile::tempdir()?;
        let mut keys =
            ["a-b/x", "a.csv", "a/x", "a/z/1", "a/z.csv", "a/z-/1", "a0", "a!", "b/c/d/e", "é/x", "é"].map(String::from);
        keys[10] = "è".into();
        for key in &keys {
            let file = root.path().join(key);
            fs::create_dir_all(file.parent().unwrap_or(root.path()))?;
            fs::write(file, "")?;
        }
        keys.sort();
        for size in [1, 2, 3, usize::MAX] {
            let (mut walk, mut found) = (Walk::below(root.path(), all()), Vec::new());
            while !walk.is_over() {
                let page = walk.page(size, &mut |_, _| {}).map_err(|failure| failure.at("walk"))?;
                assert!(page.len() <= size);
                found.extend(page.into_iter().map(|meta| meta.key.to_string()));
            }
            assert_eq!(found, keys, "{size}");
        }
        Ok(())
    }

    /// A thousand files in a tree: the walk holds only the names in the folders on its way.
    #[test]
    fn no_more_is_held_than_the_folders_that_it_is_inside_of() -> Tested {
        let root = tempfile::tempdir()?;
        for folder in 0..10 {
            for day in 0..10 {
                let place = root.path().join(format!("{folder}/{day}"));
                fs::create_dir_all(&place)?;
                for file in 0..10 {
                    fs::write(place.join(file.to_string()), "")?;
                }
            }
        }
        let (mut walk, mut count, mut entered) = (Walk::below(root.path(), all()), 0, 0);
        while !walk.is_over() {
            let before = entered;
            count += walk.page(7, &mut |_, _| entered += 1).map_err(|failure| failure.at("walk"))?.len();
            assert!(walk.names_held() <= 30, "{}", walk.names_held());
            assert!(entered - before <= 4, "a page enters no folder that it does not need");
        }
        assert_eq!((count, entered), (1000, 111));
        Ok(())
    }
}
