//! Templates that name a param that the pipeline does not have.

use super::build::Sketch;
use super::graph::What;
use super::problem::Problem;
use crate::author::input::Source;
use crate::author::params::WrongName;
use crate::author::template::Template;
use pipeline_syntax::suggest;
use std::collections::HashMap;

pub(super) fn check(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    if !sketch.features.values {
        return;
    }
    // A template is compiled once, even if a million nodes share it.
    let mut known: HashMap<&str, Vec<(String, WrongName)>> = HashMap::new();
    for (ix, node) in (0..).zip(&plan.nodes) {
        let What::Body(task) = &node.what else { continue };
        for (arg, input) in plan.args(ix).iter().zip(&task.inputs) {
            let templates: &[Template] = match &arg.source {
                Source::Template(template) => std::slice::from_ref(template),
                Source::Templates(templates) => templates,
                _ => continue,
            };
            for template in templates {
                let wrong = known.entry(template.source()).or_insert_with(|| {
                    let named = template.params().into_iter();
                    named.filter_map(|name| sketch.fields.check_name(&name).map(|wrong| (name, wrong))).collect()
                });
                for (name, wrong) in wrong {
                    let id = plan.id(ix);
                    let problem = match wrong {
                        WrongName::Unknown { name: part, known } => Problem::new(
                            format!(
                                "the template of `{id}` names `params.{name}`, but pipeline `{}` has no param `{part}`",
                                plan.pipeline
                            ),
                            help(part, known),
                        ),
                        WrongName::Secret { name: param } => Problem::new(
                            format!("the template of `{id}` names `params.{name}`, which is a secret"),
                            format!(
                                "a text is shown and stored: give the task a parameter of the type `Secret`, and pass it the params' `{param}`"
                            ),
                        ),
                    };
                    problems.push(
                        problem
                            .at(node.at, format!("the template {:?} is given here as `{input}`", template.source()))
                            .at(task.definition.at, "to the input of this task"),
                    );
                }
            }
        }
    }
}

fn help(name: &str, known: &[String]) -> String {
    let (around, last) = name.rsplit_once('.').map_or((String::new(), name), |(around, last)| (format!("{around}."), last));
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    match suggest::nearest(last, &names) {
        Some(nearest) => format!("did you mean `params.{around}{nearest}`?"),
        None if known.is_empty() => "the pipeline takes no params: give its function a struct of them".to_owned(),
        None => {
            let names: Vec<String> = known.iter().map(|name| format!("`params.{around}{name}`")).collect();
            format!("write one of {}", names.join(", "))
        }
    }
}
