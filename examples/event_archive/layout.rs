//! The keys of files: `source/{event}/{date}/{HH}_{MM}_file_{n}.csv`, and of archives: `target/{event}/{date}/{HH}.csv.gz`. Files
//! whose header row differs from the archive's go to `{HH}-{tag}.csv.gz`.

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The folder with one folder for each event.
pub const SOURCE: &str = "source/";

/// An hour of one event, whose files share an archive. It follows from the time in a file's name: a file that arrives late still
/// belongs to its hour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hour {
    /// The event.
    pub event: String,
    /// The day.
    pub date: NaiveDate,
    /// The hour of the day, 0 to 23.
    pub hour: u8,
}

impl Hour {
    /// The hour to which a file belongs, by its key, and the file's name.
    ///
    /// ```
    /// use pipeline_examples::event_archive::layout::Hour;
    ///
    /// let (hour, name) = Hour::of("source/sign_up/2021-09-01/07_15_file_124.csv").unwrap();
    /// assert_eq!((hour.to_string().as_str(), name), ("target/sign_up/2021-09-01/07.csv.gz", "07_15_file_124.csv"));
    /// ```
    pub fn of(key: &str) -> Result<(Self, &str), NotAFile> {
        let wrong = |what| NotAFile { key: key.to_owned(), what };
        let path: Vec<&str> = key.strip_prefix(SOURCE).ok_or_else(|| wrong("is not under `source/`"))?.split('/').collect();
        let [event, date, name] = path[..] else { return Err(wrong("is not in a folder `{event}/{date}`")) };
        let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| wrong("is in a folder that is not a date"))?;
        if name.rsplit_once('.').is_none_or(|(_, format)| format != "csv") {
            return Err(wrong("is not a `.csv`"));
        }
        let time = name.get(..5).filter(|_| name.as_bytes().get(5) == Some(&b'_'));
        let time = time.and_then(|time| NaiveTime::parse_from_str(time, "%H_%M").ok());
        let time = time.ok_or_else(|| wrong("does not begin with its time, `{HH}_{MM}_`"))?;
        let hour = chrono::Timelike::hour(&time).try_into().map_err(|_| wrong("has an hour past 23"))?;
        Ok((Self { event: event.to_owned(), date, hour }, name))
    }

    /// The key of the hour's archive for files with another header row, by the row's [tag](super::header::HeaderRow::tag).
    ///
    /// ```
    /// use pipeline_examples::event_archive::layout::Hour;
    ///
    /// let (hour, _) = Hour::of("source/sign_up/2021-09-01/07_15_file_124.csv").unwrap();
    /// assert_eq!(hour.apart(0x1a2b), "target/sign_up/2021-09-01/07-00001a2b.csv.gz");
    /// ```
    pub fn apart(&self, tag: u32) -> String {
        format!("target/{}/{}/{:02}-{tag:08x}.csv.gz", self.event, self.date, self.hour)
    }

    /// The key of a file of this hour, by its name.
    pub fn source(&self, name: &str) -> String {
        format!("{SOURCE}{}/{}/{name}", self.event, self.date)
    }
}

/// The key of the hour's archive.
impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "target/{}/{}/{:02}.csv.gz", self.event, self.date, self.hour)
    }
}

/// The error for a key that is not an event's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {what}; an event's file is `source/{{event}}/{{date}}/{{HH}}_{{MM}}_….csv`")]
pub struct NotAFile {
    key: String,
    what: &'static str,
}
