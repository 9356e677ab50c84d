//! The days of a line.

use pipeline_syntax::cron::{Days, MonthDays, Values, Weekdays};

use super::runs;

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The text after the times: `, on day 13 or Friday, in May`. It is empty if the line fires every day.
pub(super) fn describe(days: &Days) -> String {
    let fields = [of_month(&days.of_month), of_week(&days.of_week)];
    let on: Vec<String> = fields.into_iter().flatten().collect();
    let mut text = if on.is_empty() { String::new() } else { format!(", on {}", on.join(" or ")) };
    let months = names(days.months, 1, &MONTHS);
    if months.len() < MONTHS.len() {
        text += ", in ";
        text += &list(&months);
    }
    text
}

/// `None` if every day of the month matches.
fn of_month(days: &MonthDays) -> Option<String> {
    match days {
        MonthDays::Any => None,
        MonthDays::Listed { days, last } => {
            let numbers: Vec<u32> = days.iter().collect();
            let mut parts = Vec::new();
            if !numbers.is_empty() {
                parts.push(format!("day {}", list(&runs(&numbers))));
            }
            if *last {
                parts.push("the last day of the month".to_owned());
            }
            Some(list(&parts))
        }
        MonthDays::NearestWorkday(day) => Some(format!("the weekday nearest day {day}")),
        MonthDays::LastWorkday => Some("the last working day of the month".to_owned()),
    }
}

/// `None` if every day of the week matches.
fn of_week(days: &Weekdays) -> Option<String> {
    match days {
        Weekdays::Any => None,
        Weekdays::Listed(days) => Some(weekdays(*days)),
        Weekdays::OfMonth { nth, last } => {
            let of_month = ["last", "1st", "2nd", "3rd", "4th", "5th"].into_iter().zip([last].into_iter().chain(nth));
            let named = of_month.filter(|(_, days)| !days.is_empty());
            let parts: Vec<String> = named.map(|(which, days)| format!("the {which} {} of the month", weekdays(*days))).collect();
            Some(list(&parts))
        }
    }
}

fn weekdays(days: Values) -> String {
    list(&names(days, 0, &WEEKDAYS)).replace("Monday, Tuesday, Wednesday, Thursday, and Friday", "Monday to Friday")
}

/// The names of values; the first name is that of `low`.
fn names(values: Values, low: u32, names: &[&str]) -> Vec<String> {
    (low..).zip(names).filter(|(value, _)| values.contains(*value)).map(|(_, name)| (*name).to_owned()).collect()
}

/// With a comma before the last of three or more, since an item may contain an `and`.
fn list(items: &[String]) -> String {
    match items {
        [init @ .., last] if init.len() > 1 => format!("{}, and {last}", init.join(", ")),
        few => few.join(" and "),
    }
}
