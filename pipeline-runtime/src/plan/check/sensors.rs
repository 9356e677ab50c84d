//! Waits of sensors: longer than a poke, and no longer than the run.

use super::super::build::Sketch;
use super::super::policy::Delay;
use super::super::problem::Problem;
use super::quoted;
use crate::author::pipeline::Pipeline;
use pipeline_syntax::{duration, limits};
use std::time::Duration;

pub(super) fn sensors(sketch: &Sketch, pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    let text = duration::show;
    if plan.policies.iter().all(|policy| policy.sensor.is_none()) {
        return;
    }
    for (ix, definition) in plan.bodies() {
        let node = plan.node(ix);
        let Some(sensor) = &plan.policy(ix).sensor else { continue };
        let (first, jitter) = match sensor.poke {
            Delay::Fixed(poke, jitter) => (poke, jitter),
            Delay::Growing(backoff) => (backoff.start(), Duration::ZERO),
        };
        let limit = plan.policy(ix).limit.unwrap_or_default();
        let mistake = if !plan.is_woken(ix) && !limits::is_poked_again(first, sensor.timeout) {
            let (poke, timeout) = (text(first), text(sensor.timeout));
            let message =
                format!("{} would be poked only once: its `poke` is {poke} and its `timeout` {timeout}", quoted(plan, ix));
            Some((message, "let `poke` be shorter than `timeout`"))
        } else if let Some((name, part)) = [("poke_timeout", limit), ("poke_jitter", jitter)]
            .into_iter()
            .find(|(_, part)| !limits::fits_the_wait(*part, sensor.timeout))
        {
            let (part, timeout) = (text(part), text(sensor.timeout));
            let message =
                format!("the `{name}` of {} is {part}, longer than its whole wait: its `timeout` is {timeout}", quoted(plan, ix));
            Some((message, "let it be at most as long as `timeout`"))
        } else {
            None
        };
        if let Some((message, help)) = mistake {
            let problem = Problem::new(message, help).at(definition.at, "the sensor is defined here");
            problems.push(problem.at(node.at, "and wired here"));
        }
        if let Some(limit) = plan.run.timeout
            && sensor.timeout > limit
            && !plan.is_past(ix)
        {
            let message = format!(
                "the sensor {} may wait {}, but pipeline `{}` ends after {}",
                quoted(plan, ix),
                text(sensor.timeout),
                plan.pipeline,
                text(limit)
            );
            let help = "give the sensor a shorter `timeout` (the default is 7d), or the pipeline a longer one";
            problems.push(
                Problem::new(message, help)
                    .at(node.at, "the sensor is wired here")
                    .at(pipeline.definition().at, "the pipeline is defined here"),
            );
        }
    }
}
