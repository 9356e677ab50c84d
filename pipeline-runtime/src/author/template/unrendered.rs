//! Plain texts that were meant to be templates.

/// What a template may name, as the macro's own list has it.
const VARIABLES: &[&str] = &[
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
    "dag.id",
    "task.id",
    "try_number",
];

/// The first expression of a text, such as `{{ ds }}`, that a template would have replaced.
pub(crate) fn unrendered(text: &str) -> Option<&str> {
    text.match_indices("{{").find_map(|(at, _)| {
        let rest = &text[at..];
        let expression = &rest[..rest.find("}}")? + "}}".len()];
        let code = expression.trim_start_matches(['{', '-', ' ']);
        let end = code.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(code.len());
        let name = &code[..end];
        (VARIABLES.contains(&name) || name.starts_with("params.")).then_some(expression)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
