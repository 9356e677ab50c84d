//! The exported file, and what is refused.

use super::*;
use crate::prelude::*;
use expect_test::expect;
use std::path::Path;

#[task]
async fn list() -> Result<Vec<u64>> {
    Ok(vec![1])
}

/// Doubles it.
#[task(retries = 2, retry_delay = "1m", pool = DB, priority = 5)]
async fn double(n: u64) -> Result<u64> {
    Ok(n * 2)
}

#[task]
async fn sum(all: Vec<u64>) -> Result<u64> {
    Ok(all.iter().sum())
}

#[sensor(poke = "45s", timeout = "10m", retries = 1, mode = "reschedule")]
async fn arrives() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

const DB: Pool = Pool::new("db", 2);
static TOTAL: Asset<u64> = Asset::new("total");

/// Sums.
///
/// Of "all".
#[pipeline(schedule = "0 6 * * *", timezone = "Europe/Berlin", start = "2024-03-01", max_active_runs = 1, timeout = "2h", tags = ["a", "b"])]
fn sums() {
    let first = arrives();
    sum(list().after(first).each(double).max_active(3)).named("total").updates(&TOTAL);
}

#[pipeline(when = all(TOTAL))]
fn follows() {
    double(TOTAL.latest());
}

fn of<'a>(pipelines: &'a [Pipeline], without: &'a [Omission]) -> Export<'a> {
    Export { pipelines, queue: "rust", without, name: "shop" }
}

/// The part of the file after its operators.
fn dags(pipelines: &[Pipeline]) -> String {
    let export = of(pipelines, &[]);
    let (dags, _) = export.dags().unwrap();
    let file = python::file(&dags, export.name, export.queue);
    file.split_once("\nBUNDLE = ").unwrap().1.split_once('\n').unwrap().1.to_owned()
}

#[test]
fn a_pipeline_is_a_dag_of_operators() {
    expect![[r#"


        with DAG(
            dag_id="follows",
            schedule=[Asset("total", "total")],
            start_date=datetime.fromisoformat("1970-01-01T00:00:00+00:00"),
            catchup=False,
            max_active_runs=16,
            tags=[],
            default_args={"queue": QUEUE},
        ) as dag:
            n = {}
            n["total"] = PipelineTask(task_id="total", doc_md="The newest update of the asset of that name.")
            n["double"] = PipelineTask(task_id="double", retries=2, retry_delay=timedelta(seconds=60.0), pool="db", priority_weight=5, weight_rule="absolute", doc_md="Doubles it.")
            n["end_of_run"] = PipelineTask(task_id="end_of_run", trigger_rule="all_done", doc_md="Decides how the run has ended, and notifies the pipeline's notifiers.")

            n["total"] >> n["double"]
            n["double"] >> n["end_of_run"]
    "#]]
    .assert_eq(&dags(&[follows()]));
}

#[test]
fn a_mapping_is_a_group_over_the_task_that_expands_it() {
    expect![[r#"


        with DAG(
            dag_id="sums",
            description="Sums.",
            doc_md="Sums.",
            schedule=CronDataIntervalTimetable("0 6 * * *", timezone="Europe/Berlin"),
            start_date=datetime.fromisoformat("2024-02-29T23:00:00+00:00"),
            catchup=False,
            max_active_runs=1,
            dagrun_timeout=timedelta(seconds=7200.0),
            tags=["a", "b"],
            default_args={"queue": QUEUE},
        ) as dag:
            n = {}
            n["arrives"] = PipelineSensor(task_id="arrives", retries=2, retry_delay=timedelta(seconds=300.0), poke_interval=45.0, timeout=600.0, mode="reschedule")
            n["list"] = PipelineTask(task_id="list")
            n["double.each"] = PipelineTask(task_id="double.each", doc_md="Expands the list of a mapping.")
            n["total"] = PipelineTask(task_id="total", trigger_rule="all_done", outlets=[Asset("total", "total")])
            n["end_of_run"] = PipelineTask(task_id="end_of_run", trigger_rule="all_done", doc_md="Decides how the run has ended, and notifies the pipeline's notifiers.")

            @task_group(group_id="double__each__elements", prefix_group_id=False)
            def elements(element):
                n["double"] = PipelineTask(task_id="double", retries=2, retry_delay=timedelta(seconds=60.0), pool="db", priority_weight=5, weight_rule="absolute", max_active_tis_per_dagrun=3, doc_md="Doubles it.")

            elements.expand(element=n["double.each"].output)

            n["arrives"] >> n["list"]
            n["list"] >> n["double.each"]
            n["double"] >> n["total"]
            n["double.each"] >> n["total"]
            n["total"] >> n["end_of_run"]
    "#]].assert_eq(&dags(&[sums()]));
}

#[test]
fn the_same_code_gives_the_same_bytes_in_any_order() {
    assert_eq!(dags(&[sums(), follows()]), dags(&[follows(), sums()]));
}

#[test]
fn an_export_is_held_against_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let executable = folder.path().join("elf");
    fs::write(&executable, b"elf").unwrap();
    let (one, two) = ([sums()], [sums(), follows()]);
    let written = of(&one, &[]).write(&executable, folder.path()).unwrap();
    let written: Vec<String> = written.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(written, ["shop", "shop.py"]);
    assert_eq!(of(&one, &[]).check(&executable, folder.path()).unwrap(), ExportStatus::Current);
    let stale = |fresh: ExportStatus| -> Vec<String> {
        let ExportStatus::Stale(stale) = fresh else { return Vec::new() };
        stale.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(stale(of(&two, &[]).check(&executable, folder.path()).unwrap()), ["shop", "shop.py"]);
    fs::write(&executable, b"elg").unwrap();
    assert_eq!(stale(of(&one, &[]).check(&executable, folder.path()).unwrap()), ["shop"]);
    assert_eq!(stale(of(&one, &[]).check(&executable, Path::new("/nowhere")).unwrap()), ["shop", "shop.py"]);
}

// ---- what is refused

fn refused(pipeline: &Pipeline) -> Vec<String> {
    let plan = pipeline.plan(&Value::Null).unwrap();
    unsupported::problems(pipeline, &plan, &[]).iter().map(|problem| problem.message().to_owned()).collect()
}

#[test]
fn locks_and_slas_are_refused_unless_they_are_said_to_be_left_out() {
    static PRICES: Lock = Lock::new("prices");
    #[task(sla = "1h")]
    async fn slow() -> Result<u64> {
        Ok(1)
    }
    #[pipeline(sla = "2h")]
    fn guarded() {
        group("load", || {
            slow();
        })
        .holding(&PRICES);
    }
    assert_eq!(
        refused(&guarded()),
        [
            "Airflow has no locks, and group `load` holds `prices`",
            "a miss of the `sla` of `load.slow` would go unnoticed: no process runs while it waits",
            "a run of `guarded` that misses its `sla` or a step of its ladder would go unnoticed",
        ]
    );
    assert!(of(&[guarded()], &[Omission::Sla, Omission::Locks]).dags().is_ok());
    let error = of(&[guarded(), sums()], &[Omission::Sla]).dags().unwrap_err().to_string();
    assert!(error.starts_with("error: Airflow has no locks") && error.contains("--> "), "{error}");
    assert!(error.ends_with("pipeline `guarded` has 1 thing that Airflow cannot do\nnothing was exported"), "{error}");
}

#[task]
async fn lists(n: u64) -> Result<Vec<u64>> {
    Ok(vec![n])
}

#[task(pool = DB)]
async fn kept(n: u64) -> Result<u64> {
    Ok(n)
}

#[task(pool = FILES)]
async fn filed(n: u64) -> Result<u64> {
    Ok(n)
}

const FILES: Pool = Pool::new("files", 2);

#[test]
fn a_mapping_within_a_mapping_and_one_in_order_are_one_task_each() {
    #[pipeline]
    fn nested() {
        let first = list().named("first");
        let totals = list().each(|n| sum(lists(n).each(|m| kept(m).after(first))).named("total"));
        sum(totals).named("all");
        list().named("steps").each(|n| double(n).named("step")).in_order();
    }
    assert!(refused(&nested()).is_empty());
    let dag = dags(&[nested()]);
    let tasks = format!("n = {{}}\n{}", dag.split_once("n = {}\n").unwrap().1);
    expect![[r#"
        n = {}
            n["first"] = PipelineTask(task_id="first")
            n["list"] = PipelineTask(task_id="list")
            n["total.each"] = PipelineTask(task_id="total.each", doc_md="Expands the list of a mapping.")
            n["all"] = PipelineTask(task_id="all", trigger_rule="all_done")
            n["steps"] = PipelineTask(task_id="steps")
            n["step.each"] = PipelineTask(task_id="step.each", retries=2, retry_delay=timedelta(seconds=60.0), pool="db", priority_weight=5, weight_rule="absolute", doc_md="Runs a mapping, with all of its elements.")
            n["end_of_run"] = PipelineTask(task_id="end_of_run", trigger_rule="all_done", doc_md="Decides how the run has ended, and notifies the pipeline's notifiers.")

            @task_group(group_id="total__each__elements", prefix_group_id=False)
            def elements(element):
                n["lists"] = PipelineTask(task_id="lists")
                n["kept.each"] = PipelineTask(task_id="kept.each", trigger_rule="all_done", pool="db", doc_md="Runs a mapping, with all of its elements.")
                n["total"] = PipelineTask(task_id="total", trigger_rule="all_done")

            elements.expand(element=n["total.each"].output)

            n["first"] >> n["kept.each"]
            n["list"] >> n["total.each"]
            n["lists"] >> n["kept.each"]
            n["lists"] >> n["all"]
            n["kept.each"] >> n["total"]
            n["kept.each"] >> n["all"]
            n["total"] >> n["all"]
            n["total.each"] >> n["all"]
            n["all"] >> n["end_of_run"]
            n["steps"] >> n["step.each"]
            n["step.each"] >> n["end_of_run"]
    "#]]
    .assert_eq(&tasks);
}

#[test]
fn a_mapping_that_is_one_task_is_in_one_pool() {
    #[pipeline]
    fn two_pools() {
        list().each(|n| lists(n).each(|m| filed(kept(m))));
    }
    assert_eq!(
        refused(&two_pools()),
        ["`filed.each` is one Airflow task with one pool, but tasks within it are in `db` and in `files`"]
    );
}

#[test]
fn names_that_airflow_could_not_tell_apart_are_refused() {
    #[pipeline]
    fn twins() {
        list().each(double);
        list().named("double_3");
        list().named("end_of_run");
    }
    assert_eq!(
        refused(&twins()),
        [
            "`end_of_run` is the name of the last task of every exported DAG",
            "Airflow cannot distinguish `double_3` from an element of `double`",
        ]
    );
}

#[test]
fn runs_of_other_pipelines_are_refused() {
    #[task]
    async fn report(base: crate::UpstreamRun) -> Result<String> {
        Ok(base.run_id().to_owned())
    }
    #[pipeline(schedule = "@daily")]
    fn waits() {
        report(run_of(sums));
    }
    assert_eq!(refused(&waits()), ["`run_of` involves a run of another pipeline, which cannot be exported yet"]);
}

#[test]
fn schedules_that_airflow_has_not_are_refused() {
    const OFFICE: Cron = cron!("0 6 * * 1-5", "0 10 * * 6");
    #[pipeline(schedule = OFFICE)]
    fn two_lines() {
        list();
    }
    #[pipeline(schedule(every = "1d", from = "2024-01-01"), timezone = "Europe/Berlin")]
    fn local_days() {
        list();
    }
    #[pipeline(schedule(every = "90m", from = "2024-01-08T00:30"), start = "2024-01-08T01:00")]
    fn hours() {
        list();
    }
    let message = |id: &str| format!("Airflow has no schedule like that of pipeline `{id}`");
    assert_eq!(refused(&two_lines()), [message("two_lines")]);
    assert_eq!(refused(&local_days()), [message("local_days")]);
    let dag = dags(&[hours()]);
    assert!(dag.contains("schedule=DeltaDataIntervalTimetable(timedelta(seconds=5400))"), "{dag}");
    assert!(dag.contains("start_date=datetime.fromisoformat(\"2024-01-08T02:00:00+00:00\")"), "{dag}");
}
