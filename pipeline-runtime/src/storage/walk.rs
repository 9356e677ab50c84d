//! The listing of a folder: names are matched before anything is asked about a file.
//!
//! Symbolic links are followed, save one that leads back to a folder the walk is inside of. Links to folders that hold such links again
//! lead to each in more and more ways, so no more than [`MOST_LINKS`] to one folder are followed. Files whose names are no keys are
//! passed over: names that are not UTF-8 and names with control characters, which are counted, and [staged](is_staged) files. What vanishes during
//! the walk is passed over, too; a folder that may not be read is an error, as silence would pass for "nothing there".

use std::collections::HashMap;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use super::error::{BucketErrorKind, Failure};
use super::key::{self, Key, Prefix};
use super::local::meta;
use super::meta::Meta;
use super::staged::is_staged;
use super::store::Wanted;
use super::unnamed::Unnamed;

/// How many links to one folder a listing follows; one more is an error, as silence would pass for "nothing there".
pub(super) const MOST_LINKS: u32 = 100;

/// Sees each folder before it is read, and what keys in it begin with: nothing, or what ends with `/`.
pub(super) type Visit<'a> = &'a mut dyn FnMut(&Path, &str);

/// All wanted files below `root`, sorted by key, and the names that are none.
pub(super) fn walk(root: &Path, wanted: &Wanted, visit: Visit<'_>) -> Result<(Vec<Meta>, Unnamed), Failure> {
    let folder = wanted.prefix().folder();
    let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    walked(&root.join(folder), &below, wanted, visit)
}

/// All wanted files in a folder, in which keys begin with `below`, sorted by key.
pub(super) fn walk_folder(folder: &Path, below: &str, wanted: &Wanted, visit: Visit<'_>) -> Result<Vec<Meta>, Failure> {
    walked(folder, below, wanted, visit).map(|(found, _)| found)
}

fn walked(folder: &Path, below: &str, wanted: &Wanted, visit: Visit<'_>) -> Result<(Vec<Meta>, Unnamed), Failure> {
    let (found, unnamed) = (Vec::new(), Unnamed::default());
    let mut walk = Walk { wanted, visit, found, unnamed, crossed: Vec::new(), followed: HashMap::new() };
    walk.folder(folder, below)?;
    walk.found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    Ok((walk.found, walk.unnamed))
}

/// The folders right under that of the prefix whose keys begin with it, sorted. One without a file in it is among them.
pub(super) fn folders(root: &Path, prefix: &Prefix) -> Result<Vec<Key>, Failure> {
    let folder = prefix.folder();
    let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut found = Vec::new();
    for entry in present(fs::read_dir(root.join(folder)))?.into_iter().flatten() {
        let Some(entry) = present(entry)? else { continue };
        let Some(key) = entry.file_name().to_str().and_then(|name| key::parse(&format!("{below}{name}")).ok()) else { continue };
        // Links are followed, as by the walk.
        let is_folder = || Ok::<_, Failure>(present(fs::metadata(entry.path()))?.is_some_and(|metadata| metadata.is_dir()));
        if key.as_ref().starts_with(prefix.as_str()) && is_folder()? {
            found.push(key);
        }
    }
    found.sort_unstable();
    Ok(found)
}

struct Walk<'a> {
    wanted: &'a Wanted,
    visit: Visit<'a>,
    found: Vec<Meta>,
    unnamed: Unnamed,
    /// The real folders in which the walk crossed a link, from the root inward.
    crossed: Vec<PathBuf>,
    /// How many links were followed to each folder, by its real path.
    followed: HashMap<PathBuf, u32>,
}

impl Walk<'_> {
    /// `below` is what keys in `folder` begin with: empty, or ending with `/`.
    fn folder(&mut self, folder: &Path, below: &str) -> Result<(), Failure> {
        (self.visit)(folder, below);
        let Some(entries) = present(fs::read_dir(folder))? else {
            return Ok(());
        };
        for entry in entries {
            let Some(entry) = present(entry)? else {
                continue;
            };
            self.entry(folder, below, &entry)?;
        }
        Ok(())
    }

    fn entry(&mut self, folder: &Path, below: &str, entry: &DirEntry) -> Result<(), Failure> {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            self.pass_over(&format!("{below}{}", name.display()));
            return Ok(());
        };
        let path = format!("{below}{name}");
        let Ok(key) = key::parse(&path) else {
            self.pass_over(&path);
            return Ok(());
        };
        let Some(mut kind) = present(entry.file_type())? else {
            return Ok(());
        };
        let path = entry.path();
        let is_link = kind.is_symlink();
        if is_link {
            kind = match fs::metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return Err(error.into());
                }
                // A link to nothing, or to itself.
                Err(_) => return Ok(()),
                Ok(target) => target.file_type(),
            };
        }
        if kind.is_dir() {
            let below = format!("{key}/");
            if !below.starts_with(self.wanted.prefix().as_str()) {
                return Ok(());
            }
            return if is_link { self.across(folder, &path, &below) } else { self.folder(&path, &below) };
        }
        if kind.is_file() && !is_staged(name) {
            self.file(&path, key)?;
        }
        Ok(())
    }

    fn pass_over(&mut self, path: &str) {
        if path.starts_with(self.wanted.prefix().as_str()) {
            self.unnamed.note(path);
        }
    }

    fn file(&mut self, path: &Path, key: Key) -> Result<(), Failure> {
        if self.wanted.contains(key.as_ref())
            && let Some(metadata) = present(fs::metadata(path))?
        {
            self.found.push(meta(key, &metadata)?);
        }
        Ok(())
    }

    /// Follows a link to a folder, unless a real folder on the way here lies in it or is it: then it leads round in a circle.
    fn across(&mut self, from: &Path, link: &Path, below: &str) -> Result<(), Failure> {
        let (Some(from), Some(target)) = (present(from.canonicalize())?, present(link.canonicalize())?) else {
            return Ok(());
        };
        self.crossed.push(from);
        if !self.crossed.iter().any(|real| real.starts_with(&target)) {
            self.count(&target)?;
            self.folder(link, below)?;
        }
        self.crossed.pop();
        Ok(())
    }

    fn count(&mut self, target: &Path) -> Result<(), Failure> {
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

/// `None` for what is not there, or no longer.
fn present<T>(result: io::Result<T>) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
