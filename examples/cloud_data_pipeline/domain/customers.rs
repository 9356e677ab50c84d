//! The customers that transactions refer to.

use super::{BadInput, Source, json};
use serde::Deserialize;
use std::collections::HashMap;

/// What a file of customers looks like.
pub const FORMAT: &str = r#"JSON such as {"customers": [{"id": "customer1", "name": "John"}]}"#;

/// Who bought something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Customer {
    /// What transactions call the customer.
    pub id: String,
    /// What people do.
    pub name: String,
}

/// All customers, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customers {
    source: String,
    by_id: HashMap<String, Customer>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `customers`")]
struct File {
    customers: Vec<Customer>,
}

impl Customers {
    /// Reads a file of customers.
    pub fn read(source: &Source) -> Result<Self, BadInput> {
        let File { customers } = json::read(source)?;
        let mut by_id = HashMap::with_capacity(customers.len());
        for (index, customer) in customers.into_iter().enumerate() {
            if let Some(first) = by_id.insert(customer.id.clone(), customer) {
                let problem = format_args!("the id `{}` was there before", first.id);
                return Err(source.bad(format_args!("`customers[{index}].id`"), problem, "each id once"));
            }
        }
        Ok(Self { source: source.name().to_owned(), by_id })
    }

    /// The customer of that id.
    pub fn get(&self, id: &str) -> Option<&Customer> {
        self.by_id.get(id)
    }

    /// The file that they are from, as `bucket/key`.
    pub fn source(&self) -> &str {
        &self.source
    }
}
