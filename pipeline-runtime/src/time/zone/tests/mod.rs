//! Zones of a simulated machine.

mod changes_of_2026;
mod convert;
mod databases;
mod report;

use super::Zone;
use super::table::Zones;
use chrono::{DateTime, Offset, TimeZone, Utc};
use pipeline_syntax::zone::database::{BUILT_IN_VERSION, built_in};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Zones from the built-in database only.
fn built_in_zones() -> &'static Zones {
    Box::leak(Box::new(Zones::new(|| None, || Duration::ZERO)))
}

fn offset(zone: Zone, at: &str) -> String {
    zone.offset_from_utc_datetime(&utc(at).naive_utc()).fix().to_string()
}

/// A machine with a database, and a clock that a test sets.
struct Machine {
    folder: tempfile::TempDir,
    seconds: Arc<AtomicU64>,
}

impl Machine {
    fn of(version: &str) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap(), seconds: Arc::default() };
        machine.has("tzdata.zi", format!("# version {version}\n# This zic input file is in the public domain.\n"));
        machine
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Like a package, replaces the whole file atomically.
    fn has(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let file = self.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let new = self.path().join(".new");
        std::fs::write(&new, bytes).unwrap();
        std::fs::rename(new, file).unwrap();
        self
    }

    /// Stores the rules of one zone under the name of another, so that a test sees which database was used.
    fn has_rules(&self, name: &str, of: &str) -> &Self {
        self.has(name, built_in(of).unwrap())
    }

    fn zones(&self) -> &'static Zones {
        let (path, seconds): (PathBuf, _) = (self.path().to_owned(), Arc::clone(&self.seconds));
        let elapsed = move || Duration::from_secs(seconds.load(Ordering::SeqCst));
        Box::leak(Box::new(Zones::new(move || Some(path.clone()), elapsed)))
    }

    fn passes(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// The log output.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
