//! The zones that were requested, and the databases that they came from.
//!
//! A service outlives releases of the database. There were six in 2026, the last one four days before the change that it
//! announced. So the machine's files are checked again when zones are requested: a few calls of `stat` a minute, and no thread.

use super::Zone;
use super::stamp::Stamp;
use pipeline_syntax::zone::Rules;
use pipeline_syntax::zone::database::{Folder, Source, Version, ZoneLookup, built_in, version_file};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{LazyLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The maximum age of what is known about the machine's files.
pub(super) const MAX_AGE: Duration = Duration::from_mins(1);

/// A zone's name, and the table that has its rules.
#[derive(Debug)]
pub(super) struct ZoneName {
    name: &'static str,
    /// `None` for UTC, whose rules never change.
    zones: Option<&'static Zones>,
}

impl ZoneName {
    pub(super) const fn utc() -> &'static Self {
        static UTC: ZoneName = ZoneName { name: "UTC", zones: None };
        &UTC
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn current(&self) -> Option<Zone> {
        self.zones?.zone(self.name)
    }
}

/// The zones that were requested.
pub(super) struct Zones {
    /// Returns the folder of the machine's database, if there is one.
    folder: Box<dyn Fn() -> Option<PathBuf> + Send + Sync>,
    /// The time since some instant. It only determines when to check again, never the result of a zone.
    elapsed: Box<dyn Fn() -> Duration + Send + Sync>,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the machine's files were last checked.
    checked_at: Option<Duration>,
    machine: Machine,
    zones: BTreeMap<&'static str, CachedZone>,
}

/// The machine's database as it was last seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) folder: Option<Folder>,
    /// The stamp of the file that has the version.
    pub(super) stamp: Option<Stamp>,
}

#[derive(Debug)]
struct CachedZone {
    of: &'static ZoneName,
    rules: &'static Rules,
    /// The stamp of the zone's file in the machine's database.
    stamp: Option<Stamp>,
    /// Why the rules are not from the preferred database.
    detour: Option<String>,
    /// All rules that the zone ever had. Zones are values that point to their rules, so none is ever freed. If rules come back,
    /// for example when an update is reverted, the old ones are reused.
    ever: Vec<&'static Rules>,
}

impl std::fmt::Debug for Zones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zones").finish_non_exhaustive()
    }
}

impl Zones {
    pub(super) fn new(
        folder: impl Fn() -> Option<PathBuf> + Send + Sync + 'static,
        elapsed: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self { folder: Box::new(folder), elapsed: Box::new(elapsed), state: RwLock::default() }
    }

    pub(super) fn of_this_process() -> &'static Self {
        static ZONES: LazyLock<Zones> = LazyLock::new(|| {
            let began = Instant::now();
            Zones::new(Folder::place, move || began.elapsed())
        });
        &ZONES
    }

    /// The zone of this name, with the newest rules, at most a minute old.
    pub(super) fn zone(&'static self, name: &str) -> Option<Zone> {
        if name == Zone::UTC.name() {
            return Some(Zone::UTC);
        }
        let now = (self.elapsed)();
        {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            if state.is_fresh(now)
                && let Some(known) = state.zones.get(name)
            {
                return Some(known.zone());
            }
        }
        self.with_fresh_state(now, |state| state.zone(self, name))
    }

    /// The machine's database, and messages about requested zones that are not from the preferred database.
    pub(super) fn snapshot(&self) -> (Machine, Vec<String>) {
        let detours = |state: &State| state.zones.values().filter_map(|known| known.detour.clone()).collect();
        self.with_fresh_state((self.elapsed)(), |state| (state.machine.clone(), detours(state)))
    }

    /// Calls `then` with a state that is at most a minute old, and logs changes.
    fn with_fresh_state<T>(&self, now: Duration, then: impl FnOnce(&mut State) -> T) -> T {
        let (done, change) = {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            let change = if state.is_fresh(now) { None } else { state.refresh((self.folder)(), now) };
            (then(&mut state), change)
        };
        // Outside of the lock, because a log subscriber may do anything, including requesting a zone.
        if let Some((machine, detours)) = change {
            tracing::info!("{}", super::report::line(&machine));
            for detour in detours {
                tracing::warn!("{detour}");
            }
        }
        done
    }
}

/// The current database, and the warnings.
type DatabaseChange = (Machine, Vec<String>);

impl State {
    fn is_fresh(&self, now: Duration) -> bool {
        self.checked_at.is_some_and(|checked| now.saturating_sub(checked) < MAX_AGE)
    }

    fn zone(&mut self, zones: &'static Zones, name: &str) -> Option<Zone> {
        if let Some(known) = self.zones.get(name) {
            return Some(known.zone());
        }
        let folder = self.machine.folder.as_ref();
        let stamp = stamp_of(folder, name);
        let (rules, detour) = pick(folder, name)?;
        let (name, rules): (&'static str, &'static Rules) = (name.to_owned().leak(), Box::leak(Box::new(rules)));
        let of = Box::leak(Box::new(ZoneName { name, zones: Some(zones) }));
        let known = CachedZone { of, rules, stamp, detour, ever: vec![rules] };
        let zone = known.zone();
        self.zones.insert(name, known);
        Some(zone)
    }

    /// Checks the machine's files, and reads those that have changed since the last check.
    fn refresh(&mut self, place: Option<PathBuf>, now: Duration) -> Option<DatabaseChange> {
        let stamp = place.as_deref().and_then(version_file).and_then(|file| Stamp::of(&file));
        let is_first = self.checked_at.replace(now).is_none();
        let had_place = self.machine.folder.as_ref().map(|folder| &folder.path);
        let is_other = is_first || stamp.is_none() || stamp != self.machine.stamp || place.as_ref() != had_place;
        let before = std::mem::take(&mut self.machine);
        let folder = if is_other { place.map(Folder::open) } else { before.folder.clone() };
        self.machine = Machine { folder, stamp };
        let is_other = self.machine != before;
        let mut detours = Vec::new();
        for known in self.zones.values_mut() {
            detours.extend(known.refresh(self.machine.folder.as_ref(), is_other));
        }
        let is_change = !is_first && (!detours.is_empty() || is_other);
        is_change.then(|| (self.machine.clone(), detours))
    }
}

impl CachedZone {
    fn zone(&self) -> Zone {
        Zone { of: self.of, rules: Some(self.rules) }
    }

    /// Reads the zone again if its file or the database has changed. Returns a new warning, if there is one.
    fn refresh(&mut self, folder: Option<&Folder>, is_other: bool) -> Option<String> {
        // A package replaces its files one after the other, so each file is checked separately.
        let stamp = stamp_of(folder, self.of.name);
        if !is_other && stamp == self.stamp {
            return None;
        }
        self.stamp = stamp;
        // A zone that neither database has any more keeps its rules.
        let (rules, detour) = pick(folder, self.of.name)?;
        let same = self.ever.iter().find(|ever| ever.are(&rules)).copied();
        self.rules = same.unwrap_or_else(|| {
            let rules: &'static Rules = Box::leak(Box::new(rules));
            self.ever.push(rules);
            rules
        });
        let before = std::mem::replace(&mut self.detour, detour);
        self.detour.clone().filter(|detour| before.as_ref() != Some(detour))
    }
}

fn stamp_of(folder: Option<&Folder>, name: &str) -> Option<Stamp> {
    Stamp::of(&folder?.file(name)?)
}

/// The rules from the first database that has them, and why it is not the preferred one.
fn pick(folder: Option<&Folder>, name: &str) -> Option<(Rules, Option<String>)> {
    let mut detour = None;
    for source in Folder::order(folder) {
        let found = match source {
            Source::BuiltIn => built_in(name).map(Rules::read).ok_or("is not built in"),
            Source::Machine => match folder.map_or(ZoneLookup::Nothing, |folder| folder.zone(name)) {
                ZoneLookup::Zone(bytes) => Ok(Rules::read(&bytes)),
                ZoneLookup::Nothing => Err("is not"),
                ZoneLookup::Unusable(why) => Err(why),
            },
        };
        match found {
            Ok(Some(rules)) => return Some((rules, detour.map(|why| detour_message(folder, name, source, why)))),
            Ok(None) => detour = detour.or(Some("is damaged")),
            Err(why) => detour = detour.or(Some(why)),
        }
    }
    None
}

fn detour_message(folder: Option<&Folder>, name: &str, source: Source, why: &str) -> String {
    let version = match source {
        Source::BuiltIn => Version::built_in(),
        Source::Machine => folder.and_then(|folder| folder.version.clone()),
    };
    let version = version.map_or_else(|| "an unknown version".to_owned(), |version| version.to_string());
    match (source, folder) {
        (Source::BuiltIn, Some(Folder { path, .. })) => {
            format!("the time zone `{name}` {why} in {}: its rules are the built-in ones, of {version}", path.display())
        }
        (Source::Machine, Some(Folder { path, .. })) => {
            format!("the time zone `{name}` {why}: its rules are those of {}, of {version}", path.display())
        }
        (_, None) => format!("the time zone `{name}` {why}"),
    }
}
