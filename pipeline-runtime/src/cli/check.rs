//! `check`

use super::{WRONG_USE, choose, output, zones};
use crate::Pipeline;
use crate::plan::{Plan, PlanError, Problem, check_all_together, check_together};
use crate::schedule::Schedule;
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], id: Option<&str>, env: bool, json: bool) -> Result<ExitCode, String> {
    let mut sound = true;
    let mut scheduled = false;
    let mut plans = Vec::new();
    for pipeline in choose::some(pipelines, id)? {
        let checked = CheckResult::of(pipeline, env);
        sound &= checked.is_sound();
        if json {
            output::json(&checked.to_json(pipeline.id()));
        } else {
            checked.print(pipeline.id());
        }
        if let Ok(plan) = checked.plan {
            scheduled |= plan.schedule.is_some();
            plans.push(plan);
        }
    }
    let together = if id.is_none() { check_all_together } else { check_together };
    let problems = together(pipelines, &plans);
    sound &= problems.is_empty();
    if json && !problems.is_empty() {
        let mistakes: Vec<Value> = problems.iter().map(Problem::to_json).collect();
        output::json(&json!({ "pipeline": null, "nodes": null, "mistakes": mistakes, "warnings": [] }));
    } else {
        for problem in &problems {
            output::to_stderr(&format!("{problem}\n"));
        }
    }
    if scheduled && !json {
        zones::print(output::to_stdout);
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(WRONG_USE) })
}

/// The result of checking one pipeline by itself.
struct CheckResult {
    plan: Result<Plan, PlanError>,
    warnings: Vec<String>,
    /// Mistakes in values that are not in the code.
    errors: Vec<String>,
}

impl CheckResult {
    fn of(pipeline: &Pipeline, env: bool) -> Self {
        let plan = pipeline.plan(&Value::Null);
        let (mut warnings, mut errors) = (Vec::new(), Vec::new());
        if let Ok(plan) = &plan {
            warnings = plan.warnings();
            let missing = plan.missing_secrets().into_iter().map(|missing| missing.to_string());
            if env {
                errors.extend(missing);
                errors.extend(plan.wrong_values());
            } else {
                warnings.extend(missing);
            }
        }
        Self { plan, warnings, errors }
    }

    fn is_sound(&self) -> bool {
        self.plan.is_ok() && self.errors.is_empty()
    }

    fn print(&self, id: &str) {
        match &self.plan {
            Ok(plan) => output::to_stdout(&format!("{id}: {}", contents(plan))),
            Err(error) => output::to_stderr(&described(error)),
        }
        for warning in &self.warnings {
            output::to_stderr(&format!("warning: {warning}"));
        }
        for error in &self.errors {
            output::to_stderr(&format!("error: {error}"));
        }
    }

    fn to_json(&self, id: &str) -> Value {
        let of_plan = self.plan.as_ref().err().into_iter().flat_map(PlanError::to_json);
        let of_values = self.errors.iter().map(|error| json!({ "message": error, "places": [], "help": null }));
        let mistakes: Vec<Value> = of_plan.chain(of_values).collect();
        let nodes = self.plan.as_ref().ok().map(|plan| plan.bodies().count());
        json!({ "pipeline": id, "nodes": nodes, "mistakes": mistakes, "warnings": self.warnings })
    }
}

/// Returns an error with all mistakes unless every plan is sound. Warns of secrets without a value.
pub(super) fn all(pipelines: &[Pipeline]) -> Result<(), String> {
    let (mut plans, mut errors) = (Vec::new(), Vec::new());
    for pipeline in pipelines {
        match pipeline.plan(&Value::Null) {
            Ok(plan) => {
                for missing in plan.missing_secrets() {
                    output::to_stderr(&format!("warning: {missing}"));
                }
                plans.push(plan);
            }
            Err(error) => errors.push(described(&error)),
        }
    }
    errors.extend(check_all_together(pipelines, &plans).iter().map(|problem| format!("{problem}\n")));
    if errors.is_empty() { Ok(()) } else { Err(errors.concat().trim_end().to_owned()) }
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
