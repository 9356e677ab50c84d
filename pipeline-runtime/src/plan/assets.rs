//! A pipeline's use of assets: those that its nodes update and read, and those that it waits for.

use super::build::Sketch;
use super::check::{quoted, sort, wrong_id};
use super::graph::{NodeIx, Plan, What};
use super::problem::Problem;
use crate::author::asset::{AssetSpec, When};
use crate::author::draft::SourceLocation;
use crate::author::pipeline::Pipeline;
use std::collections::HashSet;

/// The assets of a plan, empty for most pipelines.
#[derive(Debug, Default)]
pub(crate) struct Assets {
    /// The nodes that update assets, and where that is declared; ordered by node, and all of them in scope 0.
    pub(crate) updates: Vec<(NodeIx, &'static AssetSpec, SourceLocation)>,
    /// The nodes that read assets.
    pub(crate) reads: Vec<(NodeIx, &'static AssetSpec)>,
    /// The condition for which it starts runs, and where it is declared.
    pub(crate) when: Option<(When, SourceLocation)>,
}

/// How a pipeline uses an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Updates,
    Reads,
    WaitsFor,
}

impl Assets {
    pub(super) fn new(
        mut updates: Vec<(NodeIx, &'static AssetSpec, SourceLocation)>,
        reads: Vec<(NodeIx, &'static AssetSpec)>,
        when: Option<(When, SourceLocation)>,
    ) -> Self {
        updates.sort_by_key(|(node, ..)| *node);
        Self { updates, reads, when }
    }

    /// The assets that the pipeline waits for.
    pub(crate) fn awaited(&self) -> &[&'static AssetSpec] {
        self.when.as_ref().map_or(&[], |(when, _)| &when.assets)
    }

    pub(crate) fn is_read(&self, asset: &str) -> bool {
        self.reads.iter().any(|(_, read)| read.name == asset)
    }
}

impl Plan {
    /// The assets that the success of that slot updates, each with the slot's node.
    pub(crate) fn updated_at(&self, slot: u32) -> impl Iterator<Item = (NodeIx, &'static AssetSpec)> {
        // Only nodes in scope 0 update assets, and their slots come first.
        let node = self.scope(0).nodes.get(slot as usize).copied();
        let from = node.map_or(self.assets.updates.len(), |node| self.assets.updates.partition_point(|(of, ..)| *of < node));
        let of_node = self.assets.updates[from..].iter().take_while(move |(of, ..)| Some(*of) == node);
        of_node.map(|(node, asset, _)| (*node, *asset))
    }

    /// All uses of assets, each with the place where it is declared.
    pub(crate) fn uses(&self) -> impl Iterator<Item = (&'static AssetSpec, Use, SourceLocation)> {
        let updates = self.assets.updates.iter().map(|(_, asset, at)| (*asset, Use::Updates, *at));
        let reads = self.assets.reads.iter().map(|(node, asset)| (*asset, Use::Reads, self.node(*node).at));
        let when = self.assets.when.iter();
        let awaited = when.flat_map(|(when, at)| when.assets.iter().map(|asset| (*asset, Use::WaitsFor, *at)));
        updates.chain(awaited).chain(reads)
    }
}

pub(super) fn check(sketch: &Sketch, pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    names(plan, pipeline, problems);
    let mut seen = HashSet::new();
    for (node, asset, at) in &plan.assets.updates {
        let (id, wired) = (quoted(plan, *node), plan.node(*node).at);
        let name = asset.name;
        let wrong = match &plan.node(*node).what {
            What::Each(_) => Some((
                format!("{id} cannot update the asset `{name}`: it is a mapping, which has no end of its own in the journal"),
                "update it from a task that takes the list that `.each` returns".to_owned(),
            )),
            What::Body(_) if plan.node(*node).scope != 0 => Some((
                format!(
                    "{id} cannot update the asset `{name}`: it is repeated by `.each`, and the newest update would be that of whichever element ends last"
                ),
                "update it from a task that takes the list that `.each` returns".to_owned(),
            )),
            What::Body(_) | What::Journaled(_) => None,
            _ => Some((
                format!("{id} cannot update the asset `{name}`: it is {}", sort(plan, *node)),
                "update it from a task, a sensor, or a task that takes this".to_owned(),
            )),
        };
        if let Some((message, help)) = wrong {
            problems.push(Problem::new(message, help).at(at, "`.updates` is called here").at(wired, "on the node wired here"));
        } else if !seen.insert((*node, name)) {
            let message = format!("{id} updates the asset `{name}` twice");
            problems.push(Problem::new(message, "say it once").at(at, "here again").at(wired, "on the node wired here"));
        }
    }
}

/// The name of an asset is also the id of a node that reads it, so for those that are read, `ids` checks it.
fn names(plan: &Plan, pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let mut seen = HashSet::new();
    for (asset, what, _) in plan.uses() {
        if what == Use::Reads || !seen.insert(asset.name) || plan.assets.is_read(asset.name) {
            continue;
        }
        problems.extend(wrong_id(asset.name).map(|problem| problem.at(asset.at, "this asset")));
    }
    let awaited = plan.assets.awaited();
    for (n, asset) in awaited.iter().enumerate() {
        if awaited[..n].iter().any(|other| other.name == asset.name) {
            let message = format!("the `when` of pipeline `{}` names the asset `{}` twice", plan.pipeline, asset.name);
            problems.push(Problem::new(message, "name it once").at(pipeline.definition().at, "this pipeline"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{check_together, never_updated};
    use super::*;
    use crate::prelude::*;
    use serde_json::Value;

    static VISITS: Asset<u64> = Asset::new("visits");
    static PROCESSES: Asset<u64> = Asset::new("processes");

    #[task]
    async fn one() -> Result<u64> {
        Ok(1)
    }

    #[task]
    async fn add(n: u64) -> Result<u64> {
        Ok(n + 1)
    }

    #[task]
    async fn list() -> Result<Vec<u64>> {
        Ok(vec![1])
    }

    fn plans(pipelines: impl IntoIterator<Item = Pipeline>) -> Vec<Plan> {
        pipelines.into_iter().map(|pipeline| pipeline.plan(&Value::Null).unwrap()).collect()
    }

    /// The messages, each with the number of places that it names.
    fn messages(problems: &[Problem]) -> Vec<(String, usize)> {
        problems.iter().map(|problem| (problem.message().to_owned(), problem.places().count())).collect()
    }

    fn refused(pipeline: &Pipeline) -> Vec<(String, usize)> {
        messages(pipeline.check().unwrap_err().problems())
    }

    #[pipeline]
    fn exports() {
        one().updates(&VISITS);
    }

    #[pipeline(when = all(VISITS))]
    fn waits() {
        add(VISITS.latest()).updates(&PROCESSES);
    }

    #[test]
    fn what_is_waited_for_or_read_is_updated_by_somebody() {
        #[pipeline]
        fn reads() {
            add(PROCESSES.latest());
        }
        assert!(never_updated(&plans([exports(), waits(), reads()])).is_empty());
        assert_eq!(
            messages(&never_updated(&plans([waits()]))),
            [("pipeline `waits` waits for the asset `visits`, which no pipeline updates".to_owned(), 2)]
        );
        assert_eq!(
            messages(&never_updated(&plans([reads()]))),
            [("pipeline `reads` reads the asset `processes`, which no pipeline updates".to_owned(), 2)]
        );
    }

    #[test]
    fn assets_of_one_name_are_of_one_type() {
        static OF_ANOTHER_TYPE: Asset<Vec<u64>> = Asset::new("visits");
        #[pipeline]
        fn another() {
            list().updates(&OF_ANOTHER_TYPE);
        }
        assert!(check_together(&[exports(), waits()], &plans([exports(), waits()])).is_empty());
        assert_eq!(
            messages(&check_together(&[exports(), waits(), another()], &plans([exports(), waits(), another()]))),
            [(
                "two assets have the name `visits`, one of `u64` and one of `alloc::vec::Vec<u64>`, and an asset is identified by its name".to_owned(),
                2
            )]
        );
    }

    #[test]
    fn pipelines_do_not_begin_one_another_in_a_circle() {
        #[pipeline(when = any(PROCESSES))]
        fn back() {
            add(PROCESSES.latest()).updates(&VISITS);
        }
        #[pipeline(when = all(VISITS))]
        fn itself() {
            add(VISITS.latest()).updates(&VISITS);
        }
        /// Reads its own asset without waiting for it.
        #[pipeline(schedule = "@daily")]
        fn goes_on() {
            add(VISITS.latest()).updates(&VISITS);
        }
        assert!(check_together(&[exports(), waits(), goes_on()], &plans([exports(), waits(), goes_on()])).is_empty());
        let circle = "pipelines `waits`, `back` start each other's runs in a circle: the last updates the asset `visits`, which the first waits for";
        assert_eq!(
            messages(&check_together(&[exports(), waits(), back()], &plans([exports(), waits(), back()]))),
            [(circle.to_owned(), 2)]
        );
        let alone = "pipeline `itself` updates the asset `visits`, which it waits for itself: its runs would never end";
        assert_eq!(messages(&check_together(&[itself()], &plans([itself()]))), [(alone.to_owned(), 2)]);
    }

    #[test]
    fn what_is_repeated_or_has_no_body_updates_nothing() {
        static LISTS: Asset<Vec<u64>> = Asset::new("lists");
        #[pipeline]
        fn repeated() {
            list().each(|n| add(n).updates(&VISITS)).updates(&LISTS);
        }
        let [(element, 2), (gathered, 2)] = &refused(&repeated())[..] else { panic!("{:?}", refused(&repeated())) };
        assert!(
            element.starts_with("`add` cannot update the asset `visits`: it is repeated by `.each`, and the newest"),
            "{element}"
        );
        assert!(
            gathered.starts_with("`list__each` cannot update the asset `lists`") || gathered.contains("it is a mapping"),
            "{gathered}"
        );
        #[pipeline]
        fn raced() {
            first_of([one(), one()]).updates(&VISITS);
            one().named("twice").updates(&VISITS).updates(&VISITS);
        }
        assert_eq!(
            refused(&raced()),
            [
                ("`first_of` cannot update the asset `visits`: it is a race".to_owned(), 2),
                ("`twice` updates the asset `visits` twice".to_owned(), 2)
            ]
        );
    }

    #[test]
    fn an_asset_has_a_name_that_can_stand_anywhere() {
        static SPACED: Asset<u64> = Asset::external("two words");
        #[pipeline(when = all(SPACED, VISITS, self::VISITS))]
        fn wrong() {
            one().updates(&SPACED);
        }
        let [(name, 1), (twice, 1)] = &refused(&wrong())[..] else { panic!("{:?}", refused(&wrong())) };
        assert!(name.starts_with("\"two words\" cannot be an id: ` ` is not allowed in an id"), "{name}");
        assert_eq!(twice, "the `when` of pipeline `wrong` names the asset `visits` twice");
    }

    #[test]
    fn an_asset_is_one_node_however_often_it_is_read() {
        #[pipeline]
        fn reads() {
            add(VISITS.latest()).named("first");
            list().each(|_| add(VISITS.latest()));
            add(VISITS.latest().named("seen")).named("last");
        }
        let plan = reads().plan(&Value::Null).unwrap();
        assert_eq!(plan.assets.reads.len(), 1);
        assert_eq!(plan.node(plan.find("seen").unwrap()).scope, 0);
    }
}
