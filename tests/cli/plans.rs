use crate::command::{MISTAKES, call, command, transcript};
use expect_test::expect;
use std::fmt::Write;

/// Replaces the time of the next run, which differs from day to day.
fn tomorrow(listed: &str) -> String {
    let is_time = |word: &str| word.len() == "2024-03-25T06:00:00Z".len() && word.ends_with("00:00Z");
    let words = listed.split(' ').map(|word| if is_time(word) { "NEXT                " } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn list() {
    expect![[r#"
        pipeline   schedule                   next run              tags          description
        sales      0 6 * * * (Europe/Berlin)  NEXT                  sales, daily  Loads the day's sales.
        waiting    none                       none                                Waits for a file that others write.
        endless    none                       none                                Never ends by itself, and blocks every worker with a body that cannot be cut off.
        panicking  none                       none                                Panics.
        wide       none                       none                                More nodes than are drawn one by one.
        mendable   none                       none                                Fails until somebody mends what it needs.
        late       none                       none                                Waits for a file in a folder beside it.
        loud       none                       none                                Prints more than anybody reads.
        relisted   none                       none                                Works on a list that may change.
        forever    none                       none                                Waits as long as allowed, from later than the run's start.
        hostile    none                       none                                Prints control characters for terminals, wherever a body may print something.
        [exit 0]
    "#]].assert_eq(&tomorrow(&call(&["list"])));
}

#[test]
fn check_of_sound_pipelines_is_a_line_each() {
    expect![[r#"
        sales: 4 nodes, at 06:00 (Europe/Berlin)
        waiting: 2 nodes, no schedule
        endless: 65 nodes, no schedule
        panicking: 1 node, no schedule
        wide: 300 nodes, no schedule
        mendable: 3 nodes, no schedule
        late: 2 nodes, no schedule
        loud: 2 nodes, no schedule
        relisted: 2 nodes, no schedule
        forever: 2 nodes, no schedule
        hostile: 2 nodes, no schedule
        time zones: _
        [exit 0]
    "#]]
    .assert_eq(&call(&["check"]));
}

#[test]
fn check_shows_all_mistakes_of_all_pipelines() {
    let output = command(MISTAKES, &["check"]).output().expect("the binary was built");
    expect![[r#"
        sound: 2 nodes, no schedule
        [exit 2]
        [stderr]
        error: two nodes have the id `rows`
          --> tests/cli/mistakes.rs:18:13: the first is wired here
          --> tests/cli/mistakes.rs:19:5: the second is wired here
          = help: give one of them another name with `.named("..")`

        error: "" cannot be an id: it is empty
          --> tests/cli/mistakes.rs:20:5: the node wired here
          = help: give it a name such as `load_eu`

        pipeline `doubled` has 2 mistakes; nothing was run

        error: pipeline `empty` is empty
          --> tests/cli/mistakes.rs:25:4: this pipeline wires no task
          = help: call a task in its function: that wires a node

        pipeline `empty` has 1 mistake; nothing was run

        error: pipeline `broken` could not be described: the region is unknown
          at tests/cli/mistakes.rs:29:4

    "#]]
    .assert_eq(&transcript(&output));
}

/// The output for programs: each mistake with its places, also mistakes that several pipelines make together.
#[test]
fn check_tells_programs_of_each_mistake_and_its_places() {
    let checked = |variable: &str| -> String {
        let output = command(MISTAKES, &["check", "--json"]).env(variable, "1").output().expect("the binary was built");
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(2), &b""[..]));
        let mut table = String::new();
        for line in String::from_utf8(output.stdout).expect("it is a text").lines() {
            let checked: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
            let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let array = |value: &serde_json::Value| value.as_array().expect("an array").clone();
            writeln!(table, "{} {} {}", text(&checked["pipeline"]), checked["nodes"], checked["warnings"])
                .expect("texts take all");
            for mistake in array(&checked["mistakes"]) {
                writeln!(table, "  {}", text(&mistake["message"])).expect("texts take all");
                for place in array(&mistake["places"]) {
                    writeln!(table, "    {} {}", text(&place["at"]), text(&place["what"])).expect("texts take all");
                }
                writeln!(table, "    {}", text(&mistake["help"])).expect("texts take all");
            }
        }
        table
    };
    expect![[r#"
        doubled null []
          two nodes have the id `rows`
            tests/cli/mistakes.rs:18:13 the first is wired here
            tests/cli/mistakes.rs:19:5 the second is wired here
            give one of them another name with `.named("..")`
          "" cannot be an id: it is empty
            tests/cli/mistakes.rs:20:5 the node wired here
            give it a name such as `load_eu`
        sound 2 []
        empty null []
          pipeline `empty` is empty
            tests/cli/mistakes.rs:25:4 this pipeline wires no task
            call a task in its function: that wires a node
        broken null []
          pipeline `broken` could not be described: the region is unknown
            tests/cli/mistakes.rs:29:4 this pipeline
            null
    "#]]
    .assert_eq(&checked("NONE"));
    expect![[r#"
        narrow 1 []
        wide 1 []
        null null []
          the pool `warehouse` has 2 slots in pipeline `narrow` and 4 in pipeline `wide`, and pipelines share a pool by its name
            tests/cli/mistakes.rs:46:5 the first is used here
            tests/cli/mistakes.rs:51:5 the second is used here
            share one `static` pool, or give one of them another name
    "#]]
    .assert_eq(&checked("POOLS"));
}

#[test]
fn check_of_one_pipeline() {
    let output = command(MISTAKES, &["check", "sound"]).output().expect("the binary was built");
    expect![[r#"
        sound: 2 nodes, no schedule
        [exit 0]
    "#]]
    .assert_eq(&transcript(&output));
}

#[test]
fn two_pipelines_of_one_id_are_refused_with_both_places() {
    let output = command(MISTAKES, &["list"]).env("TWICE", "1").output().expect("the binary was built");
    expect![[r#"
        [exit 2]
        [stderr]
        error: two pipelines have the id `sound`
          --> tests/cli/mistakes.rs:36:4: the first
          --> tests/cli/mistakes.rs:36:4: the second
          = help: give one of them another, as in `#[pipeline(id = "sound_2")]` or `.with_id("sound_2")`, or list it once
    "#]]
    .assert_eq(&transcript(&output));
}

#[test]
fn pipelines_that_share_a_pool_but_not_its_slots_are_refused_where_all_run() {
    for subcommand in ["check", "serve"] {
        let mut command = command(MISTAKES, &[subcommand]);
        let output = command.env("POOLS", "1").output().expect("the binary was built");
        let transcript = transcript(&output);
        assert!(
            transcript.contains("[exit 2]")
                && transcript.contains("the pool `warehouse` has 2 slots in pipeline `narrow` and 4 in pipeline `wide`"),
            "{transcript}"
        );
        assert!(transcript.contains("mistakes.rs:51:5: the second is used here"), "{transcript}");
    }
}

#[test]
fn a_pipeline_with_mistakes_is_not_run() {
    let output = command(MISTAKES, &["run", "empty"]).output().expect("the binary was built");
    expect![[r#"
        [exit 2]
        [stderr]
        error: pipeline `empty` is empty
          --> tests/cli/mistakes.rs:25:4: this pipeline wires no task
          = help: call a task in its function: that wires a node

        pipeline `empty` has 1 mistake; nothing was run
    "#]]
    .assert_eq(&transcript(&output));
}

#[test]
fn a_pipeline_that_does_not_exist() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: no pipeline has the id `slaes`; there is `sales`, `waiting`, `endless`, `panicking`, `wide`, `mendable`, `late`, `loud`, `relisted`, `forever`, `hostile`
    "#]]
    .assert_eq(&call(&["check", "slaes"]));
}

#[test]
fn a_pipeline_must_be_named_where_there_are_several() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: which pipeline? name one of `sales`, `waiting`, `endless`, `panicking`, `wide`, `mendable`, `late`, `loud`, `relisted`, `forever`, `hostile`
    "#]]
    .assert_eq(&call(&["run"]));
}
