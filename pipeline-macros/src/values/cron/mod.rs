//! Schedules: five-field cron as croniter, and so Airflow, reads it, and Airflow's presets.

// The runtime's `schedule/syntax.rs`, letter for letter, which a test watches: the crates are published apart. It also says which lines
// follow the rule of fixed times, which only the runtime asks.
#[allow(dead_code, reason = "the same file as the runtime's")]
#[cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]
mod syntax;

use crate::suggest;
use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// Airflow's presets that are cron lines. `@once` and `@continuous` are none.
const PRESETS: &[&str] = &["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// Minute, hour, day of month, month, day of week.
const FIELDS: usize = 5;

/// Accepts the schedule, or says why not.
///
/// What a line means is read by the runtime's own grammar, and its days by the runtime's own crate, so that no line that
/// compiles is refused when the pipeline starts.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let line = text.trim();
    if line.starts_with('@') {
        check_preset(line)?;
    } else {
        let fields: Vec<_> = line.split_whitespace().collect();
        if fields.len() != FIELDS {
            return Err(wrong_width(&fields));
        }
    }
    let line = syntax::read(line)?;
    let cron = parse(&line.fields.join(" "))?;
    // Such as 30 February: accepted by the grammar, met by no day.
    let fires = cron.find_next_occurrence(&DateTime::<Utc>::UNIX_EPOCH, false);
    if fires.is_err() {
        return Err("it never fires: no month it names has such a day".to_owned());
    }
    Ok(())
}

fn parse(line: &str) -> Result<Cron, String> {
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .sloppy_ranges(true)
        .build()
        .parse(line)
        .map_err(|error| error.to_string())
}

fn check_preset(preset: &str) -> Result<(), String> {
    if PRESETS.iter().any(|known| known.eq_ignore_ascii_case(preset)) {
        return Ok(());
    }
    Err(match preset {
        "@once" | "@none" => "a pipeline without `schedule` runs when it is asked to: leave the option out".to_owned(),
        "@continuous" => "there is no continuous schedule; the shortest is every minute, `* * * * *`".to_owned(),
        _ => format!("unknown preset; {}", suggest::hint(preset, PRESETS)),
    })
}

fn wrong_width(fields: &[&str]) -> String {
    let found = fields.len();
    let hint = match fields {
        [] => "; at six every morning is `0 6 * * *`".to_owned(),
        [_, rest @ ..] if found == 6 => {
            format!("; there is no field for seconds or years: perhaps `{}`", rest.join(" "))
        }
        [first, ..] if found == 1 && suggest::nearest(&format!("@{first}"), PRESETS).is_some() => {
            format!("; the preset is `@{first}`")
        }
        _ => String::new(),
    };
    format!("it has {found} fields where cron has 5, minute hour day-of-month month day-of-week{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        check(text).expect_err(text)
    }

    #[test]
    fn schedules_are_read_as_croniter_does() {
        for line in [
            "0 6 * * *",
            "0/30 * * * *",
            "*/5 8-18 * * MON-FRI",
            "0 0 L * *",
            "0 0 29 2 *",
            "15,45 0 1 jan 7",
            "@daily",
            "@midnight",
        ] {
            assert_eq!(check(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn the_guilty_field_is_named() {
        assert_eq!(refused("61 6 * * *"), "minute 61 is not within 0-59");
        assert_eq!(refused("0 6 * * FUNDAY"), "`FUNDAY` is not a day of week: expected a number or a name such as `SUN`");
        assert_eq!(refused("0 25 * * *"), "hour 25 is not within 0-23");
        assert_eq!(refused("0 6 0 * *"), "day of month 0 is not within 1-31");
    }

    /// Where this fails, copy the runtime's file here.
    #[test]
    fn the_grammar_is_the_runtimes() {
        let runtime = concat!(env!("CARGO_MANIFEST_DIR"), "/../pipeline-runtime/src/schedule/syntax.rs");
        let runtime = std::fs::read_to_string(runtime).expect("the runtime's grammar");
        assert!(runtime == include_str!("syntax.rs"), "values/cron/syntax.rs differs from the runtime's schedule/syntax.rs");
    }

    #[test]
    fn what_compiles_is_what_runs() {
        let lines = [
            "* * * * *",
            "0/30 * * * *",
            "0 22-2 * * *",
            "0 0 * * 7",
            "0 0 * * 7/2",
            "0 0 * * fri-sun",
            "0 0 * * SUN",
            "0 0 1 jan-Mar *",
            "0 0 L * *",
            "0 0 * * L5",
            "0 0 * * 5#2",
            "0 0 15W * *",
            "0 0 w15 * *",
            "0 0 31W * *",
            "0 0 ? * ?",
            "00 06 * * *",
            "0 0 29 2 *",
            "0 0 13 * 5",
            " @midnight ",
            "@Weekly",
            "@daily",
            "*/15,5 * * * *",
            "0 0 * * 5L",
            "0 0 LW * *",
            "0 0 * * +5",
            "/15 * * * *",
            "1,,2 * * * *",
            "2-2 * * * *",
            "0 0 31 2 *",
            "0 0 30 2 *",
            "0 0 31 4,6,9,11 *",
            "0 0 * * 5#6",
            "0 0 * * 8",
            "*/0 * * * *",
            "*/+5 * * * *",
            "0 22-4/2 * * *",
            "*,5 * * * *",
            "0 0 13 * 5#2",
            "0 0 30W * *",
            "0 0 * * Lfri",
            "60 * * * *",
            "* * * *",
            "0 * * * * *",
            "@reboot",
            "@once",
            "daily",
            "",
        ];
        for line in lines {
            let runtime = pipeline_runtime::schedule::Schedule::parse(line, "UTC");
            assert_eq!(check(line).is_ok(), runtime.is_ok(), "{line:?}: {:?}, {runtime:?}", check(line));
        }
    }

    #[test]
    fn the_number_of_fields_is_explained() {
        assert!(refused("0 0 6 * * *").ends_with("no field for seconds or years: perhaps `0 6 * * *`"));
        assert!(refused("6 * *").starts_with("it has 3 fields"));
        assert!(refused("daily").ends_with("the preset is `@daily`"));
        assert!(refused("").contains("0 fields"));
    }

    #[test]
    fn presets_are_airflows() {
        assert_eq!(refused("@dayly"), "unknown preset; did you mean `@daily`?");
        assert!(refused("@once").contains("leave the option out"));
    }

    #[test]
    fn a_line_that_never_fires_is_refused() {
        assert_eq!(refused("0 0 30 2 *"), "it never fires: no month it names has such a day");
    }
}
