//! SLAs without a callback: they are allowed, and have no effect.

use super::graph::{NodeIx, Plan};
use super::policy::Policy;
use crate::author::notify::Event;
use humantime::format_duration;

/// The maximum number of nodes that are named.
const MAX_NAMED: usize = 4;

impl Policy {
    /// True if a node has an `sla` and no callback for a miss.
    pub(super) fn has_sla_without_callback(&self) -> bool {
        self.sla.is_some() && !self.callbacks.iter().any(|(event, _)| *event == Event::OnSlaMiss)
    }
}

impl Plan {
    /// True if the run has an `sla` and no callback for a miss.
    pub(super) fn has_run_sla_without_callback(&self) -> bool {
        self.run.sla.is_some() && self.run.slas.is_empty()
    }

    /// Things that are most likely unintended, although they are not mistakes.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let help = "  = help: add `on_sla_miss`, or leave `sla` out";
        let mut warnings = Vec::new();
        if let Some(sla) = self.run.sla.filter(|_| self.has_run_sla_without_callback()) {
            let sla = format_duration(sla);
            let pipeline = self.pipeline;
            warnings
                .push(format!("the `sla` of {sla} of pipeline `{pipeline}` does nothing: nobody is notified of a miss\n{help}"));
        }
        let unheard: Vec<NodeIx> =
            self.bodies().map(|(ix, _)| ix).filter(|ix| self.policy(*ix).has_sla_without_callback()).collect();
        if !unheard.is_empty() {
            let named: Vec<String> = unheard.iter().take(MAX_NAMED).map(|ix| format!("`{}`", self.id(*ix))).collect();
            let others = match unheard.len().saturating_sub(MAX_NAMED) {
                0 => String::new(),
                others => format!(" and {others} more"),
            };
            let (node, does) = if unheard.len() == 1 { ("node", "does") } else { ("nodes", "do") };
            let (pipeline, named) = (self.pipeline, named.join(", "));
            warnings.push(format!(
                "the `sla` of {node} {named}{others} of pipeline `{pipeline}` {does} nothing: nobody is notified of a miss\n{help}"
            ));
        }
        self.warn_of_no_past(&mut warnings);
        warnings
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    async fn page(_: Notification) {}

    #[task(sla = "5m")]
    async fn late() -> Result<()> {
        Ok(())
    }

    #[pipeline(sla = "45m")]
    fn unheard() {
        for n in 0..5 {
            late().named(format!("late_{n}"));
        }
        late().named("heard").on_sla_miss(page);
    }

    #[pipeline(sla = "45m", on_sla_miss = page)]
    fn heard() {
        late().on_sla_miss(page);
    }

    #[pipeline(sla = "45m", escalate("60m" => page))]
    fn climbs() {
        late().named("one");
    }

    #[test]
    fn an_sla_without_a_callback_is_named() {
        let plan = |pipeline: Pipeline| pipeline.plan(&serde_json::Value::Null).unwrap();
        assert_eq!(
            plan(unheard()).warnings(),
            [
                "the `sla` of 45m of pipeline `unheard` does nothing: nobody is notified of a miss\n  \
                 = help: add `on_sla_miss`, or leave `sla` out",
                "the `sla` of nodes `late_0`, `late_1`, `late_2`, `late_3` and 1 more of pipeline `unheard` do nothing: nobody is notified of \
                 a miss\n  = help: add `on_sla_miss`, or leave `sla` out",
            ]
        );
        assert!(plan(heard()).warnings().is_empty());
        let of_node = plan(climbs()).warnings();
        assert!(of_node.len() == 1 && of_node[0].starts_with("the `sla` of node `one` of"), "{of_node:?}");
    }

    #[cfg(feature = "graph")]
    #[test]
    fn a_drawing_says_which_sla_has_no_callback() {
        let drawn = unheard().plan(&serde_json::Value::Null).unwrap().to_text();
        assert!(drawn.contains("sla       45m, which nobody is told of\n"), "{drawn}");
        assert_eq!(drawn.matches("sla 5m, which nobody is told of").count(), 5, "{drawn}");
    }
}
