//! Settings of all sorts of types.

use pipeline_runtime::prelude::*;

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Limits {
    rows: u64,
}

static LIMITS: Setting<Limits> = Setting::new("limits", Limits { rows: 500 });
static FOLDERS: Setting<Vec<String>> = Setting::from_fn("folders", || vec!["raw".into()]);
static REGION: Setting<Option<String>> = Setting::new("region", None);

#[task]
async fn read(limits: Limits, folders: Vec<String>, region: Option<String>, n: u64) -> Result<u64> {
    let _ = (folders, region, n);
    Ok(limits.rows)
}

#[pipeline]
pub(crate) fn settings() {
    let list = vec![1_u64, 2];
    list.each(|n| read(&LIMITS, &FOLDERS, &REGION, n));
}
