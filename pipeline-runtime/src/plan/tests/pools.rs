//! Pools, which nodes and pipelines share by name.

use super::*;

#[test]
fn a_pool_has_slots_and_one_size() {
    static NARROW: Pool = Pool::new("warehouse", 2);
    static WIDE: Pool = Pool::new("warehouse", 4);
    static CLOSED: Pool = Pool::new("closed", 0);
    #[pipeline]
    fn nightly() {
        rows().pool(&NARROW);
        rows().pool(&WIDE);
        rows().pool(&CLOSED);
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: two pools are named `warehouse`, one of 2 slots and one of 4
              --> `rows().pool(&NARROW)`: the first is used here
              --> `rows().pool(&WIDE)`: the second is used here
              = help: share one `static` pool, or give one of them another name

            error: pool `closed` has no slots, so that nothing in it could ever run
              --> `rows().pool(&CLOSED)`: the node wired here needs one
              = help: give it at least one: `Pool::new("closed", 1)`

            pipeline `nightly` has 2 mistakes; nothing was run"#]],
    );
}

#[test]
fn the_default_pool_is_nobody_elses_name() {
    static MINE: Pool = Pool::new("default_pool", 1);
    #[pipeline]
    fn nightly() {
        rows().pool(&MINE);
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `default_pool` is the pool of all nodes that name none; it has as many slots as `--parallelism` says
              --> `rows().pool(&MINE)`: this node uses another pool of that name
              = help: give this pool another name; `defaults(pool = ..)` of the pipeline puts all its tasks into it

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn pipelines_that_share_a_pool_agree_on_its_slots() {
    static NARROW: Pool = Pool::new("warehouse", 2);
    static WIDE: Pool = Pool::new("warehouse", 4);
    #[pipeline]
    fn sales() {
        rows().pool(&NARROW);
    }
    #[pipeline]
    fn stock() {
        rows().pool(&WIDE);
    }
    let plans = |pipelines: [crate::Pipeline; 2]| pipelines.map(|pipeline| pipeline.plan(&Value::Null).unwrap());
    assert!(crate::plan::check_together(&[], &plans([sales(), sales()])).is_empty());
    let found = crate::plan::check_together(&[], &plans([sales(), stock()]));
    let messages: Vec<&str> = found.iter().map(crate::plan::Problem::message).collect();
    assert_eq!(
        messages,
        [
            "the pool `warehouse` has 2 slots in pipeline `sales` and 4 in pipeline `stock`, and pipelines share a pool by its name"
        ]
    );
}
