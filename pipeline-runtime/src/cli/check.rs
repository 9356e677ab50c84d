//! `check`

use super::{WRONG_USE, choose, output, zones};
use crate::Pipeline;
use crate::plan::{Plan, PlanError, disagreements};
use crate::schedule::Schedule;
use serde_json::Value;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], id: Option<&str>) -> Result<ExitCode, String> {
    let mut sound = true;
    let mut scheduled = false;
    let mut plans = Vec::new();
    for pipeline in choose::some(pipelines, id)? {
        match pipeline.plan(&Value::Null) {
            Ok(plan) => {
                scheduled |= plan.schedule.is_some();
                output::to_stdout(&format!("{}: {}", pipeline.id(), contents(&plan)));
                plans.push(plan);
            }
            Err(error) => {
                sound = false;
                output::to_stderr(&described(&error));
            }
        }
    }
    for problem in disagreements(&plans) {
        sound = false;
        output::to_stderr(&format!("{problem}\n"));
    }
    if scheduled {
        zones::say(output::to_stdout);
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(WRONG_USE) })
}

/// Whether every plan is sound; else all mistakes.
pub(super) fn all(pipelines: &[Pipeline]) -> Result<(), String> {
    let (mut plans, mut wrong) = (Vec::new(), Vec::new());
    for pipeline in pipelines {
        match pipeline.plan(&Value::Null) {
            Ok(plan) => plans.push(plan),
            Err(error) => wrong.push(described(&error)),
        }
    }
    wrong.extend(disagreements(&plans).iter().map(|problem| format!("{problem}\n")));
    if wrong.is_empty() { Ok(()) } else { Err(wrong.concat().trim_end().to_owned()) }
}

fn described(error: &PlanError) -> String {
    match error {
        PlanError::Wire(error) => format!("error: {error}\n"),
        PlanError::Invalid { .. } => format!("{error}\n"),
    }
}

fn contents(plan: &Plan) -> String {
    let nodes = plan.bodies().count();
    let plural = if nodes == 1 { "" } else { "s" };
    let schedule = plan.schedule.as_ref().map_or_else(|| "no schedule".to_owned(), Schedule::describe);
    format!("{nodes} node{plural}, {schedule}")
}
