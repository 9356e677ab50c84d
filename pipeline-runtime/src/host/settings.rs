//! The settings that a run starts with, and how they are changed.

use super::StartError;
use crate::Pipeline;
use crate::author::setting::{self, SettingInput, SettingValues};
use crate::journal::{JournalError, Reader, SqliteJournal};
use crate::plan::{Plan, setting_named, settings};
use crate::time::Timestamp;
use serde_json::Value;

/// Returns the settings of a run that starts now, as far as its plan takes them.
pub(super) fn for_new_run(reader: &Reader, plan: &Plan) -> Result<SettingValues, JournalError> {
    let mut set = SettingValues::new();
    for setting in &plan.settings {
        if let Some(stored) = reader.setting(setting.name())? {
            set.insert(setting.name().to_owned(), stored.value);
        }
    }
    Ok(plan.settings_at_begin(|name| set.get(name).cloned()))
}

/// Returns the settings of a run that has started before. A setting that its pipeline has begun to take since has its current
/// value, which may be its default.
pub(super) fn for_resumed_run(reader: &Reader, plan: &Plan, begun: &SettingValues) -> Result<SettingValues, JournalError> {
    if plan.settings.iter().all(|setting| begun.contains_key(setting.name())) {
        return Ok(begun.clone());
    }
    let mut values = for_new_run(reader, plan)?;
    values.extend(begun.clone());
    Ok(values)
}

/// Changes a setting, if the value has its type, and returns the answer.
pub(crate) fn set(
    journal: &SqliteJournal,
    pipelines: &[Pipeline],
    name: &str,
    to: &SettingInput,
    now: Timestamp,
) -> Result<String, StartError> {
    let plans = pipelines.iter().map(|pipeline| pipeline.plan(&Value::Null)).collect::<Result<Vec<_>, _>>()?;
    let known = settings(&plans);
    let setting = setting_named(&known, name).map_err(StartError::Refused)?;
    let refused = |why: String| StartError::Refused(format!("the setting `{name}`: {why}"));
    let value = to.value_for(setting).map_err(refused)?;
    let answer = if let Some(value) = &value {
        format!("the setting {name} is {value}, for runs that begin from now on")
    } else {
        let default = setting::default_json(setting).map_err(refused)?;
        format!("the setting {name} has its default again, {default}, for runs that begin from now on")
    };
    journal.next_is_effect();
    journal.set(name, value, now);
    Ok(answer)
}
