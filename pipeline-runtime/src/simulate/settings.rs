//! The settings of a simulation.

use super::SimulationError;
use crate::author::setting::{self, SettingValues};
use crate::plan::{Plan, setting_named, settings};
use serde_json::Value;

/// A setting that has a value of the simulation's.
#[derive(Debug)]
pub(super) struct SetTo {
    pub(super) name: String,
    pub(super) to: To,
}

#[derive(Debug)]
pub(super) enum To {
    /// As JSON.
    Value(Result<Value, String>),
    /// As the command line has it.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only the command line gives one"))]
    Text(String),
}

/// The values that the simulated runs begin with. Of a setting that is given twice the last value counts.
pub(super) fn values<'a>(given: Vec<SetTo>, plans: impl Iterator<Item = &'a Plan>) -> Result<SettingValues, SimulationError> {
    let known = settings(plans);
    let mut values = SettingValues::new();
    for SetTo { name, to } in given {
        let refused = |reason| SimulationError::Setting { name: name.clone(), reason };
        let setting = setting_named(&known, &name).map_err(refused)?;
        let value = match to {
            To::Value(value) => {
                let value = value.map_err(refused)?;
                setting::read(setting, &value).map_err(refused)?;
                value
            }
            To::Text(text) => setting::parse(setting, &text).map_err(refused)?,
        };
        values.insert(name, value);
    }
    Ok(values)
}
