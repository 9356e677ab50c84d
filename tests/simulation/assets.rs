//! When a run that waits for assets starts, and what it reads.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunReport, RunState, Simulation, SimulationError};
use std::time::Duration;

static VISITS: Asset<u64> = Asset::new("visits");
static PROCESSES: Asset<u64> = Asset::external("processes");
static OTHERS: Asset<u64> = Asset::external("others");

#[task]
async fn add(visits: u64, processes: u64) -> Result<u64> {
    Ok(visits + processes)
}

#[pipeline(when = all(VISITS, PROCESSES))]
fn model() {
    add(VISITS.latest(), PROCESSES.latest());
}

#[pipeline(when = any(VISITS, PROCESSES), sla = "2m")]
fn either() {
    add(VISITS.latest(), PROCESSES.latest());
}

#[pipeline]
fn by_hand() {
    add(VISITS.latest(), 1);
}

fn started(report: &RunReport) -> Option<u64> {
    report.node("visits").started().map(|started| started.as_secs())
}

#[test]
fn the_run_begins_once_all_are_updated_with_the_newest_of_each() {
    let simulation = Simulation::new(model()).updated("5m", &PROCESSES, 40).updated("3m", &VISITS, 1).updated("4m", &VISITS, 2);
    let report = simulation.run();
    assert_eq!((report.state(), started(&report)), (RunState::Success, Some(300)));
    assert_eq!(report.output::<u64>("add"), Some(42));
    // Updates of one instant arrive together.
    let report = Simulation::new(either()).updated("1m", &VISITS, 1).updated("1m", &PROCESSES, 40).run();
    assert_eq!((started(&report), report.output::<u64>("add")), (Some(60), Some(41)));
}

#[test]
fn an_asset_without_an_update_fails_the_node_that_reads_it_whatever_its_retries() {
    #[pipeline(when = any(VISITS, PROCESSES), defaults(retries = 3))]
    fn retried() {
        add(VISITS.latest(), PROCESSES.latest());
    }
    let report = Simulation::new(retried()).updated("1m", &PROCESSES, 40).run();
    assert_eq!(report.state(), RunState::Failed);
    assert_eq!(report.node("visits").attempts(), 1);
    assert_eq!(report.node("visits").error(), Some("the asset `visits` had no update when this run began"));
}

#[test]
fn what_happens_before_the_run_begins_happens_at_its_time() {
    #[task]
    async fn read(bucket: Bucket, visits: u64) -> Result<u64> {
        Ok(visits + bucket.list("").await?.len() as u64)
    }
    #[pipeline(when = all(VISITS))]
    fn reads() -> Result<()> {
        read(Bucket::open("memory://raw")?, VISITS.latest());
        Ok(())
    }
    let simulation = Simulation::new(reads()).arrive("1m", "memory://raw/a", "").arrive("3m", "memory://raw/b", "");
    let report = simulation.updated("2m", &VISITS, 10).run();
    assert_eq!((report.node("read").started(), report.output::<u64>("read")), (Some(Duration::from_mins(2)), Some(11)));
}

#[test]
fn a_pipeline_without_when_reads_what_was_there_and_a_later_update_changes_nothing() {
    let report = Simulation::new(by_hand()).updated("0s", &VISITS, 1).updated("0s", &VISITS, 2).updated("1m", &VISITS, 3).run();
    assert_eq!(report.output::<u64>("add"), Some(3));
    assert_eq!(report.warnings(), ["the update of `visits` after 1m came after the run had started: it has no effect on it"]);
    let failed = Simulation::new(by_hand()).run();
    assert_eq!(failed.state(), RunState::Failed);
    let untold = "the simulation was given no update of the asset `visits`: add one by `.updated(\"0s\", ..)` in a test, or on the command \
                  line by `--updated 0s=visits=JSON`";
    assert_eq!(failed.warnings(), [untold]);
}

#[test]
fn a_value_comes_back_as_it_was_kept_and_one_that_is_retried_reads_the_same() {
    #[task(retries = 1)]
    async fn fragile(ctx: Context, visits: u64) -> Result<u64> {
        if ctx.attempt() == 1 { Err("503".into()) } else { Ok(visits) }
    }
    #[pipeline(when = all(VISITS))]
    fn retried() {
        fragile(VISITS.latest());
        VISITS.latest().named("again");
    }
    let report = Simulation::new(retried()).updated("1m", &VISITS, 7).retry("30m", "again", true).run();
    assert_eq!(report.output::<u64>("fragile"), Some(7));
    let again = report.node("again");
    assert_eq!(
        (report.output::<u64>("again"), again.finished()),
        (Some(7), Some(Duration::from_mins(30))),
        "it is one node, called so"
    );
}

#[test]
fn the_sla_of_a_run_counts_from_its_begin() {
    async fn page(_: Notification) -> Result<()> {
        Ok(())
    }
    #[sensor(poke = "1m")]
    async fn late(ctx: Context, visits: u64) -> Result<Poke<u64>> {
        let pokes = ctx.recall::<u64>()?.unwrap_or_default() + 1;
        ctx.remember(&pokes)?;
        Ok(if pokes < 5 { Poke::NotYet } else { Poke::Ready(visits) })
    }
    #[pipeline(when = all(VISITS), sla = "2m", on_sla_miss = page)]
    fn watched() {
        late(VISITS.latest());
    }
    let report = Simulation::new(watched()).updated("1h", &VISITS, 1).run();
    let callbacks = report.callbacks();
    let told: Vec<_> = callbacks.iter().map(|callback| (callback.name(), callback.at())).collect();
    assert_eq!(told, [("on_sla_miss", Duration::from_mins(62))]);
}

#[test]
fn a_simulation_whose_updates_make_no_sense_says_so() {
    static OF_ANOTHER_TYPE: Asset<String> = Asset::new("visits");
    let said = |simulation: Simulation<'_>| simulation.try_run().unwrap_err().to_string();
    let never = Simulation::new(model()).updated("1m", &VISITS, 1).updated("2m", &VISITS, 2);
    assert!(matches!(never.try_run(), Err(SimulationError::NeverBegins { .. })));
    assert_eq!(
        said(Simulation::new(model()).updated("1m", &VISITS, 1)),
        "the pipeline starts a run when all(visits, processes) is updated, and no update of `processes` is given; add `.updated(\"0s\", &ASSET, \
         value)`, on the command line `--updated 0s=ASSET=JSON`"
    );
    assert_eq!(
        said(Simulation::new(model()).updated("1m", &OTHERS, 1)),
        "the update of the asset `others`: pipeline `model` neither waits for it nor reads it"
    );
    assert_eq!(
        said(Simulation::new(model()).updated("1m", &OF_ANOTHER_TYPE, "one".into())),
        "the update of the asset `visits`: it is of `alloc::string::String`, and the one that the pipeline uses is of `u64`"
    );
}

#[task]
async fn export(bucket: Bucket) -> Result<u64> {
    bucket.put("visits", "1234").await?;
    Ok(4)
}

#[task]
async fn weigh(bucket: Bucket, visits: u64) -> Result<u64> {
    Ok(visits + bucket.get("visits").await?.len() as u64)
}

static WEIGHT: Asset<u64> = Asset::new("weight");

#[pipeline(schedule = "@daily", start = "2026-01-01")]
fn exports() -> Result<()> {
    export(Bucket::open("memory://visits")?).updates(&VISITS);
    Ok(())
}

#[pipeline(when = all(VISITS))]
fn weighs() -> Result<()> {
    weigh(Bucket::open("memory://visits")?, VISITS.latest()).updates(&WEIGHT);
    Ok(())
}

#[pipeline(when = all(WEIGHT, PROCESSES))]
fn sums() {
    add(WEIGHT.latest(), PROCESSES.latest());
}

#[test]
fn pipelines_that_begin_one_another_are_simulated_together() {
    let report = Simulation::new(exports()).beside([sums(), weighs()]).updated("10m", &PROCESSES, 30).run();
    assert_eq!((report.state(), report.finished()), (RunState::Success, Some(Duration::ZERO)));
    let [weighed, summed] = report.begun() else { panic!("{:?}", report.begun()) };
    // It reads the bucket that the first pipeline has filled.
    assert_eq!(
        (weighed.pipeline(), weighed.output::<u64>("weigh"), weighed.finished()),
        ("weighs", Some(8), Some(Duration::ZERO))
    );
    let ten = Some(Duration::from_mins(10));
    assert_eq!((summed.pipeline(), summed.output::<u64>("add"), summed.finished()), ("sums", Some(38), ten));
}

#[test]
fn beside_a_simulation_too_updates_that_find_no_place_begin_one_run_together() {
    #[sensor(poke = "1m", timeout = "1h")]
    async fn slow(ctx: Context, visits: u64) -> Result<Poke<u64>> {
        let pokes = ctx.recall::<u64>()?.unwrap_or_default() + 1;
        ctx.remember(&pokes)?;
        Ok(if pokes < 6 { Poke::NotYet } else { Poke::Ready(visits) })
    }
    #[pipeline(when = all(PROCESSES), max_active_runs = 1)]
    fn one_at_a_time() {
        slow(PROCESSES.latest());
    }
    let simulation = Simulation::new(exports()).beside([one_at_a_time()]);
    let report = simulation.updated("0s", &PROCESSES, 1).updated("1m", &PROCESSES, 2).updated("2m", &PROCESSES, 3).run();
    let runs: Vec<_> =
        report.begun().iter().map(|run| (run.output::<u64>("slow"), run.finished().map(|at| at.as_secs()))).collect();
    assert_eq!(runs, [(Some(1), Some(300)), (Some(3), Some(600))]);
}

#[test]
fn what_waits_for_nothing_is_not_simulated_beside_another() {
    let refused = Simulation::new(exports()).beside([by_hand()]).try_run().unwrap_err().to_string();
    assert_eq!(refused, "pipeline `by_hand` is simulated beside another and has no `when`: nothing would start a run of it");
}

#[test]
fn a_node_of_a_pipeline_beside_is_stubbed_by_its_name_with_the_pipeline() {
    let simulation = || Simulation::new(exports()).beside([sums(), weighs()]).updated("0s", &PROCESSES, 30);
    let report = simulation().stub("weighs/weigh", 12_u64).run();
    let outputs: Vec<_> =
        report.begun().iter().map(|run| run.output::<u64>(if run.pipeline() == "sums" { "add" } else { "weigh" })).collect();
    assert_eq!(outputs, [Some(12), Some(42)]);
    let report = simulation().fail("weighs/weigh", 1, "503").fail("sums/add", 2, "503").run();
    let [weighed] = report.begun() else { panic!("{:?}", report.begun()) };
    assert_eq!((weighed.state(), weighed.node("weigh").error()), (RunState::Failed, Some("503")));
    assert_eq!(report.warnings(), ["nothing met the failure of attempt 2 of `sums/add`, which had 0 attempts"]);
    let refused = simulation().stub("sums/weigh", 1_u64).try_run().unwrap_err().to_string();
    assert!(refused.starts_with("no node has the id `sums/weigh`; the nodes are `export`, `sums/weight`, "), "{refused}");
    let refused = simulation().stub("summs/add", 1_u64).try_run().unwrap_err();
    assert!(matches!(refused, SimulationError::UnknownNode { .. }));
}

#[test]
fn an_update_that_comes_too_late_is_told_also_where_others_are_simulated_beside() {
    #[pipeline]
    fn reads() {
        add(VISITS.latest(), OTHERS.latest());
    }
    let simulation = Simulation::new(reads()).beside([sums(), weighs()]).updated("0s", &VISITS, 1).updated("0s", &OTHERS, 2);
    // The first update starts none of the runs beside, but the second may.
    let report = simulation.updated("1m", &OTHERS, 3).updated("1m", &PROCESSES, 4).run();
    assert_eq!(report.warnings(), ["the update of `others` after 1m came after the run had started: it has no effect on it"]);
}
