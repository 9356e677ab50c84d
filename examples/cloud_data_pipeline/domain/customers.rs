//! The customers that transactions refer to.

use super::{BadInput, Source, json};
use serde::Deserialize;
use std::collections::HashMap;

/// The expected format, for error messages.
pub const FORMAT: &str = r#"JSON such as {"customers": [{"id": "customer1", "name": "John"}]}"#;

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Customer {
    /// The id that transactions refer to.
    pub id: String,
    /// The customer's name.
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
                let problem = format_args!("the id `{}` is already used", first.id);
                return Err(source.bad(format_args!("`customers[{index}].id`"), problem, "each id once"));
            }
        }
        Ok(Self { source: source.name().to_owned(), by_id })
    }

    /// The customer with this id.
    pub fn get(&self, id: &str) -> Option<&Customer> {
        self.by_id.get(id)
    }

    /// The file that the customers were read from, as `bucket/key`.
    pub fn source(&self) -> &str {
        &self.source
    }
}
