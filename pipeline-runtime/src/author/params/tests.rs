use super::*;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Loose {
    region: String,
    days: u32,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Strict {
    region: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
enum Pace {
    #[default]
    Fast,
    #[serde(rename = "slow-motion")]
    Slow,
    Every(u32),
    Between {
        from: u32,
        to: u32,
    },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Metres(f64);

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Limits {
    rows: u64,
    #[serde(alias = "kB")]
    kilobytes: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    tables: Vec<String>,
}

/// Has a field of each kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct All {
    #[serde(alias = "zone")]
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing, default)]
    unwritten: u8,
    #[serde(rename = "batch-size")]
    batch: u64,
    negative: i64,
    share: f64,
    strict: bool,
    pace: Pace,
    tables: Vec<String>,
    day: chrono::NaiveDate,
    at: Option<chrono::DateTime<chrono::Utc>>,
    height: Metres,
    limits: Limits,
    by_name: BTreeMap<String, u32>,
    by_number: BTreeMap<u32, String>,
    anything: Value,
    pair: (u8, String),
}

fn read<P: Params>(json: &Value, texts: &[(&str, &str)]) -> Result<Complete<P>, String> {
    let texts: Vec<_> = texts.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
    let read = complete::<P>("p", None, Source::Given(json, &texts)).map_err(|error| error.to_string())?;
    // The stored params are what the run started with, and the given JSON is equivalent to the texts.
    let kept = complete::<P>("p", None, Source::Stored(&read.whole)).map_err(|error| format!("kept: {error}"))?;
    assert_eq!(kept.whole, read.whole, "kept");
    let given = complete::<P>("p", None, Source::Given(&read.given, &[])).map_err(|error| format!("given: {error}"))?;
    assert_eq!(given.whole, read.whole, "given");
    Ok(read)
}

/// The params that one text makes. A resumed run has the same.
fn all(key: &str, text: &str) -> Result<All, String> {
    let Complete { params, whole, given, .. } = read::<All>(&Value::Null, &[(key, text)])?;
    let resumed = complete::<All>("p", None, Source::Stored(&whole)).unwrap().params;
    assert_eq!(resumed, params, "resumed from {whole}");
    assert_eq!(complete::<All>("p", None, Source::Given(&given, &[])).unwrap().params, params, "asked for with {given}");
    Ok(params)
}

#[test]
fn what_is_not_given_stays_at_its_default() {
    let read = read::<Loose>(&json!({ "days": 3 }), &[]).unwrap();
    assert_eq!(read.params, Loose { region: String::new(), days: 3 });
    assert_eq!(read.whole, json!({ "region": "", "days": 3 }));
    assert_eq!(read.given, json!({ "days": 3 }));
}

#[test]
fn the_type_says_what_a_text_is() {
    let with = |change: fn(&mut All)| {
        let mut all = All::default();
        change(&mut all);
        all
    };
    for (key, text, expected) in [
        ("region", "007", with(|all| all.region = "007".into())),
        ("region", "true", with(|all| all.region = "true".into())),
        ("region", "null", with(|all| all.region = "null".into())),
        ("region", r#""eu""#, with(|all| all.region = r#""eu""#.into())),
        ("region", "", with(|_| {})),
        ("zone", "eu", with(|all| all.region = "eu".into())),
        ("until", "20240101", with(|all| all.until = Some("20240101".into()))),
        ("until", "true", with(|all| all.until = Some("true".into()))),
        ("until", "", with(|all| all.until = Some(String::new()))),
        ("until", "null", with(|all| all.until = None)),
        ("unwritten", "9", with(|all| all.unwritten = 9)),
        ("batch-size", "12", with(|all| all.batch = 12)),
        ("negative", "-12", with(|all| all.negative = -12)),
        ("share", "0.25", with(|all| all.share = 0.25)),
        ("share", "2", with(|all| all.share = 2.0)),
        ("strict", "true", with(|all| all.strict = true)),
        ("pace", "slow-motion", with(|all| all.pace = Pace::Slow)),
        ("pace", r#"{"Every": 7}"#, with(|all| all.pace = Pace::Every(7))),
        ("pace", r#"{"Between": {"from": 1, "to": 2}}"#, with(|all| all.pace = Pace::Between { from: 1, to: 2 })),
        ("tables", r#"["a", "7"]"#, with(|all| all.tables = vec!["a".into(), "7".into()])),
        ("day", "2024-03-25", with(|all| all.day = "2024-03-25".parse().unwrap())),
        ("at", "2024-03-25T06:00:00Z", with(|all| all.at = Some("2024-03-25T06:00:00Z".parse().unwrap()))),
        ("height", "1.5", with(|all| all.height = Metres(1.5))),
        ("limits", r#"{"rows": 7}"#, with(|all| all.limits.rows = 7)),
        ("limits.rows", "7", with(|all| all.limits.rows = 7)),
        ("limits.kB", "7", with(|all| all.limits.kilobytes = Some(7))),
        ("limits.tables", r#"["a"]"#, with(|all| all.limits.tables = vec!["a".into()])),
        ("by_name", r#"{"a": 1}"#, with(|all| all.by_name = BTreeMap::from([("a".into(), 1)]))),
        ("by_name.a", "1", with(|all| all.by_name = BTreeMap::from([("a".into(), 1)]))),
        ("by_number.7", "1", with(|all| all.by_number = BTreeMap::from([(7, "1".into())]))),
        ("anything", r#"{"a": [1]}"#, with(|all| all.anything = json!({ "a": [1] }))),
        ("anything", "7", with(|all| all.anything = "7".into())),
        ("pair", r#"[7, "a"]"#, with(|all| all.pair = (7, "a".into()))),
    ] {
        assert_eq!(all(key, text).as_ref(), Ok(&expected), "{key}={text}");
    }
}

#[test]
fn an_error_names_the_param_the_value_and_the_type() {
    for (key, text, expected) in [
        ("batch-size", "many", r#"param `batch-size` of pipeline `p` does not fit: invalid type: string "many", expected u64"#),
        ("unwritten", "300", "param `unwritten` of pipeline `p` does not fit: invalid value: integer `300`, expected u8"),
        ("unwritten", "-1", "param `unwritten` of pipeline `p` does not fit: invalid value: integer `-1`, expected u8"),
        ("share", "NaN", r#"param `share` of pipeline `p` does not fit: invalid type: string "NaN", expected f64"#),
        ("strict", "yes", r#"param `strict` of pipeline `p` does not fit: invalid type: string "yes", expected a boolean"#),
        (
            "pace",
            "slow",
            "param `pace` of pipeline `p` does not fit: unknown variant `slow`, expected one of `Fast`, `slow-motion`, `Every`, `Between`",
        ),
        (
            "tables",
            "a,b",
            r#"param `tables` of pipeline `p` does not fit: "a,b" is not JSON (expected value): write it as in `["a", "b"]`"#,
        ),
        ("tables", r#"["a", 7]"#, "param `tables[1]` of pipeline `p` does not fit: invalid type: integer `7`, expected a string"),
        ("limits.rows", "x", r#"param `limits.rows` of pipeline `p` does not fit: invalid type: string "x", expected u64"#),
        ("limits.row", "7", "no param `limits.row` in pipeline `p`; `limits` takes `kB`, `kilobytes`, `rows`, `tables`"),
        ("limits", r#"{"row": 7}"#, "no param `limits.row` in pipeline `p`; `limits` takes `kB`, `kilobytes`, `rows`, `tables`"),
        ("day", "25.3.2024", "param `day` of pipeline `p` does not fit: input contains invalid characters"),
    ] {
        assert_eq!(all(key, text).unwrap_err(), expected, "{key}={text}");
    }
}

#[test]
fn two_names_of_one_field_are_two_values() {
    let error = read::<All>(&Value::Null, &[("zone", "a"), ("region", "b")]).map(|read| read.params).unwrap_err();
    assert_eq!(
        error,
        "the params of pipeline `p` do not fit `".to_owned()
            + std::any::type_name::<All>()
            + "`: `region` is given twice, once by another of its names"
    );
}

/// Options with non-empty defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Set {
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    tables: Vec<String>,
    pace: Pace,
    limits: Limits,
    by_name: BTreeMap<String, u32>,
}

impl Default for Set {
    fn default() -> Self {
        Self {
            until: Some("2024".into()),
            tables: vec!["a".into()],
            pace: Pace::Between { from: 1, to: 2 },
            limits: Limits { rows: 1, kilobytes: Some(2), tables: Vec::new() },
            by_name: BTreeMap::from([("a".into(), 1)]),
        }
    }
}

fn set(json: &Value, texts: &[(&str, &str)]) -> Set {
    let Complete { params, whole, .. } = read::<Set>(json, texts).unwrap();
    assert_eq!(complete::<Set>("p", None, Source::Stored(&whole)).unwrap().params, params, "resumed from {whole}");
    params
}

#[test]
fn a_value_that_is_not_written_is_not_the_default_again_as_a_run_is_resumed() {
    assert_eq!(set(&json!({ "until": null }), &[]).until, None);
    assert_eq!(set(&Value::Null, &[("until", "null")]).until, None);
    assert_eq!(set(&json!({ "tables": [] }), &[]).tables, Vec::<String>::new());
}

#[test]
fn objects_are_merged_however_deep_and_all_else_is_replaced() {
    assert_eq!(set(&json!({ "limits": { "rows": 7 } }), &[]).limits, Limits { rows: 7, kilobytes: Some(2), tables: vec![] });
    assert_eq!(set(&Value::Null, &[("limits", r#"{"rows": 7}"#)]).limits.kilobytes, Some(2));
    let both = set(&json!({ "limits": { "rows": 7 } }), &[("limits.kilobytes", "null")]);
    assert_eq!(both.limits, Limits { rows: 7, kilobytes: None, tables: vec![] });
    assert_eq!(set(&json!({ "tables": ["b"] }), &[]).tables, ["b"]);
    assert_eq!(set(&json!({ "by_name": { "b": 2 } }), &[]).by_name, BTreeMap::from([("a".into(), 1), ("b".into(), 2)]));
    // A variant does not merge with another.
    assert_eq!(set(&json!({ "pace": { "Every": 7 } }), &[]).pace, Pace::Every(7));
    assert_eq!(set(&Value::Null, &[("pace", r#"{"Every": 7}"#)]).pace, Pace::Every(7));
    assert_eq!(set(&Value::Null, &[("pace", "Fast")]).pace, Pace::Fast);
    assert_eq!(set(&json!({ "pace": { "Between": { "from": 2 } } }), &[]).pace, Pace::Between { from: 2, to: 2 });
}

#[test]
fn a_map_that_was_kept_is_not_filled_up() {
    // As written by a version that merged only the outermost object.
    let kept = json!({ "until": "2024", "pace": "Fast", "limits": { "rows": 1, "kilobytes": null }, "by_name": { "b": 2 } });
    let read = complete::<Set>("p", None, Source::Stored(&kept)).unwrap();
    assert_eq!(read.params.by_name, BTreeMap::from([("b".into(), 2)]));
}

#[test]
fn a_field_that_is_gone_is_no_param_of_a_run_that_was_begun_with_it() {
    let error =
        complete::<Loose>("p", None, Source::Stored(&json!({ "region": "eu", "days": 1, "hours": 2 }))).map(|read| read.params);
    assert_eq!(error.unwrap_err().to_string(), "no param `hours` in pipeline `p`; it takes `days`, `region`");
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Common {
    owner: String,
    retries: u32,
    #[serde(alias = "prio")]
    priority: Option<String>,
    #[serde(skip_serializing, default)]
    hidden: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Flat {
    region: String,
    #[serde(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Open {
    region: String,
    #[serde(flatten)]
    rest: BTreeMap<String, u32>,
}

#[test]
fn flattened_fields_are_fields() {
    let flat = |texts: &[(&str, &str)]| read::<Flat>(&Value::Null, texts).map(|read| read.params);
    let common = |texts: &[(&str, &str)]| flat(texts).unwrap().common;
    let expected = Common { owner: "007".into(), retries: 7, priority: Some("8".into()), hidden: 9 };
    assert_eq!(common(&[("owner", "007"), ("retries", "7"), ("priority", "8"), ("hidden", "9")]), expected);
    assert_eq!(common(&[("owner", "7"), ("retries", "7"), ("prio", "8"), ("hidden", "9")]).owner, "7");
    assert_eq!(common(&[("prio", "8")]).priority, Some("8".into()));
    let error = flat(&[("retries", "many")]).unwrap_err();
    assert_eq!(error, r#"param `retries` of pipeline `p` does not fit: invalid type: string "many", expected u32"#);
    assert_eq!(
        flat(&[("regoin", "eu")]).unwrap_err(),
        "no param `regoin` in pipeline `p`; it takes `owner`, `priority`, `region`, `retries`"
    );
    let open = read::<Open>(&Value::Null, &[("region", "1"), ("a", "2")]).unwrap().params;
    assert_eq!(open, Open { region: "1".into(), rest: BTreeMap::from([("a".into(), 2)]) });
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Daily { hour: u8 },
    Hourly { minute: u8 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(u32),
    List(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Enums {
    tagged: Tagged,
    either: Either,
}

impl Default for Enums {
    fn default() -> Self {
        Self { tagged: Tagged::Daily { hour: 1 }, either: Either::List(Vec::new()) }
    }
}

#[test]
fn other_forms_of_enums_are_read() {
    let enums = |texts: &[(&str, &str)]| read::<Enums>(&Value::Null, texts).unwrap().params;
    assert_eq!(enums(&[("tagged.hour", "7")]).tagged, Tagged::Daily { hour: 7 });
    assert_eq!(enums(&[("tagged", r#"{"kind":"Hourly","minute":7}"#)]).tagged, Tagged::Hourly { minute: 7 });
    assert_eq!(enums(&[("either", "7")]).either, Either::Number(7));
    assert_eq!(enums(&[("either", r#"["7"]"#)]).either, Either::List(vec!["7".into()]));
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct NoDefault {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tables: Vec<String>,
}

#[test]
fn a_default_that_is_not_written_and_cannot_be_left_out_says_what_to_add() {
    let error = read::<NoDefault>(&Value::Null, &[]).map(|read| read.params).unwrap_err();
    assert!(error.contains("the field `tables` has no value: where its default is not written as JSON"), "{error}");
    assert!(error.ends_with("it needs `#[serde(default)]`"), "{error}");
}

#[test]
fn unknown_keys_are_refused_whether_or_not_the_type_denies_them() {
    let loose = read::<Loose>(&json!({ "regoin": "eu" }), &[]).map(drop).unwrap_err();
    assert_eq!(loose, "no param `regoin` in pipeline `p`; it takes `days`, `region`");
    let strict = read::<Strict>(&json!({ "regoin": "eu" }), &[]).map(drop).unwrap_err();
    assert_eq!(strict, "no param `regoin` in pipeline `p`; it takes `region`");
}

#[test]
fn what_is_too_large_or_too_deep_to_be_kept_is_refused() {
    let region = |bytes| read::<Loose>(&json!({ "region": "x".repeat(bytes) }), &[]).map(drop);
    let rest = r#"{"days":0,"region":""}"#.len();
    assert_eq!(region(MAX_BYTES - rest), Ok(()));
    let error = region(MAX_BYTES - rest + 1).unwrap_err();
    assert!(error.starts_with("the params of pipeline `p` have 1048577 bytes as JSON; the limit is 1 MiB: "), "{error}");
    let deep = (0..130).fold(Value::Null, |inner, _| json!([inner]));
    let error = read::<Value>(&json!({ "deep": deep }), &[]).map(drop).unwrap_err();
    assert!(error.contains("recursion limit exceeded"), "{error}");
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Guarded {
    token: secret::Secret,
    other: Option<secret::Secret>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct FlatGuarded {
    #[serde(flatten)]
    guarded: Guarded,
}

#[test]
fn a_secret_is_kept_as_a_reference_and_its_value_is_refused_without_being_shown() {
    let guarded = read::<Guarded>(&Value::Null, &[("token", "env:TOKEN")]).unwrap();
    assert_eq!(guarded.params.token, secret::Secret::env("TOKEN"));
    assert_eq!(guarded.whole, json!({ "token": "env:TOKEN", "other": null }));
    assert_eq!(read::<Guarded>(&json!({ "other": "file:/a" }), &[]).unwrap().params.other, Some(secret::Secret::file("/a")));
    let refusals = [
        read::<Guarded>(&Value::Null, &[("token", "s3cr3t")]).map(drop).unwrap_err(),
        read::<Guarded>(&json!({ "other": "s3cr3t" }), &[]).map(drop).unwrap_err(),
        read::<Guarded>(&json!({ "other": ["s3cr3t"] }), &[]).map(drop).unwrap_err(),
        read::<FlatGuarded>(&Value::Null, &[("token", "s3cr3t")]).map(drop).unwrap_err(),
    ];
    for error in refusals {
        assert!(
            error.contains("is a secret, and params are stored and shown: say where its value is, as in `env:NAME`"),
            "{error}"
        );
        assert!(!error.contains("s3cr3t"), "{error}");
    }
}

#[test]
fn the_names_of_the_params_are_known_as_far_as_the_type_tells() {
    let fields = read::<All>(&Value::Null, &[]).unwrap().fields;
    let unknown = |name: &str| match fields.check_name(name) {
        Some(WrongName::Unknown { name, .. }) => Some(name),
        _ => None,
    };
    for known in
        ["region", "until", "batch-size", "limits.rows", "limits.tables", "by_name.x", "anything.x.y", "region.x", "height"]
    {
        assert_eq!(fields.check_name(known), None, "{known}");
    }
    assert_eq!(unknown("regoin"), Some("regoin".into()));
    assert_eq!(unknown("limits.row.x"), Some("limits.row".into()));
    assert_eq!(read::<Open>(&Value::Null, &[]).unwrap().fields.check_name("x"), None);
    let guarded = read::<Guarded>(&Value::Null, &[]).unwrap().fields;
    assert_eq!(guarded.check_name("token"), Some(WrongName::Secret { name: "token".into() }));
}

#[test]
fn a_refused_secret_is_reported_as_one_whatever_else_is_tried() {
    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Guarded {
        any: Value,
        token: crate::Secret,
    }
    let texts = [("any".to_owned(), "[1]".to_owned()), ("token".to_owned(), "s3cr3t-of-this-test".to_owned())];
    let error = complete::<Guarded>("p", None, Source::Given(&Value::Null, &texts)).unwrap_err();
    assert!(matches!(error, ParamsError::BareSecret { .. }), "{error:?}");
}

#[test]
fn a_name_of_many_dots_is_refused_before_it_is_followed() {
    let texts = [("a.".repeat(100_000) + "a", "x".to_owned())];
    let error = complete::<All>("p", None, Source::Given(&Value::Null, &texts)).unwrap_err().to_string();
    assert!(error.contains("nested more than 127 deep") && error.len() < 300, "{}", &error[..300.min(error.len())]);
}
