//! A cron line in English.
//!
//! The days are croner's words. The times are ours, since croner 4.0.3 reads the spelling and not the meaning: `*/90` becomes "every 90 minutes"
//! (it is every hour) and `*/15,5` "every 15 minutes".

use croner::Cron;
use pipeline_syntax::cron::read_fields;

use super::times::Times;

/// More times of day than this are told as minutes and hours.
const MAX_LISTED_TIMES: usize = 6;

/// A phrase such as `at 06:00, on Monday to Friday`.
pub(super) fn describe(cron: &Cron, times: &Times) -> String {
    format!("{}{}", describe_times(times), describe_days(cron).unwrap_or_default())
}

fn describe_times(times: &Times) -> String {
    let hours: Vec<u32> = times.hours().collect();
    let minutes: Vec<u32> = times.minutes().collect();
    if hours.len() == 24 {
        return match (minutes.as_slice(), cycle(&minutes, 60)) {
            (_, Some(1)) => "every minute".to_owned(),
            ([0], _) => "every hour".to_owned(),
            (_, Some(step)) if minutes[0] == 0 => format!("every {step} minutes"),
            ([_], _) => format!("every hour, at {}", minutes_in_words(&minutes)),
            _ => format!("at {} of every hour", minutes_in_words(&minutes)),
        };
    }
    if hours.len() * minutes.len() <= MAX_LISTED_TIMES {
        let listed = hours.iter().flat_map(|hour| minutes.iter().map(move |minute| format!("{hour:02}:{minute:02}")));
        return format!("at {}", list(&listed.collect::<Vec<_>>()));
    }
    let during = match cycle(&hours, 24) {
        Some(step) if minutes.len() == 1 => {
            return format!("every {step} hours from {:02}:{:02}", hours[0], minutes[0]);
        }
        Some(step) if hours[0] == 0 => format!("every {} hour", ordinal(step)),
        _ if hours.len() == 1 => format!("hour {}", hours[0]),
        _ => format!("the hours {}", list(&runs(&hours))),
    };
    match cycle(&minutes, 60) {
        Some(1) => format!("every minute of {during}"),
        Some(step) if minutes[0] == 0 => format!("every {step} minutes of {during}"),
        _ => format!("at {} of {during}", minutes_in_words(&minutes)),
    }
}

/// croner's words for the days, of a line that keeps nothing else: `, on day 13 or Friday`.
fn describe_days(cron: &Cron) -> Option<String> {
    let pattern = &cron.pattern;
    let mut fields = pattern.as_str().split_whitespace().skip(2);
    let mut field = |values: Vec<u16>| {
        let text = fields.next()?;
        // A step is told by what it comes to.
        let text =
            if text.contains('/') { values.iter().map(u16::to_string).collect::<Vec<_>>().join(",") } else { text.to_owned() };
        Some(text)
    };
    let line = format!(
        "0 0 {} {} {}",
        field(pattern.days.values())?,
        field(pattern.months.values())?,
        field(pattern.days_of_week.values())?
    );
    let words = read_fields(&line).ok()?.describe();
    let days = words.strip_prefix("At 00:00")?.trim_end_matches('.');
    let days = if line.contains("LW") { days.replace("last day", "last working day") } else { days.to_owned() };
    Some(days.replace("Monday, Tuesday, Wednesday, Thursday, and Friday", "Monday to Friday"))
}

/// The distance between neighbours, if it is the same for all, the last and the first of the next round included.
fn cycle(values: &[u32], round: u32) -> Option<u32> {
    let step = values.get(1)?.checked_sub(values[0])?;
    let first_of_next_round = values[0] + round;
    let next = values[1..].iter().chain([&first_of_next_round]);
    values.iter().zip(next).all(|(a, b)| b - a == step).then_some(step)
}

fn minutes_in_words(minutes: &[u32]) -> String {
    let noun = if minutes.len() == 1 { "minute" } else { "minutes" };
    format!("{noun} {}", list(&runs(minutes)))
}

/// `[1, 2, 3, 7]` as `1-3` and `7`.
fn runs(values: &[u32]) -> Vec<String> {
    values
        .chunk_by(|a, b| a + 1 == *b)
        .flat_map(|run| match run {
            [first, .., last] if run.len() > 2 => vec![format!("{first}-{last}")],
            few => few.iter().map(u32::to_string).collect(),
        })
        .collect()
}

fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

fn ordinal(n: u32) -> String {
    match n {
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        n => format!("{n}th"),
    }
}

#[cfg(test)]
mod tests {
    use crate::schedule::Schedule;

    #[test]
    fn lines_in_words() {
        for (cron, words) in [
            ("* * * * *", "every minute"),
            ("*/15 * * * *", "every 15 minutes"),
            ("0/30 * * * *", "every 30 minutes"),
            ("*/90 * * * *", "every hour"),
            ("*/15,5 * * * *", "at minutes 0, 5, 15, 30 and 45 of every hour"),
            ("5/20 * * * *", "at minutes 5, 25 and 45 of every hour"),
            ("@hourly", "every hour"),
            ("15 * * * *", "every hour, at minute 15"),
            ("0 6 * * *", "at 06:00"),
            ("30 2,14 * * *", "at 02:30 and 14:30"),
            ("0 */6 * * *", "at 00:00, 06:00, 12:00 and 18:00"),
            ("30 1/2 * * *", "every 2 hours from 01:30"),
            ("0 9-17 * * 1-5", "at minute 0 of the hours 9-17, on Monday to Friday"),
            ("*/10 9-17 * * *", "every 10 minutes of the hours 9-17"),
            ("*/10 6 * * *", "at 06:00, 06:10, 06:20, 06:30, 06:40 and 06:50"),
            ("* 6 * * *", "every minute of hour 6"),
            ("*/20 */2 * * *", "every 20 minutes of every second hour"),
            ("0 0 13 * 5", "at 00:00, on day 13 or Friday"),
            ("0 0 1 */3 *", "at 00:00, on day 1, in January, April, July, and October"),
            ("0 0 1 1/5 *", "at 00:00, on day 1, in January, June, and November"),
            ("0 0 * * L5", "at 00:00, on the last Friday of the month"),
            ("0 0 31W * *", "at 00:00, on the last working day of the month"),
            ("@yearly", "at 00:00, on day 1, in January"),
        ] {
            assert_eq!(Schedule::parse(cron, "UTC").unwrap().describe(), format!("{words} (UTC)"), "{cron}");
        }
    }
}
