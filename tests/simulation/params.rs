//! Params by their type: a simulation parses them like `run`.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{Simulation, SimulationError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Limits {
    rows: u64,
    kilobytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
enum Pace {
    #[default]
    Fast,
    Slow,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Metres(f64);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Options {
    #[serde(alias = "zone", rename = "where")]
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[expect(dead_code, reason = "`Debug` shows it")]
    #[serde(skip_serializing, default)]
    unwritten: u8,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    tables: Vec<String>,
    limits: Limits,
    pace: Pace,
    height: Metres,
    day: chrono::NaiveDate,
    #[serde(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Common {
    owner: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            region: "eu".into(),
            until: Some("2024".into()),
            unwritten: 0,
            tables: Vec::new(),
            limits: Limits { rows: 1, kilobytes: Some(2) },
            pace: Pace::Fast,
            height: Metres(0.5),
            day: chrono::NaiveDate::MIN,
            common: Common::default(),
        }
    }
}

#[task]
async fn tell(options: Options) -> Result<String> {
    Ok(format!("{options:?}"))
}

#[pipeline]
fn told(options: Options) {
    tell(options);
}

fn given(params: Value) -> Result<String, SimulationError> {
    let report = Simulation::new(told()).params(params).try_run()?;
    Ok(report.output::<String>("tell").unwrap())
}

#[test]
fn serdes_attributes_mean_what_they_always_mean() {
    for (params, expected) in [
        (json!({ "where": "us" }), r#"region: "us""#),
        (json!({ "zone": "us" }), r#"region: "us""#),
        (json!({ "until": null }), "until: None"),
        (json!({ "until": "2025" }), r#"until: Some("2025")"#),
        (json!({ "unwritten": 9 }), "unwritten: 9"),
        (json!({ "tables": ["a"] }), r#"tables: ["a"]"#),
        (json!({ "limits": { "rows": 7 } }), "limits: Limits { rows: 7, kilobytes: Some(2) }"),
        (json!({ "pace": "Slow" }), "pace: Slow"),
        (json!({ "height": 2 }), "height: Metres(2.0)"),
        (json!({ "day": "2024-03-25" }), "day: 2024-03-25"),
        (json!({ "owner": "007" }), r#"common: Common { owner: "007" }"#),
        (json!({}), r#"until: Some("2024")"#),
    ] {
        let given = given(params.clone()).unwrap();
        assert!(given.contains(expected), "{params}: {given}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_path() {
    for (params, expected) in [
        (json!({ "region": "us" }), "no param `region` in pipeline `told`; it takes "),
        (json!({ "limits": { "row": 7 } }), "no param `limits.row` in pipeline `told`; `limits` takes `kilobytes`, `rows`"),
        (
            json!({ "limits": { "rows": -7 } }),
            "param `limits.rows` of pipeline `told` does not fit: invalid value: integer `-7`, expected u64",
        ),
        (
            json!({ "pace": "slow" }),
            "param `pace` of pipeline `told` does not fit: unknown variant `slow`, expected `Fast` or `Slow`",
        ),
    ] {
        let error = given(params.clone()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{params}: {error}");
    }
}
