//! Branches, their arms and their overrides.

use pipeline_runtime::prelude::*;

/// Where a report goes.
#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
pub(crate) enum Route {
    /// Nothing is wrong.
    Clean(u64),
    NeedsReview(String),
    Type,
    HTTPError(Option<u16>),
}

#[branch(retries = 1)]
async fn route(rows: u64) -> Result<Route> {
    Ok(match rows {
        0 => Route::Type,
        1 => Route::NeedsReview("one".to_owned()),
        2 => Route::HTTPError(None),
        _ => Route::Clean(rows),
    })
}

#[task]
async fn publish(rows: u64) -> Result<()> {
    println!("{rows}");
    Ok(())
}

#[task]
async fn join(rows: Option<u64>, review: Option<String>) -> Result<bool> {
    Ok(rows.is_some() || review.is_some())
}

#[pipeline]
pub(crate) fn branches() {
    let RouteArms { clean, needs_review, r#type, http_error: _ } = route(3u64).named("first").retries(2);
    publish(clean).allow_failure();
    publish(2u64).after(r#type);
    join(clean, needs_review);
    publish(route(1u64).clean);
}
