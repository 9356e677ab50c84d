//! Teardowns: what undoes a setup, however the nodes that use it have ended.

use super::tasks::*;
use pipeline_runtime::NodeState::{self, Failed, Skipped, Success, UpstreamFailed};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunReport, RunState, Simulation};

/// Takes a minute.
#[task]
async fn machine() -> Result<u64> {
    tokio::time::sleep(mins(1)).await;
    Ok(7)
}

#[task]
async fn delete(machine: u64) -> Result<String> {
    tokio::time::sleep(mins(1)).await;
    Ok(format!("{machine} is gone"))
}

#[task]
async fn refuses(machine: u64) -> Result<()> {
    Err(format!("{machine} is still there").into())
}

#[task]
async fn for_ever() -> Result<()> {
    std::future::pending().await
}

async fn hear(_: Notification) {}

fn ends(report: &RunReport, id: &str) -> (NodeState, Option<u64>) {
    let node = report.node(id);
    (node.state(), node.finished().map(|at| at.as_secs() / 60))
}

#[test]
fn it_runs_once_everything_in_the_closure_has_ended_however() {
    #[pipeline]
    fn however() {
        let rows = machine().teardown(delete, |machine| {
            let rows = source(Ends::Success, 60u64).after(machine).named("rows");
            takes(source(Ends::Failed, 120u64).after(machine).named("bad")).named("behind");
            source(Ends::Skipped, 60u64).after(machine).named("skipped");
            // A leaf, which no node waits for.
            source(Ends::Success, 600u64).after(machine).named("leaf");
            // It does not wait for the setup, but is still within.
            source(Ends::Success, 30u64).named("beside");
            rows
        });
        // A node outside takes the closure's result, and does not wait for the teardown.
        takes(rows).named("publish");
    }
    let report = Simulation::new(however()).run();
    assert_eq!(report.node("delete").started(), Some(mins(11)), "{}", report.timeline());
    assert_eq!(report.output::<String>("delete").as_deref(), Some("7 is gone"));
    assert_eq!(ends(&report, "publish"), (Success, Some(2)));
    assert_eq!(states(&report, ["bad", "behind", "skipped", "leaf"]), [Failed, UpstreamFailed, Skipped, Success]);
    assert_eq!(report.state(), RunState::Failed, "what failed within fails the run");
}

#[test]
fn it_runs_only_if_the_setup_succeeded() {
    #[pipeline]
    fn without() {
        let failing = source(Ends::Failed, 60u64).named("failing");
        failing.teardown(|_| for_ever().named("after_failure"), |machine| takes(machine));
        let skipped = source(Ends::Skipped, 60u64).named("skipping");
        skipped.teardown(|machine| outcome(machine).named("after_skip"), |_| ());
        // No node is wired within: it is torn down at once.
        machine().teardown(delete, |_| ());
    }
    let report = Simulation::new(without()).run();
    assert_eq!(states(&report, ["after_failure", "after_skip", "delete"]), [UpstreamFailed, Skipped, Success]);
    assert_eq!(report.node("delete").started(), Some(mins(1)));
}

#[test]
fn its_failure_fails_the_run_only_if_it_is_asked_to() {
    fn wire(setup: Node<u64>, asked: bool) {
        let undo = move |machine| if asked { refuses(machine).fails_run() } else { refuses(machine) };
        setup.teardown(undo, takes);
    }
    #[pipeline(on_failure = hear, defaults(on_failure = hear))]
    fn quiet() {
        wire(machine(), false);
    }
    #[pipeline]
    fn asked() {
        wire(machine(), true);
    }
    let report = Simulation::new(quiet()).run();
    assert_eq!((report.state(), report.node("refuses").state()), (RunState::Success, Failed));
    assert_eq!(callback_times(&report, "on_failure", Some("refuses")).len(), 1, "somebody hears of it all the same");
    assert_eq!(Simulation::new(asked()).run().state(), RunState::Failed);
}

/// All running and waiting nodes are cut off; only then does the teardown start, and nothing else starts.
fn check_end(report: &RunReport, state: RunState) {
    assert_eq!(report.state(), state, "{}", report.timeline());
    assert_eq!(ends(report, "work"), (Skipped, Some(10)));
    assert_eq!((ends(report, "next"), report.node("next").started()), ((Skipped, Some(10)), None));
    assert_eq!(ends(report, "beside"), (Skipped, Some(10)));
    assert_eq!((report.node("delete").started(), ends(report, "delete")), (Some(mins(10)), (Success, Some(11))));
    assert_eq!((report.node("behind").state(), report.node("behind").started()), (Skipped, None));
    assert_eq!(report.finished(), Some(mins(11)));
}

fn wire_end() {
    machine().teardown(delete, |machine| {
        takes(source(Ends::Success, 36_000u64).after(machine).named("work")).named("next");
    });
    source(Ends::Success, 36_000u64).named("beside");
    takes(source(Ends::Success, 36_000u64)).named("behind");
}

#[test]
fn a_run_that_is_cancelled_or_whose_time_is_over_tears_down_and_starts_nothing_else() {
    #[pipeline(timeout = "10m", on_failure = hear)]
    fn limited() {
        wire_end();
    }
    #[pipeline(on_failure = hear)]
    fn unlimited() {
        wire_end();
    }
    let report = Simulation::new(limited()).run();
    check_end(&report, RunState::Failed);
    assert_eq!(callback_times(&report, "on_failure", None), [660], "its end is told once it has ended");
    check_end(&Simulation::new(unlimited()).cancel("10m").run(), RunState::Cancelled);
}

#[task]
async fn delete_at(machine: u64, address: u64) -> Result<String> {
    Ok(format!("{machine} at {address} is gone"))
}

/// Otherwise the machine could be set up but not torn down: a node that is cut off when the run is cancelled has no output.
#[test]
fn a_setup_waits_for_what_its_teardown_takes_beside_it() {
    #[pipeline]
    fn beside() {
        let address = source(Ends::Success, 120u64).named("address");
        let checked = source(Ends::Success, 60u64).named("checked");
        machine().teardown(
            |machine| delete_at(machine, address).after(checked),
            |machine| source(Ends::Success, 600u64).after(machine),
        );
    }
    let simulation = || Simulation::new(beside());
    assert_eq!(simulation().run().node("machine").started(), Some(mins(2)));
    let report = simulation().cancel("90s").run();
    assert_eq!((report.state(), report.node("machine").started()), (RunState::Cancelled, None), "{}", report.timeline());
    let report = simulation().cancel("5m").run();
    assert_eq!(states(&report, ["source", "delete_at"]), [Skipped, Success], "{}", report.timeline());
    // What cannot be torn down is not set up.
    #[pipeline]
    fn fails() {
        let address = source(Ends::Failed, 120u64).named("address");
        machine().teardown(|machine| delete_at(machine, address), |_| ());
    }
    assert_eq!(states(&Simulation::new(fails()).run(), ["machine", "delete_at"]), [UpstreamFailed; 2]);
    // In each element, and with an input of the setup.
    #[pipeline]
    fn repeated() {
        let address = source(Ends::Success, 120u64).named("address");
        numbers(2u64).each(|n| {
            let setup = source(Ends::Success, n).named("setup");
            setup.teardown(|_| delete_at(n, address), |setup| source(Ends::Success, 600u64).after(setup).named("work"))
        });
    }
    let report = Simulation::new(repeated()).cancel("5m").run();
    assert_eq!(report.node("setup[1]").started(), Some(mins(2)), "{}", report.timeline());
    assert_eq!(states(&report, ["delete_at[0]", "delete_at[1]"]), [Success; 2]);
}

#[test]
fn a_teardown_that_takes_what_waits_for_its_setup_is_refused() {
    #[task]
    async fn address(machine: u64) -> Result<u64> {
        Ok(machine)
    }
    #[task]
    async fn delete_if_known(machine: u64, address: Outcome<u64>) -> Result<String> {
        Ok(format!("{machine} at {:?} is gone", address.success()))
    }
    #[pipeline]
    fn late() {
        let machine = machine();
        let address = address(machine);
        machine.teardown(|machine| delete_at(machine, address), |machine| source(Ends::Success, 600u64).after(machine));
    }
    #[pipeline]
    fn however() {
        let machine = machine();
        let address = address(machine);
        machine.teardown(|machine| delete_if_known(machine, address), |_| ());
    }
    #[pipeline]
    fn inside() {
        let within = std::cell::Cell::new(None);
        let undo = |machine| delete_at(machine, within.get().unwrap());
        machine().teardown(undo, |machine| within.set(Some(address(machine))));
    }
    for refused in [late(), inside()] {
        let error = refused.check().unwrap_err();
        let [problem] = error.problems() else { panic!("{error}") };
        assert_eq!(
            (problem.message(), problem.places().count()),
            (
                "`delete_at` would not run if the run were cancelled before `address` has ended, although `machine` has succeeded: \
                 `address` waits for `machine`",
                2
            )
        );
    }
    however().check().unwrap();
}

#[test]
fn nothing_is_torn_down_that_has_not_been_set_up_when_the_run_is_cancelled() {
    #[pipeline]
    fn early() {
        wire_end();
    }
    let report = Simulation::new(early()).cancel("30s").run();
    assert_eq!((report.state(), report.finished()), (RunState::Cancelled, Some(secs(30))));
    assert_eq!(ends(&report, "delete"), (Skipped, Some(0)));
}

#[test]
fn a_second_cancel_ends_the_teardowns_too_and_a_retry_has_to_wait() {
    #[pipeline]
    fn twice() {
        machine().teardown(|machine| for_ever().after(machine), |machine| source(Ends::Success, 36_000u64).after(machine));
    }
    let report = Simulation::new(twice()).cancel("10m").cancel("12m").run();
    assert_eq!((report.state(), report.finished()), (RunState::Cancelled, Some(mins(12))));
    assert_eq!(ends(&report, "for_ever"), (Skipped, Some(12)));
    let refused = Simulation::new(twice()).cancel("10m").retry("12m", "source", false).try_run().unwrap_err();
    assert!(refused.to_string().contains("it is ending as cancelled"), "{refused}");
}

#[test]
fn an_attempt_has_10_minutes_unless_it_says_otherwise() {
    #[pipeline]
    fn limits() {
        machine().named("a").teardown(|_| for_ever().named("default"), |_| ());
        machine().named("b").teardown(|_| for_ever().timeout(mins(3)).named("own"), |_| ());
    }
    let report = Simulation::new(limits()).run();
    assert_eq!((ends(&report, "default"), ends(&report, "own")), ((Failed, Some(11)), (Failed, Some(4))));
    assert_eq!(report.node("default").error(), Some("the attempt took longer than its limit of 10m"));
    assert_eq!(report.state(), RunState::Success);
}

#[test]
fn teardowns_nest_and_each_element_has_its_own() {
    #[pipeline]
    fn nested() {
        machine().named("cluster").teardown(
            |cluster| delete(cluster).named("delete_cluster"),
            |cluster| {
                numbers(3u64).after(cluster).each(|n| {
                    let disk = source(Ends::Success, n).named("disk");
                    disk.teardown(
                        |disk| delete(disk).named("delete_disk"),
                        |disk| source(Ends::Success, 1200u64).after(disk).named("work"),
                    )
                })
            },
        );
    }
    let report = Simulation::new(nested()).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.node("delete_disk[2]").started(), Some(mins(21) + secs(2)));
    assert_eq!(report.node("delete_cluster").started(), Some(mins(22) + secs(2)));
    // Cancelled while they work: first the disks are deleted, then the cluster.
    let report = Simulation::new(nested()).cancel("5m").run();
    assert_eq!(report.state(), RunState::Cancelled);
    for id in ["delete_disk[0]", "delete_disk[1]", "delete_disk[2]"] {
        assert_eq!((report.node(id).started(), ends(&report, id)), (Some(mins(5)), (Success, Some(6))), "{id}");
    }
    assert_eq!((report.node("delete_cluster").started(), ends(&report, "delete_cluster")), (Some(mins(6)), (Success, Some(7))));
}

/// A retry of a node whose machine is gone creates another machine, which is deleted again.
#[test]
fn a_retry_sets_up_again_what_was_torn_down() {
    static MENDED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    #[task]
    async fn mended(n: u64) -> Result<u64> {
        if MENDED.load(std::sync::atomic::Ordering::Relaxed) { Ok(n) } else { Err("not yet".into()) }
    }
    let mend = |mended| MENDED.store(mended, std::sync::atomic::Ordering::Relaxed);
    #[pipeline]
    fn retried() {
        machine().teardown(delete, |machine| {
            source(Ends::Success, 60u64).after(machine).named("good");
            mended(machine).named("bad");
        });
    }
    let simulation = || Simulation::new(retried()).at("0s", || mend(false)).at("80s", || mend(true));
    let report = simulation().retry("1h", "bad", false).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(states(&report, ["machine", "good", "bad", "delete"]), [Success; 4]);
    assert_eq!((report.node("machine").finished(), report.node("delete").finished()), (Some(mins(61)), Some(mins(62))));
    assert_eq!(report.node("good").finished(), Some(mins(2)), "what succeeded does not run again");
    // A node that is retried before the teardown uses the existing machine.
    let report = simulation().retry("90s", "bad", false).run();
    assert_eq!((report.node("machine").finished(), report.node("delete").started()), (Some(mins(1)), Some(mins(2))));
    // A retry of the setup also tears down again.
    let report = simulation().retry("1h", "machine", false).run();
    assert_eq!(report.node("delete").finished(), Some(mins(62)));
}

#[test]
fn who_lost_a_race_is_cut_off_and_torn_down() {
    #[pipeline]
    fn race() {
        let slow = machine().teardown(delete, |machine| source(Ends::Success, 36_000u64).after(machine).named("slow"));
        takes(first_of([slow, source(Ends::Success, 600u64).named("fast")])).named("winner");
    }
    let report = Simulation::new(race()).run();
    assert_eq!((ends(&report, "slow"), ends(&report, "delete")), ((Skipped, Some(10)), (Success, Some(11))));
}

#[test]
fn it_is_drawn() {
    #[pipeline]
    fn drawn() {
        machine().teardown(delete, |machine| takes(takes(machine)));
    }
    let plan = drawn().plan(&serde_json::Value::Null).unwrap();
    let text = plan.to_text();
    assert!(
        text.contains("tears down: machine  allow_failure") && text.contains("timeout 10m    tests/simulation/teardown.rs:"),
        "{text}"
    );
    assert_eq!(plan.to_json()["nodes"][3]["tears_down"], "machine");
    let mermaid = plan.to_mermaid();
    assert!(
        mermaid.contains("n0 --> n3") && mermaid.contains("n2 -.->|\"all_done\"| n3") && !mermaid.contains("n1 -.->"),
        "{mermaid}"
    );
}

#[test]
fn mistakes_of_teardowns_are_told_with_their_places() {
    #[sensor(timeout = "1h")]
    async fn gone() -> Result<Poke<u64>> {
        Ok(Poke::NotYet)
    }
    #[pipeline]
    fn a_sensor() {
        machine().teardown(|_| gone(), |_| ());
    }
    #[pipeline]
    fn several() {
        machine().teardown(|machine| takes(takes(machine)), |_| ());
    }
    #[pipeline]
    fn wired_before() {
        let before = takes(1u64);
        machine().teardown(|_| before, |_| ());
    }
    #[pipeline]
    fn outside() {
        let once = machine();
        numbers(2u64).each(|n| once.teardown(delete, |_| takes(n)));
    }
    #[pipeline]
    fn no_teardown() {
        takes(1u64).fails_run();
    }
    let message = |pipeline: Pipeline| {
        let error = pipeline.check().unwrap_err();
        let [problem] = error.problems() else { panic!("{error}") };
        (problem.message().to_owned(), problem.places().count())
    };
    let is_one_task = "the teardown of `machine` is one task, and here it wires ";
    assert_eq!(message(a_sensor()), (format!("{is_one_task}`gone`, which is not a task"), 1));
    assert_eq!(message(several()), (format!("{is_one_task}2 nodes"), 1));
    assert_eq!(message(wired_before()), (format!("{is_one_task}nothing"), 1));
    let (text, places) = message(outside());
    assert_eq!((text.starts_with("`machine` would be torn down once for each element"), places), (true, 2), "{text}");
    assert_eq!(message(no_teardown()), ("`.fails_run()` is for teardowns, and `takes` is not one".to_owned(), 2));
}
