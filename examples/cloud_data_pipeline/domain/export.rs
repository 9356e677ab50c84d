//! The daily export, and its summary.

use super::{BadInput, Source, json};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// The expected format, for error messages.
pub const FORMAT: &str = r#"JSON such as {"records": [{"id": 1, "value": "test"}]}"#;

/// A day's records.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(expecting = "an object with `records`")]
pub struct Export {
    /// In the file's order, with unique ids.
    pub records: Vec<Record>,
}

/// One record of an export.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Record {
    /// Unique within the export.
    pub id: u64,
    /// The recorded value.
    pub value: String,
}

/// The summary of a day's export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The export's file name.
    pub export: String,
    /// The number of records.
    pub records: usize,
    /// The number of distinct values.
    pub distinct_values: usize,
}

impl Export {
    /// Reads an export.
    pub fn read(source: &Source) -> Result<Self, BadInput> {
        let export: Self = json::read(source)?;
        let mut seen = HashMap::new();
        for (index, Record { id, .. }) in export.records.iter().enumerate() {
            if let Some(first) = seen.insert(id, index) {
                let problem = format_args!("the id {id} is already used in `records[{first}]`");
                return Err(source.bad(format_args!("`records[{index}].id`"), problem, "each id once"));
            }
        }
        Ok(export)
    }

    /// The summary of the export in the file `export`.
    pub fn summary(&self, export: impl Into<String>) -> Summary {
        let values: HashSet<&str> = self.records.iter().map(|record| record.value.as_str()).collect();
        Summary { export: export.into(), records: self.records.len(), distinct_values: values.len() }
    }
}
