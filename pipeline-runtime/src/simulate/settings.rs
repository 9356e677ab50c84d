//! The settings of a simulation.

use super::SimulationError;
use crate::author::setting::{SettingInput, SettingValues};
use crate::plan::{Plan, setting_named, settings};

/// A setting of the simulation, or why its value is invalid.
#[derive(Debug)]
pub(super) struct SettingOverride {
    pub(super) name: String,
    pub(super) to: Result<SettingInput, String>,
}

/// The values that the simulated runs start with. If a setting is given twice, the last value counts.
pub(super) fn values<'a>(
    given: Vec<SettingOverride>,
    plans: impl Iterator<Item = &'a Plan>,
) -> Result<SettingValues, SimulationError> {
    let known = settings(plans);
    let mut values = SettingValues::new();
    for SettingOverride { name, to } in given {
        let refused = |reason| SimulationError::Setting { name: name.clone(), reason };
        let setting = setting_named(&known, &name).map_err(refused)?;
        let value = to.and_then(|to| to.value_for(setting)).map_err(refused)?;
        // A setting that is not given has its default, whatever is set in a journal.
        match value {
            Some(value) => values.insert(name, value),
            None => values.remove(&name),
        };
    }
    Ok(values)
}
