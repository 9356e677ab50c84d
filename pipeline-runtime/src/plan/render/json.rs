use super::super::graph::{Each, NodeIx, Plan, What};
use super::super::policy::{Delay, NotifierIx};
use super::{Input, afters, inputs, kind, mode, nodes, on_timeout};
use crate::author::input::Rule;
use crate::author::notify::Event;
use serde_json::{Value, json};
use std::time::Duration;

impl Plan {
    /// The plan as JSON. Fields may be added in later versions; none will be renamed or removed.
    ///
    /// | field | holds |
    /// |---|---|
    /// | `pipeline`, `description`, `tags`, `params` | as the pipeline has them; `params` is complete, null if it takes none |
    /// | `schedule` | null, or `cron` (null unless it is a single line), `text` (as written), `timezone`, `description` (in words), `start`, `end`, `catchup`, `max_active_runs` and `depends_on_past` |
    /// | `when` | null, or the condition for which a run starts: `rule`, `all` or `any`, and `assets` |
    /// | `updates`, `reads` | the assets that nodes update and read: `node`, `asset` |
    /// | `timeout_ms` | the limit of a run, or null |
    /// | `callbacks` | of the run: `event` such as `on_failure`, `notifier`; for `on_sla_miss` also `after_ms` |
    /// | `pools` | `name` and `slots` of each that a node uses, and of `default_pool` |
    /// | `nodes` | all nodes in wiring order, gates included |
    ///
    /// and for each node:
    ///
    /// | field | holds |
    /// |---|---|
    /// | `id` | as in reports, without the index of an element |
    /// | `kind` | `task`, `sensor`, `branch`; for gates `arm`, `failure`, `first_of`, `each` (the gathering node), `element` |
    /// | `task` | the id of its task, null for a gate |
    /// | `description` | the description of its task |
    /// | `inputs` | in order: `name` of the parameter, `kind` (`plain`, `secret`, `template`, `templates`, `setting`, `node`, `nodes`, `elements`), the ids it comes `from`, the trigger `rule` (null if it is not a node), `text` of a plain text or a template, a secret's reference, or a setting's name, otherwise null |
    /// | `after` | the ids of the nodes that it waits for without taking their values |
    /// | `after_rules` | the trigger rule of each of those |
    /// | `tears_down` | for a teardown the id of its setup, otherwise null |
    /// | `upstream_pipeline` | null, or for a node that refers to a run of a pipeline, the pipeline's id as `pipeline`, and the node's `role`: `awaits` that run, `takes` an output of it, `starts` it, or waits for its own pipeline's `past` |
    /// | `options` | the effective options: see below |
    /// | `group` | the name of the group that it was wired in, prefixed with those of the enclosing groups, or null |
    /// | `scope` | the id of the mapping that repeats it, or null |
    /// | `wired_at`, `defined_at` | `file:line:column` of the call and of the task; the latter null for a gate |
    ///
    /// `options` holds `allow_failure`; for `each` also `max_active`, and `keyed` and `in_order` if they are set; for tasks,
    /// sensors and branches `retries`, `retry_delay`, `timeout_ms` (of one attempt, for a sensor of the whole wait), `pool`,
    /// `priority`, `sla_ms` and `callbacks`; for sensors also `poke`, `poke_timeout_ms`, `on_timeout` and `mode`. A delay is
    /// `start_ms`, `max_ms`, `factor`, `jitter_ms`, and its k-th wait, k from 0, is `min(max, start * factor^k)` plus up to the
    /// jitter. For a wait for the past, `timeout_ms` and `poke` are null.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// #[task] async fn rows() -> Result<u64> { Ok(1) }
    /// #[task(retries = 2)] async fn load(rows: u64) -> Result<()> { Ok(()) }
    /// #[pipeline] fn nightly() { load(rows()); }
    ///
    /// let json = nightly().plan(&serde_json::Value::Null)?.to_json();
    /// assert_eq!(json["nodes"][1]["inputs"][0]["from"], serde_json::json!(["rows"]));
    /// assert_eq!(json["nodes"][1]["options"]["retries"], 2);
    /// # Ok::<(), pipeline_runtime::PlanError>(())
    /// ```
    pub fn to_json(&self) -> Value {
        let calendar = &self.calendar;
        let schedule = self.schedule.as_ref().map(|schedule| {
            json!({
                "cron": schedule.cron(),
                "text": schedule.text(),
                "timezone": schedule.zone().name(),
                "description": schedule.describe(),
                "start": calendar.start,
                "end": calendar.end,
                "catchup": calendar.catchup,
                "max_active_runs": calendar.max_active_runs,
                "depends_on_past": calendar.depends_on_past,
            })
        });
        let slas = self.run.slas.iter().map(|(after, notifier)| {
            let mut callback = callback(self, (Event::OnSlaMiss, *notifier));
            callback["after_ms"] = json!(millis(*after));
            callback
        });
        let callbacks: Vec<Value> = self.run.callbacks.iter().map(|told| callback(self, *told)).chain(slas).collect();
        let pools: Vec<Value> = self.pools.iter().map(|pool| json!({ "name": pool.name, "slots": pool.slots })).collect();
        let of_asset = |node: NodeIx, asset: &str| json!({ "node": self.id(node), "asset": asset });
        let updates: Vec<Value> = self.assets.updates.iter().map(|(node, asset, _)| of_asset(*node, asset.name)).collect();
        let reads: Vec<Value> = self.assets.reads.iter().map(|(node, asset)| of_asset(*node, asset.name)).collect();
        let nodes: Vec<Value> = nodes(self).zip(afters(self)).map(|(ix, after)| node(self, ix, &after)).collect();
        json!({
            "pipeline": self.pipeline,
            "description": self.description,
            "tags": self.tags,
            "params": self.params,
            "schedule": schedule,
            "when": self.assets.when.as_ref().map(|(when, _)| when.to_json()),
            "updates": updates,
            "reads": reads,
            "timeout_ms": self.run.timeout.map(millis),
            "callbacks": callbacks,
            "pools": pools,
            "nodes": nodes,
        })
    }
}

impl Plan {
    /// One node, as in [`Plan::to_json`], without the nodes that it is ordered after.
    pub(crate) fn node_json(&self, ix: NodeIx) -> Value {
        node(self, ix, &[])
    }
}

fn node(plan: &Plan, ix: NodeIx, after: &[(NodeIx, Rule)]) -> Value {
    let this = plan.node(ix);
    let definition = match &this.what {
        What::Body(task) => Some(task.definition),
        _ => None,
    };
    let inputs: Vec<Value> = inputs(plan, ix).iter().map(|of| input(plan, of)).collect();
    json!({
        "id": plan.id(ix),
        "kind": kind(plan, ix),
        "task": definition.map(|definition| definition.name),
        "description": definition.map(|definition| definition.description),
        "inputs": inputs,
        "after": after.iter().map(|(from, _)| plan.id(*from)).collect::<Vec<String>>(),
        "after_rules": after.iter().map(|(_, rule)| rule.name()).collect::<Vec<&str>>(),
        "tears_down": plan.teardown(ix).map(|teardown| plan.id(teardown.setup)),
        "upstream_pipeline": plan.across.get(&ix).map(|across| json!({ "pipeline": across.pipeline.id(), "role": across.role.name() })),
        "options": options(plan, ix),
        "group": super::super::groups::around(&plan.groups, ix).next().map(|group| &plan.groups[group as usize].id),
        "scope": plan.scope(this.scope).each.map(|each| plan.id(each)),
        "wired_at": this.at.to_string(),
        "defined_at": definition.map(|definition| definition.at.to_string()),
    })
}

fn input(plan: &Plan, input: &Input<'_>) -> Value {
    json!({
        "name": input.name,
        "kind": input.kind,
        "from": ids(plan, &input.from),
        "rule": input.rule,
        "text": input.text,
    })
}

fn ids(plan: &Plan, nodes: &[NodeIx]) -> Vec<String> {
    nodes.iter().map(|node| plan.id(*node)).collect()
}

fn options(plan: &Plan, node: NodeIx) -> Value {
    let mut options = match &plan.node(node).what {
        What::Body(_) => of_policy(plan, node),
        What::Each(each) => of_mapping(each),
        _ => json!({}),
    };
    options["allow_failure"] = json!(plan.node(node).allow_failure);
    options
}

/// Keys and order are included only if they are set.
fn of_mapping(each: &Each) -> Value {
    let mut options = json!({ "max_active": each.max_active });
    if each.keys.is_some() {
        options["keyed"] = json!(true);
    }
    if each.in_order {
        options["in_order"] = json!(true);
    }
    options
}

fn of_policy(plan: &Plan, ix: NodeIx) -> Value {
    let policy = plan.policy(ix);
    let callbacks: Vec<Value> = policy.callbacks.iter().map(|told| callback(plan, *told)).collect();
    let mut options = json!({
        "retries": policy.retries,
        "retry_delay": delay(policy.retry_delay),
        "timeout_ms": policy.limit.map(millis),
        "pool": plan.pools[policy.pool as usize].name,
        "priority": policy.priority,
        "sla_ms": policy.sla.map(millis),
        "callbacks": callbacks,
    });
    if let Some(sensor) = &policy.sensor {
        // A wait for the past has no timeout of its own, and no ticks.
        let is_endless = plan.is_past(ix);
        options["timeout_ms"] = json!((!is_endless).then(|| millis(sensor.timeout)));
        options["poke"] = if is_endless { Value::Null } else { delay(sensor.poke) };
        options["poke_timeout_ms"] = json!(policy.limit.map(millis));
        options["on_timeout"] = json!(on_timeout(sensor.on_timeout));
        options["mode"] = json!(mode(sensor.mode));
    }
    options
}

fn callback(plan: &Plan, (event, notifier): (Event, NotifierIx)) -> Value {
    json!({ "event": event.name(), "notifier": plan.notifiers[notifier as usize].label })
}

fn delay(delay: Delay) -> Value {
    let (start, max, factor, jitter) = match delay {
        Delay::Fixed(wait, jitter) => (wait, wait, 1.0, jitter),
        Delay::Growing(backoff) => (backoff.start(), backoff.max(), backoff.factor(), backoff.jitter()),
    };
    json!({ "start_ms": millis(start), "max_ms": millis(max), "factor": factor, "jitter_ms": millis(jitter) })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
