//! Each answer matches `openapi.json`.

use super::process::Folder;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Returns why a value does not match a schema, if it does not.
fn mistake(whole: &Value, schema: &Value, value: &Value, place: &str) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = whole.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("there is no {name}"));
        return mistake(whole, schema, value, place);
    }
    if let Some(one_of) = schema["oneOf"].as_array() {
        let mistakes: Vec<Option<String>> = one_of.iter().map(|schema| mistake(whole, schema, value, place)).collect();
        return if mistakes.iter().any(Option::is_none) { None } else { mistakes.into_iter().flatten().next() };
    }
    let is = |kind: &Value| match kind.as_str() {
        Some("null") => value.is_null(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        other => panic!("{place}: what is {other:?}?"),
    };
    let fits = match &schema["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(is),
        kind => is(kind),
    };
    if !fits {
        return Some(format!("{place}: {value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|known| !known.contains(value)) {
        return Some(format!("{place}: {value} is not among {}", schema["enum"]));
    }
    if schema["format"] == "date-time" && value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_err()) {
        return Some(format!("{place}: {value} is no time"));
    }
    for item in value.as_array().into_iter().flatten() {
        if let Some(mistake) = schema.get("items").and_then(|items| mistake(whole, items, item, &format!("{place}[]"))) {
            return Some(mistake);
        }
    }
    let value = value.as_object()?;
    let mut required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = required.find(|name| !value.contains_key(*name)) {
        return Some(format!("{place}: there is no `{missing}`"));
    }
    let properties = schema["properties"].as_object();
    value.iter().find_map(|(name, value)| {
        let schema = properties.and_then(|properties| properties.get(name)).or_else(|| schema.get("additionalProperties"))?;
        if schema.is_boolean() { None } else { mistake(whole, schema, value, &format!("{place}.{name}")) }
    })
}

#[test]
fn each_answer_is_as_it_is_described() {
    let folder = Folder::filled();
    let shown = folder.serve(&[]);
    let site = shown.site();
    let trigger = json!({ "command": "trigger", "pipeline": "waiting", "logical_date": "2026-01-05", "params": {} });
    assert_eq!(site.post("/commands", &[], &trigger).status, 200);
    let whole = site.api("/openapi.json");
    let runs =
        ["parted/manual__2026-01-05T00:00:00Z", "parted/manual__2026-01-06T00:00:00Z", "waiting/manual__2026-01-05T00:00:00Z"];
    let mut asked = 0;
    for (path, methods) in whole["paths"].as_object().unwrap() {
        let Some(get) = methods.get("get") else { continue };
        let Some((kind, content)) = get["responses"]["200"]["content"].as_object().unwrap().iter().next() else { continue };
        if kind == "text/event-stream" {
            continue;
        }
        for run in runs {
            let (pipeline, id) = run.split_once('/').unwrap();
            let path = path.replace("{pipeline}", pipeline).replace("{run}", id);
            let node = if pipeline == "waiting" { "arrival" } else { "publish" };
            let of_all = format!("a={}&b={}", runs[0], runs[1]);
            let query = match path.rsplit('/').next().unwrap() {
                "compare" => of_all,
                "node" | "output" => format!("id={node}"),
                "nodes" => "open=*".to_owned(),
                _ if path.contains("/sensors/") => format!("node={node}"),
                _ => String::new(),
            };
            let answer = site.get(&format!("{path}?{query}"));
            let has_none = answer.status == 404 && (pipeline == "waiting" || path.ends_with("/output"));
            if answer.status == 503 || has_none {
                let problem = &whole["components"]["schemas"]["Problem"];
                assert!(answer.status == 503 || mistake(&whole, problem, &answer.json(), &path).is_none(), "{}", answer.body);
                continue;
            }
            assert_eq!(answer.status, 200, "{path}?{query}: {}", answer.body);
            assert!(answer.header("content-type").unwrap().starts_with(kind.as_str()), "{path}");
            if content["schema"].get("$ref").is_some() {
                assert_eq!(mistake(&whole, &content["schema"], &answer.json(), &path), None, "{}", answer.body);
                asked += 1;
            }
        }
    }
    assert!(asked > 40, "{asked} answers were compared");
    let dry = site.post("/commands?dry_run=true", &[], &json!({ "command": "cancel", "run": runs[2] }));
    let schema = &whole["paths"]["/api/v1/commands"]["post"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(mistake(&whole, schema, &dry.json(), "dry run"), None, "{}", dry.body);
}

/// The names in backticks after `expected` in an error.
fn expected(detail: &str) -> BTreeSet<&str> {
    let names = detail.split_once("expected").map(|(_, names)| names).unwrap_or_default();
    names.split('`').skip(1).step_by(2).collect()
}

#[test]
fn an_unknown_parameter_of_a_query_is_refused_with_those_there_are() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let site = shown.site();
    let whole = site.api("/openapi.json");
    let mut asked = 0;
    for (path, methods) in whole["paths"].as_object().unwrap() {
        let is_api = path.starts_with("/api/v1/") && !path.ends_with("openapi.json");
        let Some(get) = methods.get("get").filter(|_| is_api) else { continue };
        let described = get["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "query");
        let described: BTreeSet<&str> = described.map(|one| one["name"].as_str().unwrap()).collect();
        let path = path.replace("{pipeline}", "parted").replace("{run}", "manual__2026-01-05T00:00:00Z");
        let answer = site.get(&format!("{path}?nope=1"));
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("unknown parameter") && detail.contains("nope"), "{path}: {detail}");
        assert_eq!(expected(&detail), described, "{path}: {detail}");
        asked += 1;
    }
    assert!(asked > 20, "{asked} addresses were asked");
}

#[test]
fn each_command_is_described_with_all_of_its_fields() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let site = shown.site();
    let whole = site.api("/openapi.json");
    let commands = whole["components"]["schemas"]["Command"]["oneOf"].as_array().unwrap();
    assert_eq!(commands.len(), 10);
    for command in commands {
        let fields = command["properties"].as_object().unwrap();
        let name = &fields["command"]["enum"][0];
        let answer = site.post("/commands?dry_run=true", &[], &json!({ "command": name, "nope": 1 }));
        assert_eq!(answer.status, 400, "{name}: {}", answer.body);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        let described: BTreeSet<&str> =
            fields.keys().map(String::as_str).filter(|field| !["command", "hash"].contains(field)).collect();
        assert_eq!(expected(&detail), described, "{name}: {detail}");
        // Without one of the required fields it is refused, and with these alone it is understood.
        let required: Vec<&str> = command["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for left_out in required.iter().filter(|field| **field != "command") {
            let mut given = json!({ "command": name });
            for field in required.iter().filter(|field| *field != left_out) {
                given[*field] = example(field, name);
            }
            let answer = site.post("/commands?dry_run=true", &[], &given);
            assert!(answer.status == 400 && answer.body.contains(left_out), "{given}: {}", answer.body);
        }
        let mut given = json!({});
        for field in &required {
            given[*field] = example(field, name);
        }
        let answer = site.post("/commands?dry_run=true", &[], &given);
        assert_ne!(answer.status, 400, "{given}: {}", answer.body);
    }
}

fn example(field: &str, command: &Value) -> Value {
    match field {
        "command" => command.clone(),
        "paused" | "downstream" => true.into(),
        "nodes" => json!([]),
        "to" if *command == "set" => "default".into(),
        _ => "2026-01-05".into(),
    }
}

#[test]
fn a_description_that_is_wrong_would_be_found() {
    let whole = json!({ "components": { "schemas": { "A": { "type": "object", "required": ["b"], "properties": { "b": { "type": ["integer", "null"] } } } } } });
    let schema = json!({ "$ref": "#/components/schemas/A" });
    let of = |value: Value| mistake(&whole, &schema, &value, "a");
    assert_eq!(of(json!({ "b": null })), None);
    assert!(of(json!({})).is_some() && of(json!({ "b": "text" })).is_some() && of(json!([])).is_some());
}
