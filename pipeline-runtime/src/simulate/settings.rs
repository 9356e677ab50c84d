//! The settings of a simulation.

use super::SimulationError;
use crate::author::setting::{SetTo, SettingValues};
use crate::plan::{Plan, setting_named, settings};

/// A setting that is set in the simulation, or why its value cannot be kept.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) name: String,
    pub(super) to: Result<SetTo, String>,
}

/// The values that the simulated runs begin with. Of a setting that is given twice the last value counts.
pub(super) fn values<'a>(given: Vec<Given>, plans: impl Iterator<Item = &'a Plan>) -> Result<SettingValues, SimulationError> {
    let known = settings(plans);
    let mut values = SettingValues::new();
    for Given { name, to } in given {
        let refused = |reason| SimulationError::Setting { name: name.clone(), reason };
        let setting = setting_named(&known, &name).map_err(refused)?;
        let value = to.and_then(|to| to.value_for(setting)).map_err(refused)?;
        // Whatever is set in a journal, a simulated run has the default of what is not given.
        match value {
            Some(value) => values.insert(name, value),
            None => values.remove(&name),
        };
    }
    Ok(values)
}
