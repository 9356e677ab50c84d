//! One field of a line: a list of numbers, names, ranges and steps.

use super::values::Values;

pub(super) struct Field {
    pub(super) name: &'static str,
    low: u8,
    high: u8,
    /// The largest number that may be written: Sunday is 0 and 7.
    most: u8,
    /// Names of values, from `low` on.
    names: &'static [&'static str],
    /// The items that mean every value.
    every: &'static [&'static str],
}

pub(super) const MINUTE: Field = Field { name: "minute", low: 0, high: 59, most: 59, names: &[], every: &["*"] };
pub(super) const HOUR: Field = Field { name: "hour", low: 0, high: 23, most: 23, names: &[], every: &["*"] };
pub(super) const DAY: Field = Field { name: "day of month", low: 1, high: 31, most: 31, names: &[], every: &["*", "?"] };
pub(super) const MONTH: Field = Field {
    name: "month",
    low: 1,
    high: 12,
    most: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    every: &["*"],
};
pub(super) const WEEKDAY: Field = Field {
    name: "day of week",
    low: 0,
    high: 6,
    most: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    every: &["*", "?"],
};

/// The contents of a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) values: Values,
    /// The field is only a `*`.
    pub(super) is_every: bool,
    /// The field contains a `*`, with or without a step.
    pub(super) has_star: bool,
    /// The field contains a step.
    pub(super) has_step: bool,
}

impl Field {
    /// Parses the list. `special` handles items that only one field supports, and returns whether an item was one of these.
    pub(super) fn read(&self, text: &str, mut special: impl FnMut(&str) -> Result<bool, String>) -> Result<Listed, String> {
        let mut listed = Listed::default();
        if self.every.contains(&text) {
            let values = (self.low..=self.high).collect();
            return Ok(Listed { values, is_every: true, has_star: true, has_step: false });
        }
        for item in text.split(',') {
            if self.every.contains(&item) {
                return Err(format!("in the {} field, `{item}` cannot be combined with other items", self.name));
            }
            if !special(item)? {
                self.item(item, &mut listed)?;
            }
        }
        Ok(listed)
    }

    /// Parses a number, a range or `*`, each with or without a step.
    fn item(&self, item: &str, listed: &mut Listed) -> Result<(), String> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step(item, step)?)),
            None => (item, None),
        };
        listed.has_step |= step.is_some();
        if range.is_empty() {
            return Err(match step {
                Some(step) => {
                    format!("`{item}` has nothing before its `/`: write `*/{step}`")
                }
                None => format!("the {} field has an empty item", self.name),
            });
        }
        let one = |value: u8| format!("`{item}` is a range of one value: write `{value}`");
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => {
                listed.has_star = true;
                (self.low, Some(self.high))
            }
            // Sunday is 0 and 7; as the start of a range it is 0.
            Some((from, to)) => {
                let (from, to) = (self.value(from)?, self.value(to)?);
                if from == to {
                    return Err(one(from));
                }
                (self.wrapped(from), Some(to))
            }
            None => (self.wrapped(self.value(range)?), None),
        };
        let mut list = |from: u8, to: u8| {
            let step = step.unwrap_or(1).into();
            (from..=to).step_by(step).for_each(|value| listed.values.insert(self.wrapped(value)));
        };
        match (to, step) {
            (None, None) => list(from, from),
            (None, Some(_)) => list(from, self.high),
            (Some(to), _) if to == from => return Err(one(from)),
            (Some(to), _) if to > from => list(from, to),
            (Some(to), None) => {
                list(from, self.high);
                list(self.low, to);
            }
            (Some(to), Some(_)) => {
                return Err(format!("`{item}` runs backwards: write two, such as `{from}-{}/…,{}-{to}/…`", self.high, self.low));
            }
        }
        Ok(())
    }

    /// True if the values are all values of the field.
    pub(super) fn is_full(&self, values: Values) -> bool {
        (self.low..=self.high).all(|value| values.contains(value.into()))
    }

    /// Converts 7 for Sunday to 0.
    pub(super) fn wrapped(&self, value: u8) -> u8 {
        if value > self.high { self.low } else { value }
    }

    fn step(&self, item: &str, step: &str) -> Result<u16, String> {
        match step.parse::<u16>() {
            Ok(0) => Err(format!("the step of `{item}` is zero")),
            Ok(step) if !item.contains('+') => Ok(step),
            _ => Err(format!("the step of `{item}` is not a number, in the {} field", self.name)),
        }
    }

    /// Parses a number or a name; Sunday stays 7 if it is written so.
    pub(super) fn value(&self, text: &str) -> Result<u8, String> {
        if let Some(position) = self.names.iter().position(|name| *name == text) {
            return Ok(self.low + u8::try_from(position).unwrap_or(self.low));
        }
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            let names = self.names.first().map_or_else(String::new, |first| format!(" or a name such as `{first}`"));
            return Err(format!("`{text}` is not a {}: expected a number{names}", self.name));
        }
        match text.parse::<u8>() {
            Ok(value) if (self.low..=self.most).contains(&value) => Ok(value),
            _ => Err(format!("{} {text} is not within {}-{}", self.name, self.low, self.most)),
        }
    }
}
