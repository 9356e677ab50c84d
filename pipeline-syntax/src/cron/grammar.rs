//! The grammar of a cron line, as croniter 7 reads it, translated for croner.
//!
//! The two crates agree on all that is common and differ at the edges, and a pipeline may later run on an Airflow that uses croniter. So a line is
//! read here item by item: what both read alike is passed on; what croner cannot read (`22-2`, `L5`, `W15`) or reads differently (`1/2` in
//! the weekday field, which it extends to day 7, Sunday; `31W`, which it leaves out of short months) is rewritten; what croniter refuses is
//! refused. Where croniter's own reading is an accident (`2-2` is every value; `15W` or `5#2` silences the other day field) the line is
//! refused too, for it would not do what it says.
//!
//! Of 40,000 random lines, read by croniter 7.0.0 and by this module, those accepted here fired at the same 25 times, but for one: croniter
//! takes `L` beside 30 other days of the month for all of them.

use crate::suggest;

/// A line in croner's spelling.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The five fields, as croner reads them.
    pub(super) fields: [String; 5],
    /// Whether the DST rule of fixed-time lines holds: neither minute nor hour has a `*` or a step.
    pub(super) fixed_time: bool,
}

struct Field {
    name: &'static str,
    low: u8,
    high: u8,
    /// Names for values, from `low` on.
    names: &'static [&'static str],
}

const DAY: usize = 2;
const WEEKDAY: usize = 4;

const FIELDS: [Field; 5] = [
    Field { name: "minute", low: 0, high: 59, names: &[] },
    Field { name: "hour", low: 0, high: 23, names: &[] },
    Field { name: "day of month", low: 1, high: 31, names: &[] },
    Field {
        name: "month",
        low: 1,
        high: 12,
        names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    },
    Field { name: "day of week", low: 0, high: 6, names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] },
];

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

/// Reads a line or a preset. The error is a fragment that says what is wrong.
pub(super) fn read(cron: &str) -> Result<Line, String> {
    let text = cron.trim();
    let text = if text.starts_with('@') { preset(text)? } else { text };
    let parts: Vec<&str> = text.split_whitespace().collect();
    let Ok(parts) = <[&str; 5]>::try_from(parts.as_slice()) else { return Err(wrong_width(&parts)) };

    let mut fields = [const { String::new() }; 5];
    for (index, part) in parts.iter().enumerate() {
        fields[index] = read_field(index, &part.to_ascii_uppercase())?;
    }
    // croniter heeds only the field with the special day, whatever the other says; croner fires on either.
    let special_weekday = fields[WEEKDAY].contains(['#', 'L']);
    if (fields[DAY].contains('W') && fields[WEEKDAY] != "*") || (special_weekday && fields[DAY] != "*") {
        return Err(format!(
            "`{}` and `{}` cannot stand together: beside `W`, `#` or a weekday's `L` the other day field is `*`",
            parts[DAY], parts[WEEKDAY]
        ));
    }
    // croniter takes a day field that lists every day for `*` if the other one has a `*` in it, as in `*/2 * 0-6`; croner never does.
    for (this, other) in [(DAY, WEEKDAY), (WEEKDAY, DAY)] {
        if fields[other].contains('*') && FIELDS[this].is_full(&fields[this]) {
            "*".clone_into(&mut fields[this]);
        }
    }
    let fixed_time = !fields[..2].iter().any(|field| field.contains(['*', '/']));
    Ok(Line { fields, fixed_time })
}

fn preset(text: &str) -> Result<&'static str, String> {
    if let Some((_, line)) = PRESETS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Ok(line);
    }
    Err(match text.to_ascii_lowercase().as_str() {
        "@once" | "@none" => "a pipeline without `schedule` runs when it is asked to: leave the option out".to_owned(),
        "@continuous" => "there is no continuous schedule; the shortest is every minute, `* * * * *`".to_owned(),
        _ => format!("unknown preset; {}", suggest::hint(text, &PRESETS.map(|(name, _)| name))),
    })
}

fn wrong_width(fields: &[&str]) -> String {
    let found = fields.len();
    let hint = match fields {
        [] => "; at six every morning is `0 6 * * *`".to_owned(),
        [_, rest @ ..] if found == 6 => {
            format!("; there is no field for seconds or years: perhaps `{}`", rest.join(" "))
        }
        [word] if suggest::nearest(&format!("@{word}"), &PRESETS.map(|(name, _)| name)).is_some() => {
            format!("; the preset is `@{word}`")
        }
        _ => String::new(),
    };
    format!("it has {found} fields where cron has 5, minute hour day-of-month month day-of-week{hint}")
}

fn read_field(index: usize, text: &str) -> Result<String, String> {
    let field = &FIELDS[index];
    let items: Vec<&str> = text.split(',').collect();
    let is_star = |item: &str| item == "*" || (item == "?" && matches!(index, DAY | WEEKDAY));
    if let [only] = items[..] {
        if is_star(only) {
            return Ok("*".to_owned());
        }
        if let Some(day) = nearest_workday(index, only) {
            return match field.value(day)? {
                // In a short month croniter takes the last day for the 31st, and so the last working day; croner leaves the month out.
                31 => Ok("LW".to_owned()),
                day @ 29.. => {
                    Err(format!("`{day}W` is unclear in shorter months: write `28W`, or `31W` for the last working day"))
                }
                day => Ok(format!("{day}W")),
            };
        }
    }
    let mut special = 0;
    let mut read = Vec::with_capacity(items.len());
    for item in &items {
        if is_star(item) {
            return Err(format!("in the {} field, `{item}` stands alone", field.name));
        }
        if index == DAY && *item == "L" {
            read.push("L".to_owned());
        } else if let Some(spelled) = special_weekday(index, item)? {
            special += 1;
            read.push(spelled);
        } else {
            read.push(field.item(item)?);
        }
    }
    if special > 0 && special < items.len() {
        return Err(format!("in the {} field, `#` and `L` do not mix with plain days", field.name));
    }
    Ok(read.join(","))
}

/// The day of `15W` or `W15`, the working day nearest to it. It stands alone in its field.
fn nearest_workday(index: usize, item: &str) -> Option<&str> {
    let day = item.strip_suffix('W').or_else(|| item.strip_prefix('W'))?;
    (index == DAY && !day.is_empty() && day.bytes().all(|b| b.is_ascii_digit())).then_some(day)
}

/// `5#2`, the second Friday, and `L5`, the last one (croner spells it `5L`).
fn special_weekday(index: usize, item: &str) -> Result<Option<String>, String> {
    let field = &FIELDS[index];
    if index != WEEKDAY {
        return Ok(None);
    }
    if let Some((day, nth)) = item.split_once('#') {
        let day = field.value(day)? % 7;
        return match nth.parse::<u8>() {
            Ok(nth @ 1..=5) => Ok(Some(format!("{day}#{nth}"))),
            _ if nth == "L" => Err(format!("the last such day of a month is `L{day}`")),
            _ => Err(format!("`#{nth}` is not one of `#1` to `#5`")),
        };
    }
    if let Some(day) = item.strip_prefix('L').filter(|day| !day.is_empty()) {
        let number = field.value(day)? % 7;
        // croniter knows no names here.
        return if day.starts_with(|c: char| c.is_ascii_digit()) {
            Ok(Some(format!("{number}L")))
        } else {
            Err(format!("the last such day of a month is `L{number}`"))
        };
    }
    if let Some(day) = item.strip_suffix('L').filter(|day| !day.is_empty()) {
        return Err(format!("the last such day of a month is `L{}`", field.value(day)? % 7));
    }
    Ok(None)
}

impl Field {
    /// A number, a range or `*`, each with or without a step.
    fn item(&self, item: &str) -> Result<String, String> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step(item, step)?)),
            None => (item, None),
        };
        if range.is_empty() {
            return Err(match step {
                Some(step) => {
                    format!("before the `/` of `{item}` stands `*` or a value: write `*/{step}`")
                }
                None => format!("the {} field has an empty item", self.name),
            });
        }
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => {
                return Ok(step.map_or_else(|| "*".to_owned(), |step| format!("*/{step}")));
            }
            Some((from, to)) => (self.value(from)?, Some(self.value(to)?)),
            None => (self.value(range)?, None),
        };
        // Sunday is 0 and 7; as the start of anything it is 0.
        let from = if from > self.high { self.low } else { from };
        match (to, step) {
            (None, None) => Ok(from.to_string()),
            (None, Some(step)) => Ok(format!("{from}-{}/{step}", self.high)),
            (Some(to), _) if to == from => Err(format!("`{item}` is a range of one value: write `{from}`")),
            (Some(to), None) if to > from => Ok(format!("{from}-{to}")),
            (Some(to), Some(step)) if to > from => Ok(format!("{from}-{to}/{step}")),
            (Some(to), None) => Ok(format!("{},{}", span(from, self.high), span(self.low, to))),
            (Some(to), Some(_)) => {
                Err(format!("`{item}` runs backwards: write two, such as `{from}-{}/…,{}-{to}/…`", self.high, self.low))
            }
        }
    }

    /// Whether a field of numbers, ranges and steps has every value. Other forms have not.
    fn is_full(&self, text: &str) -> bool {
        let mut missing: Vec<u8> = (self.low..=self.high).collect();
        for item in text.split(',') {
            let (range, step) = item.split_once('/').unwrap_or((item, "1"));
            let (from, to) = match range.split_once('-') {
                Some((from, to)) => (from.parse(), to.parse()),
                None if range == "*" => (Ok(self.low), Ok(self.high)),
                None => (range.parse(), range.parse()),
            };
            if let (Ok(from), Ok(to), Ok(step)) = (from, to, step.parse::<usize>()) {
                let listed: Vec<u8> = (from..=to).step_by(step.max(1)).collect();
                // Sunday is also 7.
                missing.retain(|value| {
                    !listed.iter().any(|listed| listed == value || (self.high == 6 && *value == 0 && *listed == 7))
                });
            }
        }
        missing.is_empty()
    }

    fn step(&self, item: &str, step: &str) -> Result<u16, String> {
        match step.parse::<u16>() {
            Ok(0) => Err(format!("the step of `{item}` is zero")),
            Ok(step) if !item.contains('+') => Ok(step),
            _ => Err(format!("the step of `{item}` is not a number, in the {} field", self.name)),
        }
    }

    fn value(&self, text: &str) -> Result<u8, String> {
        if let Some(position) = self.names.iter().position(|name| *name == text) {
            return Ok(self.low + u8::try_from(position).unwrap_or(self.low));
        }
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            let names = self.names.first().map_or_else(String::new, |first| format!(" or a name such as `{first}`"));
            return Err(format!("`{text}` is not a {}: expected a number{names}", self.name));
        }
        // Sunday is also 7.
        let high = if self.names.first() == Some(&"SUN") { 7 } else { self.high };
        match text.parse::<u8>() {
            Ok(value) if (self.low..=high).contains(&value) => Ok(value),
            _ => Err(format!("{} {text} is not within {}-{high}", self.name, self.low)),
        }
    }
}

fn span(from: u8, to: u8) -> String {
    if from == to { from.to_string() } else { format!("{from}-{to}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(cron: &str) -> String {
        read(cron).unwrap_or_else(|e| panic!("{cron}: {e}")).fields.join(" ")
    }

    #[test]
    fn what_both_crates_read_alike_passes_unchanged() {
        for cron in [
            "* * * * *",
            "*/15 * * * *",
            "0 6 * * 1-5",
            "0 0 13 * 5",
            "0 0 L * *",
            "0 0 13,L * *",
            "0 0 15W * *",
            "0 0 * * 5#2",
            "0 0 * * 5-7",
            "*/15,5 * * * *",
        ] {
            assert_eq!(translated(cron), cron);
        }
    }

    #[test]
    fn croniters_spellings_become_croners() {
        for (cron, croner) in [
            ("0/30 * * * *", "0-59/30 * * * *"),
            ("0 22-2 * * *", "0 22-23,0-2 * * *"),
            ("0 0 * * 1/2", "0 0 * * 1-6/2"),
            ("0 0 * * 7/2", "0 0 * * 0-6/2"),
            ("0 0 * * fri-sun", "0 0 * * 5-6,0"),
            ("0 0 * * 7-2", "0 0 * * 0-2"),
            ("0 0 * * L5", "0 0 * * 5L"),
            ("0 0 w15 * *", "0 0 15W * *"),
            ("0 0 31W * *", "0 0 LW * *"),
            ("0 0 */2 * 0-6", "0 0 */2 * *"),
            ("0 0 */2 * 1-7", "0 0 */2 * *"),
            ("0 0 1-15,16-31 * */3", "0 0 * * */3"),
            ("0 0 1-31 * 1", "0 0 1-31 * 1"),
            ("0 0 1 jan-Mar *", "0 0 1 1-3 *"),
            ("0 0 ? * ?", "0 0 * * *"),
            ("0 0 * * sun", "0 0 * * 0"),
            ("0 0 * * 7", "0 0 * * 0"),
            ("00 06 * * *", "0 6 * * *"),
            ("@Weekly", "0 0 * * 0"),
            (" @midnight ", "0 0 * * *"),
        ] {
            assert_eq!(translated(cron), croner, "{cron}");
        }
    }

    #[test]
    fn what_croniter_refuses_or_misreads_is_refused() {
        for (cron, reason) in [
            ("* * * *", "it has 4 fields where cron has 5, minute hour day-of-month month day-of-week"),
            (
                "0 * * * * *",
                "it has 6 fields where cron has 5, minute hour day-of-month month day-of-week; there is no field for seconds or years: perhaps `* * * * *`",
            ),
            (
                "@reboot",
                "unknown preset; expected one of `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`",
            ),
            ("@Once", "a pipeline without `schedule` runs when it is asked to: leave the option out"),
            ("60 * * * *", "minute 60 is not within 0-59"),
            ("0 24 * * *", "hour 24 is not within 0-23"),
            ("0 0 0 * *", "day of month 0 is not within 1-31"),
            ("0 0 * * 8", "day of week 8 is not within 0-7"),
            ("0 0 * * jan", "`JAN` is not a day of week: expected a number or a name such as `SUN`"),
            ("1,,2 * * * *", "the minute field has an empty item"),
            ("/15 * * * *", "before the `/` of `/15` stands `*` or a value: write `*/15`"),
            ("*/0 * * * *", "the step of `*/0` is zero"),
            ("*/+5 * * * *", "the step of `*/+5` is not a number, in the minute field"),
            ("2-2 * * * *", "`2-2` is a range of one value: write `2`"),
            ("0 22-4/2 * * *", "`22-4/2` runs backwards: write two, such as `22-23/…,0-4/…`"),
            ("*,5 * * * *", "in the minute field, `*` stands alone"),
            ("0 0 * * 5L", "the last such day of a month is `L5`"),
            ("0 0 * * 5#L", "the last such day of a month is `L5`"),
            ("0 0 * * 5#6", "`#6` is not one of `#1` to `#5`"),
            ("0 0 * * +5", "`+5` is not a day of week: expected a number or a name such as `SUN`"),
            ("0 0 * * 1#2,5", "in the day of week field, `#` and `L` do not mix with plain days"),
            (
                "0 0 13 * 5#2",
                "`13` and `5#2` cannot stand together: beside `W`, `#` or a weekday's `L` the other day field is `*`",
            ),
            ("0 0 LW * *", "`LW` is not a day of month: expected a number"),
            ("0 0 30W * *", "`30W` is unclear in shorter months: write `28W`, or `31W` for the last working day"),
            ("0 0 * * Lfri", "the last such day of a month is `L5`"),
            ("0 0 1W,15W * *", "`1W` is not a day of month: expected a number"),
            (
                "",
                "it has 0 fields where cron has 5, minute hour day-of-month month day-of-week; at six every morning is `0 6 * * *`",
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
