use super::super::policy::Delay;
use super::*;
use crate::prelude::*;
use crate::start;
use std::time::Duration;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[task]
async fn files() -> Result<Vec<u64>> {
    Ok(vec![1])
}

#[task]
async fn add(n: u64) -> Result<u64> {
    Ok(n + 1)
}

#[pipeline(schedule = "@hourly")]
fn hourly() {
    count();
    files().each(|n| add(n));
}

#[pipeline(schedule = "0 6 * * *")]
fn at_six() {
    count().named("one");
    count().named("two");
}

/// The result of the plan's check: the messages, each with the number of places that it names.
#[track_caller]
fn refused(pipeline: &Pipeline) -> Vec<(String, usize)> {
    let error = pipeline.check().unwrap_err();
    error.problems().iter().map(|problem| (problem.message().to_owned(), problem.places().count())).collect()
}

#[track_caller]
fn together_refused(pipelines: &[Pipeline]) -> Vec<(String, usize)> {
    let plans: Vec<Plan> = pipelines.iter().map(|pipeline| pipeline.plan(&Value::Null).unwrap()).collect();
    let problems = check_plans(pipelines, &plans);
    problems.iter().map(|problem| (problem.message().to_owned(), problem.places().count())).collect()
}

#[test]
fn a_run_at_a_time_at_which_none_starts_is_refused() {
    #[pipeline(schedule = "@daily")]
    fn daily() {
        run_of(at_six);
    }
    assert_eq!(
        refused(&daily()),
        [(
            "no run of `at_six` that `run_of` waits for can be there: for 2026-01-01T00:00:00Z/2026-01-02T00:00:00Z it is the one that \
             starts at 2026-01-01T00:00:00Z, and `at_six` (at 06:00 (UTC)) has none"
                .to_owned(),
            2
        )]
    );
    #[pipeline(schedule = "@daily")]
    fn right() {
        run_of(at_six).at(|interval| interval.start + TimeDelta::hours(6));
    }
    right().check().unwrap();
    // A day of the week that its schedule skips, found while probing.
    #[pipeline(schedule = "0 6 * * 1-5")]
    fn workdays() {
        count();
    }
    #[pipeline(schedule = "0 6 * * *")]
    fn each_day() {
        run_of(workdays);
    }
    assert!(refused(&each_day())[0].0.starts_with("not every run of `workdays`"));
    #[pipeline(schedule = "0 6 * * *")]
    fn each_day_where_there_is_one() {
        run_of(workdays).timeout(Duration::from_mins(1)).on_timeout(OnTimeout::Skip);
    }
    each_day_where_there_is_one().check().unwrap();
    // A clock change, which happens every half year.
    #[pipeline(schedule = "0 6 * * *", timezone = "Europe/Berlin")]
    fn in_berlin() {
        run_of(at_six).at(|interval| interval.start + TimeDelta::hours(1));
    }
    assert!(refused(&in_berlin())[0].0.starts_with("not every run of `at_six`"));
    #[pipeline(schedule = "@daily")]
    fn panics() {
        run_of(hourly).at(|_| panic!("of all things"));
    }
    assert!(refused(&panics())[0].0.contains("panicked for the interval 2026-01-01T00:00:00Z/"));
}

#[test]
fn an_output_is_of_one_node() {
    #[pipeline(schedule = "@daily")]
    fn daily() {
        let six = run_of(at_six).at(|interval| interval.start + TimeDelta::hours(6));
        six.output::<count>();
        six.output::<files>().named("none");
        let hour = run_of(hourly);
        hour.output::<count>().named("right");
        hour.output::<add>();
    }
    assert_eq!(
        refused(&daily()),
        [
            ("`count` takes the output of `count`, which pipeline `at_six` wires 2 times".to_owned(), 3),
            ("`none` takes the output of `files`, which pipeline `at_six` does not wire".to_owned(), 2),
            (
                "`add` takes the output of `add`, which pipeline `hourly` wires within `.each`: it has one for each element"
                    .to_owned(),
                2
            ),
        ]
    );
}

#[test]
fn a_method_of_what_waits_for_a_run_is_refused_elsewhere() {
    #[task]
    async fn mine() -> Result<crate::UpstreamRun> {
        Err("none".into())
    }
    #[pipeline]
    fn wrong() {
        mine().on_failed(crate::OnFailed::Wait).output::<count>();
        start(hourly, ()).finished().at(|interval| interval.start);
    }
    assert_eq!(
        refused(&wrong()),
        [
            ("`.on_failed` is about the run that a node waits for, and `mine` waits for none".to_owned(), 2),
            ("`.output` is about the run that a node waits for, and `mine` waits for none".to_owned(), 2),
            ("`.at` is about the run that a node waits for, and `finished` waits for another".to_owned(), 2),
        ]
    );
}

#[test]
fn the_params_of_a_started_run_are_of_its_type() {
    #[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
    struct Options {
        vendor: String,
    }
    #[pipeline]
    fn vendor_file(options: Options) {
        let _ = options.vendor;
        count();
    }
    #[pipeline]
    fn wrong() {
        start(vendor_file, "acme".to_owned());
        start(hourly, Options::default()).named("none");
        start(vendor_file, Options::default()).named("right");
        start(hourly, ()).named("nothing");
    }
    let problems = refused(&wrong());
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].0.starts_with("`start` starts `vendor_file` with params of type `alloc::string::String`, and that takes `")
    );
    assert!(problems[1].0.ends_with("::Options`, and that takes none"), "{problems:?}");
}

#[test]
fn a_pipeline_that_the_program_does_not_have_is_refused() {
    #[pipeline(schedule = "@hourly")]
    fn waits() {
        add(run_of(hourly).output::<count>());
    }
    assert_eq!(
        together_refused(&[waits()]),
        [("`run_of` waits for a run of `hourly`, which this program does not have".to_owned(), 1)]
    );
    assert_eq!(together_refused(&[waits(), hourly()]), []);
}

fn first_of_two() -> Pipeline {
    #[pipeline(schedule = "@daily")]
    fn first() {
        count().after(run_of(second_of_two));
    }
    first()
}

fn second_of_two() -> Pipeline {
    #[pipeline(schedule = "@daily")]
    fn second() {
        count().after(run_of(first_of_two));
    }
    second()
}

fn with_the_past() -> Pipeline {
    #[pipeline(schedule = "@daily")]
    fn first() {
        count().after(run_of(second_to_the_past));
    }
    first()
}

fn second_to_the_past() -> Pipeline {
    #[pipeline(schedule = "@daily")]
    fn second() {
        count().after(run_of(with_the_past).at(|interval| interval.start - TimeDelta::days(1)));
    }
    second()
}

/// It waits for the two, and is not waited for.
fn beside_the_past() -> Pipeline {
    #[pipeline(schedule = "@daily")]
    fn third() {
        count().after(run_of(with_the_past));
    }
    third()
}

fn itself() -> Pipeline {
    #[pipeline(schedule = "@daily")]
    fn alone() {
        count().after(run_of(itself));
    }
    alone()
}

#[test]
fn pipelines_that_wait_for_each_other_are_refused_unless_one_waits_for_the_past() {
    assert_eq!(
        together_refused(&[first_of_two(), second_of_two()]),
        [("the pipelines `first` and `second` wait for each other, so that none of their runs could end".to_owned(), 2)]
    );
    assert_eq!(together_refused(&[with_the_past(), second_to_the_past()]), []);
    assert_eq!(together_refused(&[beside_the_past(), with_the_past(), second_to_the_past()]), []);
    assert_eq!(together_refused(&[itself()]), [("a run of `alone` would wait for itself".to_owned(), 1)]);
}

#[test]
fn what_waits_for_a_run_has_the_ticks_that_it_or_a_group_around_it_is_given() {
    #[pipeline(schedule = "@hourly", defaults(poke = "1m"))]
    fn waits() {
        let waits = |id: &str| run_of(hourly).named(id).timeout(Duration::from_mins(10));
        waits("woken");
        waits("own").poke(Duration::from_secs(20));
        group("g", || waits("of_group")).poke(Duration::from_secs(30));
    }
    let plan = waits().plan(&Value::Null).unwrap();
    let pokes = |id: &str| {
        let ix = plan.find(id).unwrap();
        (plan.is_woken(ix), plan.policy(ix).sensor.as_ref().unwrap().poke)
    };
    let each = |secs| Delay::Fixed(Duration::from_secs(secs), Duration::ZERO);
    assert_eq!(pokes("woken"), (true, each(600)));
    assert_eq!(pokes("own"), (false, each(20)));
    assert_eq!(pokes("g.of_group"), (false, each(30)));
}
