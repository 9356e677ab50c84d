//! The halves of the tests that run pipelines: started by the other modules, with `ALERTS_URL` set.

use crate::server::{Reply, Server};
use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunReport, RunState, Simulation};
use std::time::{Duration, Instant};

const HOOK: Webhook = Webhook::env("ALERTS_URL");
const CHAT: Webhook = Webhook::env("ALERTS_URL").slack();

/// A user's own callback may pass a notification on.
async fn forward(n: Notification) -> Result<()> {
    HOOK.notify(n).await
}

#[sensor(timeout = "10m", poke = "45s", on_failure = HOOK)]
async fn export(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    Ok(bucket.head(&key).await?.into())
}

#[task(on_failure = CHAT)]
async fn load(text: String) -> Result<u64> {
    Ok(text.parse()?)
}

#[task(on_success = HOOK)]
pub(crate) async fn one() -> Result<u64> {
    Ok(1)
}

#[task(on_success = forward)]
async fn two() -> Result<u64> {
    Ok(2)
}

#[pipeline(schedule = "@daily")]
fn late() -> Result<()> {
    export(Bucket::open("memory://data-bucket")?, template!("raw/{{ ds }}.json"));
    Ok(())
}

#[pipeline]
fn wrong() {
    load(template!("<seven> & `eight`"));
}

#[pipeline]
fn single() {
    one();
}

#[pipeline]
fn forwarded() {
    two();
}

const TEAM: Mail =
    Mail::env("ALERTS_URL").to(&["data@example.org", "Ann <ann@example.org>"]).from("Pipelines <pipelines@example.org>");

#[task(on_success = TEAM)]
async fn four() -> Result<u64> {
    Ok(4)
}

#[pipeline]
fn mailed() {
    four();
}

#[task(retries = 1, retry_delay = "1m")]
async fn reported(ctx: Context, rows: u64) -> Result<()> {
    TEAM.send(&ctx, "The load,\n on one line", &format!("{rows} rows were loaded")).await?;
    if ctx.attempt() == 1 { Err("no receipt".into()) } else { Ok(()) }
}

#[pipeline]
fn reporting() {
    reported(7u64);
}

#[pipeline]
fn from_nobody() {
    one().on_success(Mail::env("ALERTS_URL").to(&["data@example.org"]));
}

#[pipeline]
fn worded() {
    const WORDED: Mail = TEAM.subject(alert!("[{{ dag.id }}] {{ task.id }} failed,\n on one line")).text(alert!(
        "{{ task.id }} of {{ dag.id }}: {{ error }}\n{% for name, value in inputs | items %}{{ name }} = {{ value }}\n{% endfor %}"
    ));
    load(template!("seven")).on_failure(WORDED);
}

#[pipeline]
fn chatty() {
    const WORDED: Webhook = CHAT.text(alert!("*{{ task.id }}* of <https://wiki|{{ dag.id }}>: {{ error }} {{ inputs.text }}"));
    load(template!("<seven> & `eight`")).on_failure(WORDED);
}

#[pipeline]
fn misworded() {
    const WORDED: Webhook = HOOK.text(alert!("{{ error }}"));
    one().on_success(WORDED);
    one().on_success(WORDED);
}

/// Prints the log lines of all crates; the parent searches them.
fn begin() -> bool {
    let is_child = std::env::var_os("ALERTS_CHILD").is_some();
    if is_child {
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(std::io::stderr).init();
    }
    is_child
}

fn print(report: &RunReport) {
    println!("{}", report.timeline());
    for callback in report.callbacks() {
        println!("{callback:?}");
    }
}

#[test]
#[ignore = "a half of a test"]
fn sensor_times_out() {
    if !begin() {
        return;
    }
    let report = Simulation::new(late()).send_alerts().logical_date("2024-03-25").run();
    print(&report);
    assert_eq!(report.state(), RunState::Failed);
    assert_eq!(report.finished(), Some(Duration::from_mins(10)));
    assert!(report.callbacks()[0].told().is_some());
}

/// The run succeeds whatever the server does; prints how often the notifier tried.
fn simulate_single(pipeline: Pipeline) {
    if !begin() {
        return;
    }
    let report = Simulation::new(pipeline).send_alerts().run();
    print(&report);
    assert_eq!(report.state(), RunState::Success);
    assert_eq!(report.finished(), Some(Duration::ZERO), "a run does not wait for its callbacks");
    print_tries(&report);
}

fn print_tries(report: &RunReport) {
    let callbacks = report.callbacks();
    println!("tries: {}, told: {:?}", callbacks[0].tries(), callbacks[0].told());
}

#[test]
#[ignore = "a half of a test"]
fn simulated_success() {
    simulate_single(single());
}

#[test]
#[ignore = "a half of a test"]
fn simulated_twice() {
    if begin() {
        for _ in 0..2 {
            print_tries(&Simulation::new(single()).send_alerts().run());
        }
    }
}

#[test]
#[ignore = "a half of a test"]
fn simulated_only() {
    if begin() {
        print_tries(&Simulation::new(single()).run());
    }
}

#[test]
#[ignore = "a half of a test"]
fn simulated_forward() {
    simulate_single(forwarded());
}

#[test]
#[ignore = "a half of a test"]
fn chat() {
    if !begin() {
        return;
    }
    let report = Simulation::new(wrong()).send_alerts().run();
    print(&report);
    assert_eq!(report.state(), RunState::Failed);
    assert!(report.callbacks()[0].told().is_some());
}

/// The failure was reported, with its text.
fn simulate_failure(pipeline: Pipeline) {
    if !begin() {
        return;
    }
    let report = Simulation::new(pipeline).send_alerts().run();
    print(&report);
    assert_eq!(report.state(), RunState::Failed);
    assert!(report.callbacks()[0].told().is_some());
}

#[test]
#[ignore = "a half of a test"]
fn worded_chat() {
    simulate_failure(chatty());
}

#[test]
#[ignore = "a half of a test"]
fn misworded_webhook() {
    simulate_single(misworded());
}

#[test]
#[ignore = "a half of a test"]
fn worded_mail() {
    simulate_failure(worded());
}

#[test]
#[ignore = "a half of a test"]
fn simulated_mail() {
    simulate_single(mailed());
}

#[test]
#[ignore = "a half of a test"]
fn mail_of_a_body() {
    if begin() {
        println!("{}", Simulation::new(reporting()).send_alerts().run().timeline());
    }
}

#[test]
#[ignore = "a half of a test"]
fn mail_from_nobody() {
    simulate_single(from_nobody());
}

#[test]
#[ignore = "a half of a test"]
fn simulated_mail_only() {
    if begin() {
        print_tries(&Simulation::new(mailed()).run());
    }
}

#[test]
#[ignore = "a half of a test"]
fn live_mail() {
    if !begin() {
        return;
    }
    let finished = Runner::new().pipeline(mailed(), ()).progress(Progress::Silent).run().unwrap();
    print(&finished.reports()[0]);
    assert_eq!(finished.reports()[0].callbacks()[0].tries(), 1);
}

#[test]
#[ignore = "a half of a test"]
fn server_comes_up_later() {
    if !begin() {
        return;
    }
    let url = std::env::var("ALERTS_URL").unwrap();
    let address = url.trim_start_matches("http://").split('/').next().unwrap().parse().unwrap();
    let mut server = None;
    let report = Simulation::new(single()).send_alerts().at("10m", || server = Some(Server::on(address, [Reply::Ok]))).run();
    print(&report);
    assert_eq!((report.state(), report.finished()), (RunState::Success, Some(Duration::ZERO)));
    let told = report.callbacks()[0].told().expect("the callback was delivered");
    assert!((600..900).contains(&told.as_secs()), "{told:?}");
    print_tries(&report);
    let requests = server.unwrap().requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].body["event"], "on_success");
}

#[test]
#[ignore = "a half of a test"]
fn live() {
    if !begin() {
        return;
    }
    let begun = Instant::now();
    let finished = Runner::new().pipeline(single(), ()).progress(Progress::Silent).run().unwrap();
    let report = &finished.reports()[0];
    print(report);
    assert_eq!(report.state(), RunState::Success);
    assert_eq!(report.callbacks()[0].tries(), 3);
    assert!(report.finished().unwrap() < Duration::from_secs(1), "a run does not wait for its callbacks");
    // 1 s and 2 s between the tries.
    assert!(begun.elapsed() >= Duration::from_secs(3));
}
