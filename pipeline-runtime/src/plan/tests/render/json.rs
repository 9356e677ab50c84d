//! The plan as JSON.

use super::*;

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
              "notifier": "pipeline_runtime::plan::tests::render::log_it"
            },
            {
              "after_ms": 2700000,
              "event": "on_sla_miss",
              "notifier": "pipeline_runtime::plan::tests::render::page"
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
                    "notifier": "pipeline_runtime::plan::tests::render::page"
                  },
                  {
                    "event": "on_failure",
                    "notifier": "pipeline_runtime::plan::tests::render::log_it"
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
fn what_is_wired_after_is_distinguished_from_what_is_taken() {
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
