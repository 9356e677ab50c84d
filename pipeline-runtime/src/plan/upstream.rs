//! Mistakes in a plan's references to other pipelines. They are found when plans are checked, and not whenever one is built for a
//! run.

use super::graph::{NodeIx, Plan};
use super::problem::{PlanError, Problem};
use crate::author::across::{CrossReference, Role, RunWait, TakenOutput};
use crate::author::draft::{self, Draft};
use crate::author::options::OnTimeout;
use crate::author::params::Source;
use crate::author::pipeline::Pipeline;
use crate::schedule::{Interval, Schedule, Zone, parse_date};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[cfg(test)]
mod tests;

/// If no pipeline has a start, intervals from here on are probed.
const FROM: &str = "2026-01-01";
/// The number of consecutive intervals that are probed, enough for every weekday. Then one interval of each week of a year is
/// probed, to include every clock change.
const IN_A_ROW: usize = 40;
const WEEKS: i64 = 53;

impl Plan {
    /// Refuses a plan with mistakes in its references to other pipelines.
    pub(crate) fn check_upstream(self) -> Result<Self, PlanError> {
        match check_plan(&self) {
            problems if problems.is_empty() => Ok(self),
            problems => Err(PlanError::Invalid { pipeline: self.pipeline, problems }),
        }
    }
}

/// The mistakes that the other pipeline alone reveals.
pub(super) fn check_plan(plan: &Plan) -> Vec<Problem> {
    let mut drafts: BTreeMap<&str, Option<Draft>> = BTreeMap::new();
    let found = plan.across.iter().filter_map(|(&node, across)| match &across.role {
        Role::Awaits(awaits) if !awaits.is_started => off_tick(plan, node, &across.pipeline, awaits),
        Role::Awaits(_) | Role::Past(_) => None,
        Role::Takes(takes) => {
            let of = &across.pipeline;
            // A pipeline that cannot be planned is refused elsewhere.
            let describe = || of.describe(Source::Given(&Value::Null, &[])).ok().map(|described| described.draft);
            let draft = drafts.entry(of.id()).or_insert_with(describe);
            no_output(plan, node, of, *takes, draft.as_ref()?)
        }
        Role::Starts(given) => other_params(plan, node, &across.pipeline, *given),
    });
    found.collect()
}

/// The mistakes that all pipelines of a process reveal together.
pub(super) fn check_plans(pipelines: &[Pipeline], plans: &[Plan]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = plans.iter().flat_map(check_plan).collect();
    for plan in plans {
        for (&node, CrossReference { pipeline: of, role }) in &plan.across {
            // An output comes from a run that another node waits for, and a started run is reported once.
            let names_it = !matches!(role, Role::Takes(_) | Role::Past(_) | Role::Awaits(RunWait { is_started: true, .. }));
            if names_it && !pipelines.iter().any(|known| known.id() == of.id()) {
                let message = format!("`{}` {} `{}`, which this program does not have", plan.id(node), role.words(), of.id());
                let help = format!("give pipeline `{}` to `cli::main` or to the `Host`, beside `{}`", of.id(), plan.pipeline);
                problems.push(Problem::new(message, help).at(plan.node(node).at, "wired here"));
            }
        }
    }
    problems.extend(cycles(plans));
    problems
}

fn format_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

// ---- times

/// Mistakes in the times of a pipeline's schedule are reported by its own plan.
fn schedule_of(pipeline: &Pipeline) -> Option<Schedule> {
    pipeline.options().timetable().ok().flatten()
}

/// The time from which both pipelines have intervals, as far as they declare it.
fn from(plan: &Plan, of: &Pipeline) -> DateTime<Utc> {
    let zone = plan.schedule.as_ref().map_or(Zone::UTC, Schedule::zone);
    let own = plan.calendar.start.and_then(|start| parse_date(start, zone).ok());
    let other = of.options().start.and_then(|start| parse_date(start, of.zone()).ok());
    own.into_iter().chain(other).max().or_else(|| parse_date(FROM, Zone::UTC).ok()).unwrap_or_default()
}

/// Intervals of all kinds that a schedule has.
fn samples(schedule: &Schedule, from: DateTime<Utc>) -> Vec<Interval> {
    let far = from + TimeDelta::days(7 * (WEEKS + 1) + 3700);
    let mut samples: Vec<Interval> = schedule.intervals(from, far).take(IN_A_ROW).collect();
    samples.extend((1..=WEEKS).filter_map(|week| schedule.interval_starting_at_or_after(from + TimeDelta::weeks(week))));
    samples.sort();
    samples.dedup();
    samples
}

/// Reports a wait for a run that can never exist.
fn off_tick(plan: &Plan, node: NodeIx, of: &Pipeline, awaits: &RunWait) -> Option<Problem> {
    let (schedule, other) = (plan.schedule.as_ref()?, schedule_of(of)?);
    let samples = samples(schedule, from(plan, of));
    let mut missed = Vec::new();
    for interval in &samples {
        // The closure is the user's code.
        let Ok(start) = catch_unwind(AssertUnwindSafe(|| awaits.start_for(*interval))) else {
            let message =
                format!("the closure that `{}` is given by `.at(..)` panicked for the interval {interval}", plan.id(node));
            let help = "for any interval it must return the start of the awaited run";
            return Some(Problem::new(message, help).at(plan.node(node).at, "wired here"));
        };
        let nearest = other.interval_starting_at_or_before(start);
        if nearest.is_none_or(|nearest| nearest.start != start) {
            missed.push((*interval, start, nearest));
        }
    }
    // A node that is skipped on timeout handles a missing run on purpose.
    let may_miss = plan.policy(node).sensor.as_ref().is_some_and(|sensor| sensor.on_timeout == OnTimeout::Skip);
    let (interval, start, nearest) = *missed.first().filter(|_| !may_miss || missed.len() == samples.len())?;
    let which = if missed.len() == samples.len() { "no" } else { "not every" };
    let message = format!(
        "{which} run of `{}` that `{}` waits for can be there: for {interval} it is the one that starts at {}, and `{}` ({}) has none",
        of.id(),
        plan.id(node),
        format_time(start),
        of.id(),
        other.describe()
    );
    let nearest = nearest.map(|nearest| {
        format!(" (its runs around then start at {} and {})", format_time(nearest.start), format_time(nearest.end))
    });
    let help = format!(
        "use `.at(|interval| ..)` to return the start of the interval whose run is awaited{}{}",
        nearest.unwrap_or_default(),
        if which == "no" { "" } else { "; where some have none, `.on_timeout(OnTimeout::Skip)` with a short `.timeout(..)`" }
    );
    Some(
        Problem::new(message, help).at(plan.node(node).at, "wired here").at(of.definition().at, "the pipeline that it waits for"),
    )
}

// ---- outputs and params

fn no_output(plan: &Plan, node: NodeIx, of: &Pipeline, takes: TakenOutput, draft: &Draft) -> Option<Problem> {
    let is_of_task = |drafted: &&draft::DraftNode| match &drafted.what {
        draft::What::Body(task) => task.definition.task == takes.task,
        _ => false,
    };
    let found: Vec<&draft::DraftNode> = draft.nodes.iter().filter(is_of_task).collect();
    let (message, help) = match found.as_slice() {
        [] => (
            format!("`{}` takes the output of `{}`, which pipeline `{}` does not wire", plan.id(node), takes.id, of.id()),
            "name a task that it wires, as in `.output::<task>()`".to_owned(),
        ),
        [only] if only.scope != 0 => (
            format!(
                "`{}` takes the output of `{}`, which pipeline `{}` wires within `.each`: it has one for each element",
                plan.id(node),
                takes.id,
                of.id()
            ),
            "take the output of a task to which the mapping's result is wired".to_owned(),
        ),
        [_] => return None,
        several => (
            format!(
                "`{}` takes the output of `{}`, which pipeline `{}` wires {} times",
                plan.id(node),
                takes.id,
                of.id(),
                several.len()
            ),
            "the task alone must identify the node: give the other pipeline a separate task for it".to_owned(),
        ),
    };
    let problem = Problem::new(message, help).at(plan.node(node).at, "taken here");
    let wired = found.iter().take(2).fold(problem, |problem, drafted| problem.at(drafted.at, "wired here"));
    Some(if found.is_empty() { wired.at(of.definition().at, "the pipeline that is meant") } else { wired })
}

fn other_params(plan: &Plan, node: NodeIx, of: &Pipeline, given: (std::any::TypeId, &'static str)) -> Option<Problem> {
    let (takes, name) = of.params_type();
    if takes == given.0 {
        return None;
    }
    let nothing = std::any::TypeId::of::<()>();
    let (message, help) = if takes == nothing {
        (
            format!("`{}` starts `{}` with params of type `{}`, and that takes none", plan.id(node), of.id(), given.1),
            "pass `()`".to_owned(),
        )
    } else {
        let message =
            format!("`{}` starts `{}` with params of type `{}`, and that takes `{name}`", plan.id(node), of.id(), given.1);
        (message, format!("pass a `{name}`, or a node of a task that returns one"))
    };
    let problem = Problem::new(message, help).at(plan.node(node).at, "started here");
    Some(problem.at(of.definition().at, "the pipeline that is started"))
}

// ---- pipelines that wait for one another

/// Cycles of pipelines in which a run would wait for itself, or for a later run. A cycle that leads into the past is allowed: its
/// runs wait for earlier ones.
fn cycles(plans: &[Plan]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut told: HashSet<Vec<&str>> = HashSet::new();
    for plan in plans.iter().filter(|plan| !plan.across.is_empty()) {
        let date = plan.across.values().map(|across| from(plan, &across.pipeline)).max().unwrap_or_default();
        let first = plan.schedule.as_ref().and_then(|schedule| schedule.interval_starting_at_or_after(date));
        let first = first.unwrap_or(Interval::at(date));
        let mut walk = Walk { plans, first: (plan.pipeline, first), seen: HashSet::new(), path: Vec::new() };
        let Some(path) = walk.back_from(plan, first) else { continue };
        let mut names: Vec<&str> = path.iter().map(|(plan, _)| plan.pipeline).collect();
        names.sort_unstable();
        if told.insert(names) {
            problems.push(circle(&path));
        }
    }
    problems
}

/// The nodes that wait, each with its plan.
type Path<'a> = Vec<(&'a Plan, NodeIx)>;

struct Walk<'a> {
    plans: &'a [Plan],
    first: (&'a str, Interval),
    seen: HashSet<(&'a str, DateTime<Utc>)>,
    path: Path<'a>,
}

impl<'a> Walk<'a> {
    /// The path by which a run of that interval waits for the first one, or for a later run of the same pipeline.
    ///
    /// A path passes each pipeline once; otherwise two pipelines that wait for each other's past would be followed back forever.
    /// Nothing is missed: a cycle that the path would enter is found when the search starts at one of its own pipelines.
    fn back_from(&mut self, plan: &'a Plan, interval: Interval) -> Option<Path<'a>> {
        for (&node, across) in &plan.across {
            let Some(awaits) = across.run_wait() else { continue };
            let Ok(start) = catch_unwind(AssertUnwindSafe(|| awaits.start_for(interval))) else { continue };
            let Some(next) = self.plans.iter().find(|plan| plan.pipeline == across.pipeline.id()) else { continue };
            self.path.push((plan, node));
            let is_on_path = self.path.iter().any(|(plan, _)| plan.pipeline == next.pipeline);
            if next.pipeline == self.first.0 {
                if start >= self.first.1.start {
                    return Some(self.path.clone());
                }
            } else if !is_on_path && self.seen.insert((next.pipeline, start)) {
                let at = next.schedule.as_ref().and_then(|schedule| schedule.interval_starting_at_or_before(start));
                if let Some(found) = self.back_from(next, at.unwrap_or(Interval::at(start))) {
                    return Some(found);
                }
            }
            self.path.pop();
        }
        None
    }
}

fn circle(path: &[(&Plan, NodeIx)]) -> Problem {
    let of = |(plan, node): &(&Plan, NodeIx)| plan.across.get(node).map_or("", |across| across.pipeline.id());
    let message = if let [only] = path {
        format!("a run of `{}` would wait for itself", only.0.pipeline)
    } else {
        let names: Vec<String> = path.iter().map(|(plan, _)| format!("`{}`", plan.pipeline)).collect();
        format!("the pipelines {} wait for each other, so that none of their runs could end", names.join(" and "))
    };
    let help = "let one of them wait for an earlier run, as in `.at(|interval| interval.start - TimeDelta::days(1))`, or leave one wait out";
    path.iter().fold(Problem::new(message, help), |problem, step| {
        problem.at(step.0.node(step.1).at, format!("`{}` waits for `{}` here", step.0.pipeline, of(step)))
    })
}
