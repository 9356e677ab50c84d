//! What a template may name. The runtime's renderer (`pipeline-runtime/src/author/template`) provides exactly this;
//! a name added here must be added there.

/// Airflow's variables. Below `params` every name is the pipeline's own.
pub(super) const VARIABLES: &[&str] = &[
    "ds",
    "ds_nodash",
    "ts",
    "ts_nodash",
    "logical_date",
    "data_interval_start",
    "data_interval_end",
    "prev_data_interval_start_success",
    "prev_data_interval_end_success",
    "run_id",
    "params",
    "dag.id",
    "task.id",
    "try_number",
];

/// minijinja's own functions.
pub(super) const FUNCTIONS: &[&str] = &["range", "dict", "namespace"];

/// Methods of `loop`, the only object with any.
pub(super) const METHODS: &[&str] = &["cycle", "changed"];

/// A filter of the runtime's: its name, how many arguments it takes, and an example.
pub(super) struct OwnFilter {
    pub(super) name: &'static str,
    pub(super) arguments: u16,
    pub(super) example: &'static str,
}

/// The runtime's filters, all of which take a date or its text.
pub(super) const OWN_FILTERS: &[OwnFilter] = &[
    own("ds", 0, "{{ data_interval_end | ds }}"),
    own("ds_nodash", 0, "{{ data_interval_end | ds_nodash }}"),
    own("ts", 0, "{{ data_interval_end | ts }}"),
    own("ts_nodash", 0, "{{ data_interval_end | ts_nodash }}"),
    own("ds_add", 1, "{{ ds | ds_add(-7) }}"),
    own("date", 1, "{{ logical_date | date(\"%Y/%m\") }}"),
];

const fn own(name: &'static str, arguments: u16, example: &'static str) -> OwnFilter {
    OwnFilter { name, arguments, example }
}

/// minijinja's filters with the features that this workspace enables.
pub(super) const BUILTIN_FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// minijinja's tests, as in `x is defined`.
pub(super) const TESTS: &[&str] = &[
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// Airflow's names that are none here, by their first word or in full, and what to write.
pub(super) const AIRFLOW: &[(&str, &str)] = &[
    ("execution_date", "`logical_date`"),
    ("next_ds", "`{{ data_interval_end | ds }}`"),
    ("next_ds_nodash", "`{{ data_interval_end | ds_nodash }}`"),
    ("next_execution_date", "`data_interval_end`"),
    ("prev_ds", "`{{ ds | ds_add(-1) }}`"),
    ("prev_execution_date", "`prev_data_interval_start_success`"),
    ("prev_start_date_success", "`prev_data_interval_start_success`"),
    ("yesterday_ds", "`{{ ds | ds_add(-1) }}`"),
    ("tomorrow_ds", "`{{ ds | ds_add(1) }}`"),
    ("yesterday_ds_nodash", "`{{ ds | ds_add(-1) | ds_nodash }}`"),
    ("tomorrow_ds_nodash", "`{{ ds | ds_add(1) | ds_nodash }}`"),
    ("ts_nodash_with_tz", "`ts_nodash`"),
    ("macros", "a filter, as in `{{ ds | ds_add(-7) }}` or `{{ logical_date | date(\"%Y\") }}`"),
    ("ti", "`task.id`, `run_id` or `try_number`; another task's value is a parameter of yours"),
    ("task_instance", "`task.id`, `run_id` or `try_number`; another task's value is a parameter of yours"),
    ("dag_run", "`run_id`, or `params.name` for what the run was given"),
    ("conf", "`params.name` for what the run was given"),
    ("var", "`params.name`, with a field `name` in the pipeline's params"),
    ("conn", "a plain value that the pipeline's function passes to the task"),
    ("dag.dag_id", "`dag.id`"),
    ("task.task_id", "`task.id`"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::Environment;

    /// `"upper" is filter` asks minijinja whether it has one.
    fn unknown(kind: &str, names: &[&str]) -> Vec<String> {
        let env = Environment::new();
        let has = |name: &&&str| {
            let source = format!("{{% if {name:?} is {kind} %}}yes{{% endif %}}");
            env.render_str(&source, ()).expect("renders") == "yes"
        };
        names.iter().filter(|name| !has(name)).map(ToString::to_string).collect()
    }

    #[test]
    fn minijinja_has_what_the_tables_say() {
        assert_eq!(unknown("filter", BUILTIN_FILTERS), Vec::<String>::new());
        assert_eq!(unknown("test", TESTS), Vec::<String>::new());
    }

    #[test]
    fn the_runtimes_filters_hide_none_of_minijinjas() {
        let names: Vec<_> = OWN_FILTERS.iter().map(|filter| filter.name).collect();
        assert_eq!(unknown("filter", &names).len(), names.len());
    }

    #[test]
    fn tables_are_sorted_without_repetition() {
        for table in [BUILTIN_FILTERS, TESTS] {
            assert!(table.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
