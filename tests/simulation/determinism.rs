//! The same simulation always ends the same way.

use super::tasks::*;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Backoff, RunReport, Simulation};

async fn hear(_: Notification) {}

#[sensor(timeout = "2h", poke = "1m", poke_jitter = "30s")]
async fn arrives(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    Ok(bucket.head(&key).await?.into())
}
#[task]
async fn copy(bucket: Bucket, object: Object, to: String) -> Result<u64> {
    bucket.copy(&object.key, &to).await?;
    Ok(object.size)
}
#[task]
fn blocking(n: u64) -> Result<u64> {
    Ok(n)
}
/// Waits for another task through a channel, so that bodies wake each other.
#[task]
async fn meeting(n: u64) -> Result<u64> {
    let (give, take) = tokio::sync::oneshot::channel();
    let giver = tokio::spawn(async move { give.send(n) });
    let taken = take.await?;
    giver.await?.map_err(|_| "nobody took it")?;
    Ok(taken)
}

#[pipeline(defaults(retries = 2, backoff(start = "10s", max = "5m", jitter = "20s"), on_retry = hear))]
fn mixed() -> Result<()> {
    let bucket = Bucket::open("memory://in")?;
    let objects: Vec<Node<u64>> =
        (0..5).map(|n| copy(&bucket, arrives(&bucket, format!("{n}.csv")), format!("{n}.done"))).collect();
    let total = sum(objects);
    numbers(20u64).each(|n| meeting(blocking(source(Ends::Success, 3u64).after(n)))).max_active(7);
    source(Ends::Failed, 5u64).backoff(Backoff::new(secs(1), mins(1)).with_jitter(secs(9))).allow_failure();
    takes(first_of([total, source(Ends::Success, 7000u64)]));
    Ok(())
}

fn simulate(seed: u64) -> RunReport {
    let arrivals = (0..5).fold(Simulation::new(mixed()).seed(seed), |simulation, n| {
        simulation.arrive(&format!("{}m", n * 7), &format!("memory://in/{n}.csv"), "x".repeat(n))
    });
    arrivals.latency("memory://in", "2s").outage("memory://in", "9m", "10m").run()
}

fn story(report: &RunReport) -> String {
    let nodes: Vec<_> = report.nodes().collect();
    format!("{nodes:#?}\n{:#?}\n{}", report.callbacks(), report.timeline())
}

#[test]
fn the_same_simulation_has_the_same_report_and_another_seed_another() {
    let first = story(&simulate(1));
    for _ in 0..5 {
        assert_eq!(story(&simulate(1)), first);
    }
    assert_ne!(story(&simulate(2)), first);
}

#[test]
fn simulations_beside_each_other_do_not_disturb_each_other() {
    let first = story(&simulate(1));
    let beside = std::thread::scope(|scope| {
        let others: Vec<_> = (0..4).map(|_| scope.spawn(|| story(&simulate(1)))).collect();
        others.into_iter().map(|other| other.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(beside.iter().all(|story| *story == first));
}
