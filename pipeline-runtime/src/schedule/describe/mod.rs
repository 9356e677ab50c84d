//! A cron line in English, by its meaning and not by its spelling: `*/90` is every hour.

mod days;

use pipeline_syntax::cron::Days;

use super::times::Times;

/// More times of day than this are described as minutes and hours.
const MAX_LISTED_TIMES: usize = 6;

/// A phrase such as `at 06:00, on Monday to Friday`.
pub(super) fn describe(days: &Days, times: &Times) -> String {
    format!("{}{}", describe_times(times), days::describe(days))
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

/// The step between neighbors, if it is the same for all, including the step from the last to the first of the next round.
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
            ("0 0 1,15 * *", "at 00:00, on day 1 and 15"),
            ("0 0 1-3,7,9,10 1,7 *", "at 00:00, on day 1-3, 7, 9, and 10, in January and July"),
            ("0 0 */10 * *", "at 00:00, on day 1, 11, 21, and 31"),
            ("0 0 1-31 * 1", "at 00:00, on day 1-31 or Monday"),
            ("0 0 */10,L * *", "at 00:00, on day 1, 11, 21, and 31 and the last day of the month"),
            ("0 0 15,L * 0", "at 00:00, on day 15 and the last day of the month or Sunday"),
            (
                "0 0 L 2-12 *",
                "at 00:00, on the last day of the month, in February, March, April, May, June, July, August, September, October, November, and December",
            ),
            ("0 0 15W */1 *", "at 00:00, on the weekday nearest day 15"),
            ("0 0 * * 6,7", "at 00:00, on Sunday and Saturday"),
            ("0 0 * * 1-6", "at 00:00, on Monday, Tuesday, Wednesday, Thursday, Friday, and Saturday"),
            ("0 0 * * 5#2,5#1,1#1", "at 00:00, on the 1st Monday and Friday of the month and the 2nd Friday of the month"),
            (
                "0 0 * 3 1#3,L2,2#4",
                "at 00:00, on the last Tuesday of the month, the 3rd Monday of the month, and the 4th Tuesday of the month, in March",
            ),
        ] {
            assert_eq!(Schedule::parse(cron, "UTC").unwrap().describe(), format!("{words} (UTC)"), "{cron}");
        }
    }
}
