//! The settings that a run begins with, and what sets them.

use super::StartError;
use crate::Pipeline;
use crate::author::setting::{self, SetTo, SettingValues};
use crate::journal::{JournalError, Reader, SqliteJournal};
use crate::plan::{Plan, setting_named, settings};
use crate::time::Timestamp;
use serde_json::Value;

/// What a run that begins now has, of those that its plan takes.
pub(super) fn at_begin(reader: &Reader, plan: &Plan) -> Result<SettingValues, JournalError> {
    let mut set = SettingValues::new();
    for setting in &plan.settings {
        if let Some(stored) = reader.setting(setting.name())? {
            set.insert(setting.name().to_owned(), stored.value);
        }
    }
    Ok(plan.settings_at_begin(|name| set.get(name).cloned()))
}

/// What a run has that has begun before. A setting that its pipeline has come to take since is as it is now, its default among them.
pub(super) fn of_begun(reader: &Reader, plan: &Plan, begun: &SettingValues) -> Result<SettingValues, JournalError> {
    if plan.settings.iter().all(|setting| begun.contains_key(setting.name())) {
        return Ok(begun.clone());
    }
    let mut values = at_begin(reader, plan)?;
    values.extend(begun.clone());
    Ok(values)
}

/// Sets a setting, if that is a value of its type, and says so.
pub(crate) fn set(
    journal: &SqliteJournal,
    pipelines: &[Pipeline],
    name: &str,
    to: &SetTo,
    now: Timestamp,
) -> Result<String, StartError> {
    let plans = pipelines.iter().map(|pipeline| pipeline.plan(&Value::Null)).collect::<Result<Vec<_>, _>>()?;
    let known = settings(&plans);
    let setting = setting_named(&known, name).map_err(StartError::Refused)?;
    let refused = |why: String| StartError::Refused(format!("the setting `{name}`: {why}"));
    let value = to.value_for(setting).map_err(refused)?;
    let said = if let Some(value) = &value {
        format!("the setting {name} is {value}, for runs that begin from now on")
    } else {
        let default = setting::default_json(setting).map_err(refused)?;
        format!("the setting {name} has its default again, {default}, for runs that begin from now on")
    };
    journal.carries_next();
    journal.set(name, value, now);
    Ok(said)
}
