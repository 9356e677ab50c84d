//! The names that a template may use, and plain texts that were meant to be templates.

/// The variables of a template, which are Airflow's. Below `params` all names are the pipeline's own.
///
/// The runtime's renderer provides each of them, which a test there verifies.
pub const VARIABLES: &[&str] = &[
    "ds",
    "ds_nodash",
    "ts",
    "ts_nodash",
    "local_ds",
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
    "run.kind",
    "run.started",
];

/// A filter of the runtime itself, which takes a date or its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateFilter {
    /// Its name.
    pub name: &'static str,
    /// The number of its arguments besides the date.
    pub arguments: u16,
    /// An example, for messages.
    pub example: &'static str,
}

/// The filters that the runtime adds to minijinja's. It provides each of them, which a test there verifies.
pub const DATE_FILTERS: &[DateFilter] = &[
    own("ds", 0, "{{ data_interval_end | ds }}"),
    own("ds_nodash", 0, "{{ data_interval_end | ds_nodash }}"),
    own("ts", 0, "{{ data_interval_end | ts }}"),
    own("ts_nodash", 0, "{{ data_interval_end | ts_nodash }}"),
    own("ds_add", 1, "{{ ds | ds_add(-7) }}"),
    own("date", 1, "{{ logical_date | date(\"%Y/%m\") }}"),
    own("local", 0, "{{ logical_date | local | ds }}"),
];

const fn own(name: &'static str, arguments: u16, example: &'static str) -> DateFilter {
    DateFilter { name, arguments, example }
}

/// Airflow's names that a template does not support, by their first word or in full, with their replacements.
pub const AIRFLOW: &[(&str, &str)] = &[
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
    ("ti", "`task.id`, `run_id` or `try_number`; take another task's value as a parameter"),
    ("task_instance", "`task.id`, `run_id` or `try_number`; take another task's value as a parameter"),
    ("dag_run.run_type", "`run.kind`"),
    ("dag_run.start_date", "`run.started`"),
    ("dag_run", "`run_id`, or `params.name` for what the run was given"),
    ("conf", "`params.name` for what the run was given"),
    ("var", "`params.name`, with a field `name` in the pipeline's params"),
    ("conn", "a plain value that the pipeline's function passes to the task"),
    ("dag.dag_id", "`dag.id`"),
    ("task.task_id", "`task.id`"),
];

/// The additional variables in the text of an alert. Below `inputs` the names are those of the node's parameters.
///
/// The runtime's renderer provides each of them, which a test there verifies.
pub const ALERT_VARIABLES: &[&str] =
    &["event", "summary", "state", "error", "attempt", "attempts", "pokes", "elapsed", "budget_left", "inputs", "at"];

/// Airflow's names in the context of a callback, with their replacements, like [`AIRFLOW`] for templates.
pub const AIRFLOW_OF_ALERTS: &[(&str, &str)] = &[
    ("exception", "`error`"),
    ("reason", "`error`"),
    ("ti.try_number", "`attempt`"),
    ("task_instance.try_number", "`attempt`"),
    ("ti.max_tries", "`attempts`"),
    ("task_instance.max_tries", "`attempts`"),
    ("ti.state", "`state`"),
    ("task_instance.state", "`state`"),
    ("ti.duration", "`elapsed`"),
    ("task_instance.duration", "`elapsed`"),
    ("exception_html", "`error`"),
];

/// The purpose of a text with variables, which determines the names that it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A task's input, `template!`.
    Input,
    /// A notifier's text, `alert!`.
    Alert,
}

impl Purpose {
    /// The name of such a text in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "template",
            Self::Alert => "alert",
        }
    }

    /// The variables that it may use, the most specific first.
    pub fn variables(self) -> Vec<&'static str> {
        self.all().collect()
    }

    fn all(self) -> impl Iterator<Item = &'static str> {
        let own = match self {
            Self::Input => &[],
            Self::Alert => ALERT_VARIABLES,
        };
        own.iter().chain(VARIABLES).copied()
    }

    /// Returns whether it may use this name; includes parts of `params` and `inputs`.
    ///
    /// ```
    /// use pipeline_syntax::template::Purpose;
    ///
    /// assert!(Purpose::Alert.has("error") && Purpose::Alert.has("inputs.key") && Purpose::Alert.has("ds"));
    /// assert!(!Purpose::Input.has("error"));
    /// ```
    pub fn has(self, name: &str) -> bool {
        self.is_open(name.split('.').next().unwrap_or(name)) || self.all().any(|known| known == name)
    }

    /// True if the names below this one are the pipeline's own.
    pub fn is_open(self, root: &str) -> bool {
        root == "params" || (self == Self::Alert && root == "inputs")
    }

    /// True if every such text has a variable of that name, or one that begins with it, so that no value may be given under it.
    pub fn reserves(self, name: &str) -> bool {
        // Names that begin with two underscores are reserved for filters, which get the zone from one of them.
        self.all().any(|known| known.split('.').next() == Some(name)) || name == "loop" || name.starts_with("__")
    }
}

/// Returns whether a template may use this name; includes parts of `params`.
///
/// ```
/// use pipeline_syntax::template;
///
/// assert!(template::is_variable("params.region"));
/// assert!(!template::is_variable("execution_date"));
/// ```
pub fn is_variable(name: &str) -> bool {
    Purpose::Input.has(name)
}

/// The first name in single braces in a template's text, such as `region` in `raw/{region}/{{ ds }}`, as in `format!`.
///
/// Only unambiguous cases are found: a name alone within the braces. `{a,b}`, `{"k": 1}`, `{0}`, `{}` and a shell's `${HOME}` are
/// plain text, and so is everything within a template's code, a comment or `{% raw %}`.
///
/// ```
/// use pipeline_syntax::template;
///
/// assert_eq!(template::in_single_braces("raw/{region}/{{ ds }}"), Some("region"));
/// assert_eq!(template::in_single_braces("{% raw %}{region}{% endraw %}"), None);
/// assert_eq!(template::in_single_braces("*.{csv,json}"), None);
/// ```
pub fn in_single_braces(source: &str) -> Option<&str> {
    let mut rest = source;
    loop {
        let at = rest.find('{')?;
        let (before, here) = rest.split_at(at);
        rest = if let Some(code) = here.strip_prefix("{{") {
            after_code(code, "}}")
        } else if let Some(code) = here.strip_prefix("{%") {
            let inside = code.trim_start_matches(['-', '+']).trim_start();
            let end = after_code(code, "%}");
            if is_word(inside, "raw") { after_raw(end) } else { end }
        } else if let Some(comment) = here.strip_prefix("{#") {
            comment.split_once("#}").map_or("", |(_, rest)| rest)
        } else {
            let (written, after) = here[1..].split_once('}')?;
            let name = written.trim();
            let is_text = before.ends_with(['$', '\\']) || !is_path(name) || (name.len() < written.len() && !is_variable(name));
            if !is_text {
                return Some(name);
            }
            // Another brace may follow within these.
            if written.contains('{') { &here[1..] } else { after }
        };
    }
}

/// The text after the end of an expression or a tag; quoted strings within it may contain anything.
fn after_code<'a>(code: &'a str, close: &str) -> &'a str {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in code.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if code[at..].starts_with(close) => return &code[at + close.len()..],
            _ => {}
        }
    }
    ""
}

/// The text after the tag that ends a raw block.
fn after_raw(text: &str) -> &str {
    let end = text.match_indices("{%").find(|(at, _)| {
        let inside = text[at + 2..].trim_start_matches(['-', '+']).trim_start();
        is_word(inside, "endraw")
    });
    end.map_or("", |(at, _)| after_code(&text[at + 2..], "%}"))
}

fn is_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// True for names with dots between them.
fn is_path(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_alphabetic() || c == '_') && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    text.split('.').all(is_name)
}

/// The first expression in a plain text, such as `{{ ds }}`, that a template would have replaced.
///
/// ```
/// use pipeline_syntax::template;
///
/// assert_eq!(template::unrendered("raw/{{ ds_nodash }}.json"), Some("{{ ds_nodash }}"));
/// assert_eq!(template::unrendered("{{ user.name }}"), None);
/// ```
pub fn unrendered(text: &str) -> Option<&str> {
    text.match_indices("{{").find_map(|(at, _)| {
        let rest = &text[at..];
        let expression = &rest[..rest.find("}}")? + "}}".len()];
        let code = expression.trim_start_matches(['{', '-', ' ']);
        let end = code.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(code.len());
        let name = &code[..end];
        (is_variable(name) && name != "params").then_some(expression)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_given_under_the_name_of_a_variable() {
        assert!(["ds", "dag", "loop", "__zone"].iter().all(|name| Purpose::Input.reserves(name)));
        assert!(!Purpose::Input.reserves("region") && !Purpose::Input.reserves("error"));
        assert!(Purpose::Alert.reserves("error") && Purpose::Alert.reserves("ds"));
    }

    #[test]
    fn what_a_template_would_replace_is_found() {
        assert_eq!(unrendered("raw/{{ ds_nodash }}.json"), Some("{{ ds_nodash }}"));
        assert_eq!(unrendered("{{user}} {{params.region|upper}}"), Some("{{params.region|upper}}"));
        assert_eq!(unrendered("{{- dag.id }}"), Some("{{- dag.id }}"));
    }

    #[test]
    fn other_texts_are_themselves() {
        for text in ["", "raw/{ds}.json", "{{ user.name }}", "{{ dsx }}", "{{ ds", "}}{{", "{{ params }}", "ds"] {
            assert_eq!(unrendered(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_in_single_braces_is_found() {
        for (text, name) in [
            ("{b}/{{ ds }}", "b"),
            ("{{ ds }}/{b}", "b"),
            ("raw/{ds}.json", "ds"),
            ("{ params.region }", "params.region"),
            ("{% if ds %}{b}{% endif %}", "b"),
            ("{{ '}}' }}{b}", "b"),
            ("{# x #}{b}", "b"),
            ("{a,b}{größe}", "größe"),
            ("{% raw %}{a}{% endraw %}{b}", "b"),
            ("{\"k\": {b}}", "b"),
        ] {
            assert_eq!(in_single_braces(text), Some(name), "{text}");
        }
    }

    #[test]
    fn other_braces_are_texts() {
        for text in [
            "",
            "{",
            "}{",
            "*.{csv,json}",
            "{\"k\": 1}",
            "{\"k\": {\"l\": {{ try_number }} } }",
            "{k: v}",
            "{}",
            "{0}",
            "[0-9]{4}",
            "{ b }",
            "${HOME}/{{ ds }}",
            "\\{b}",
            "{b:?}",
            "{{ '{b}' }}",
            "{{ \"}} {b}\" }}",
            "{%- raw -%}{b}{{ ds }}{%- endraw -%}",
            "{% raw %}{b}",
            "{# {b} #}",
            "{{ {'a': 1} }}",
            "{b",
        ] {
            assert_eq!(in_single_braces(text), None, "{text}");
        }
    }
}
