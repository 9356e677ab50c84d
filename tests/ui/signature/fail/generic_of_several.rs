//! Also: a generic task of several parameters

use pipeline_runtime::prelude::*;

#[task]
async fn load<K: Clone, V: Clone>(keys: Vec<K>, values: Vec<V>) -> Result<Vec<(K, V)>> {
    Ok(keys.into_iter().zip(values).collect())
}

#[pipeline]
fn nightly() {
    load(vec![1u64], vec![2u64]);
}

fn main() {
    let _ = nightly();
}
