use crate::command::call;
use expect_test::expect;

#[test]
fn as_text() {
    expect![[r#"
        pipeline  waiting
                  Waits for a file that others write.

          [export]
             ┌┘
             ↓
          [parse]

        node    kind    inputs           options         wired at
        export  sensor  bucket: (value)  timeout 10m     tests/cli/pipelines/main.rs:77
                                         poke 45s
        parse   task    bucket: (value)  retries 1       tests/cli/pipelines/main.rs:78
                        export: export   retry_delay 2m
        [exit 0]
    "#]]
    .assert_eq(&call(&["graph", "waiting"]));
}

#[test]
fn as_mermaid() {
    expect![[r#"
        ---
        title: "waiting"
        ---
        flowchart TD
            n0{{"export"}}
            n1["parse"]
            n0 --> n1
        [exit 0]
    "#]]
    .assert_eq(&call(&["graph", "waiting", "--format", "mermaid"]));
}

#[test]
fn as_json_it_can_be_read() {
    let text = call(&["graph", "waiting", "--format", "json"]);
    let json = text.split("[exit 0]").next().expect("it succeeds");
    let plan: serde_json::Value = serde_json::from_str(json).expect("it is JSON");
    assert_eq!(plan["nodes"].as_array().map(Vec::len), Some(2), "{plan:#}");
}

#[test]
fn as_something_else() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: invalid value 'dot' for '--format <FORMAT>'
          [possible values: text, mermaid, svg, json]

        For more information, try '--help'.
    "#]]
    .assert_eq(&call(&["graph", "waiting", "--format", "dot"]));
}
