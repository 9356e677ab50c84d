//! Plain texts that look like templates.

use super::super::build::Sketch;
use super::super::graph::What;
use super::super::problem::Problem;
use super::quoted;
use crate::author::input::Source;
use crate::author::template::Template;
use pipeline_syntax::template::unrendered;

/// A user who writes `"{{ ds }}"` means a template.
pub(super) fn texts(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    if !sketch.features.values {
        return;
    }
    for (ix, node) in (0..).zip(&plan.nodes) {
        let What::Body(task) = &node.what else { continue };
        for (arg, input) in plan.args(ix).iter().zip(&task.inputs) {
            let found = match &arg.source {
                Source::Text(text) => unrendered(text),
                Source::Plain(list) => list.texts().iter().find_map(|text| unrendered(text)),
                Source::Template(template) => template.plain().and_then(unrendered),
                Source::Templates(list) => list.iter().filter_map(Template::plain).find_map(unrendered),
                _ => None,
            };
            if let Some(expression) = found {
                let message =
                    format!("{} is given a plain text as `{input}`, in which `{expression}` is not rendered", quoted(plan, ix));
                let help = format!(
                    "write `template!(\"..\")`, which is rendered when the task starts; if `{expression}` is what it is to get, \
                     `template!(\"{{% raw %}}..{{% endraw %}}\")`"
                );
                problems.push(
                    Problem::new(message, help)
                        .at(node.at, "the text is given here")
                        .at(task.definition.at, "to the input of this task"),
                );
            }
        }
    }
}
