//! Reads JSON files, with errors that name the field.

use super::{BadInput, Source};
use serde::de::DeserializeOwned;

/// Reads the whole file as a `T`.
pub(super) fn read<T: DeserializeOwned>(source: &Source) -> Result<T, BadInput> {
    let mut reader = serde_json::Deserializer::from_str(source.text());
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        // `serde_path_to_error` writes `?` for an unknown field, and `.` for the whole.
        let path = error.path().to_string();
        bad(source, &error.into_inner(), path.trim_end_matches(['?', '.']))
    })?;
    reader.end().map_err(|error| bad(source, &error, ""))?;
    Ok(value)
}

fn bad(source: &Source, error: &serde_json::Error, field: &str) -> BadInput {
    let (line, column) = (error.line(), error.column());
    let field = if field.is_empty() { String::new() } else { format!(", `{field}`") };
    let message = error.to_string();
    // The position is part of `place` in all formats, so it is removed here.
    let problem = message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message);
    source.bad(format_args!("line {line}, column {column}{field}"), problem, source.format())
}
