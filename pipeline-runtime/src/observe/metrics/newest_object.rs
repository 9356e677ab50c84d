//! The object that a sensor found, for metrics.

use crate::author::value::Datum;
use crate::storage::Object;

/// Returns what metrics use of an output: the newest of the objects that a sensor found.
pub(crate) fn newest_object(value: &dyn Datum) -> Option<&Object> {
    let value = value.as_any();
    let objects = value.downcast_ref::<Vec<Object>>();
    value.downcast_ref::<Object>().or_else(|| objects?.iter().max_by_key(|object| object.last_modified))
}
