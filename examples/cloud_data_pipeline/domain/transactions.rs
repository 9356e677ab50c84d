//! The day's transactions.

use super::{BadInput, Source};
use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};
use rust_decimal::Decimal;
use std::collections::HashMap;

/// The expected format, for error messages.
pub const FORMAT: &str = "CSV whose first line names the columns `id`, `amount` and `customer`";

/// One transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Unique within the file.
    pub id: u64,
    /// Exactly as written; negative for a refund.
    pub amount: Decimal,
    /// The customer's id.
    pub customer: String,
    /// The line on which it begins.
    pub line: u64,
}

/// Reads a file of transactions. Columns may be in any order, and additional columns are ignored.
pub fn read(source: &Source) -> Result<Vec<Transaction>, BadInput> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(source.text().as_bytes());
    let header = reader.headers().map_err(|error| bad_line(source, &error))?.clone();
    let [id, amount, customer] = ["id", "amount", "customer"].map(|name| Column::find(source, &header, name));
    let (id, amount, customer) = (id?, amount?, customer?);

    let mut lines = HashMap::new();
    let mut transactions = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| bad_line(source, &error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let transaction = Transaction {
            id: id.read(&record, "a whole number", |text| text.parse().ok())?,
            amount: amount.read(&record, "an amount such as `250.50`", |text| Decimal::from_str_exact(text).ok())?,
            customer: customer.read(&record, "a customer's id", |text| (!text.is_empty()).then(|| text.to_owned()))?,
            line,
        };
        if let Some(first) = lines.insert(transaction.id, line) {
            let problem = format_args!("the id {} is already used in line {first}", transaction.id);
            return Err(source.bad(format_args!("line {line}, column `id`"), problem, "each id once"));
        }
        transactions.push(transaction);
    }
    Ok(transactions)
}

/// A column of one file.
struct Column<'a> {
    source: &'a Source,
    name: &'static str,
    index: usize,
}

impl<'a> Column<'a> {
    fn find(source: &'a Source, header: &StringRecord, name: &'static str) -> Result<Self, BadInput> {
        let index = header.iter().position(|column| column == name).ok_or_else(|| {
            let columns: Vec<String> = header.iter().map(|column| format!("`{column}`")).collect();
            let problem = format_args!("there is no column `{name}` among {}", columns.join(", "));
            source.bad("line 1", problem, FORMAT)
        })?;
        Ok(Self { source, name, index })
    }

    fn read<T>(&self, record: &StringRecord, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, BadInput> {
        let text = record.get(self.index).unwrap_or_default();
        parse(text).ok_or_else(|| {
            let line = record.position().map_or(0, csv::Position::line);
            let problem = if text.is_empty() { "found nothing".to_owned() } else { format!("found `{text}`") };
            self.source.bad(format_args!("line {line}, column `{}`", self.name), problem, expected)
        })
    }
}

fn bad_line(source: &Source, error: &csv::Error) -> BadInput {
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            source.bad(
                format_args!("line {line}"),
                format_args!("found {len} fields"),
                format_args!("{expected_len}, as in the first line"),
            )
        }
        _ => source.bad_as_a_whole(error),
    }
}
