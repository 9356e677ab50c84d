//! The daily export, and its summary.

use super::{BadInput, Source, json};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// What a daily export looks like.
pub const FORMAT: &str = r#"JSON such as {"records": [{"id": 1, "value": "test"}]}"#;

/// A day's records.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(expecting = "an object with `records`")]
pub struct Export {
    /// In the file's order; no two have the same id.
    pub records: Vec<Record>,
}

/// One record of an export.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Record {
    /// Unique within the export.
    pub id: u64,
    /// What was recorded.
    pub value: String,
}

/// What a day's export comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The export's file name.
    pub export: String,
    /// How many records it has.
    pub records: usize,
    /// How many different values they have.
    pub distinct_values: usize,
}

impl Export {
    /// Reads an export.
    pub fn read(source: &Source) -> Result<Self, BadInput> {
        let export: Self = json::read(source)?;
        let mut seen = HashMap::new();
        for (index, Record { id, .. }) in export.records.iter().enumerate() {
            if let Some(first) = seen.insert(id, index) {
                let problem = format_args!("the id {id} is that of `records[{first}]`, too");
                return Err(source.bad(format_args!("`records[{index}].id`"), problem, "each id once"));
            }
        }
        Ok(export)
    }

    /// What it comes to; the file is called `export`.
    pub fn summary(&self, export: impl Into<String>) -> Summary {
        let values: HashSet<&str> = self.records.iter().map(|record| record.value.as_str()).collect();
        Summary { export: export.into(), records: self.records.len(), distinct_values: values.len() }
    }
}
