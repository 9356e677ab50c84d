//! The file that Airflow parses.

use super::dag::{Dag, DagSensor, DagTask};
use super::schedule::DagSchedule;
use crate::author::params::form::{Field, FieldKind};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// The operators and their imports.
const PRELUDE: &str = include_str!("prelude.py");

/// The whole file.
pub(super) fn file(dags: &[Dag], name: &str, queue: &str) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "# Written by `{name} airflow export`: export again instead of editing it.");
    let pools: BTreeMap<&str, u32> = dags.iter().flat_map(|dag| &dag.pools).map(|(pool, slots)| (*pool, *slots)).collect();
    for (pool, slots) in pools {
        let _ = writeln!(text, "# Requires the pool {}: airflow pools set {} {slots} \"\"", literal(pool), pool);
    }
    let _ = write!(text, "{PRELUDE}");
    let _ = writeln!(text, "\nQUEUE = {}", literal(queue));
    let _ = writeln!(
        text,
        "BUNDLE = os.environ.get(\"PIPELINE_BUNDLE\") or os.path.join(os.path.dirname(os.path.abspath(__file__)), {})",
        literal(name)
    );
    for dag in dags {
        write_dag(&mut text, dag);
    }
    text
}

fn write_dag(text: &mut String, dag: &Dag) {
    let _ = writeln!(text, "\n\nwith DAG(");
    let mut option = |name: &str, value: String| {
        let _ = writeln!(text, "    {name}={value},");
    };
    option("dag_id", literal(dag.id));
    if let Some(first) = dag.description.lines().next().filter(|line| !line.is_empty()) {
        option("description", literal(first));
        option("doc_md", literal(dag.description));
    }
    option("schedule", schedule(&dag.when));
    option("start_date", dag.start.map_or_else(|| date(DateTime::UNIX_EPOCH), date));
    if let Some(end) = dag.end {
        option("end_date", date(end));
    }
    option("catchup", python(&Value::from(dag.catchup)));
    option("max_active_runs", dag.max_active_runs.min(MAX_INT).to_string());
    if let Some(timeout) = dag.timeout {
        option("dagrun_timeout", delta(timeout));
    }
    option("tags", list(dag.tags.iter().map(|tag| literal(tag))));
    if !dag.params.is_empty() {
        option("params", format!("{{{}}}", dag.params.iter().map(param).collect::<Vec<_>>().join(", ")));
    }
    option("default_args", "{\"queue\": QUEUE}".to_owned());
    let _ = writeln!(text, ") as dag:\n    n = {{}}");
    let mut mapped: BTreeMap<&str, Vec<&DagTask>> = BTreeMap::new();
    for task in &dag.tasks {
        match &task.within {
            Some(each) => mapped.entry(each).or_default().push(task),
            None => {
                let _ = writeln!(text, "    n[{}] = {}", literal(&task.id), operator(task));
            }
        }
    }
    for (each, tasks) in mapped {
        let _ = writeln!(text, "\n    @task_group(group_id={}, prefix_group_id=False)", literal(&group_of(each)));
        let _ = writeln!(text, "    def elements(element):");
        for task in tasks {
            let _ = writeln!(text, "        n[{}] = {}", literal(&task.id), operator(task));
        }
        let _ = writeln!(text, "\n    elements.expand(element=n[{}].output)", literal(each));
    }
    let _ = writeln!(text);
    for (from, to) in &dag.edges {
        let _ = writeln!(text, "    n[{}] >> n[{}]", literal(from), literal(to));
    }
    for task in &dag.tasks {
        if let Some(setup) = &task.teardown_of {
            let _ = writeln!(
                text,
                "    n[{}].as_teardown(setups=n[{}], on_failure_fail_dagrun=False)",
                literal(&task.id),
                literal(setup)
            );
        }
    }
}

/// The group of a mapping's elements. Unlike the id of a task, that of a group cannot contain dots.
pub(super) fn group_of(each: &str) -> String {
    format!("{}__elements", each.replace('.', "__"))
}

/// Airflow stores its numbers in 32 bits.
const MAX_INT: u32 = i32::MAX as u32;

fn operator(task: &DagTask) -> String {
    let class = if task.sensor.as_ref().is_some_and(|sensor| sensor.is_rescheduled) { "PipelineSensor" } else { "PipelineTask" };
    let mut options = vec![format!("task_id={}", literal(&task.id))];
    if task.trigger_rule != "all_success" && task.teardown_of.is_none() {
        options.push(format!("trigger_rule={}", literal(task.trigger_rule)));
    }
    if task.retries > 0 {
        options.push(format!("retries={}", task.retries));
    }
    if let Some(wait) = task.retry_delay {
        options.push(format!("retry_delay={}", delta(wait)));
    }
    if let Some(pool) = task.pool {
        options.push(format!("pool={}", literal(pool)));
    }
    if task.priority != 0 {
        options.push(format!("priority_weight={}, weight_rule=\"absolute\"", task.priority));
    }
    if let Some(DagSensor { timeout, poke, is_rescheduled: true }) = &task.sensor {
        options.push(format!("poke_interval={}, timeout={}, mode=\"reschedule\"", seconds(*poke), seconds(*timeout)));
    }
    if let Some(most) = task.max_active {
        options.push(format!("max_active_tis_per_dagrun={most}"));
    }
    if task.depends_on_past {
        options.push("depends_on_past=True".to_owned());
    }
    if !task.outlets.is_empty() {
        options.push(format!("outlets={}", list(task.outlets.iter().map(|asset| asset_literal(asset)))));
    }
    if !task.doc.is_empty() {
        options.push(format!("doc_md={}", literal(&task.doc)));
    }
    format!("{class}({})", options.join(", "))
}

fn schedule(when: &DagSchedule) -> String {
    match when {
        DagSchedule::Never | DagSchedule::Unsupported => "None".to_owned(),
        DagSchedule::Cron { line, zone } => format!("CronDataIntervalTimetable({}, timezone={})", literal(line), literal(zone)),
        DagSchedule::Every { seconds, .. } => format!("DeltaDataIntervalTimetable(timedelta(seconds={seconds}))"),
        DagSchedule::Assets { all, names } => {
            let names: Vec<String> = names.iter().map(|asset| asset_literal(asset)).collect();
            if *all || names.len() == 1 { list(names) } else { format!("({})", names.join(" | ")) }
        }
    }
}

fn asset_literal(name: &str) -> String {
    format!("Asset({name}, {name})", name = literal(name))
}

/// A param as JSON Schema, which Airflow's form reads.
fn param(field: &Field) -> String {
    let mut types = Vec::new();
    let mut rest = Vec::new();
    match &field.kind {
        FieldKind::Integer { min, max } => {
            types.push("integer");
            // Airflow's form uses JavaScript's numbers.
            let is_exact = |bound: &i128| bound.unsigned_abs() < 1 << 53;
            rest.extend(Some(min).filter(|min| is_exact(min)).map(|min| format!("minimum={min}")));
            rest.extend(Some(max).filter(|max| is_exact(max)).map(|max| format!("maximum={max}")));
        }
        FieldKind::Number => types.push("number"),
        FieldKind::Boolean => types.push("boolean"),
        FieldKind::Text => types.push("string"),
        FieldKind::Date => {
            types.push("string");
            rest.push("format=\"date\"".to_owned());
        }
        FieldKind::DateTime => {
            types.push("string");
            rest.push("format=\"date-time\"".to_owned());
        }
        FieldKind::Choice(of) => {
            types.push("string");
            rest.push(format!("enum={}", list(of.iter().map(|of| literal(of)))));
        }
        FieldKind::Json => types.extend(["object", "array", "string", "number", "boolean"]),
    }
    if field.optional || field.default.is_null() {
        types.insert(0, "null");
    }
    let types = match types.as_slice() {
        [only] => literal(only),
        several => list(several.iter().map(|of| literal(of))),
    };
    rest.insert(0, format!("type={types}"));
    format!("{}: Param({}, {})", literal(&field.name), python(&field.default), rest.join(", "))
}

/// A string literal of Python: JSON's notation is also valid Python.
fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

/// A value as a literal of Python.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Array(items) => list(items.iter().map(python)),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{}: {}", literal(name), python(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", "))
}

fn seconds(duration: Duration) -> String {
    Value::from(duration.as_secs_f64()).to_string()
}

fn delta(duration: Duration) -> String {
    format!("timedelta(seconds={})", seconds(duration))
}

fn date(at: DateTime<Utc>) -> String {
    format!("datetime.fromisoformat({})", literal(&at.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()))
}
