//! The values that are passed between the nodes.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A shop, as `shops.json` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shop {
    /// Its id, after which its files are named.
    pub id: String,
    /// The city it is in.
    pub city: String,
}

/// Where a run stores intermediate results that are not visible to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staging {
    /// The prefix of its keys.
    pub prefix: String,
}

/// The sales of one shop on one day, without receipts that were sent twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopSales {
    /// The shop's id.
    pub shop: String,
    /// The number of receipts.
    pub receipts: u64,
    /// How often each item was sold.
    pub sold: BTreeMap<String, u64>,
}

/// The sales of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySales {
    /// The day.
    pub day: String,
    /// The number of shops that have sent their sales.
    pub shops: usize,
    /// The number of receipts.
    pub receipts: u64,
    /// How often each item was sold.
    pub sold: BTreeMap<String, u64>,
    /// The key that they are stored at.
    pub key: String,
}

/// The prices of one day, in cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    /// The price of each item.
    pub items: BTreeMap<String, u64>,
}

/// The expected sales of the next day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// The day whose sales the forecast is based on.
    pub of: String,
    /// How often each item is expected to be sold.
    pub demand: BTreeMap<String, u64>,
    /// The expected revenue, in cents.
    pub revenue: u64,
}

/// The sales of a week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Week {
    /// The number of receipts on each of its days.
    pub receipts: BTreeMap<String, u64>,
    /// The forecast at the end of the week.
    pub forecast: Option<Forecast>,
    /// The key of the report.
    pub key: String,
}
