//! The functions, methods, filters and tests of minijinja. Those of the runtime are in `pipeline_syntax::template`.

/// minijinja's own functions.
pub(super) const FUNCTIONS: &[&str] = &["range", "dict", "namespace"];

/// Methods of `loop`, the only object that has methods.
pub(super) const METHODS: &[&str] = &["cycle", "changed"];

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

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::Environment;
    use pipeline_syntax::template::DATE_FILTERS;

    /// Returns the names that minijinja does not have, by its test `"upper" is filter`.
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
        let names: Vec<_> = DATE_FILTERS.iter().map(|filter| filter.name).collect();
        assert_eq!(unknown("filter", &names).len(), names.len());
    }

    #[test]
    fn tables_are_sorted_without_repetition() {
        for table in [BUILTIN_FILTERS, TESTS] {
            assert!(table.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
