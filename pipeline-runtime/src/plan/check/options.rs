//! Options that do not fit the node on which they are set.

use super::super::build::Sketch;
use super::super::graph::What;
use super::super::problem::Problem;
use super::quoted;
use super::sort;
use crate::author::definition::Kind;

const OF_SENSORS: [&str; 5] = ["poke", "poke_jitter", "poke_timeout", "on_timeout", "mode"];

pub(super) fn overrides(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    for (ix, overrides) in &sketch.overrides {
        let node = plan.node(*ix);
        for (position, (option, at)) in overrides.locations.iter().enumerate() {
            let (message, help) = match &node.what {
                What::Body(task) if task.definition.kind != Kind::Sensor && OF_SENSORS.contains(option) => {
                    let message = format!("`.{option}` is for sensors, and {} is {}", quoted(plan, *ix), sort(plan, *ix));
                    (message, "leave it out, or make the task a `#[sensor]`".to_owned())
                }
                What::Journaled(_) => continue,
                What::Body(_) => {
                    let Some(why) = overrides.fault(position) else { continue };
                    let message = format!("`.{option}` of {} cannot be used: {why}", quoted(plan, *ix));
                    (message, within(option))
                }
                What::Each(_) | What::Gather(_) => {
                    let message = format!("`.{option}` cannot be set on the mapping {}", quoted(plan, *ix));
                    let help = match *option {
                        // The element has no past either.
                        "depends_on_past" => {
                            "set it on the task that returns the list, or on one that takes the results".to_owned()
                        }
                        _ => format!("set it inside, on the task that it is meant for: `.each(|item| task(item).{option}(..))`"),
                    };
                    (message, help)
                }
                What::Arm { .. } => {
                    let message = format!("`.{option}` cannot be set on the arm {}", quoted(plan, *ix));
                    let help = format!(
                        "an arm runs nothing; set it on the branch: `route(..).{option}(..)`, or on the task that takes the arm"
                    );
                    (message, help)
                }
                What::Failure { .. } | What::FirstOf { .. } | What::Element { .. } => {
                    let message = format!("`.{option}` cannot be set on {}", quoted(plan, *ix));
                    (message, "nothing runs there; set it on the task that it is meant for".to_owned())
                }
            };
            problems.push(Problem::new(message, help).at(at, "set here").at(node.at, "on the node wired here"));
        }
    }
}

/// The help for an option whose value was refused.
pub(super) fn within(option: &str) -> String {
    match option {
        "retries" => "write a smaller number".to_owned(),
        "backoff" => "`start` is longer than zero and at most `max`, and the factor lies between 1 and 1000000".to_owned(),
        _ => "a duration is in whole milliseconds, and at most a hundred years; without the call the default holds".to_owned(),
    }
}
