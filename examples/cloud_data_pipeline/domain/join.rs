//! Transactions with the names of their customers.

use super::customers::{Customer, Customers};
use super::transactions::Transaction;
use super::{BadInput, Source};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The summary of the day's joined transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The file that they were written to, as `bucket/key`.
    pub result: String,
    /// The number of transactions.
    pub transactions: usize,
    /// The number of batches.
    pub batches: usize,
    /// The sum of their amounts.
    pub total: Decimal,
}

/// Joins transactions with their customers, and collects the result as CSV.
#[derive(Debug)]
pub struct Join<'a> {
    transactions: &'a Source,
    customers: &'a Customers,
    rows: csv::Writer<Vec<u8>>,
    joined: Joined,
}

/// A line of the result.
#[derive(Serialize)]
struct Row<'a> {
    id: u64,
    amount: Decimal,
    customer: &'a str,
    name: &'a str,
}

impl<'a> Join<'a> {
    /// Begins to join the transactions of that file with those customers.
    pub fn new(transactions: &'a Source, customers: &'a Customers) -> Self {
        Self { transactions, customers, rows: csv::Writer::from_writer(Vec::new()), joined: Joined::default() }
    }

    /// Joins one more batch.
    pub fn batch(&mut self, batch: &[Transaction]) -> Result<(), BadInput> {
        for transaction in batch {
            let Transaction { id, amount, line, .. } = *transaction;
            let Customer { id: customer, name } = self.customer(transaction)?;
            let written = self.rows.serialize(Row { id, amount, customer, name });
            written.map_err(|error| self.transactions.bad(format_args!("line {line}"), error, "what can be written as CSV"))?;
            let total = self.joined.total.checked_add(amount);
            let overflow = || {
                self.transactions.bad(format_args!("line {line}, column `amount`"), "the total is too large", "at most 28 digits")
            };
            self.joined.total = total.ok_or_else(overflow)?;
        }
        self.joined.transactions += batch.len();
        self.joined.batches += 1;
        Ok(())
    }

    /// The CSV, and its summary; `result` is the file that it will be written to.
    pub fn finish(self, result: String) -> std::io::Result<(Vec<u8>, Joined)> {
        let csv = self.rows.into_inner().map_err(csv::IntoInnerError::into_error)?;
        Ok((csv, Joined { result, ..self.joined }))
    }

    fn customer(&self, transaction: &Transaction) -> Result<&'a Customer, BadInput> {
        self.customers.get(&transaction.customer).ok_or_else(|| {
            let problem = format_args!("there is no customer `{}`", transaction.customer);
            let expected = format_args!("one of those in {}", self.customers.source());
            self.transactions.bad(format_args!("line {}, column `customer`", transaction.line), problem, expected)
        })
    }
}
