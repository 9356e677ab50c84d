//! Schedules: five-field cron as croniter, and so Airflow, reads it, and Airflow's presets.

use crate::suggest;
use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// Airflow's presets that are cron lines. `@once` and `@continuous` are none.
const PRESETS: &[&str] = &["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// The five fields, with what each takes.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of month", "1 to 31, or `L` for the last"),
    ("month", "1 to 12, or JAN to DEC"),
    ("day of week", "0 to 7, or SUN to SAT"),
];

/// Accepts the schedule, or says why not.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let line = text.trim();
    if line.starts_with('@') {
        return check_preset(line);
    }
    let fields: Vec<_> = line.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(wrong_width(&fields));
    }
    let cron = parse(line).map_err(|error| explain(&fields, &error))?;
    // Such as 30 February: accepted by the grammar, met by no day.
    let fires = cron.find_next_occurrence(&DateTime::<Utc>::UNIX_EPOCH, false);
    if fires.is_err() {
        return Err("no date ever matches it".to_owned());
    }
    Ok(())
}

fn parse(line: &str) -> Result<Cron, String> {
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        // croniter reads `0/30` as `0-59/30`.
        .sloppy_ranges(true)
        .build()
        .parse(line)
        .map_err(|error| error.to_string())
}

fn check_preset(preset: &str) -> Result<(), String> {
    if PRESETS.contains(&preset) {
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

/// Blames the first field that is wrong on its own.
fn explain(fields: &[&str], whole: &str) -> String {
    for (position, (field, (name, takes))) in fields.iter().zip(FIELDS).enumerate() {
        let mut alone = ["*"; FIELDS.len()];
        alone[position] = field;
        if parse(&alone.join(" ")).is_err() {
            return format!("the {name} `{field}` is not one: it takes {takes}, `*`, `1,2`, `1-5` and `*/10`");
        }
    }
    whole.to_owned()
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
        assert_eq!(refused("61 6 * * *"), "the minute `61` is not one: it takes 0 to 59, `*`, `1,2`, `1-5` and `*/10`");
        assert!(refused("0 6 * * FUNDAY").starts_with("the day of week `FUNDAY`"));
        assert!(refused("0 25 * * *").starts_with("the hour `25`"));
        assert!(refused("0 6 0 * *").starts_with("the day of month `0`"));
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
        assert_eq!(refused("0 0 30 2 *"), "no date ever matches it");
    }
}
