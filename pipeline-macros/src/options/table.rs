//! The table of options: one row per option, for the parser, the messages and the expansion.

use pipeline_syntax::limits::MAX_RETRIES;
use pipeline_syntax::suggest;

/// What has options: an attribute, or a list of options inside one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// `#[task]`.
    Task,
    /// `#[sensor]`.
    Sensor,
    /// `#[branch]` on a function.
    Branch,
    /// `#[pipeline]`.
    Pipeline,
    /// `defaults(..)` of a pipeline.
    Defaults,
    /// `defaults!(..)`, a constant that several pipelines share.
    SharedDefaults,
    /// `#[branch(..)]` on the enum of a branch's arms.
    Arms,
}

use Owner::{Arms, Branch, Defaults, Pipeline, Sensor, SharedDefaults, Task};

impl Owner {
    fn title(self) -> &'static str {
        match self {
            Task => "`#[task]`",
            Sensor => "`#[sensor]`",
            Branch => "`#[branch]`",
            Pipeline => "`#[pipeline]`",
            Defaults => "`defaults(..)`",
            SharedDefaults => "`defaults!(..)`",
            Arms => "`#[derive(Branch)]`",
        }
    }
}

/// The shape of an option's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A whole number from the first up to the second.
    Count(u32, u32),
    /// A whole number of 32 bits that may be negative.
    Signed,
    /// `true` or `false`.
    Bool,
    /// A text such as `"10m"`.
    Duration,
    /// A cron line, a list of them, or `schedule(every = .., from = ..)`.
    Schedule,
    /// The name of a time zone.
    Zone,
    /// A day, a local time or an instant.
    Date,
    /// One of several words: the runtime's enum, and each word with its variant.
    Word(&'static str, &'static [(&'static str, &'static str)]),
    /// A path, a list of paths, or `none`.
    Callbacks,
    /// The path of a `static` pool.
    Pool,
    /// `all(..)` or `any(..)` of assets.
    When,
    /// A list of named values: `backoff(start = .., max = ..)`.
    Backoff,
    /// A list of steps: `escalate("60m" => page)`.
    Escalation,
    /// A list of texts.
    Tags,
    /// A text that is a valid id.
    Id,
    /// A list of options of nodes: `defaults(retries = 1)`.
    Defaults,
    /// The path of the runtime itself.
    Runtime,
}

impl Shape {
    /// True if the value may be a constant, which the macros cannot evaluate.
    pub(crate) fn takes_constant(self) -> bool {
        !matches!(self, Shape::Callbacks | Shape::Pool | Shape::Escalation | Shape::Id | Shape::Runtime | Shape::When)
    }
}

/// One option.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// What has the option.
    owners: &'static [Owner],
    /// An example for messages.
    pub(crate) example: &'static str,
}

impl Spec {
    /// A value inside another option, which is not in the table.
    pub(crate) const fn unlisted(name: &'static str, shape: Shape, example: &'static str) -> Spec {
        row(name, shape, &[], example)
    }
}

const NODES: &[Owner] = &[Task, Sensor, Branch, Defaults, SharedDefaults];
const SENSORS: &[Owner] = &[Sensor, Defaults, SharedDefaults];
const PIPELINES: &[Owner] = &[Pipeline];
const ALL: &[Owner] = &[Task, Sensor, Branch, Defaults, SharedDefaults, Pipeline];
const ITEMS: &[Owner] = &[Task, Sensor, Branch, Pipeline, Arms];
const NAMED: &[Owner] = &[Task, Sensor, Branch, Pipeline];

const ON_TIMEOUT: Shape = Shape::Word("OnTimeout", &[("fail", "Fail"), ("skip", "Skip"), ("retry", "Retry")]);
const MODE: Shape = Shape::Word("Mode", &[("poke", "Poke"), ("reschedule", "Reschedule")]);

const fn row(name: &'static str, shape: Shape, owners: &'static [Owner], example: &'static str) -> Spec {
    Spec { name, shape, owners, example }
}

const TABLE: &[Spec] = &[
    row("retries", Shape::Count(0, MAX_RETRIES), NODES, "retries = 2"),
    row("retry_delay", Shape::Duration, NODES, "retry_delay = \"5m\""),
    row("backoff", Shape::Backoff, NODES, "backoff(start = \"30s\", max = \"5m\")"),
    row("timeout", Shape::Duration, ALL, "timeout = \"10m\""),
    row("pool", Shape::Pool, NODES, "pool = S3"),
    row("priority", Shape::Signed, NODES, "priority = 5"),
    row("sla", Shape::Duration, ALL, "sla = \"45m\""),
    row("on_failure", Shape::Callbacks, ALL, "on_failure = page"),
    row("on_upstream_failed", Shape::Callbacks, ALL, "on_upstream_failed = log_it"),
    row("on_cancel", Shape::Callbacks, PIPELINES, "on_cancel = log_it"),
    row("on_retry", Shape::Callbacks, ALL, "on_retry = log_it"),
    row("on_success", Shape::Callbacks, ALL, "on_success = log_it"),
    row("on_skipped", Shape::Callbacks, ALL, "on_skipped = log_it"),
    row("on_sla_miss", Shape::Callbacks, ALL, "on_sla_miss = page"),
    row("poke", Shape::Duration, SENSORS, "poke = \"45s\""),
    row("poke_jitter", Shape::Duration, SENSORS, "poke_jitter = \"5s\""),
    row("poke_timeout", Shape::Duration, SENSORS, "poke_timeout = \"10s\""),
    row("on_timeout", ON_TIMEOUT, SENSORS, "on_timeout = \"skip\""),
    row("mode", MODE, SENSORS, "mode = \"reschedule\""),
    row("schedule", Shape::Schedule, PIPELINES, "schedule = \"0 6 * * *\""),
    row("when", Shape::When, PIPELINES, "when = all(VISITS)"),
    row("timezone", Shape::Zone, PIPELINES, "timezone = \"Europe/Berlin\""),
    row("start", Shape::Date, PIPELINES, "start = \"2024-01-31\""),
    row("end", Shape::Date, PIPELINES, "end = \"2024-12-31\""),
    row("catchup", Shape::Bool, PIPELINES, "catchup = true"),
    row("max_active_runs", Shape::Count(1, u32::MAX), PIPELINES, "max_active_runs = 1"),
    row("depends_on_past", Shape::Bool, NAMED, "depends_on_past = true"),
    row("keep", Shape::Duration, PIPELINES, "keep = \"90d\""),
    row("escalate", Shape::Escalation, PIPELINES, "escalate(\"60m\" => page)"),
    row("defaults", Shape::Defaults, PIPELINES, "defaults(retries = 1)"),
    row("tags", Shape::Tags, PIPELINES, "tags = [\"daily\"]"),
    row("id", Shape::Id, NAMED, "id = \"load_eu\""),
    row("crate", Shape::Runtime, ITEMS, "crate = my_facade::pipeline"),
];

/// Airflow's names, which its users type first, and what to write here.
const AIRFLOW: &[(&str, &str)] = &[
    (
        "trigger_rule",
        "the trigger rule is the parameter's type: `T` is all_success, `Option<T>` is none_failed, `Outcome<T>` is all_done",
    ),
    ("execution_timeout", "write `timeout = \"10m\"`"),
    ("dagrun_timeout", "write `timeout = \"3h\"`"),
    ("poke_interval", "write `poke = \"45s\"`"),
    ("soft_fail", "write `on_timeout = \"skip\"`"),
    ("silent_fail", "a poke that returns an error uses up a retry: write `retries = 2`, or return `Poke::NotYet`"),
    ("exponential_backoff", "write `backoff(start = \"30s\", max = \"5m\")`"),
    ("retry_exponential_backoff", "write `backoff(start = \"30s\", max = \"5m\")`"),
    ("max_retry_delay", "write `backoff(start = \"30s\", max = \"5m\")`"),
    ("max_wait", "write `backoff(start = \"30s\", max = \"5m\")`"),
    ("task_id", "the function's name is the id; to set another, write `id = \"name\"`"),
    ("dag_id", "the function's name is the id; to set another, write `id = \"name\"`"),
    (
        "depends_on",
        "a task depends on the nodes that are passed to it, as in `process(export)`; for order alone, write `.after(node)`",
    ),
    (
        "upstream",
        "a task depends on the nodes that are passed to it, as in `process(export)`; for order alone, write `.after(node)`",
    ),
    ("wait_for_downstream", "write `depends_on_past = true`"),
    ("start_date", "write `start = \"2024-01-31\"`"),
    ("end_date", "write `end = \"2024-12-31\"`"),
    ("schedule_interval", "write `schedule = \"0 6 * * *\"`"),
    ("inlets", "to read an asset, pass `VISITS.latest()` to the task"),
    ("outlets", "where the task is wired, write `.updates(&VISITS)`"),
    ("timetable", "write `schedule = \"0 6 * * *\"`"),
    ("default_args", "write `defaults(retries = 1)`"),
    ("max_active_tasks", "a `static` pool limits how many run at once: write `pool = S3`"),
    ("max_active_tis_per_dag", "a `static` pool limits how many run at once: write `pool = S3`"),
    ("max_active_tis_per_dagrun", "on the result of `.each`, call `.max_active(n)`"),
    ("concurrency", "a `static` pool limits how many run at once: write `pool = S3`"),
    ("pool_slots", "each node takes one slot of its pool: remove the option"),
    ("priority_weight", "write `priority = 5`"),
    ("weight_rule", "a node's priority does not depend on other nodes: write `priority = 5`"),
    ("on_failure_callback", "write `on_failure = page`"),
    ("on_retry_callback", "write `on_retry = log_it`"),
    ("on_success_callback", "write `on_success = log_it`"),
    ("on_skipped_callback", "write `on_skipped = log_it`"),
    (
        "on_execute_callback",
        "there is no callback for the start: log it at the top of the body, as in `tracing::info!(\"started\")`",
    ),
    ("sla_miss_callback", "write `on_sla_miss = page`"),
    ("email", "write a callback, `on_failure = page`"),
    ("email_on_failure", "write a callback, `on_failure = page`"),
    ("email_on_retry", "write a callback, `on_retry = log_it`"),
    ("owner", "a pipeline has no owner; name the team in `tags = [\"team\"]`"),
    ("params", "the params are the parameter of the pipeline's function: write `fn daily(options: Options)`"),
    ("description", "the doc comment is the description: `/// Waits for the export.`"),
    ("doc_md", "the doc comment is the description: `/// Waits for the export.`"),
    ("queue", "one process runs everything; to limit how many run at once, write `pool = S3`"),
    ("executor", "one process runs everything; to limit how many run at once, write `pool = S3`"),
];

/// Names that other users type first, and the options that they mean. Their spellings are too different for `suggest`.
const SYNONYMS: &[(&str, &str)] = &[
    ("retry", "retries"),
    ("retry_count", "retries"),
    ("max_retries", "retries"),
    ("num_retries", "retries"),
    ("attempts", "retries"),
    ("max_attempts", "retries"),
    ("retry_interval", "retry_delay"),
    ("retry_after", "retry_delay"),
    ("delay", "retry_delay"),
    ("tz", "timezone"),
    ("zone", "timezone"),
    ("name", "id"),
    ("cron", "schedule"),
    ("assets", "when"),
    ("datasets", "when"),
    ("interval", "poke"),
    ("jitter", "poke_jitter"),
    ("retention", "keep"),
    ("labels", "tags"),
];

/// The row of an option, if this owner has it.
pub(crate) fn find(owner: Owner, name: &str) -> Option<&'static Spec> {
    TABLE.iter().find(|spec| spec.name == name && spec.owners.contains(&owner))
}

/// The message for a name that is not an option here.
pub(crate) fn explain_unknown(owner: Owner, name: &str) -> String {
    if let Some(spec) = TABLE.iter().find(|spec| spec.name == name) {
        return wrong_owner(owner, spec);
    }
    if let Some((_, advice)) = AIRFLOW.iter().find(|(airflow, _)| airflow.eq_ignore_ascii_case(name)) {
        return format!("`{name}` is Airflow's name: {advice}");
    }
    let names = |of: Option<Owner>| -> Vec<&'static str> {
        let here = |spec: &&Spec| of.is_none_or(|owner| spec.owners.contains(&owner));
        TABLE.iter().filter(here).map(|spec| spec.name).collect()
    };
    let own = names(Some(owner));
    let synonym = SYNONYMS.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, option)| *option);
    let near = synonym.or_else(|| suggest::nearest(name, &own)).or_else(|| suggest::nearest(name, &names(None)));
    if let Some(near) = near {
        if own.contains(&near) {
            return format!("unknown option `{name}`; did you mean `{near}`?");
        }
        let owners = TABLE.iter().find(|spec| spec.name == near).map(owner_list).unwrap_or_default();
        return format!("unknown option `{name}`; `{near}` is an option of {owners}");
    }
    format!("unknown option `{name}`; {} has {}", owner.title(), suggest::list(&own))
}

fn wrong_owner(owner: Owner, spec: &Spec) -> String {
    let name = spec.name;
    let owners = owner_list(spec);
    match owner {
        Pipeline => format!(
            "`{name}` is an option of {owners}, not of `#[pipeline]`; to set it for all of the pipeline's nodes, write \
             `defaults({})`",
            spec.example
        ),
        Defaults | SharedDefaults if name == "id" => {
            "an id belongs to one node: set it in the task's attribute, or with `.named(\"..\")`".to_owned()
        }
        _ => format!("`{name}` is an option of {owners}, not of {}", owner.title()),
    }
}

/// The attributes that have the option, for a message.
fn owner_list(spec: &Spec) -> String {
    let attributes: Vec<_> =
        spec.owners.iter().filter(|owner| !matches!(owner, Defaults | SharedDefaults)).map(|owner| owner.title()).collect();
    match attributes.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_stands_once() {
        for (at, spec) in TABLE.iter().enumerate() {
            assert!(TABLE[..at].iter().all(|other| other.name != spec.name), "{}", spec.name);
            assert!(spec.example.starts_with(spec.name), "{}", spec.example);
        }
    }

    #[test]
    fn no_name_of_airflows_is_an_option() {
        for (name, _) in AIRFLOW {
            assert!(TABLE.iter().all(|spec| spec.name != *name), "{name}");
        }
    }

    #[test]
    fn a_synonym_is_no_option_and_means_one() {
        for (name, option) in SYNONYMS {
            assert!(TABLE.iter().all(|spec| spec.name != *name), "{name}");
            assert!(AIRFLOW.iter().all(|(airflow, _)| airflow != name), "{name}");
            assert!(TABLE.iter().any(|spec| spec.name == *option), "{option}");
        }
    }

    #[test]
    fn unknown_names_are_explained() {
        for (owner, name, message) in [
            (Task, "retrys", "unknown option `retrys`; did you mean `retries`?"),
            (Task, "retry", "unknown option `retry`; did you mean `retries`?"),
            (Sensor, "retry_count", "unknown option `retry_count`; did you mean `retries`?"),
            (Pipeline, "tz", "unknown option `tz`; did you mean `timezone`?"),
            (Task, "name", "unknown option `name`; did you mean `id`?"),
            (Pipeline, "retry", "unknown option `retry`; `retries` is an option of `#[task]`, `#[sensor]` and `#[branch]`"),
            (Task, "cron", "unknown option `cron`; `schedule` is an option of `#[pipeline]`"),
            (Task, "poke", "`poke` is an option of `#[sensor]`, not of `#[task]`"),
            (Sensor, "schedule", "`schedule` is an option of `#[pipeline]`, not of `#[sensor]`"),
            (
                Pipeline,
                "retries",
                "`retries` is an option of `#[task]`, `#[sensor]` and `#[branch]`, not of `#[pipeline]`; to set it for \
                 all of the pipeline's nodes, write `defaults(retries = 2)`",
            ),
            (Sensor, "poke_interval", "`poke_interval` is Airflow's name: write `poke = \"45s\"`"),
            (Branch, "shedule", "unknown option `shedule`; `schedule` is an option of `#[pipeline]`"),
            (Defaults, "id", "an id belongs to one node: set it in the task's attribute, or with `.named(\"..\")`"),
        ] {
            assert_eq!(explain_unknown(owner, name), message);
        }
        assert!(explain_unknown(Task, "xyzzy").starts_with("unknown option `xyzzy`; `#[task]` has `retries`, "));
    }
}
