//! A model, trained on a machine that is created for it and always deleted. The schedule is followed only in production.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{Command, Template};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Machine {
    #[default]
    Standard2,
    Standard8,
    Standard16,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rows {
    #[default]
    Clicks,
    Bookings,
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Clicks { "clicks" } else { "bookings" })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Training {
    branch: String,
    features: String,
    rows: Rows,
    machine: Machine,
    batch_size: u32,
    embedding: u32,
    train_share: f64,
    validation_steps: f64,
    days: u32,
    run_name: Option<String>,
    experiment: String,
    /// Below this recall the model is not published.
    least_recall: f64,
    dry_run: bool,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            branch: "main".into(),
            features: "default".into(),
            rows: Rows::Clicks,
            machine: Machine::Standard2,
            batch_size: 4096,
            embedding: 48,
            train_share: 0.8,
            validation_steps: 0.5,
            days: 30,
            run_name: None,
            experiment: "ranking".into(),
            least_recall: 0.3,
            dry_run: false,
        }
    }
}

#[derive(Clone, Serialize, Deserialize, Branch)]
enum Verdict {
    Publish(f64),
    Keep(String),
}

#[task(timeout = "1h", retries = 2)]
async fn import(ctx: Context, sql: String, into: String) -> Result<String> {
    Command::new("bq").args(["query", "--destination_table", &into, &sql]).run(&ctx).await?;
    Ok(into)
}

#[task(retries = 2)]
async fn create_machine(ctx: Context, kind: Machine, features: String) -> Result<String> {
    let name = format!("training-{features}");
    Command::new("gcloud")
        .args(["compute", "instances", "create", &name])
        .arg(format!("--machine-type={kind:?}"))
        .run(&ctx)
        .await?;
    Ok(name)
}

#[task(retries = 5)]
async fn delete_machine(ctx: Context, machine: String) -> Result<()> {
    Command::new("gcloud").args(["compute", "instances", "delete", "--quiet", &machine]).run(&ctx).await?;
    Ok(())
}

/// A command on the machine; its last line of output is the result.
#[task(timeout = "2h")]
async fn on_machine(ctx: Context, machine: String, command: String) -> Result<String> {
    Ok(Command::new("ssh").args([machine, command]).run(&ctx).await?.last_line().to_owned())
}

#[task(timeout = "20h")]
async fn train(ctx: Context, machine: String, with: Training, seed: String) -> Result<String> {
    let command = format!("train --batch {} --embedding {} --steps {}", with.batch_size, with.embedding, with.validation_steps);
    let name = with.run_name.unwrap_or(with.features);
    Ok(Command::new("ssh").args([machine, command, seed, name]).run(&ctx).await?.last_line().to_owned())
}

#[task]
async fn evaluate(ctx: Context, machine: String, model: String) -> Result<f64> {
    Ok(Command::new("ssh").args([machine, format!("evaluate {model}")]).run(&ctx).await?.last_line().parse()?)
}

#[branch]
async fn judge(recall: f64, least: f64, dry_run: bool) -> Result<Verdict> {
    let good = recall >= least && !dry_run;
    Ok(if good { Verdict::Publish(recall) } else { Verdict::Keep(format!("{recall} of {least}")) })
}

#[task]
async fn publish(ctx: Context, model: String, recall: f64) -> Result<()> {
    Command::new("models").args(["publish", &model, &recall.to_string()]).run(&ctx).await?;
    Ok(())
}

#[task]
async fn tell(published: Option<()>, why_not: Option<String>) -> Result<String> {
    Ok(published.map_or_else(|| format!("kept the old model: {}", why_not.unwrap_or_default()), |()| "a new model".to_owned()))
}

#[pipeline(schedule = "0 0 * * 5", start = "2022-11-30", timeout = "24h", defaults(retry_delay = "2m", on_failure = CHAT))]
fn training(with: Training) {
    let table = |name: &str, file: Template| import(file, name).named(name);
    let sql = |what: &str| template!(file = "shapes/training_rows.sql", what = what, days = with.days);
    let tables = group("import", || {
        let features = ["users", "items"].map(|name| table(name, sql(name)));
        let rows = table("rows", sql(&with.rows.to_string())).after(features);
        let parts = ["training", "validation", "test"].map(|part| table(part, sql(part)).after(rows));
        let bookings = table("bookings", sql("bookings")).after(features);
        [parts[0], parts[1], parts[2], bookings]
    });
    let machine = create_machine(with.machine, &with.features).after(tables);
    let (model, recall) = machine.teardown(delete_machine, |machine| {
        let run = |name: &str, command: String| on_machine(machine, command).named(name);
        let installed = run("install", format!("git clone -b {} code && pip install -r code/requirements.txt", with.branch));
        let prepared = group("prepare", || {
            let collected = ["training", "validation", "test"].map(|part| {
                let stored = run(&format!("store_{part}"), format!("collect --part {part}"));
                run(&format!("preprocess_{part}"), format!("preprocess {part}")).after(stored)
            });
            run("store_bookings", "collect --part bookings".into()).after(collected);
        });
        let model = train(machine, &with, template!("{{ ds_nodash }}")).after(prepared.after(installed));
        (model, evaluate(machine, model).timeout(Duration::from_hours(1)))
    });
    let VerdictArms { publish: good, keep } = judge(recall, with.least_recall, with.dry_run);
    tell(publish(model, good), keep);
}

fn pipelines(production: bool) -> [Pipeline; 1] {
    let large = Training { machine: Machine::Standard16, days: 90, validation_steps: 0.1, ..Training::default() };
    [training().with_params(if production { large } else { Training::default() }).unscheduled_unless(production)]
}

// ---- simulations

use super::support::*;

fn week(with: &Training) -> Simulation<'static> {
    let [training] = pipelines(true);
    let plan = training.plan(&serde_json::Value::Null).unwrap().to_json();
    let ids = plan["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap());
    let simulation = Simulation::new(training).params(with).logical_date("2024-03-22");
    let texts = ids.filter(|id| id.starts_with("import") || id.starts_with("prepare") || *id == "install");
    let simulation = texts.fold(simulation, |simulation, id| simulation.stub(id, String::new()));
    let simulation = simulation.stub("create_machine", "training-default".to_owned()).stub("train", "model-7".to_owned());
    simulation.stub("evaluate", 0.4).stub("publish", ()).stub("delete_machine", ())
}

#[test]
fn a_good_model_is_published_and_the_machine_is_gone() {
    let report = week(&Training::default()).run();
    succeeds(&report);
    assert_eq!(report.output("tell"), Some("a new model".to_owned()));
    assert_eq!(report.node("delete_machine").state(), Success);
}

#[test]
fn a_poor_one_is_not() {
    let report = week(&Training { least_recall: 0.5, ..Training::default() }).run();
    succeeds(&report);
    assert_eq!(report.output("tell"), Some("kept the old model: 0.4 of 0.5".to_owned()));
}

#[test]
fn a_training_that_fails_deletes_the_machine_with_one_alert() {
    let report = week(&Training::default()).fail("train", 1, "out of memory").run();
    assert_eq!(
        states(&report, ["evaluate", "judge", "tell", "delete_machine"]),
        [UpstreamFailed, UpstreamFailed, UpstreamFailed, Success]
    );
    assert_eq!((report.state(), callbacks(&report)), (RunState::Failed, vec!["on_failure of train".to_owned()]));
}

#[test]
fn nothing_is_trained_on_what_was_not_prepared() {
    for (fails, prepared) in [("install", UpstreamFailed), ("prepare.store_test", Success)] {
        let report = week(&Training::default()).fail(fails, 1, "exit code 1").run();
        let ids = ["prepare.preprocess_training", "prepare.preprocess_test", "prepare.store_bookings", "train", "delete_machine"];
        assert_eq!(states(&report, ids), [prepared, UpstreamFailed, UpstreamFailed, UpstreamFailed, Success], "{fails}");
        assert_eq!(callbacks(&report), [format!("on_failure of {fails}")]);
    }
}

#[test]
fn a_run_that_is_cancelled_deletes_it_too_and_one_without_a_machine_has_none_to_delete() {
    let report = week(&Training::default()).fail("create_machine", 1, "no quota").cancel("1m").run();
    assert_eq!((report.state(), report.node("delete_machine").state()), (RunState::Cancelled, Skipped));
    let fails = |all: Simulation<'static>, attempt| all.fail("create_machine", attempt, "no quota");
    let report = (1..=3).fold(week(&Training::default()), fails).run();
    assert_eq!(states(&report, ["create_machine", "delete_machine"]), [Failed, UpstreamFailed]);
}

#[test]
fn a_query_is_tried_again() {
    let report = week(&Training::default()).fail("import.rows", 1, "quota").run();
    succeeds(&report);
    assert_eq!(report.finished(), mins(2));
}
