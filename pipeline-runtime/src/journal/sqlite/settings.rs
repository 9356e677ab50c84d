//! Settings: what they are set to, and what each run has begun with, which stands in its row.

use super::{JournalError, Reader};
use crate::author::setting::SettingValues;
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

/// What a setting is set to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredSetting {
    pub(crate) value: Value,
    /// Since when.
    pub(crate) at: Timestamp,
}

/// Sets it, or takes away what it is set to.
pub(super) fn set(connection: &Connection, name: &str, value: Option<&Value>, at: Timestamp) -> rusqlite::Result<()> {
    let Some(value) = value else {
        return connection.prepare_cached("DELETE FROM settings WHERE name = ?1")?.execute([name]).map(drop);
    };
    let set = "INSERT OR REPLACE INTO settings (name, value, at) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(set)?.execute(params![name, value.to_string(), at.as_nanos()]).map(drop)
}

/// As they stand in the row of a run: none where it takes none.
pub(super) fn of_run(values: &SettingValues) -> Option<String> {
    (!values.is_empty()).then(|| serde_json::to_string(values).unwrap_or_default())
}

impl Reader {
    /// What a setting is set to, if it is.
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
