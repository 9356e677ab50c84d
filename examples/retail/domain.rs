//! What flows between the nodes.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A shop, as `shops.json` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shop {
    /// Its id, which its files are named by.
    pub id: String,
    /// Where it is.
    pub city: String,
}

/// Where a run keeps what nobody else is to see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staging {
    /// What its keys begin with.
    pub prefix: String,
}

/// The sales of one shop on one day, without receipts that were sent twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopSales {
    /// The shop's id.
    pub shop: String,
    /// How many receipts there are.
    pub receipts: u64,
    /// How often each item was sold.
    pub sold: BTreeMap<String, u64>,
}

/// The sales of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySales {
    /// The day.
    pub day: String,
    /// How many shops have sent theirs.
    pub shops: usize,
    /// How many receipts there are.
    pub receipts: u64,
    /// How often each item was sold.
    pub sold: BTreeMap<String, u64>,
    /// Where they are.
    pub key: String,
}

/// The prices of one day, in cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    /// Of each item.
    pub items: BTreeMap<String, u64>,
}

/// What is likely to be sold on the next day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// The day whose sales it was made of.
    pub of: String,
    /// How often each item will be sold.
    pub demand: BTreeMap<String, u64>,
    /// What that is worth, in cents.
    pub revenue: u64,
}

/// A week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Week {
    /// How many receipts each of its days has.
    pub receipts: BTreeMap<String, u64>,
    /// The forecast that was made at its end.
    pub forecast: Option<Forecast>,
    /// Where the report is.
    pub key: String,
}
