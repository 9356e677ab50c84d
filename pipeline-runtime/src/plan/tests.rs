//! What `binary check` says, message by message, and what `binary graph` shows: the tasks and pipelines are written with the
//! macros, as a user writes them.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use crate::author::pipeline::Pipeline;
use crate::prelude::*;
use expect_test::{Expect, expect};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

const SOURCE: &str = include_str!("tests.rs");

/// Replaces each place of this file by the source text that starts there, which does not move when lines are added.
fn placed(text: &str) -> String {
    const FILE: &str = "plan/tests.rs:";
    let mut pieces = text.split(FILE);
    let mut placed = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // What stands before is the rest of the file's path.
        placed.truncate(placed.rfind([' ', '"']).map_or(0, |at| at + 1));
        let end = piece.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(piece.len());
        let (place, rest) = piece.split_at(end);
        let mut place = place.trim_end_matches(':').split(':').map(|number| number.parse::<usize>().unwrap());
        let line = SOURCE.lines().nth(place.next().unwrap() - 1).unwrap();
        let code = place.next().map_or(line.trim(), |column| &line[column - 1..]).trim_end_matches(';');
        let colon = if piece[..end].ends_with(':') { ":" } else { "" };
        placed.extend(["`", code, "`", colon, rest]);
    }
    placed
}

fn refused(pipeline: &Pipeline, expected: &Expect) {
    expected.assert_eq(&placed(&pipeline.check().unwrap_err().to_string()));
}

fn plan(pipeline: &Pipeline) -> super::Plan {
    pipeline.plan(&Value::Null).unwrap_or_else(|error| panic!("{error}"))
}

fn ids(pipeline: &Pipeline) -> Vec<String> {
    let json = plan(pipeline).to_json();
    json["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[task]
async fn rows() -> Result<u64> {
    Ok(1)
}

#[task]
async fn add(rows: u64) -> Result<u64> {
    Ok(rows + 1)
}

#[task]
async fn join(left: u64, right: u64) -> Result<u64> {
    Ok(left + right)
}

#[task]
async fn files() -> Result<Vec<String>> {
    Ok(Vec::new())
}

#[task]
async fn folders() -> Result<Vec<Vec<String>>> {
    Ok(Vec::new())
}

#[task]
async fn size(file: String) -> Result<u64> {
    Ok(file.len() as u64)
}

#[task]
async fn count(folder: Vec<String>) -> Result<usize> {
    Ok(folder.len())
}

#[task]
async fn sizes() -> Result<Vec<u64>> {
    Ok(Vec::new())
}

#[task]
async fn total(sizes: Vec<u64>) -> Result<u64> {
    Ok(sizes.iter().sum())
}

#[sensor(timeout = "10m", poke = "45s")]
async fn export(key: String) -> Result<Poke<u64>> {
    Ok(Poke::Ready(key.len() as u64))
}

#[derive(Debug, Clone, Serialize, Deserialize, Branch)]
enum Route {
    Clean(u64),
    Quarantine(u64),
    Nothing,
}

#[branch]
async fn route(rows: u64) -> Result<Route> {
    Ok(match rows {
        0 => Route::Nothing,
        1 => Route::Quarantine(rows),
        _ => Route::Clean(rows),
    })
}

// ---- ids

#[derive(Debug, Default, Serialize, Deserialize)]
struct Limits {
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tables: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Named {
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    limits: Limits,
    by_name: HashMap<String, String>,
    token: Secret,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Open {
    region: String,
    #[serde(flatten)]
    rest: HashMap<String, String>,
}

#[task]
async fn keyed(key: String) -> Result<u64> {
    Ok(key.len() as u64)
}

#[test]
fn a_template_that_names_a_param_which_is_none() {
    #[task]
    async fn loads(key: String, also: Vec<String>) -> Result<u64> {
        Ok(key.len() as u64 + also.len() as u64)
    }
    #[pipeline]
    fn nightly(named: Named) {
        let _ = named.region;
        loads(template!("{{ params.regoin }}/{{ ds }}"), [template!("{{ params.limits.row }}")]);
        keyed(template!("{% if params.since %}{{ params['untill'] }}{% endif %}"));
        keyed(template!("{{ params.token }}")).named("guarded");
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: the template of `loads` names `params.regoin`, but pipeline `nightly` has no param `regoin`
          --> `loads(template!("{{ params.regoin }}/{{ ds }}"), [template!("{{ params.limits.row }}")])`: the template "{{ params.regoin }}/{{ ds }}" is given here as `key`
          --> `loads(key: String, also: Vec<String>) -> Result<u64> {`: to the input of this task
          = help: did you mean `params.region`?

        error: the template of `loads` names `params.limits.row`, but pipeline `nightly` has no param `limits.row`
          --> `loads(template!("{{ params.regoin }}/{{ ds }}"), [template!("{{ params.limits.row }}")])`: the template "{{ params.limits.row }}" is given here as `also`
          --> `loads(key: String, also: Vec<String>) -> Result<u64> {`: to the input of this task
          = help: did you mean `params.limits.rows`?

        error: the template of `keyed` names `params.since`, but pipeline `nightly` has no param `since`
          --> `keyed(template!("{% if params.since %}{{ params['untill'] }}{% endif %}"))`: the template "{% if params.since %}{{ params['untill'] }}{% endif %}" is given here as `key`
          --> `keyed(key: String) -> Result<u64> {`: to the input of this task
          = help: write one of `params.by_name`, `params.limits`, `params.region`, `params.token`, `params.until`

        error: the template of `guarded` names `params.token`, which is a secret
          --> `keyed(template!("{{ params.token }}")).named("guarded")`: the template "{{ params.token }}" is given here as `key`
          --> `keyed(key: String) -> Result<u64> {`: to the input of this task
          = help: a text is shown and stored: give the task a parameter of the type `Secret`, and pass it the params' `token`

        pipeline `nightly` has 4 mistakes; nothing was run"#]],
    );
}

#[test]
fn a_template_that_names_a_param_there_is() {
    #[pipeline]
    fn nightly(named: Named) {
        let _ = named.region;
        for template in [
            template!("{{ params.region }} {{ params['region'] | upper }} {{ params.limits.rows }}"),
            template!("{% if params.until %}{{ params.until }}{% endif %}"),
            template!("{{ params.limits.tables | default('all') }}"),
            template!("{{ params.by_name.anything }} {{ params.by_name['x'] }} {{ params['re' ~ 'gion'] }}"),
            template!("{% for name in params.by_name %}{{ name }}{% endfor %}"),
        ] {
            keyed(template);
        }
    }
    #[pipeline]
    fn open(open: Open) {
        let _ = open.region;
        keyed(template!("{{ params.region }} {{ params.anything }}"));
    }
    nightly().check().unwrap();
    open().check().unwrap();
}

#[test]
fn a_template_of_a_pipeline_without_params() {
    #[pipeline]
    fn nightly() {
        keyed(template!("{{ params.region }}"));
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: the template of `keyed` names `params.region`, but pipeline `nightly` has no param `region`
          --> `keyed(template!("{{ params.region }}"))`: the template "{{ params.region }}" is given here as `key`
          --> `keyed(key: String) -> Result<u64> {`: to the input of this task
          = help: the pipeline takes no params: give its function a struct of them

        pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn a_secret_is_drawn_as_where_it_stands() {
    static KEY: Secret = Secret::env("NOBODY_SETS_THIS_EITHER");
    async fn page(_: Notification) -> Result<()> {
        Ok(())
    }
    const HOOK: Webhook = Webhook::env("NOBODY_SETS_THIS_HOOK");
    #[task(on_failure = [page, HOOK])]
    async fn fetch(key: Secret) -> Result<u64> {
        Ok(key.expose().len() as u64)
    }
    #[pipeline]
    fn nightly(named: Named) {
        fetch(&KEY);
        fetch(&KEY).named("again");
        fetch(named.token).named("of_params");
    }
    let plan = plan(&nightly());
    assert_eq!(plan.to_json()["nodes"][0]["inputs"][0]["text"], "env:NOBODY_SETS_THIS_EITHER");
    // A param that does not refer to anything yet is not a mistake.
    let missing: Vec<String> = plan.missing_secrets().iter().map(ToString::to_string).collect();
    expect![[r#"
        the secret `env:NOBODY_SETS_THIS_EITHER` has no value: set the environment variable NOBODY_SETS_THIS_EITHER; it is needed by `fetch`, `again` of pipeline `nightly`
        the secret `env:NOBODY_SETS_THIS_HOOK` has no value: set the environment variable NOBODY_SETS_THIS_HOOK; it is needed by `Webhook(NOBODY_SETS_THIS_HOOK)` of pipeline `nightly`"#]].assert_eq(&missing.join("\n"));
}

#[test]
fn a_plain_text_that_was_meant_as_a_template() {
    #[task]
    async fn load(key: String, also: Vec<String>) -> Result<u64> {
        Ok(key.len() as u64 + also.len() as u64)
    }
    #[pipeline]
    fn keys() {
        load("raw/{{ ds_nodash }}.json", ["a", "b/{{params.region}}"]);
        load(template!("raw/{{ ds_nodash }}.json"), [template!("{% raw %}{{ ds }}{% endraw %}")]);
        load("Dear {{ user.name }},", Vec::<String>::new());
    }
    refused(
        &keys(),
        &expect![[r#"
        error: `load` is given a plain text as `key`, in which `{{ ds_nodash }}` is not rendered
          --> `load("raw/{{ ds_nodash }}.json", ["a", "b/{{params.region}}"])`: the text is given here
          --> `load(key: String, also: Vec<String>) -> Result<u64> {`: to the input of this task
          = help: write `template!("..")`, which is rendered when the task starts; if `{{ ds_nodash }}` is what it is to get, `template!("{% raw %}..{% endraw %}")`

        error: `load` is given a plain text as `also`, in which `{{params.region}}` is not rendered
          --> `load("raw/{{ ds_nodash }}.json", ["a", "b/{{params.region}}"])`: the text is given here
          --> `load(key: String, also: Vec<String>) -> Result<u64> {`: to the input of this task
          = help: write `template!("..")`, which is rendered when the task starts; if `{{params.region}}` is what it is to get, `template!("{% raw %}..{% endraw %}")`

        pipeline `keys` has 2 mistakes; nothing was run"#]],
    );
}

#[test]
fn two_nodes_of_one_name_are_told_with_both_places() {
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

#[test]
fn a_mapping_may_return_its_element() {
    #[pipeline]
    fn nightly() {
        files().each(|file| {
            size(file);
            file
        });
        folders()
            .each(|folder| {
                folder
                    .each(|file| {
                        size(file);
                        file
                    })
                    .named("inner")
            })
            .named("nested");
    }
    let expected = [
        "files",
        "each(element).element",
        "size",
        "each(element)",
        "folders",
        "nested.element",
        "inner.element",
        "size__2",
        "inner",
        "nested",
    ];
    assert_eq!(ids(&nightly()), expected);
}

// ---- handles where they do not belong

#[test]
fn a_node_of_another_pipeline_is_refused_wherever_it_is_used() {
    use std::cell::Cell;
    thread_local! {
        static KEPT: Cell<Option<Node<u64>>> = const { Cell::new(None) };
    }
    #[pipeline]
    fn first() {
        KEPT.set(Some(rows()));
    }
    #[pipeline]
    fn second() {
        let foreign = KEPT.get().unwrap();
        add(foreign);
        add(1).after(foreign);
        foreign.retries(2);
        first_of([foreign]);
    }
    first().check().unwrap();
    refused(
        &second(),
        &expect![[r#"
            error: a node of another pipeline, or of an earlier call of this one's function, is used
              --> `add(foreign)`: used here
              = help: a node belongs to the one call of the pipeline function that made it: call its task here, too (what pipelines share is a plain function that wires it)

            error: a node of another pipeline, or of an earlier call of this one's function, is used
              --> `first_of([foreign])`: used here
              = help: a node belongs to the one call of the pipeline function that made it: call its task here, too (what pipelines share is a plain function that wires it)

            error: a node of another pipeline, or of an earlier call of this one's function, is used
              --> `after(foreign)`: used here
              = help: a node belongs to the one call of the pipeline function that made it: call its task here, too (what pipelines share is a plain function that wires it)

            error: a node of another pipeline, or of an earlier call of this one's function, is used
              --> `retries(2)`: used here
              = help: a node belongs to the one call of the pipeline function that made it: call its task here, too (what pipelines share is a plain function that wires it)

            pipeline `second` has 4 mistakes; nothing was run"#]],
    );
}

#[test]
fn an_element_outside_of_its_mapping_is_told_with_all_three_places() {
    #[pipeline]
    fn nightly() {
        let mut kept = None;
        files().each(|file| {
            kept = Some(file);
            size(file)
        });
        size(kept.unwrap());
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: the element of `each(size)` is used outside of its `.each`
              --> `each(|file| {`: it is an element of this mapping
              --> `size(kept.unwrap())`: and used here
              = help: what is made inside leaves it only as the closure's result: return it, and use the list that `.each` returns

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn so_is_a_node_of_the_inside() {
    #[pipeline]
    fn nightly() {
        let mut kept = None;
        files().each(|file| {
            let of_file = size(file);
            kept = Some(of_file);
            of_file
        });
        rows().after(kept.unwrap());
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `size` is used outside of its `.each`
              --> `size(file)`: it is made here, once for each element
              --> `each(|file| {`: of this mapping
              --> `rows().after(kept.unwrap())`: and used here
              = help: what is made inside leaves it only as the closure's result: return it, and use the list that `.each` returns

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn a_mapping_returns_what_is_wired_in_it() {
    #[pipeline]
    fn nightly() {
        let once = rows();
        files().each(|file| {
            size(file);
            once
        });
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: the closure of `.each` returns `rows`, which is made outside of it
              --> `rows()`: it is made here, once
              --> `each(|file| {`: and returned for every element of this mapping
              = help: return a node that the closure wires; what is made once can be taken directly, without `.each`

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn the_failure_of_a_node_is_at_hand_inside_and_outside() {
    #[task]
    async fn log(failure: Failure, file: String) -> Result<String> {
        Ok(failure.node().to_owned() + &file)
    }
    #[pipeline]
    fn nightly() {
        let first = rows();
        files().each(|file| log(first.failure(), file));
        repair(first.failure());
    }
    let expected = ["rows", "files", "each(log).element", "rows.failure", "log", "each(log)", "repair"];
    assert_eq!(ids(&nightly()), expected);
    assert_eq!(plan(&nightly()).to_json()["nodes"][3]["scope"], Value::Null);
}

#[test]
fn a_mapping_repeats_something() {
    #[pipeline]
    fn nightly() {
        files().each(|file| file);
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: `.each` has nothing to repeat: no task is called in its closure
          --> `each(|file| file)`: this mapping
          = help: call a task on the element, as in `.each(|item| task(item))`

        pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn a_task_called_outside_of_a_pipeline_says_what_to_call() {
    let panic = std::panic::catch_unwind(|| add(1)).unwrap_err();
    expect!["`add` was called outside of a pipeline: in a `#[pipeline]` function it wires a node; to run its body, as in a unit test, call `add::call(..)`"].assert_eq(&crate::author::pipeline::panic_message(&*panic));
}

// ---- inputs

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
fn nor_is_what_needs_them() {
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
fn nor_are_elements_of_a_list_that_needs_one_of_them() {
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
fn a_beginning_that_the_clock_never_shows_is_told_as_that() {
    // The macro does not know the zone of a constant.
    const DAILY: crate::schedule::Every = crate::every!("1d", from = "2024-03-31T02:30");
    #[pipeline(schedule = DAILY, timezone = "Europe/Berlin")]
    fn nightly() {
        rows();
    }
    let error = nightly().check().unwrap_err().to_string();
    assert!(error.contains("`2024-03-31T02:30` is not a valid recurrence") && error.contains("write `from` as a day"), "{error}");
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

// ---- order

#[test]
fn a_circle_is_told_as_one_and_without_those_who_only_wait_for_it() {
    #[pipeline]
    fn nightly() {
        let first = rows();
        let second = add(first);
        let third = add(second);
        first.after(third);
        rows().named("bystander").after(third);
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: nodes wait for each other in a circle: `rows` waits for `add__2`, which waits for `add`, which waits for `rows`
              --> `after(third)`: `rows` is told to wait for `add__2` here
              = help: leave out the `.after` that closes the circle

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn nobody_waits_for_itself() {
    #[pipeline]
    fn nightly() {
        let only = rows();
        only.after(only);
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `rows` waits for itself
              --> `after(only)`: `rows` is told to wait for `rows` here
              = help: leave out the `.after` that closes the circle

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn the_inside_of_a_mapping_does_not_wait_for_the_mapping() {
    #[pipeline]
    fn nightly() {
        let mut inside = None;
        let mapped = files().each(|file| {
            let of_file = size(file);
            inside = Some(of_file);
            of_file
        });
        inside.unwrap().after(total(mapped));
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: nodes wait for each other in a circle: `size` waits for `total`, which waits for `each(size)`, which waits for `size`
              --> `after(total(mapped))`: `size` is told to wait for `total` here
              = help: leave out the `.after` that closes the circle

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn what_a_list_waits_for_does_not_wait_for_its_elements() {
    #[pipeline]
    fn nightly() {
        let first = rows();
        let mapped = files().after(first).each(|file| size(file));
        first.after(mapped);
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: nodes wait for each other in a circle: `rows` waits for `each(size)`, which waits for `size`, which waits for `each(size).element`, which waits for `files`, which waits for `rows`
              --> `after(first).each(|file| size(file))`: `files` is told to wait for `rows` here
              --> `after(mapped)`: `rows` is told to wait for `each(size)` here
              = help: leave out the `.after` that closes the circle

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn a_race_or_an_element_cannot_be_held_back() {
    #[pipeline]
    fn nightly() {
        let first = rows();
        add(first_of([add(1), add(2)]).after(first));
        files().each(|file| size(file.after(first)));
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: `.after` cannot hold back `first_of`: its runners start by themselves, and a race has no single start
          --> `after(first))`: `.after` is called here
          --> `first_of([add(1), add(2)]).after(first))`: on the node wired here
          = help: call `.after` on each runner, or on the task that takes the winner

        error: `.after` cannot hold back `each(size).element`: an element exists once its list does
          --> `after(first)))`: `.after` is called here
          --> `each(|file| size(file.after(first)))`: on the node wired here
          = help: call `.after` on the result of `.each`, which holds back the whole mapping, or on a task inside

        pipeline `nightly` has 2 mistakes; nothing was run"#]],
    );
}

// ---- overrides and options

#[test]
fn an_override_stands_where_it_can_have_an_effect() {
    #[pipeline]
    fn nightly() {
        rows().poke(seconds(5));
        let arms = route(rows()).poke_timeout(seconds(5));
        arms.clean.retries(2);
        arms.nothing.failure().timeout(seconds(5));
        files().each(|file| size(file.priority(1))).retries(2).after(rows()).allow_failure();
        first_of([rows(), rows()]).sla(seconds(60));
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `.poke` is for sensors, and `rows` is a task
              --> `poke(seconds(5))`: set here
              --> `rows().poke(seconds(5))`: on the node wired here
              = help: leave it out, or make the task a `#[sensor]`

            error: `.poke_timeout` is for sensors, and `route` is a branch
              --> `poke_timeout(seconds(5))`: set here
              --> `route(rows()).poke_timeout(seconds(5))`: on the node wired here
              = help: leave it out, or make the task a `#[sensor]`

            error: `.retries` cannot be set on the arm `route.clean`
              --> `retries(2)`: set here
              --> `route(rows()).poke_timeout(seconds(5))`: on the node wired here
              = help: an arm runs nothing; set it on the branch: `route(..).retries(..)`, or on the task that takes the arm

            error: `.timeout` cannot be set on `route.nothing.failure`
              --> `timeout(seconds(5))`: set here
              --> `failure().timeout(seconds(5))`: on the node wired here
              = help: nothing runs there; set it on the task that it is meant for

            error: `.priority` cannot be set on `each(size).element`
              --> `priority(1))).retries(2).after(rows()).allow_failure()`: set here
              --> `each(|file| size(file.priority(1))).retries(2).after(rows()).allow_failure()`: on the node wired here
              = help: nothing runs there; set it on the task that it is meant for

            error: `.retries` cannot be set on the mapping `each(size)`
              --> `retries(2).after(rows()).allow_failure()`: set here
              --> `each(|file| size(file.priority(1))).retries(2).after(rows()).allow_failure()`: on the node wired here
              = help: set it inside, on the task that it is meant for: `.each(|item| task(item).retries(..))`

            error: `.sla` cannot be set on `first_of`
              --> `sla(seconds(60))`: set here
              --> `first_of([rows(), rows()]).sla(seconds(60))`: on the node wired here
              = help: nothing runs there; set it on the task that it is meant for

            pipeline `nightly` has 7 mistakes; nothing was run"#]],
    );
}

#[test]
fn a_bound_is_for_mappings_and_lets_something_through() {
    #[pipeline]
    fn nightly() {
        sizes().max_active(2);
        files().each(|file| size(file)).max_active(0);
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `.max_active` bounds a mapping, and `sizes` is a task
              --> `max_active(2)`: `.max_active` is called here
              --> `sizes().max_active(2)`: on the node wired here
              = help: call it on the result of `.each(..)`; a pool bounds single tasks: `.pool(&POOL)`

            error: `each(size)` could never start an element: `.max_active(0)`
              --> `max_active(0)`: set here
              = help: allow at least one element at a time

            pipeline `nightly` has 2 mistakes; nothing was run"#]],
    );
}

#[test]
fn an_order_is_for_mappings_and_allows_one_element_at_a_time() {
    #[pipeline]
    fn nightly() {
        sizes().in_order();
        files().each(|file| size(file)).in_order().max_active(2);
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: `.in_order` orders the elements of a mapping, and `sizes` is a task
          --> `in_order()`: `.in_order` is called here
          --> `sizes().in_order()`: on the node wired here
          = help: call it on the result of `.each(..)`; `.after(..)` orders single tasks

        error: `each(size)` runs one element at a time, `.in_order()`, and 2 at once, `.max_active(2)`
          --> `in_order().max_active(2)`: in order here
          --> `max_active(2)`: and several at once here
          = help: leave one of them out

        pipeline `nightly` has 2 mistakes; nothing was run"#]],
    );
}

#[test]
fn a_part_of_an_output_is_no_node() {
    #[task]
    async fn pair() -> Result<(u64, Vec<u64>)> {
        Ok((1, vec![]))
    }
    #[pipeline]
    fn nightly() {
        let (first, list) = pair().split();
        first.named("first").retries(2);
        list.max_active(2).after(rows());
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: `.named` is called on a part of the output of `pair`, which is not a node
          --> `named("first").retries(2)`: `.named` is called here
          --> `pair().split()`: the node is wired here
          = help: call it on the node, before `.field(..)` or `.split()`: `node.named(..)`

        error: `.retries` is called on a part of the output of `pair`, which is not a node
          --> `retries(2)`: `.retries` is called here
          --> `pair().split()`: the node is wired here
          = help: call it on the node, before `.field(..)` or `.split()`: `node.retries(..)`

        error: `.max_active` is called on a part of the output of `pair`, which is not a node
          --> `max_active(2).after(rows())`: `.max_active` is called here
          --> `pair().split()`: the node is wired here
          = help: call it on the node, before `.field(..)` or `.split()`: `node.max_active(..)`

        error: `.after` is called on a part of the output of `pair`, which is not a node
          --> `after(rows())`: `.after` is called here
          --> `pair().split()`: the node is wired here
          = help: call it on the node, before `.field(..)` or `.split()`: `node.after(..)`

        pipeline `nightly` has 4 mistakes; nothing was run"#]],
    );
}

#[test]
fn a_sensor_must_not_outlive_its_pipeline() {
    #[sensor]
    async fn patient() -> Result<Poke<u64>> {
        Ok(Poke::NotYet)
    }
    #[pipeline(timeout = "5m")]
    fn nightly() {
        export("a.json");
        export("b.json").named("short").timeout(seconds(300));
        patient();
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: the sensor `export` may wait 10m, but pipeline `nightly` ends after 5m
              --> `export("a.json")`: the sensor is wired here
              --> `nightly() {`: the pipeline is defined here
              = help: give the sensor a shorter `timeout` (the default is 7d), or the pipeline a longer one

            error: the sensor `patient` may wait 7days, but pipeline `nightly` ends after 5m
              --> `patient()`: the sensor is wired here
              --> `nightly() {`: the pipeline is defined here
              = help: give the sensor a shorter `timeout` (the default is 7d), or the pipeline a longer one

            pipeline `nightly` has 2 mistakes; nothing was run"#]],
    );
}

#[test]
fn a_sensor_is_asked_more_than_once() {
    #[pipeline]
    fn nightly() {
        export("a.json").named("rare").poke(seconds(600));
        export("b.json").named("never").poke(seconds(0));
        export("c.json").named("shrinking").backoff(crate::Backoff::new(seconds(60), seconds(30)));
        export("d.json").named("long").poke_timeout(seconds(601));
        export("e.json").named("jittery").poke_jitter(seconds(601));
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `.poke` of `never` cannot be used: it must be longer than zero
              --> `poke(seconds(0))`: set here
              --> `export("b.json").named("never").poke(seconds(0))`: on the node wired here
              = help: a duration is in whole milliseconds, and at most a hundred years; without the call the default holds

            error: `.backoff` of `shrinking` cannot be used: it starts at 1m, which is longer than its `max` of 30s
              --> `backoff(crate::Backoff::new(seconds(60), seconds(30)))`: set here
              --> `export("c.json").named("shrinking").backoff(crate::Backoff::new(seconds(60), seconds(30)))`: on the node wired here
              = help: `start` is longer than zero and at most `max`, and the factor lies between 1 and 1000000

            error: `rare` would be poked only once: its `poke` is 10m and its `timeout` 10m
              --> `export(key: String) -> Result<Poke<u64>> {`: the sensor is defined here
              --> `export("a.json").named("rare").poke(seconds(600))`: and wired here
              = help: let `poke` be shorter than `timeout`

            error: the `poke_timeout` of `long` is 10m 1s, longer than its whole wait: its `timeout` is 10m
              --> `export(key: String) -> Result<Poke<u64>> {`: the sensor is defined here
              --> `export("d.json").named("long").poke_timeout(seconds(601))`: and wired here
              = help: let it be at most as long as `timeout`

            error: the `poke_jitter` of `jittery` is 10m 1s, longer than its whole wait: its `timeout` is 10m
              --> `export(key: String) -> Result<Poke<u64>> {`: the sensor is defined here
              --> `export("e.json").named("jittery").poke_jitter(seconds(601))`: and wired here
              = help: let it be at most as long as `timeout`

            pipeline `nightly` has 5 mistakes; nothing was run"#]],
    );
}

/// The limits are those of the attributes, which refuse the same values at compile time.
#[test]
fn a_value_given_by_a_method_has_the_limits_of_the_attributes() {
    use crate::Backoff;
    #[pipeline]
    fn nightly() {
        let of = |name: &str| rows().named(name);
        of("zero").timeout(Duration::ZERO);
        of("none").timeout(Duration::MAX);
        of("fine").sla(Duration::from_micros(1500));
        of("often").retries(1_000_001);
        of("steep").backoff(Backoff::new(seconds(1), seconds(2)).with_factor(1e7));
        of("at_once").backoff(Backoff::new(Duration::ZERO, seconds(2)));
        of("falling").backoff(Backoff::new(seconds(2), seconds(1)));
        // The last call of a method overrides earlier ones.
        of("set_right").timeout(Duration::ZERO).timeout(seconds(1));
        of("sound").retries(1_000_000).retry_delay(Duration::ZERO).timeout(Duration::from_millis(1));
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `.timeout` of `zero` cannot be used: it must be longer than zero
              --> `timeout(Duration::ZERO)`: set here
              --> `rows().named(name)`: on the node wired here
              = help: a duration is in whole milliseconds, and at most a hundred years; without the call the default holds

            error: `.timeout` of `none` cannot be used: it is longer than a hundred years
              --> `timeout(Duration::MAX)`: set here
              --> `rows().named(name)`: on the node wired here
              = help: a duration is in whole milliseconds, and at most a hundred years; without the call the default holds

            error: `.sla` of `fine` cannot be used: it is finer than a millisecond, the engine's smallest unit: use `ms` or longer
              --> `sla(Duration::from_micros(1500))`: set here
              --> `rows().named(name)`: on the node wired here
              = help: a duration is in whole milliseconds, and at most a hundred years; without the call the default holds

            error: `.retries` of `often` cannot be used: a node is retried at most 1000000 times
              --> `retries(1_000_001)`: set here
              --> `rows().named(name)`: on the node wired here
              = help: write a smaller number

            error: `.backoff` of `steep` cannot be used: its `factor` is 10000000, and a factor must be at least 1, or the waits would shrink, and at most 1000000
              --> `backoff(Backoff::new(seconds(1), seconds(2)).with_factor(1e7))`: set here
              --> `rows().named(name)`: on the node wired here
              = help: `start` is longer than zero and at most `max`, and the factor lies between 1 and 1000000

            error: `.backoff` of `at_once` cannot be used: its `start` is 0s, and it must be longer than zero
              --> `backoff(Backoff::new(Duration::ZERO, seconds(2)))`: set here
              --> `rows().named(name)`: on the node wired here
              = help: `start` is longer than zero and at most `max`, and the factor lies between 1 and 1000000

            error: `.backoff` of `falling` cannot be used: it starts at 2s, which is longer than its `max` of 1s
              --> `backoff(Backoff::new(seconds(2), seconds(1)))`: set here
              --> `rows().named(name)`: on the node wired here
              = help: `start` is longer than zero and at most `max`, and the factor lies between 1 and 1000000

            pipeline `nightly` has 7 mistakes; nothing was run"#]],
    );
}

/// The macros find both at compile time; a binary that was built elsewhere, or before a change of law, is checked here.
#[test]
fn a_window_that_cannot_be_read_names_pipeline_and_option() {
    use crate::author::options::PipelineOptions;
    use crate::author::pipeline::{PipelineDefinition, without_params};
    fn wire() {
        rows();
    }
    fn refused(options: fn(PipelineOptions) -> PipelineOptions) -> String {
        let pipeline = without_params(PipelineDefinition::new("nightly", "", options), wire);
        pipeline.check().unwrap_err().to_string().lines().next().unwrap_or_default().to_owned()
    }
    assert_eq!(
        refused(|options| options.start("2024-1-5")),
        "error: the `start` of pipeline `nightly` cannot be used: `2024-1-5` is not a date; write `2024-01-05`"
    );
    assert_eq!(
        refused(|options| options.start("2024-01-05").end("2024-01-31T23:59:60Z")),
        "error: the `end` of pipeline `nightly` cannot be used: `2024-01-31T23:59:60Z` does not exist: the clock has no such time"
    );
    assert_eq!(
        refused(|options| options.start("2024-01-05").end("2024-01-04")),
        "error: the `end` of pipeline `nightly` cannot be used: the end, `2024-01-04`, is before the start, `2024-01-05`"
    );
    assert!(
        refused(|options| options.timezone("Europe/Berlin").end("2024-10-27T02:30")).contains("happened twice in Europe/Berlin")
    );
}

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
    assert!(super::disagreements(&[], &plans([sales(), sales()])).is_empty());
    let found = super::disagreements(&[], &plans([sales(), stock()]));
    let messages: Vec<&str> = found.iter().map(super::Problem::message).collect();
    assert_eq!(
        messages,
        [
            "the pool `warehouse` has 2 slots in pipeline `sales` and 4 in pipeline `stock`, and pipelines share a pool by its name"
        ]
    );
}

#[test]
fn a_pipeline_wires_something() {
    #[pipeline(schedule = "@daily")]
    fn nightly() {}
    refused(
        &nightly(),
        &expect![[r#"
        error: pipeline `nightly` is empty
          --> `nightly() {}`: this pipeline wires no task
          = help: call a task in its function: that wires a node

        pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    #[pipeline(timeout = "5m")]
    fn nightly() {
        let RouteArms { clean, quarantine, nothing: _ } = route(rows());
        join(clean, quarantine).named("a").poke(seconds(1));
        files().each(|file| size(file)).retries(1).max_active(0);
        rows().named("a").after(first_of::<u64>([]));
        export("a.json");
    }
    let error = nightly().check().unwrap_err();
    let all: Vec<&str> = error.problems().iter().map(super::Problem::message).collect();
    expect![[r#"
        `each(size)` could never start an element: `.max_active(0)`
        `first_of` is given no nodes
        two nodes have the id `a`
        `.poke` is for sensors, and `a` is a task
        `.retries` cannot be set on the mapping `each(size)`
        the sensor `export` may wait 10m, but pipeline `nightly` ends after 5m
        `a` can never run: it needs both `route.clean` and `route.quarantine`, but a branch takes only one of its arms"#]]
    .assert_eq(&all.join("\n"));
    let text = error.to_string();
    assert!(text.ends_with("pipeline `nightly` has 7 mistakes; nothing was run"), "{text}");
    for problem in error.problems() {
        assert!(problem.places().next().is_some(), "{problem}");
        assert!(text.contains(&problem.to_string()), "{problem}");
    }
}

// ---- renderings

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Settings {
    region: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { region: "eu".into() }
    }
}

static WAREHOUSE: Pool = Pool::new("warehouse", 4);

async fn page(_: Notification) -> Result<()> {
    Ok(())
}

async fn log_it(_: Notification) -> Result<()> {
    Ok(())
}

#[task(retries = 3, retry_delay = "30s", on_failure = [page, log_it])]
async fn load(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[task]
async fn repair(failure: Failure) -> Result<String> {
    Ok(failure.node().to_owned())
}

#[task]
async fn quarantine(rows: u64) -> Result<()> {
    let _ = rows;
    Ok(())
}

/// Lists the folder's files.
#[task(timeout = "90s")]
async fn list(folder: Vec<String>) -> Result<Vec<String>> {
    Ok(folder)
}

#[task(backoff(start = "1s", max = "1m", factor = 3, jitter = "2s"))]
async fn upload(file: String, region: String, days: Option<u64>) -> Result<String> {
    let _ = days;
    Ok(file + &region)
}

#[task]
async fn mirror(region: String) -> Result<u64> {
    Ok(region.len() as u64)
}

#[task]
async fn report(loaded: Option<u64>, uploads: Vec<Outcome<Vec<String>>>, fastest: u64) -> Result<()> {
    let _ = (loaded, uploads, fastest);
    Ok(())
}

/// Loads the day's export.
///
/// Further lines are left out of the header.
#[pipeline(
    schedule = "0 6 * * 1-5", timezone = "Europe/Berlin", timeout = "2h", sla = "45m", on_sla_miss = page, on_success = log_it,
    tags = ["daily", "eu"]
)]
fn everything(settings: Settings) {
    let export = export(template!("raw/{{ ds_nodash }}.json")).named("daily_export").on_timeout(crate::OnTimeout::Skip);
    let RouteArms { clean, quarantine: bad, nothing: _ } = route(export);
    let loaded = load(clean).pool(&WAREHOUSE).sla(seconds(600));
    repair(loaded.failure()).priority(7);
    quarantine(bad).allow_failure();
    let folders = folders().after(export);
    let uploads = folders.each(|folder| list(folder).each(|file| upload(file, &settings.region, None)).max_active(4));
    let fastest = first_of([mirror("eu"), mirror("us")]);
    report(loaded, uploads, fastest).after(loaded);
}

#[cfg(feature = "graph")]
#[test]
#[expect(clippy::too_many_lines, reason = "most of it is the golden")]
fn everything_as_text() {
    expect![[r#"
        pipeline  everything
                  Loads the day's export.
        tags      daily, eu
        schedule  0 6 * * 1-5, at 06:00, on Monday to Friday (Europe/Berlin)
        params    {"region":"eu"}
        timeout   2h
        callback  on_success log_it
        callback  on_sla_miss page after 45m
        pool      warehouse, 4 slots

        [daily_export]   [mirror]   [mirror__2]
           ┌───┴──────┐      └─────┬─────┘
           ↓          ↓            ↓
        [route]   [folders]   (first_of)
           └──┬───────┼──────────┬─┼────────────────┐
              │       └──────────┼─┼────────────────┼──────────────────────┐
              │                  │ └────────────────┼──────────────────────┼───────────────────┐
              │                  │                  │                      │                   │
              │                  │                  │             ╔════════╪═════════════════╗ │
              │                  │                  │             ║ each element of folders  ║ │
              ↓                  ↓                  ↓             ║        ↓                 ║ │
        (route.clean)   (route.quarantine)   (route.nothing)      ║    (element)             ║ │
           ┌──┘        ┌─────────┘                                ║        │                 ║ │
           ↓           ↓                                          ║        ↓                 ║ │
        [load]   [quarantine]                                     ║     [list]               ║ │
           └───┬────────────────────────────────────────────────┐ ║        │                 ║ │
               │                                    "none_failed" ║        │                 ║ │
               │                                                │ ║        │                 ║ │
               │                                                │ ║  ╔═════╪════════════════╗║ │
               │                                                │ ║  ║ each element of list ║║ │
               ↓                                                │ ║  ║     ↓                ║║ │
        (load.failure)                                          │ ║  ║ (element)            ║║ │
            ┌──┘                                                │ ║  ║     │                ║║ │
            ↓                                                   │ ║  ║     ↓                ║║ │
        [repair]                                                │ ║  ║ [upload]             ║║ │
                                                                │ ║  ║     │                ║║ │
            ┌───────────────────────────────────────────────────┘ ║  ║     │                ║║ │
            │                                                     ║  ╚═════╪════════════════╝║ │
            │                                                     ║        │                 ║ │
            │                                                     ║        ↓                 ║ │
            │                                                     ║ (each(upload))           ║ │
            │           ┌─────────────────────────────────────────╫────────┘                 ║ │
            │           │          ┌──────────────────────────────╫──────────────────────────╫─┘
            │           │          │                              ╚══════════════════════════╝
            │           │          │
            │           ↓          │
            │ (each(each(upload))) │
            ├───────────┘          │
        "all_done"                 │
            ├──────────────────────┘
            ↓
        [report]

        node                kind      inputs                                              options                           wired at
        daily_export        sensor    key: template "raw/{{ ds_nodash }}.json"            timeout 10m                       `let export = export(template!("raw/{{ ds_nodash }}.json")).named("daily_export").on_timeout(crate::OnTimeout::Skip)`
                                                                                          poke 45s
                                                                                          on_timeout skip
        route               branch    rows: daily_export                                                                    `let RouteArms { clean, quarantine: bad, nothing: _ } = route(export)`
        load                task      rows: route.clean                                   retries 3                         `let loaded = load(clean).pool(&WAREHOUSE).sla(seconds(600))`
                                                                                          retry_delay 30s
                                                                                          pool warehouse
                                                                                          sla 10m, which nobody is told of
                                                                                          on_failure page
                                                                                          on_failure log_it
        repair              task      failure: load.failure                               priority 7                        `repair(loaded.failure()).priority(7)`
        quarantine          task      rows: route.quarantine                              allow_failure                     `quarantine(bad).allow_failure()`
        folders             task      after: daily_export                                                                   `let folders = folders().after(export)`
        each(each(upload))  each      list: folders                                                                         `let uploads = folders.each(|folder| list(folder).each(|file| upload(file, &settings.region, None)).max_active(4))`
                                      results: each(upload)
          list              task      folder: each(each(upload)).element                  timeout 1m 30s                    `let uploads = folders.each(|folder| list(folder).each(|file| upload(file, &settings.region, None)).max_active(4))`
          each(upload)      each      list: list                                          max_active 4                      `let uploads = folders.each(|folder| list(folder).each(|file| upload(file, &settings.region, None)).max_active(4))`
                                      results: upload
            upload          task      file: each(upload).element                          backoff 1s to 1m, x 3 + up to 2s  `let uploads = folders.each(|folder| list(folder).each(|file| upload(file, &settings.region, None)).max_active(4))`
                                      region: "eu"
                                      days: (value)
        mirror              task      region: "eu"                                                                          `let fastest = first_of([mirror("eu"), mirror("us")])`
        mirror__2           task      region: "us"                                                                          `let fastest = first_of([mirror("eu"), mirror("us")])`
        first_of            first_of  nodes: mirror, mirror__2 (one_success)                                                `let fastest = first_of([mirror("eu"), mirror("us")])`
        report              task      loaded: load (none_failed)                                                            `report(loaded, uploads, fastest).after(loaded)`
                                      uploads: elements of each(each(upload)) (all_done)
                                      fastest: first_of
                                      after: load
    "#]].assert_eq(&placed(&plan(&everything()).to_text()));
}

#[test]
fn everything_as_a_flowchart() {
    expect![[r#"
        ---
        title: "everything"
        ---
        flowchart TD
            n0{{"daily_export"}}
            n1{"route"}
            n2(["route.clean"])
            n3(["route.quarantine"])
            n4(["route.nothing"])
            n5["load"]
            n6(["load.failure"])
            n7["repair"]
            n8["quarantine"]
            n9["folders"]
            n15[["each(each(upload))"]]
            subgraph s1["each element of folders"]
                n10(["each(each(upload)).element"])
                n11["list"]
                n14[["each(upload)"]]
                subgraph s2["each element of list"]
                    n12(["each(upload).element"])
                    n13["upload"]
                end
            end
            n16["mirror"]
            n17["mirror__2"]
            n18(["first_of"])
            n19["report"]
            n0 --> n1
            n1 --> n2
            n1 --> n3
            n1 --> n4
            n2 --> n5
            n5 -->|"all_failed"| n6
            n6 --> n7
            n3 --> n8
            n0 -.-> n9
            n9 --> n10
            n10 --> n11
            n11 --> n12
            n12 --> n13
            n13 --> n14
            n14 --> n15
            n16 -->|"one_success"| n18
            n17 -->|"one_success"| n18
            n5 -->|"none_failed"| n19
            n15 -->|"all_done"| n19
            n18 --> n19
            n5 -.-> n19
    "#]]
    .assert_eq(&plan(&everything()).to_mermaid());
}

#[test]
#[allow(clippy::too_many_lines, reason = "nearly all of them are the golden")]
fn everything_as_json() {
    let mut json = plan(&everything()).to_json();
    // One node of each kind: the others have the same fields.
    let mut kinds = std::collections::HashSet::new();
    json["nodes"].as_array_mut().unwrap().retain(|node| kinds.insert(node["kind"].to_string()));
    expect![[r#"
        {
          "callbacks": [
            {
              "event": "on_success",
              "notifier": "pipeline_runtime::plan::tests::log_it"
            },
            {
              "after_ms": 2700000,
              "event": "on_sla_miss",
              "notifier": "pipeline_runtime::plan::tests::page"
            }
          ],
          "description": "Loads the day's export.",
          "nodes": [
            {
              "after": [],
              "after_rules": [],
              "defined_at": "`export(key: String) -> Result<Poke<u64>> {`",
              "description": "",
              "group": null,
              "id": "daily_export",
              "inputs": [
                {
                  "from": [],
                  "kind": "template",
                  "name": "key",
                  "rule": null,
                  "text": "raw/{{ ds_nodash }}.json"
                }
              ],
              "kind": "sensor",
              "options": {
                "allow_failure": false,
                "callbacks": [],
                "mode": "reschedule",
                "on_timeout": "skip",
                "poke": {
                  "factor": 1.0,
                  "jitter_ms": 0,
                  "max_ms": 45000,
                  "start_ms": 45000
                },
                "poke_timeout_ms": 45000,
                "pool": "default_pool",
                "priority": 0,
                "retries": 0,
                "retry_delay": {
                  "factor": 1.0,
                  "jitter_ms": 0,
                  "max_ms": 300000,
                  "start_ms": 300000
                },
                "sla_ms": null,
                "timeout_ms": 600000
              },
              "scope": null,
              "task": "export",
              "tears_down": null,
              "upstream_pipeline": null,
              "wired_at": "`export(template!("raw/{{ ds_nodash }}.json")).named("daily_export").on_timeout(crate::OnTimeout::Skip)`"
            },
            {
              "after": [],
              "after_rules": [],
              "defined_at": "`route(rows: u64) -> Result<Route> {`",
              "description": "",
              "group": null,
              "id": "route",
              "inputs": [
                {
                  "from": [
                    "daily_export"
                  ],
                  "kind": "node",
                  "name": "rows",
                  "rule": "all_success",
                  "text": null
                }
              ],
              "kind": "branch",
              "options": {
                "allow_failure": false,
                "callbacks": [],
                "pool": "default_pool",
                "priority": 0,
                "retries": 0,
                "retry_delay": {
                  "factor": 1.0,
                  "jitter_ms": 0,
                  "max_ms": 300000,
                  "start_ms": 300000
                },
                "sla_ms": null,
                "timeout_ms": null
              },
              "scope": null,
              "task": "route",
              "tears_down": null,
              "upstream_pipeline": null,
              "wired_at": "`route(export)`"
            },
            {
              "after": [],
              "after_rules": [],
              "defined_at": null,
              "description": null,
              "group": null,
              "id": "route.clean",
              "inputs": [
                {
                  "from": [
                    "route"
                  ],
                  "kind": "node",
                  "name": "branch",
                  "rule": "all_success",
                  "text": null
                }
              ],
              "kind": "arm",
              "options": {
                "allow_failure": false
              },
              "scope": null,
              "task": null,
              "tears_down": null,
              "upstream_pipeline": null,
              "wired_at": "`route(export)`"
            },
            {
              "after": [],
              "after_rules": [],
              "defined_at": "`load(rows: u64) -> Result<u64> {`",
              "description": "",
              "group": null,
              "id": "load",
              "inputs": [
                {
                  "from": [
                    "route.clean"
                  ],
                  "kind": "node",
                  "name": "rows",
                  "rule": "all_success",
                  "text": null
                }
              ],
              "kind": "task",
              "options": {
                "allow_failure": false,
                "callbacks": [
                  {
                    "event": "on_failure",
                    "notifier": "pipeline_runtime::plan::tests::page"
                  },
                  {
                    "event": "on_failure",
                    "notifier": "pipeline_runtime::plan::tests::log_it"
                  }
                ],
                "pool": "warehouse",
                "priority": 0,
                "retries": 3,
                "retry_delay": {
                  "factor": 1.0,
                  "jitter_ms": 0,
                  "max_ms": 30000,
                  "start_ms": 30000
                },
                "sla_ms": 600000,
                "timeout_ms": null
              },
              "scope": null,
              "task": "load",
              "tears_down": null,
              "upstream_pipeline": null,
              "wired_at": "`load(clean).pool(&WAREHOUSE).sla(seconds(600))`"
            },
            {
              "after": [],
              "after_rules": [],
              "defined_at": null,
              "description": null,
              "group": null,
              "id": "load.failure",
              "inputs": [
                {
                  "from": [
                    "load"
                  ],
                  "kind": "node",
                  "name": "of",
                  "rule": "all_failed",
                  "text": null
                }
              ],
              "kind": "failure",
              "options": {
                "allow_failure": false
              },
              "scope": null,
              "task": null,
              "tears_down": null,
              "upstream_pipeline": null,
              "wired_at": "`failure()).priority(7)`"
            },
            {
              "after": [],
              "after_rules": [],
              "defined_at": null,
              "description": null,
              "group": null,
              "id": "each(each(upload)).element",
              "inputs": [
                {
                  "from": [
                    "folders"
                  ],
                  "kind": "node",
                  "name": "list",
                  "rule": "all_success",
                  "text": null
                }
              ],
              "kind": "element",
              "options": {
                "allow_failure": false
              },
              "scope": "each(each(upload))",
              "task": null,
              "tears_down": null,
              "upstream_pipeline": null,
              "wired_at": "`each(|folder| list(folder).each(|file| upload(file, &settings.region, None)).max_active(4))`"
            },
            {
              "after": [],
              "after_rules": [],
              "defined_at": null,
              "description": null,
              "group": null,
              "id": "each(upload)",
              "inputs": [
                {
                  "from": [
                    "list"
                  ],
                  "kind": "node",
                  "name": "list",
                  "rule": "all_success",
                  "text": null
                },
                {
                  "from": [
                    "upload"
                  ],
                  "kind": "elements",
                  "name": "results",
                  "rule": "all_success",
                  "text": null
                }
              ],
              "kind": "each",
              "options": {
                "allow_failure": false,
                "max_active": 4
              },
              "scope": "each(each(upload))",
              "task": null,
              "tears_down": null,
              "upstream_pipeline": null,
              "wired_at": "`each(|file| upload(file, &settings.region, None)).max_active(4))`"
            },
            {
              "after": [],
              "after_rules": [],
              "defined_at": null,
              "description": null,
              "group": null,
              "id": "first_of",
              "inputs": [
                {
                  "from": [
                    "mirror",
                    "mirror__2"
                  ],
                  "kind": "nodes",
                  "name": "nodes",
                  "rule": "one_success",
                  "text": null
                }
              ],
              "kind": "first_of",
              "options": {
                "allow_failure": false
              },
              "scope": null,
              "task": null,
              "tears_down": null,
              "upstream_pipeline": null,
              "wired_at": "`first_of([mirror("eu"), mirror("us")])`"
            }
          ],
          "params": {
            "region": "eu"
          },
          "pipeline": "everything",
          "pools": [
            {
              "name": "default_pool",
              "slots": 128
            },
            {
              "name": "warehouse",
              "slots": 4
            }
          ],
          "reads": [],
          "schedule": {
            "catchup": false,
            "cron": "0 6 * * 1-5",
            "depends_on_past": false,
            "description": "at 06:00, on Monday to Friday (Europe/Berlin)",
            "end": null,
            "max_active_runs": 16,
            "start": null,
            "text": "0 6 * * 1-5",
            "timezone": "Europe/Berlin"
          },
          "tags": [
            "daily",
            "eu"
          ],
          "timeout_ms": 7200000,
          "updates": [],
          "when": null
        }"#]].assert_eq(&placed(&serde_json::to_string_pretty(&json).unwrap()));
}

#[test]
fn what_is_wired_after_is_told_from_what_is_taken() {
    #[pipeline]
    fn nightly() {
        let first = rows();
        let second = rows();
        join(second, second).after(first).after(second);
        total([first, second, first]).after(second);
        files().each(|file| size(file).after(first)).after(second);
    }
    let json = plan(&nightly()).to_json();
    let of = |id: &str| json["nodes"].as_array().unwrap().iter().find(|node| node["id"] == id).unwrap()["after"].clone();
    assert_eq!(of("join"), json!(["rows", "rows__2"]));
    assert_eq!(of("total"), json!(["rows__2"]));
    assert_eq!(of("size"), json!(["rows"]));
    assert_eq!(of("each(size)"), json!(["rows__2"]));
    assert_eq!(of("each(size).element"), json!([]));
}

#[cfg(feature = "graph")]
#[test]
fn a_large_graph_is_told_but_not_drawn() {
    #[pipeline]
    fn nightly() {
        total((0..250).map(|_| rows()).collect::<Vec<_>>());
    }
    let text = plan(&nightly()).to_text();
    assert!(text.contains("(not drawn: 251 nodes and 250 edges; at most 200 nodes are)"), "{text}");
    assert!(
        text.contains("sizes: rows, rows__2, rows__3, rows__4, rows__5, rows__6, rows__7, rows__8, … (250 in all)"),
        "{text}"
    );
    assert!(text.contains("\nrows__250 "), "{text}");
}

#[cfg(feature = "graph")]
#[test]
fn a_wide_graph_is_drawn_from_left_to_right() {
    #[pipeline]
    fn nightly() {
        total((0..30).map(|_| rows()).collect::<Vec<_>>());
    }
    let text = plan(&nightly()).to_text();
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 160, "{text}");
    assert!(text.contains("[rows__30]"), "{text}");
}

#[test]
fn no_id_is_markup_in_a_flowchart() {
    #[pipeline]
    fn nightly() {
        rows().named("_private_");
        rows().named("a__b");
        rows().named("größe.2");
        rows().named("end");
    }
    expect![[r##"
        ---
        title: "nightly"
        ---
        flowchart TD
            n0["#95;private#95;"]
            n1["a__b"]
            n2["größe.2"]
            n3["end"]
    "##]]
    .assert_eq(&plan(&nightly()).to_mermaid());
}

#[test]
fn a_time_zone_that_only_the_machine_that_built_it_knows_is_named() {
    use crate::author::pipeline::{PipelineDefinition, without_params};
    use crate::schedule::IntoSchedule;
    fn wire() {
        rows();
    }
    // On this machine, the macro would refuse the name. Without a schedule, it is the zone of logical dates.
    for schedule in [Some(cron!("@daily").recurrence()), None] {
        let mut definition = PipelineDefinition::new("nightly", "", |options| options.timezone("America/Coast_City"));
        definition.options.schedule = schedule;
        let error = without_params(definition, wire).check().unwrap_err().to_string();
        let (message, help) = error.split_once("  = help: ").unwrap();
        assert!(
            message.starts_with(
                "error: the time zone of pipeline `nightly` cannot be used: `America/Coast_City` is not a time zone; did \
                 you mean `America/Costa_Rica`?\n"
            ),
            "{message}"
        );
        let machine =
            "if the machine that built this binary knows it, update the time zone data (tzdata) of this one (time zones: ";
        assert!(help.starts_with(machine), "{help}");
    }
}

#[task]
async fn idle() -> Result<()> {
    Ok(())
}

#[test]
fn a_plan_of_too_many_nodes_is_refused() {
    #[pipeline]
    fn vast() {
        for _ in 0..=1_000_000 {
            idle();
        }
    }
    refused(
        &vast(),
        &expect![[r#"
        error: pipeline `vast` has 1000001 nodes; at most 1000000 are allowed
          --> `vast() {`: this pipeline
          = help: map over a list with `.each`, or divide the pipeline

        pipeline `vast` has 1 mistake; nothing was run"#]],
    );
}
