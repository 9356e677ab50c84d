//! The settings that pipelines take, and mistakes in them.

use super::check::wrong_id;
use super::graph::Plan;
use super::problem::Problem;
use crate::author::setting::{self, AnySetting, SettingValues};
use pipeline_syntax::suggest;
use std::collections::BTreeMap;

/// The settings of these plans, by name.
pub(crate) fn settings<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> BTreeMap<&'static str, &'static dyn AnySetting> {
    // If two have the same name, which is a mistake, the first one is used.
    let mut known = BTreeMap::new();
    for setting in plans.into_iter().flat_map(|plan| &plan.settings) {
        known.entry(setting.name()).or_insert(*setting);
    }
    known
}

/// The setting with that name, or an error message.
pub(crate) fn named(
    known: &BTreeMap<&'static str, &'static dyn AnySetting>,
    name: &str,
) -> Result<&'static dyn AnySetting, String> {
    known.get(name).copied().ok_or_else(|| {
        let names: Vec<&str> = known.keys().copied().collect();
        let hint = if names.is_empty() { "they have none".to_owned() } else { suggest::hint(name, &names) };
        format!("the pipelines have no setting `{name}`; {hint}")
    })
}

impl Plan {
    /// The settings of a run that starts now: each has the value that is set, otherwise the default.
    pub(crate) fn settings_at_begin(&self, set: impl Fn(&str) -> Option<serde_json::Value>) -> SettingValues {
        let value = |setting: &&'static dyn AnySetting| {
            // A default that cannot be created or written is left out: the attempt that takes it reports why.
            let default = || setting::default_json(*setting).ok();
            Some((setting.name().to_owned(), set(setting.name()).or_else(default)?))
        };
        self.settings.iter().filter_map(value).collect()
    }
}

/// The mistakes in a single plan.
pub(super) fn check(plan: &Plan, problems: &mut Vec<Problem>) {
    for setting in &plan.settings {
        problems.extend(wrong_id(setting.name()).map(|problem| problem.at(setting.at(), "this setting")));
        if let Err(why) = setting::default_of(*setting) {
            let help = "let the function that makes the default return a value";
            problems.push(Problem::new(why, help).at(setting.at(), "this setting"));
            continue;
        }
        let comes_back = setting::default_json(*setting).and_then(|default| {
            setting::read(*setting, &default).map_err(|why| format!("it does not come back from JSON: {why}"))
        });
        if let Err(why) = comes_back {
            let message = format!("the default of the setting `{}` cannot be stored: {why}", setting.name());
            let help = "take a default that JSON can hold: a run stores the values that it starts with";
            problems.push(Problem::new(message, help).at(setting.at(), "this setting"));
        }
    }
    differ(plan.settings.iter().copied(), problems);
}

/// The mistakes that several plans reveal: a name must not refer to two settings.
pub(super) fn check_plans(plans: &[Plan], problems: &mut Vec<Problem>) {
    differ(plans.iter().flat_map(|plan| plan.settings.iter().copied()), problems);
}

fn differ(settings: impl Iterator<Item = &'static dyn AnySetting>, problems: &mut Vec<Problem>) {
    let mut known: BTreeMap<&str, &'static dyn AnySetting> = BTreeMap::new();
    for setting in settings {
        let first = *known.entry(setting.name()).or_insert(setting);
        if std::ptr::addr_eq(first, setting) {
            continue;
        }
        let (of_first, of_second) = (first.codec(), setting.codec());
        let difference = if (of_first.type_id)() == (of_second.type_id)() {
            let default = |setting| setting::default_json(setting).map(|json| json.to_string());
            match (default(first), default(setting)) {
                (Ok(first), Ok(second)) if first != second => {
                    format!("one with the default {first} and one with {second}")
                }
                _ => continue,
            }
        } else {
            format!("one of `{}` and one of `{}`", (of_first.type_name)(), (of_second.type_name)())
        };
        let message =
            format!("two settings have the name `{}`, {difference}, and a setting is identified by its name", setting.name());
        let problem = Problem::new(message, "share one `static` setting, or give one of them another name");
        problems.push(problem.at(first.at(), "the first").at(setting.at(), "the second"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::check_together;
    use crate::prelude::*;

    #[task]
    async fn read(limit: u64) -> Result<u64> {
        Ok(limit)
    }

    #[task]
    async fn list(folder: String) -> Result<usize> {
        Ok(folder.len())
    }

    #[task]
    async fn weigh(weight: f64) -> Result<()> {
        let _ = weight;
        Ok(())
    }

    static LIMIT: Setting<u64> = Setting::new("limit", 500);
    static SAME: Setting<u64> = Setting::new("limit", 500);
    static OTHER_DEFAULT: Setting<u64> = Setting::new("limit", 200);
    static OTHER_TYPE: Setting<String> = Setting::from_fn("limit", || "500".to_owned());

    fn refusal(pipeline: &Pipeline) -> String {
        pipeline.check().unwrap_err().to_string()
    }

    #[test]
    fn two_settings_of_one_name_are_one_or_a_mistake() {
        #[pipeline]
        fn same() {
            read(&LIMIT);
            read(&SAME);
        }
        #[pipeline]
        fn other_default() {
            read(&LIMIT);
            read(&OTHER_DEFAULT);
        }
        #[pipeline]
        fn other_type() {
            read(&LIMIT);
            list(&OTHER_TYPE);
        }
        same().check().unwrap();
        let error = refusal(&other_default());
        assert!(error.contains("two settings have the name `limit`, one with the default 500 and one with 200, and"), "{error}");
        let error = refusal(&other_type());
        assert!(error.contains("two settings have the name `limit`, one of `u64` and one of `alloc::string::String`"), "{error}");
        assert_eq!(error.matches("settings.rs").count(), 2, "both places: {error}");
    }

    #[test]
    fn pipelines_agree_on_a_setting() {
        #[pipeline]
        fn first() {
            read(&LIMIT);
        }
        #[pipeline]
        fn second() {
            read(&OTHER_DEFAULT);
        }
        let pipelines = [first(), second()];
        let plans: Vec<_> = pipelines.iter().map(|pipeline| pipeline.plan(&serde_json::Value::Null).unwrap()).collect();
        let problems = check_together(&pipelines, &plans);
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn a_name_that_is_none_and_a_default_that_cannot_be_kept_are_refused() {
        static SPACED: Setting<u64> = Setting::new("the limit", 1);
        static NAN: Setting<f64> = Setting::new("weight", f64::NAN);
        static PANICS: Setting<f64> = Setting::from_fn("heavy", || panic!("no scales"));
        #[pipeline]
        fn spaced() {
            read(&SPACED);
        }
        #[pipeline]
        fn not_a_number() {
            weigh(&NAN);
            weigh(&PANICS);
        }
        assert!(refusal(&spaced()).contains("\"the limit\" cannot be an id"), "{}", refusal(&spaced()));
        let error = refusal(&not_a_number());
        assert!(
            error.contains("the default of the setting `weight` cannot be stored: it does not come back from JSON"),
            "{error}"
        );
        assert!(error.contains("the default of the setting `heavy` cannot be made: it panicked: no scales"), "{error}");
        assert!(error.contains("let the function that makes the default return a value"), "{error}");
    }
}
