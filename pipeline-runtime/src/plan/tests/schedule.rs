//! Schedules, dates and time zones that cannot be read.

use super::*;

/// The macros find both at compile time; a binary that was built elsewhere, or before a change of law, is checked here.
#[test]
fn a_window_that_cannot_be_read_names_pipeline_and_option() {
    use crate::author::options::PipelineOptions;
    use crate::author::pipeline::{PipelineDefinition, without_params};
    fn wire() {
        rows();
    }
    fn refused(options: fn(PipelineOptions) -> PipelineOptions) -> String {
        let pipeline = without_params(PipelineDefinition::new("nightly", "", options), wire);
        pipeline.check().unwrap_err().to_string().lines().next().unwrap_or_default().to_owned()
    }
    assert_eq!(
        refused(|options| options.start("2024-1-5")),
        "error: the `start` of pipeline `nightly` cannot be used: `2024-1-5` is not a date; write `2024-01-05`"
    );
    assert_eq!(
        refused(|options| options.start("2024-01-05").end("2024-01-31T23:59:60Z")),
        "error: the `end` of pipeline `nightly` cannot be used: `2024-01-31T23:59:60Z` does not exist: the clock has no such time"
    );
    assert_eq!(
        refused(|options| options.start("2024-01-05").end("2024-01-04")),
        "error: the `end` of pipeline `nightly` cannot be used: the end, `2024-01-04`, is before the start, `2024-01-05`"
    );
    assert!(
        refused(|options| options.timezone("Europe/Berlin").end("2024-10-27T02:30")).contains("happened twice in Europe/Berlin")
    );
}

#[test]
fn a_beginning_that_the_clock_never_shows_is_reported_as_such() {
    // The macro does not know the zone of a constant.
    const DAILY: crate::schedule::Every = crate::every!("1d", from = "2024-03-31T02:30");
    #[pipeline(schedule = DAILY, timezone = "Europe/Berlin")]
    fn nightly() {
        rows();
    }
    let error = nightly().check().unwrap_err().to_string();
    assert!(error.contains("`2024-03-31T02:30` is not a valid recurrence") && error.contains("write `from` as a day"), "{error}");
}

#[test]
fn a_time_zone_that_only_the_machine_that_built_it_knows_is_named() {
    use crate::author::pipeline::{PipelineDefinition, without_params};
    use crate::schedule::IntoSchedule;
    fn wire() {
        rows();
    }
    // On this machine, the macro would refuse the name. Without a schedule, it is the zone of logical dates.
    for schedule in [Some(cron!("@daily").recurrence()), None] {
        let mut definition = PipelineDefinition::new("nightly", "", |options| options.timezone("America/Coast_City"));
        definition.options.schedule = schedule;
        let error = without_params(definition, wire).check().unwrap_err().to_string();
        let (message, help) = error.split_once("  = help: ").unwrap();
        assert!(
            message.starts_with(
                "error: the time zone of pipeline `nightly` cannot be used: `America/Coast_City` is not a time zone; did \
                 you mean `America/Costa_Rica`?\n"
            ),
            "{message}"
        );
        let machine =
            "if the machine that built this binary knows it, update the time zone data (tzdata) of this one (time zones: ";
        assert!(help.starts_with(machine), "{help}");
    }
}
