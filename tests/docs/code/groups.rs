//! `docs/groups.md`

use pipeline_runtime::prelude::*;

static WAREHOUSE: Pool = Pool::new("warehouse", 4);

#[task]
async fn snapshot() -> Result<()> {
    Ok(())
}
#[task]
async fn extract() -> Result<u64> {
    Ok(1)
}
#[task]
async fn transform(rows: u64) -> Result<u64> {
    Ok(rows)
}
#[task]
async fn count(rows: u64) -> Result<u64> {
    Ok(rows)
}
#[task]
async fn drop_indices() -> Result<()> {
    Ok(())
}
#[task]
async fn load() -> Result<()> {
    Ok(())
}
#[task]
async fn create_indices() -> Result<()> {
    Ok(())
}

#[pipeline]
fn grouped() {
    let snapshot = snapshot();
    let loaded = group("load", || {
        let rows = extract();
        (transform(rows), count(rows))
    })
    .after(snapshot)
    .retries(2)
    .pool(&WAREHOUSE);
    let (clean, total) = *loaded;
    let _ = (clean, total);
}

#[pipeline]
fn locked() {
    static REFRESH: Lock = Lock::new("data_refresh");

    group("refresh", || chain((drop_indices(), load(), create_indices()))).holding(&REFRESH);
}

#[test]
fn both_pipelines_have_no_mistakes() {
    grouped().check().unwrap();
    locked().check().unwrap();
}
