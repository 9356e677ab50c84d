//! The grammar of a cron line, as croniter 7 interprets it.
//!
//! Cron's dialects agree on everything common and differ in details, and a pipeline may later run on an Airflow that uses
//! croniter. So a line means what it means there: `22-2` wraps around, `1/2` in the weekday field ends on Saturday, and `31W` is
//! the last working day of a short month, too. Lines that croniter refuses are refused. If croniter's own interpretation is an
//! accident (`2-2` is every value; `15W` or `5#2` disables the other day field), the line is refused too, because it would not do
//! what it seems to say.
//!
//! Of 40,000 random lines, interpreted by croniter 7.0.0 and by this grammar, the lines accepted here fired at the same 25 times,
//! with one exception: croniter treats `L` together with 30 other days of the month as all days.

use super::Line;
use super::days::{Days, MonthDays, Weekdays};
use super::field::{DAY, HOUR, MINUTE, MONTH, WEEKDAY};
use super::values::Values;
use crate::suggest;

/// Airflow's presets that are cron lines. `@once` and `@continuous` are not.
const PRESETS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// Parses a line or a preset. The error is a fragment that states what is wrong.
pub(super) fn read(cron: &str) -> Result<Line, String> {
    let text = cron.trim();
    let text = if text.starts_with('@') { preset(text)? } else { text };
    let parts: Vec<&str> = text.split_whitespace().collect();
    let Ok(parts) = <[&str; 5]>::try_from(parts.as_slice()) else { return Err(wrong_width(&parts)) };
    let [minute, hour, day, month, weekday] = parts.map(str::to_ascii_uppercase);

    let plain = |_: &str| Ok(false);
    let minutes = MINUTE.read(&minute, plain)?;
    let hours = HOUR.read(&hour, plain)?;
    let (mut of_month, day_has_star) = read_day(&day)?;
    let months = MONTH.read(&month, plain)?.values;
    let (mut of_week, weekday_has_star) = read_weekday(&weekday)?;
    // croniter uses only the field with the special day, and ignores the other.
    let is_working_day = matches!(of_month, MonthDays::NearestWorkday(_) | MonthDays::LastWorkday);
    let is_of_month = matches!(of_week, Weekdays::OfMonth { .. });
    if (is_working_day && of_week != Weekdays::Any) || (is_of_month && of_month != MonthDays::Any) {
        return Err(format!(
            "`{}` and `{}` cannot be combined: with `W`, `#` or a weekday's `L` the other day field has to be `*`",
            parts[2], parts[4]
        ));
    }
    // croniter treats a day field that lists every day as `*` if the other one contains a `*`, as in `*/2 * 0-6`.
    if weekday_has_star && matches!(of_month, MonthDays::Listed { days, .. } if DAY.is_full(days)) {
        of_month = MonthDays::Any;
    }
    let day_has_star = day_has_star || of_month == MonthDays::Any;
    if day_has_star && matches!(of_week, Weekdays::Listed(days) if WEEKDAY.is_full(days)) {
        of_week = Weekdays::Any;
    }
    Ok(Line {
        minutes: minutes.values,
        hours: hours.values,
        days: Days { months, of_month, of_week },
        fixed_time: ![minutes, hours].iter().any(|field| field.has_star || field.has_step),
    })
}

fn preset(text: &str) -> Result<&'static str, String> {
    if let Some((_, line)) = PRESETS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Ok(line);
    }
    Err(match text.to_ascii_lowercase().as_str() {
        "@once" | "@none" => "a pipeline without `schedule` runs only when it is triggered: leave the option out".to_owned(),
        "@continuous" => "there is no continuous schedule: the shortest is every minute, `* * * * *`".to_owned(),
        _ => format!("unknown preset; {}", suggest::hint(text, &PRESETS.map(|(name, _)| name))),
    })
}

fn wrong_width(fields: &[&str]) -> String {
    let found = fields.len();
    let hint = match fields {
        [] => "; every morning at six is `0 6 * * *`".to_owned(),
        [_, rest @ ..] if found == 6 => {
            format!("; cron has no field for seconds or years: write `{}`", rest.join(" "))
        }
        [word] if suggest::nearest(&format!("@{word}"), &PRESETS.map(|(name, _)| name)).is_some() => {
            format!("; the preset is `@{word}`")
        }
        _ => String::new(),
    };
    format!("expected 5 fields, minute hour day-of-month month day-of-week, but found {found}{hint}")
}

/// Parses the days of the month. Also returns whether the field contains a `*`.
fn read_day(text: &str) -> Result<(MonthDays, bool), String> {
    if let Some(day) = nearest_workday(text) {
        return match DAY.value(day)? {
            // In a short month croniter replaces the 31st by the last day, so `31W` is the last working day.
            31 => Ok((MonthDays::LastWorkday, false)),
            day @ 29.. => Err(format!("`{day}W` is unclear in shorter months: write `28W`, or `31W` for the last working day")),
            day => Ok((MonthDays::NearestWorkday(day), false)),
        };
    }
    let mut last = false;
    let listed = DAY.read(text, |item| {
        last |= item == "L";
        Ok(item == "L")
    })?;
    let days = if listed.is_every { MonthDays::Any } else { MonthDays::Listed { days: listed.values, last } };
    Ok((days, listed.has_star))
}

/// The day of `15W` or `W15`, the nearest working day. It must be the only item of its field.
fn nearest_workday(text: &str) -> Option<&str> {
    let day = text.strip_suffix('W').or_else(|| text.strip_prefix('W'))?;
    (!day.is_empty() && day.bytes().all(|b| b.is_ascii_digit())).then_some(day)
}

/// Parses the days of the week. Also returns whether the field contains a `*`.
fn read_weekday(text: &str) -> Result<(Weekdays, bool), String> {
    let (mut nth, mut last) = ([Values::default(); 5], Values::default());
    let mut is_of_month = false;
    let listed = WEEKDAY.read(text, |item| {
        match special_weekday(item)? {
            Some((day, Some(count))) => nth[count - 1].insert(day),
            Some((day, None)) => last.insert(day),
            None => return Ok(false),
        }
        is_of_month = true;
        Ok(true)
    })?;
    if is_of_month && !listed.values.is_empty() {
        return Err(format!("in the {} field, `#` and `L` cannot be combined with plain days", WEEKDAY.name));
    }
    let days = match listed.is_every {
        true => Weekdays::Any,
        false if is_of_month => Weekdays::OfMonth { nth, last },
        false => Weekdays::Listed(listed.values),
    };
    Ok((days, listed.has_star))
}

/// Parses `5#2`, the second Friday of the month, or `L5`, the last one: returns the weekday and its number, or `None` for the
/// last.
fn special_weekday(item: &str) -> Result<Option<(u8, Option<usize>)>, String> {
    if let Some((day, nth)) = item.split_once('#') {
        let day = WEEKDAY.wrapped(WEEKDAY.value(day)?);
        return match nth.parse() {
            // Parsing accepts a plus sign, which no field of a line may have.
            Ok(count @ 1..=5) if !nth.starts_with('+') => Ok(Some((day, Some(count)))),
            _ if nth == "L" => Err(format!("for the last such day of a month, write `L{day}`")),
            _ => Err(format!("`#{nth}` is not one of `#1` to `#5`")),
        };
    }
    if let Some(day) = item.strip_prefix('L').filter(|day| !day.is_empty()) {
        let number = WEEKDAY.wrapped(WEEKDAY.value(day)?);
        // croniter supports no names here.
        return if day.starts_with(|c: char| c.is_ascii_digit()) {
            Ok(Some((number, None)))
        } else {
            Err(format!("for the last such day of a month, write `L{number}`"))
        };
    }
    if let Some(day) = item.strip_suffix('L').filter(|day| !day.is_empty()) {
        return Err(format!("for the last such day of a month, write `L{}`", WEEKDAY.wrapped(WEEKDAY.value(day)?)));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_lines_say_alike() {
        for (cron, same) in [
            ("0/30 * * * *", "0-59/30 * * * *"),
            ("*/90 * * * *", "0 * * * *"),
            ("*/15,5 * * * *", "0,5,15,30,45 * * * *"),
            ("0 22-2 * * *", "0 22-23,0-2 * * *"),
            ("0 0 * * 1/2", "0 0 * * 1,3,5"),
            ("0 0 * * 7/2", "0 0 * * 0-6/2"),
            ("0 0 * * 1-7/2", "0 0 * * 0,1,3,5"),
            ("0 0 * * fri-sun", "0 0 * * 5-6,0"),
            ("0 0 * * 5-7", "0 0 * * 0,5,6"),
            ("0 0 * * 7-2", "0 0 * * 0-2"),
            ("0 0 * * 0-7", "0 0 * * *"),
            ("0 0 * * L7", "0 0 * * L0"),
            ("0 0 * * sun#2,5#1", "0 0 * * 5#1,0#2"),
            ("0 0 w15 * *", "0 0 15W * *"),
            ("0 0 */2 * 0-6", "0 0 */2 * *"),
            ("0 0 */2 * 1-7", "0 0 */2 * *"),
            ("0 0 1-15,16-31 * */3", "0 0 * * */3"),
            ("0 0 */1,L * *", "0 0 * * *"),
            ("0 0 1 jan-Mar *", "0 0 1 1-3 *"),
            ("0 0 ? * ?", "0 0 * * *"),
            ("0 0 * * sun", "0 0 * * 0"),
            ("0 0 * * 7", "0 0 * * 0"),
            ("00 06 * * *", "0 6 * * *"),
            ("@Weekly", "0 0 * * 0"),
            (" @midnight ", "0 0 * * *"),
        ] {
            let read = |cron: &str| Line { fixed_time: false, ..read(cron).unwrap_or_else(|e| panic!("{cron}: {e}")) };
            assert_eq!(read(cron), read(same), "{cron}");
        }
    }

    #[test]
    fn days_are_read_into_what_they_mean() {
        let values = |numbers: &[u8]| numbers.iter().copied().collect::<Values>();
        let days = |cron: &str| read(cron).unwrap_or_else(|e| panic!("{cron}: {e}")).days;
        for (cron, of_month) in [
            ("0 0 13,L * *", MonthDays::Listed { days: values(&[13]), last: true }),
            ("0 0 15W * *", MonthDays::NearestWorkday(15)),
            ("0 0 31W * *", MonthDays::LastWorkday),
            // It lists every day, and the other field contains no `*`: every day matches.
            ("0 0 1-31 * 1", MonthDays::Listed { days: (1..=31).collect(), last: false }),
        ] {
            assert_eq!(days(cron).of_month, of_month, "{cron}");
        }
        let none = Values::default();
        for (cron, of_week) in [
            ("0 0 13 * 5-7", Weekdays::Listed(values(&[0, 5, 6]))),
            ("0 0 * * L5", Weekdays::OfMonth { nth: [none; 5], last: values(&[5]) }),
            ("0 0 * * 5#2", Weekdays::OfMonth { nth: [none, values(&[5]), none, none, none], last: none }),
        ] {
            assert_eq!(days(cron).of_week, of_week, "{cron}");
        }
    }

    #[test]
    fn what_croniter_refuses_or_misreads_is_refused() {
        for (cron, reason) in [
            ("* * * *", "expected 5 fields, minute hour day-of-month month day-of-week, but found 4"),
            (
                "0 * * * * *",
                "expected 5 fields, minute hour day-of-month month day-of-week, but found 6; cron has no field for seconds or years: write `* * * * *`",
            ),
            (
                "@reboot",
                "unknown preset; expected one of `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`",
            ),
            ("@Once", "a pipeline without `schedule` runs only when it is triggered: leave the option out"),
            ("60 * * * *", "minute 60 is not within 0-59"),
            ("0 24 * * *", "hour 24 is not within 0-23"),
            ("0 0 0 * *", "day of month 0 is not within 1-31"),
            ("0 0 * * 8", "day of week 8 is not within 0-7"),
            ("0 0 * * jan", "`JAN` is not a day of week: expected a number or a name such as `SUN`"),
            ("1,,2 * * * *", "the minute field has an empty item"),
            ("/15 * * * *", "`/15` has nothing before its `/`: write `*/15`"),
            ("*/0 * * * *", "the step of `*/0` is zero"),
            ("*/+5 * * * *", "the step of `*/+5` is not a number, in the minute field"),
            ("2-2 * * * *", "`2-2` is a range of one value: write `2`"),
            ("0 0 * * 7-7", "`7-7` is a range of one value: write `7`"),
            ("0 0 * * 7-0", "`7-0` is a range of one value: write `0`"),
            ("0 0 * * sun-sun/2", "`SUN-SUN/2` is a range of one value: write `0`"),
            ("0 0 * * 5#+2", "`#+2` is not one of `#1` to `#5`"),
            ("0 22-4/2 * * *", "`22-4/2` runs backwards: write two, such as `22-23/…,0-4/…`"),
            ("*,5 * * * *", "in the minute field, `*` cannot be combined with other items"),
            ("0 0 * * 5L", "for the last such day of a month, write `L5`"),
            ("0 0 * * 5#L", "for the last such day of a month, write `L5`"),
            ("0 0 * * 5#6", "`#6` is not one of `#1` to `#5`"),
            ("0 0 * * +5", "`+5` is not a day of week: expected a number or a name such as `SUN`"),
            ("0 0 * * 1#2,5", "in the day of week field, `#` and `L` cannot be combined with plain days"),
            (
                "0 0 13 * 5#2",
                "`13` and `5#2` cannot be combined: with `W`, `#` or a weekday's `L` the other day field has to be `*`",
            ),
            ("0 0 LW * *", "`LW` is not a day of month: expected a number"),
            ("0 0 30W * *", "`30W` is unclear in shorter months: write `28W`, or `31W` for the last working day"),
            ("0 0 * * Lfri", "for the last such day of a month, write `L5`"),
            ("0 0 1W,15W * *", "`1W` is not a day of month: expected a number"),
            (
                "",
                "expected 5 fields, minute hour day-of-month month day-of-week, but found 0; every morning at six is `0 6 * * *`",
            ),
        ] {
            assert_eq!(read(cron).unwrap_err(), reason, "{cron}");
        }
    }

    #[test]
    fn lines_are_fixed_time_or_interval_by_their_minute_and_hour() {
        for cron in ["30 2 * * *", "30 2,14 * * *", "0,30 1-5 * * *", "@daily", "0 0 */2 * *"] {
            assert!(read(cron).unwrap().fixed_time, "{cron}");
        }
        for cron in ["@hourly", "0/30 * * * *", "0 */6 * * *", "0 0/6 * * *", "*/30 2 * * *"] {
            assert!(!read(cron).unwrap().fixed_time, "{cron}");
        }
    }
}
