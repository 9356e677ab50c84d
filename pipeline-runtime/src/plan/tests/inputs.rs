//! Inputs that can never be there: exclusive arms, outcomes of a mapping, races without runners.

use super::*;

#[test]
fn two_arms_of_one_branch_are_never_both_there() {
    #[pipeline]
    fn nightly() {
        let RouteArms { clean, quarantine, nothing: _ } = route(rows());
        join(clean, quarantine);
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `join` can never run: it needs both `route.clean` and `route.quarantine`, but a branch takes only one of its arms
              --> `route(rows())`: the branch is wired here
              --> `join(clean, quarantine)`: and both are needed here
              = help: give the task `Option<_>` inputs, `None` for the arm not taken; or join arms of one type with `first_of([a, b])`

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn nodes_that_need_exclusive_arms_are_refused() {
    #[pipeline]
    fn nightly() {
        let RouteArms { clean, quarantine, nothing } = route(rows());
        let loaded = add(clean).named("load");
        let held = add(add(quarantine)).named("hold").after(nothing);
        add(join(loaded, held));
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `hold` can never run: it needs both `route.quarantine` and `route.nothing`, but a branch takes only one of its arms
              --> `route(rows())`: the branch is wired here
              --> `add(quarantine)).named("hold").after(nothing)`: `add` needs `route.quarantine`
              --> `add(add(quarantine)).named("hold").after(nothing)`: and both are needed here
              = help: give the task `Option<_>` inputs, `None` for the arm not taken; or join arms of one type with `first_of([a, b])`

            error: `join` can never run: it needs both `route.clean` and `route.nothing`, but a branch takes only one of its arms
              --> `route(rows())`: the branch is wired here
              --> `add(clean).named("load")`: `load` needs `route.clean`
              --> `add(add(quarantine)).named("hold").after(nothing)`: `hold` needs `route.nothing`
              --> `join(loaded, held))`: and both are needed here
              = help: give the task `Option<_>` inputs, `None` for the arm not taken; or join arms of one type with `first_of([a, b])`

            pipeline `nightly` has 2 mistakes; nothing was run"#]],
    );
}

#[test]
fn elements_of_a_list_that_needs_an_exclusive_arm_are_refused() {
    #[pipeline]
    fn nightly() {
        let RouteArms { clean, quarantine, nothing: _ } = route(rows());
        sizes().after(clean).each(|size| join(size, quarantine));
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `join` can never run: it needs both `route.clean` and `route.quarantine`, but a branch takes only one of its arms
              --> `route(rows())`: the branch is wired here
              --> `each(|size| join(size, quarantine))`: `each(join).element` needs `route.clean`
              --> `join(size, quarantine))`: and both are needed here
              = help: give the task `Option<_>` inputs, `None` for the arm not taken; or join arms of one type with `first_of([a, b])`

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn arms_meet_where_one_is_enough() {
    #[task]
    async fn either(left: Option<u64>, right: Option<u64>) -> Result<u64> {
        Ok(left.or(right).unwrap_or_default())
    }
    #[pipeline]
    fn nightly() {
        let RouteArms { clean, quarantine, nothing: _ } = route(rows());
        either(add(clean), quarantine);
        add(first_of([clean, quarantine]));
        join(clean, clean);
    }
    nightly().check().unwrap();
}

#[test]
fn outcomes_one_by_one_need_nodes_that_end_one_by_one() {
    #[task]
    async fn judge(sizes: Vec<Outcome<u64>>) -> Result<u64> {
        Ok(sizes.len() as u64)
    }
    #[task]
    async fn tally(sizes: Vec<Option<u64>>) -> Result<u64> {
        Ok(sizes.len() as u64)
    }
    #[pipeline]
    fn nightly() {
        let list = sizes();
        judge(list);
        tally(list);
        judge([rows(), rows()]);
        judge(files().each(|file| size(file).named("weigh")));
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `judge` takes `Vec<Outcome<_>>`, one for each node, but `sizes` is a single node that returns a list
              --> `sizes()`: the list is made here
              --> `judge(list)`: and taken here
              = help: take `Outcome<Vec<_>>` here, or wire the result of `.each(..)` or several nodes

            error: `tally` takes `Vec<Option<_>>`, one for each node, but `sizes` is a single node that returns a list
              --> `sizes()`: the list is made here
              --> `tally(list)`: and taken here
              = help: take `Option<Vec<_>>` here, or wire the result of `.each(..)` or several nodes

            pipeline `nightly` has 2 mistakes; nothing was run"#]],
    );
}

#[test]
fn a_part_of_a_mapping_is_no_mapping() {
    #[task]
    async fn judge(sizes: Vec<Outcome<u64>>) -> Result<u64> {
        Ok(sizes.len() as u64)
    }
    #[task]
    async fn lines(file: String) -> Result<Vec<u64>> {
        Ok(vec![file.len() as u64])
    }
    #[pipeline]
    fn nightly() {
        judge(files().each(lines).field(|all: &Vec<Vec<u64>>| &all[0]));
    }
    let error = nightly().check().unwrap_err().to_string();
    assert!(error.contains("`judge` takes `Vec<Outcome<_>>`, one for each node"), "{error}");
}

#[test]
fn a_race_has_runners() {
    #[pipeline]
    fn nightly() {
        add(first_of::<u64>([]));
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: `first_of` is given no nodes
          --> `first_of::<u64>([]))`: here
          = help: give it the nodes that race, as in `first_of([a, b])`

        pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}
