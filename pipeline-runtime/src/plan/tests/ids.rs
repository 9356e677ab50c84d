//! The ids of nodes: given ones, automatic ones, and duplicates.

use super::*;

#[test]
fn two_nodes_of_one_name_are_reported_with_both_places() {
    #[pipeline]
    fn nightly() {
        rows().named("extract");
        add(1).named("extract");
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: two nodes have the id `extract`
          --> `rows().named("extract")`: the first is wired here
          --> `add(1).named("extract")`: the second is wired here
          = help: give one of them another name with `.named("..")`

        pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn a_given_name_may_not_be_that_of_another_node_either() {
    #[pipeline]
    fn nightly() {
        let sum = rows();
        add(sum).named("rows");
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: two nodes have the id `rows`
          --> `rows()`: the first is wired here
          --> `add(sum).named("rows")`: the second is wired here
          = help: give one of them another name with `.named("..")`

        pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn a_name_that_is_no_id_is_refused() {
    #[pipeline]
    fn nightly() {
        rows().named("");
        rows().named("load eu");
        rows().named("load__2");
        rows().named("x".repeat(201));
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: "" cannot be an id: it is empty
              --> `rows().named("")`: the node wired here
              = help: give it a name such as `load_eu`

            error: "load eu" cannot be an id: ` ` is not allowed in an id: use letters, digits, `_`, `.` and `-`
              --> `rows().named("load eu")`: the node wired here
              = help: give it a name such as `load_eu`

            error: "load__2" cannot be an id: it looks like an automatic id, such as `name__2`; use one underscore, or end it with a letter
              --> `rows().named("load__2")`: the node wired here
              = help: give it a name such as `load_eu`

            error: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" cannot be an id: it is longer than 200 bytes
              --> `rows().named("x".repeat(201))`: the node wired here
              = help: give it a name such as `load_eu`

            pipeline `nightly` has 4 mistakes; nothing was run"#]],
    );
}

#[test]
fn nodes_are_numbered_by_task_and_one_with_a_name_of_its_own_takes_no_number() {
    #[pipeline]
    fn nightly() {
        rows();
        rows().named("east");
        rows();
        add(rows());
        first_of([rows().named("a"), rows().named("b")]);
        first_of([rows().named("c"), rows().named("d")]);
    }
    let expected = ["rows", "east", "rows__2", "rows__3", "add", "a", "b", "first_of", "c", "d", "first_of__2"];
    assert_eq!(ids(&nightly()), expected);
}

#[test]
fn a_gate_is_named_after_the_node_that_it_stands_on() {
    #[pipeline]
    fn nightly() {
        let RouteArms { clean, quarantine, nothing: _ } = route(rows()).named("sort");
        add(clean).failure();
        add(quarantine).named("x").failure();
        folders().each(|folder| count(folder).named("sum"));
        folders().each(|folder| total(folder.each(|file| size(file)).named("weigh"))).named("all");
    }
    let expected = [
        "rows",
        "sort",
        "sort.clean",
        "sort.quarantine",
        "sort.nothing",
        "add",
        "add.failure",
        "x",
        "x.failure",
        "folders",
        "each(sum).element",
        "sum",
        "each(sum)",
        "folders__2",
        "all.element",
        "weigh.element",
        "size",
        "weigh",
        "total",
        "all",
    ];
    assert_eq!(ids(&nightly()), expected);
}
