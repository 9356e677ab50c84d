//! `check`

use super::{WRONG_USE, choose, output, zones};
use crate::Pipeline;
use crate::plan::{Missing, Plan, PlanError, all_together, disagreements};
use crate::schedule::Schedule;
use serde_json::Value;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], id: Option<&str>, env: bool) -> Result<ExitCode, String> {
    let mut sound = true;
    let mut scheduled = false;
    let mut plans = Vec::new();
    for pipeline in choose::some(pipelines, id)? {
        match pipeline.plan(&Value::Null) {
            Ok(plan) => {
                scheduled |= plan.schedule.is_some();
                output::to_stdout(&format!("{}: {}", pipeline.id(), contents(&plan)));
                for warning in plan.warnings() {
                    output::to_stderr(&format!("warning: {warning}"));
                }
                let missing = plan.missing_secrets();
                sound &= missing.is_empty() || !env;
                say(&missing, if env { "error" } else { "warning" });
                let wrong = if env { plan.wrong_values() } else { Vec::new() };
                sound &= wrong.is_empty();
                for wrong in &wrong {
                    output::to_stderr(&format!("error: {wrong}"));
                }
                plans.push(plan);
            }
            Err(error) => {
                sound = false;
                output::to_stderr(&described(&error));
            }
        }
    }
    let together = if id.is_none() { all_together } else { disagreements };
    for problem in together(pipelines, &plans) {
        sound = false;
        output::to_stderr(&format!("{problem}\n"));
    }
    if scheduled {
        zones::say(output::to_stdout);
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(WRONG_USE) })
}

/// Whether every plan is sound; else all mistakes. Warns of secrets without a value.
pub(super) fn all(pipelines: &[Pipeline]) -> Result<(), String> {
    let (mut plans, mut wrong) = (Vec::new(), Vec::new());
    for pipeline in pipelines {
        match pipeline.plan(&Value::Null) {
            Ok(plan) => {
                say(&plan.missing_secrets(), "warning");
                plans.push(plan);
            }
            Err(error) => wrong.push(described(&error)),
        }
    }
    wrong.extend(all_together(pipelines, &plans).iter().map(|problem| format!("{problem}\n")));
    if wrong.is_empty() { Ok(()) } else { Err(wrong.concat().trim_end().to_owned()) }
}

fn say(missing: &[Missing], how: &str) {
    for missing in missing {
        output::to_stderr(&format!("{how}: {missing}"));
    }
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
    let schedule = match (&plan.schedule, &plan.assets.when) {
        (Some(schedule), _) => Schedule::describe(schedule),
        (None, Some((when, _))) => format!("when {when}"),
        (None, None) => "no schedule".to_owned(),
    };
    format!("{nodes} node{plural}, {schedule}")
}
