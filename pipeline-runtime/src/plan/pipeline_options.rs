//! The options that were set on a pipeline's value by methods, checked against the limits of its attribute.

use super::problem::Problem;
use crate::author::pipeline::Pipeline;
use pipeline_syntax::{duration, limits};
use std::any::TypeId;

/// Adds the places of the problem: the pipeline's, and those of the methods that set one of these options.
pub(super) fn at_pipeline(problem: Problem, pipeline: &Pipeline, options: &[&str]) -> Problem {
    let definition = pipeline.definition();
    let given = options.iter().filter_map(|option| Some((*option, definition.option_location(option)?)));
    given.fold(problem.at(definition.at, "this pipeline"), |problem, (option, at)| {
        let method = match option {
            "id" | "params" | "tags" | "description" => format!("`.with_{option}` is called here"),
            _ => format!("`.{option}` is called here"),
        };
        problem.at(at, method)
    })
}

pub(super) fn check(pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let (id, options) = (pipeline.id(), pipeline.options());
    for (option, length) in [("keep", options.keep), ("timeout", options.timeout), ("sla", options.sla)] {
        if let Some(Err(why)) = length.map(|length| duration::check(length, limits::zero_of(option))) {
            let message = format!("`{option}` of pipeline `{id}` cannot be used: {why}");
            let help = "a duration is in whole milliseconds, and at most a hundred years";
            problems.push(at_pipeline(Problem::new(message, help), pipeline, &[option]));
        }
    }
    if options.max_active_runs == Some(0) {
        let message = format!("pipeline `{id}` could never run: `max_active_runs` is 0");
        problems.push(at_pipeline(Problem::new(message, "allow at least one run at a time"), pipeline, &["max_active_runs"]));
    }
    escalation(pipeline, problems);
    params(pipeline, problems);
}

fn escalation(pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let (id, steps) = (pipeline.id(), &pipeline.options().escalation);
    let mut refuse = |message: String, help: &str| {
        problems.push(at_pipeline(Problem::new(message, help), pipeline, &["escalate"]));
    };
    for (after, _) in steps {
        if let Err(why) = duration::check(*after, limits::zero_of("escalate")) {
            let help = "a step is in whole milliseconds, and at most a hundred years after the run's start";
            return refuse(format!("a step of `escalate` of pipeline `{id}` cannot be used: {why}"), help);
        }
    }
    // Callbacks of the same step have the same time.
    if let Some((earlier, later)) = steps.iter().zip(steps.iter().skip(1)).find(|(one, next)| next.0 < one.0) {
        let (earlier, later) = (duration::show(earlier.0), duration::show(later.0));
        refuse(
            format!("the steps of `escalate` of pipeline `{id}` do not rise: one after {later} follows one after {earlier}"),
            "give them in rising order",
        );
    }
}

/// `with_params` accepts any type, because all pipelines have the same type.
fn params(pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let Some(defaults) = &pipeline.definition().default_params else { return };
    let ((own, own_name), (given, given_name)) = (pipeline.params_type(), defaults.of);
    let (message, help) = match &defaults.json {
        _ if own == TypeId::of::<()>() => (
            format!("pipeline `{}` takes no params, and is given a `{given_name}`", pipeline.id()),
            "let its function take them, as in `fn daily(options: Options)`, or leave the call out".to_owned(),
        ),
        _ if own != given => (
            format!("the params of pipeline `{}` are a `{own_name}`, and it is given a `{given_name}`", pipeline.id()),
            format!("give it a `{own_name}`"),
        ),
        Err(why) => (
            format!("the params that pipeline `{}` is given cannot be written as JSON: {why}", pipeline.id()),
            "runs store their params as JSON".to_owned(),
        ),
        Ok(_) => return,
    };
    problems.push(at_pipeline(Problem::new(message, help), pipeline, &["params"]));
}

#[cfg(test)]
mod tests {
    use crate::chrono::{DateTime, TimeDelta, Utc};
    use crate::prelude::*;
    use crate::schedule::{Interval, Timetable, Zone};
    use serde::{Deserialize, Serialize};
    use std::time::Duration;

    #[derive(Default, Serialize, Deserialize)]
    struct Options {
        region: String,
    }

    #[derive(Default, Serialize, Deserialize)]
    struct Others {
        region: String,
    }

    #[task]
    async fn load(region: String) -> Result<String> {
        Ok(region)
    }

    async fn page(_: Notification) {}

    #[pipeline(schedule = "@daily", escalate("1h" => page))]
    fn daily(options: Options) {
        load(options.region);
    }

    #[pipeline]
    fn plain() {
        load("eu");
    }

    /// The first mistake's text, and the lines of its places with their descriptions.
    fn mistake(pipeline: &Pipeline) -> (String, Vec<(u32, String)>) {
        let error = pipeline.check().unwrap_err();
        let problem = &error.problems()[0];
        let line = |place: &str| place.rsplit(':').nth(1).unwrap().parse().unwrap();
        let places = problem.places().map(|(place, what)| (line(&place), what.to_owned())).collect();
        (problem.message().to_owned(), places)
    }

    #[test]
    fn what_a_method_gives_has_the_limits_of_the_attribute_and_says_where_it_was_called() {
        let before = line!();
        let wrong = [
            (
                daily().timeout(Duration::ZERO),
                "`timeout` of pipeline `daily` cannot be used: it must be longer than zero",
                ".timeout",
            ),
            (
                daily().keep(Duration::MAX),
                "`keep` of pipeline `daily` cannot be used: it is longer than a hundred years",
                ".keep",
            ),
            (
                daily().sla(Duration::from_nanos(1)),
                "`sla` of pipeline `daily` cannot be used: it is finer than a millisecond",
                ".sla",
            ),
            (daily().max_active_runs(0), "pipeline `daily` could never run: `max_active_runs` is 0", ".max_active_runs"),
            (
                daily().timezone("Berlin"),
                "the time zone of pipeline `daily` cannot be used: `Berlin` is not a time zone",
                ".timezone",
            ),
            (daily().start("2024-1-5"), "the `start` of pipeline `daily` cannot be used: `2024-1-5` is not a date", ".start"),
            (daily().start("2024-02-01").end("2024-01-01"), "the `end` of pipeline `daily` cannot be used: the end", ".end"),
            (daily().with_id("a b"), "\"a b\" cannot be an id", ".with_id"),
            (plain().with_params(Options::default()), "pipeline `plain` takes no params", ".with_params"),
            (daily().with_params(Others::default()), "the params of pipeline `daily` are a `", ".with_params"),
        ];
        let called = before..line!();
        for (pipeline, text, method) in &wrong {
            let (message, places) = mistake(pipeline);
            assert!(message.starts_with(text), "{message}");
            let (at, what) = &places[1];
            assert_eq!(*what, format!("`{method}` is called here"), "{message}");
            assert!(called.contains(at), "{message}: line {at}");
            assert_eq!(places[0].1, "this pipeline");
        }
    }

    #[test]
    fn a_ladder_by_methods_replaces_the_attributes_and_rises() {
        let hours = Duration::from_hours;
        daily().escalate(hours(1), page).escalate(hours(1), page).escalate(hours(2), page).check().unwrap();
        let slas = |pipeline: &Pipeline| pipeline.plan(&serde_json::Value::Null).unwrap().run.slas.len();
        assert_eq!((slas(&daily()), slas(&daily().escalate(hours(2), page))), (1, 1));
        let (message, _) = mistake(&daily().escalate(hours(2), page).escalate(hours(1), page));
        assert_eq!(message, "the steps of `escalate` of pipeline `daily` do not rise: one after 1h follows one after 2h");
        let (message, _) = mistake(&daily().escalate(Duration::ZERO, page));
        assert_eq!(message, "a step of `escalate` of pipeline `daily` cannot be used: it must be longer than zero");
    }

    /// Hours from a base, with a length and a distance that may be wrong.
    struct Hours {
        length: i64,
        distance: i64,
        /// By how many intervals the last one is missed.
        behind: i64,
    }

    impl Hours {
        fn interval(&self, n: i64) -> Interval {
            let start = DateTime::UNIX_EPOCH + TimeDelta::hours(n * self.distance);
            Interval::new(start, start + TimeDelta::hours(self.length))
        }

        fn at(&self, t: DateTime<Utc>) -> i64 {
            (t - DateTime::UNIX_EPOCH - TimeDelta::nanoseconds(i64::from(t < DateTime::UNIX_EPOCH)))
                .num_hours()
                .div_euclid(self.distance)
                - i64::from(t < DateTime::UNIX_EPOCH && self.distance == 1)
        }
    }

    impl Timetable for Hours {
        fn next_after(&self, t: DateTime<Utc>, _: Zone) -> Option<Interval> {
            assert!(self.length < 100, "too long");
            Some(self.interval(self.at(t) + 1))
        }

        fn last_at_or_before(&self, t: DateTime<Utc>, _: Zone) -> Option<Interval> {
            Some(self.interval(self.at(t) - self.behind))
        }

        fn describe(&self) -> String {
            "hours".into()
        }
    }

    #[test]
    fn a_calendar_of_ones_own_is_asked_whether_its_intervals_are_sound() {
        let with = |length, distance, behind| plain().start("2024-01-01").schedule(Hours { length, distance, behind });
        with(1, 1, 0).check().unwrap();
        with(1, 2, 0).check().unwrap();
        for (pipeline, text) in [
            (with(2, 1, 0), "overlap"),
            (with(0, 1, 0), "does not end after its start"),
            (with(1, 1, 1), "`next_after` knows the interval"),
            (with(100, 200, 0), "panics"),
        ] {
            let (message, places) = mistake(&pipeline);
            assert!(
                message.starts_with("the schedule of pipeline `plain` cannot be used: ") && message.contains(text),
                "{message}"
            );
            assert_eq!(places[1].1, "`.schedule` is called here");
        }
    }

    #[test]
    fn two_values_of_one_function_are_distinguished_by_where_their_ids_are_given() {
        let (first, second) = (daily().with_id("eu"), daily().with_id("eu"));
        let text = crate::plan::same_id(&[first, daily(), second]).unwrap();
        assert!(text.starts_with("two pipelines have the id `eu`"), "{text}");
        let line = line!() - 3;
        assert_eq!(text.matches(&format!("pipeline_options.rs:{line}:")).count(), 2, "{text}");
        assert_eq!(crate::plan::same_id(&[daily(), daily().with_id("eu"), daily().with_id("us")]), None);
    }
}
