//! Mappings, nested and gathered in each way.

use pipeline_runtime::prelude::*;

#[task]
async fn folders() -> Result<Vec<String>> {
    Ok(vec!["a".to_owned()])
}

#[task]
async fn files(folder: String) -> Result<Vec<String>> {
    Ok(vec![format!("{folder}/b.csv")])
}

#[task]
async fn rows(file: String, times: u64) -> Result<u64> {
    Ok(file.len() as u64 * times)
}

#[task]
async fn total(rows: Vec<u64>) -> Result<u64> {
    Ok(rows.iter().sum())
}

#[task]
async fn found(rows: Vec<Option<u64>>) -> Result<usize> {
    Ok(rows.len())
}

#[task]
async fn ended(rows: Vec<Outcome<u64>>) -> Result<usize> {
    Ok(rows.len())
}

#[task]
async fn factor() -> Result<u64> {
    Ok(2)
}

#[pipeline]
pub(crate) fn mappings() {
    let (folders, factor) = (folders(), factor());
    let totals = folders.each(|folder| {
        let rows = files(folder).each(|file| rows(file, factor));
        total(rows.max_active(2))
    });
    total(totals);
    found(totals);
    ended(totals).after(totals);
    // With keys, in order, over a plain list and with several results.
    let keyed = folders.keyed(std::clone::Clone::clone);
    let (one, other) = keyed.each(|folder| (rows("a", factor).after(folder).named("one"), rows(folder, 2u64).named("other")));
    total(one.in_order()).named("of_one");
    found(other).named("of_other");
    vec![1u64, 2].keyed(|n| *n).each(|n| rows("a", n).named("plain"));
}
