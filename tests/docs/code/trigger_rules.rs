//! `docs/trigger-rules.md`

use pipeline_runtime::prelude::*;

#[task]
async fn rows() -> Result<u64> {
    Ok(1)
}
#[task]
async fn name() -> Result<String> {
    Ok(String::new())
}
#[task]
async fn step() -> Result<()> {
    Ok(())
}
#[task]
async fn publish() -> Result<()> {
    Ok(())
}
#[task]
async fn unlock() -> Result<()> {
    Ok(())
}

#[pipeline]
#[rustfmt::skip]
fn orders() {
    let (load, load_eu, load_us) = (rows().named("load"), rows().named("load_eu"), rows().named("load_us"));
    let (title, published) = (name(), step().named("published"));
    let (create, fill_eu, fill_us) = (step().named("create"), step().named("fill_eu"), step().named("fill_us"));
    publish().after(load);                             // a node, an arm of a branch, or the result of `.each`, as a whole
    publish().after([load_eu, load_us]);               // an array, a slice or a Vec of nodes
    publish().after((load, title));                    // nodes of different types
    unlock().after(load.ended());                      // views of a node: `ended()`, `or_skipped()`, `failure()`
    unlock().after([load.ended(), title.ended()]);     // views have one type, whatever the nodes return
    chain((create, [fill_eu, fill_us], published));    // each step after the one before it
}

#[test]
fn the_order_has_no_mistakes() {
    orders().check().unwrap();
}
