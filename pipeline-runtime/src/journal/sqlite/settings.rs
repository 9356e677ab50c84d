//! Settings: their values, and those that each run began with, which are in the run's row.

use super::{JournalError, Reader};
use crate::author::setting::SettingValues;
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

/// The value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredSetting {
    pub(crate) value: Value,
    /// Since when.
    pub(crate) at: Timestamp,
}

/// Sets a setting, or removes its value.
pub(super) fn set(connection: &Connection, name: &str, value: Option<&Value>, at: Timestamp) -> rusqlite::Result<()> {
    let Some(value) = value else {
        return connection.prepare_cached("DELETE FROM settings WHERE name = ?1")?.execute([name]).map(drop);
    };
    let set = "INSERT OR REPLACE INTO settings (name, value, at) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(set)?.execute(params![name, value.to_string(), at.as_nanos()]).map(drop)
}

/// Returns the values as they are stored in a run's row; `None` if the run takes none.
pub(super) fn of_run(values: &SettingValues) -> Option<String> {
    (!values.is_empty()).then(|| serde_json::to_string(values).unwrap_or_default())
}

impl Reader {
    /// Returns the value of a setting, if it has been set.
    pub(crate) fn setting(&self, name: &str) -> Result<Option<StoredSetting>, JournalError> {
        let query = self.connection.prepare_cached("SELECT value, at FROM settings WHERE name = ?1");
        let read = |row: &rusqlite::Row<'_>| {
            let text: String = row.get(0)?;
            let wrong = |_| rusqlite::Error::InvalidColumnType(0, "value".to_owned(), rusqlite::types::Type::Text);
            Ok(StoredSetting { value: serde_json::from_str(&text).map_err(wrong)?, at: Timestamp::from_nanos(row.get(1)?) })
        };
        query.and_then(|mut query| query.query_row([name], read).optional()).map_err(self.failed())
    }
}
