//! Finds the mistakes in a template that can be found before a run: in its syntax, and in every name that it uses.

use super::names::{BUILTIN_FILTERS, FUNCTIONS, METHODS, TESTS};
use chrono::format::{Item, StrftimeItems};
use minijinja::Environment;
use minijinja::machinery::{Instruction, Instructions, Token, get_compiled_template, tokenize};
use minijinja::syntax::SyntaxConfig;
use pipeline_syntax::suggest;
use pipeline_syntax::template::{
    AIRFLOW, AIRFLOW_OF_ALERTS, ALERT_VARIABLES, DATE_FILTERS, DateFilter, Purpose, in_single_braces,
};

/// The mistakes in a template, and the values that it does not use.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The messages. A template that does not parse has one.
    pub(super) mistakes: Vec<String>,
    /// The names of given values that are not used.
    pub(super) unused: Vec<String>,
}

impl From<String> for Findings {
    fn from(mistake: String) -> Self {
        Self { mistakes: vec![mistake], unused: Vec::new() }
    }
}

/// Finds every mistake in a template to which values of these names are given.
pub(super) fn check(purpose: Purpose, source: &str, given: &[String]) -> Findings {
    if let Some(mistake) = single_braces(purpose, source, given) {
        return mistake.into();
    }
    let env = Environment::new();
    let template = match env.template_from_str(source) {
        Ok(template) => template,
        Err(error) => return does_not_parse(source, &error).into(),
    };
    let compiled = get_compiled_template(&template);
    let mut found = Vec::new();
    let mut functions = Vec::new();
    check_calls(purpose, source, &compiled.instructions, &mut functions, &mut found);
    let mut variables: Vec<_> = template.undeclared_variables(true).into_iter().collect();
    variables.sort();
    let unknown = variables
        .iter()
        // minijinja also counts a function as a variable.
        .filter(|name| !functions.contains(*name) && !FUNCTIONS.contains(&name.as_str()))
        .filter_map(|name| unknown_variable(purpose, source, name, given));
    found.extend(unknown);
    let is_used = |given: &&String| variables.iter().any(|name| root(name) == **given);
    Findings { mistakes: found, unused: given.iter().filter(|given| !is_used(given)).cloned().collect() }
}

fn root(name: &str) -> &str {
    name.split_once('.').map_or(name, |(root, _)| root)
}

/// Returns a message for `{ds}`, the syntax of `format!`: here it is plain text, which is hardly what the user meant.
fn single_braces(purpose: Purpose, source: &str, given: &[String]) -> Option<String> {
    let name = in_single_braces(source)?;
    if purpose.has(name) || given.iter().any(|given| *given == root(name)) {
        return Some(format!("template expressions need double braces: write `{{{{ {name} }}}}` for `{{{name}}}`"));
    }
    let is_of_several_lines = source.trim_end().contains('\n');
    // The name is a slice of the source. A search could find the same text earlier, where it is not a mistake.
    let before = &source[..name.as_ptr().addr() - source.as_ptr().addr()];
    let line = before.matches('\n').count() + 1;
    let location = if is_of_several_lines { format!(" in line {line}") } else { String::new() };
    Some(format!(
        "`{{{name}}}` is not replaced{location}: template expressions need double braces, and a value is passed by name; write \
         `{{{{ {name} }}}}`, and after the text `{name} = {name}`; for literal braces write `{{% raw %}}{{{name}}}{{% endraw %}}`"
    ))
}

fn does_not_parse(source: &str, error: &minijinja::Error) -> String {
    let why = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
    let close = match why.as_str() {
        _ if why.ends_with("expected end of variable block") => "; close it with `}}`",
        _ if why.ends_with("expected end of block") => "; close it with `%}`",
        _ => "",
    };
    let line = error.line().filter(|_| source.trim_end().contains('\n'));
    let text = line.and_then(|line| source.lines().nth(line - 1));
    match (line, text) {
        (Some(line), Some(text)) => {
            format!("this template does not parse: {why}{close}, in line {line}, `{}`", text.trim())
        }
        _ => format!("this template does not parse: {why}{close}"),
    }
}

fn unknown_variable(purpose: Purpose, source: &str, name: &str, given: &[String]) -> Option<String> {
    if purpose.has(name) || given.iter().any(|given| *given == root(name)) {
        return None;
    }
    let location = location(source, name);
    let (root, part) = name.split_once('.').unwrap_or((name, ""));
    let airflow = |name: &str| airflow(purpose).find(|(airflow, _)| *airflow == name);
    let variables = purpose.variables();
    if let Some((airflow, instead)) = airflow(name).or_else(|| airflow(root)) {
        return Some(format!("`{airflow}` is Airflow's name{location}: write {instead}"));
    }
    if purpose == Purpose::Input && ALERT_VARIABLES.contains(&root) {
        return Some(format!(
            "`{root}` is available only in an `alert!(..)`{location}; to pass a value of that name, write `{root} = {root}` after the text"
        ));
    }
    if !part.is_empty() && variables.contains(&root) {
        let example = if ALERT_VARIABLES.contains(&root) && root != "at" { "upper" } else { "date(\"%Y-%m\")" };
        return Some(format!("`{root}` has no `{part}`{location}; use a filter, as in `{{{{ {root} | {example} }}}}`"));
    }
    let inside = format!("{root}.");
    let known: Vec<&str> = variables.iter().copied().filter(|known| known.starts_with(&inside)).collect();
    match *known {
        [] => {}
        [only] => return Some(format!("`{root}` has only an id{location}: write `{only}`")),
        _ if part == "id" => return Some(format!("`{root}` has no id{location}: write `{root}_id`")),
        _ => return Some(format!("there is no `{name}`{location}: write `{}`", known.join("` or `"))),
    }
    let known: Vec<&str> = given.iter().map(String::as_str).chain(variables.iter().copied()).collect();
    let kind = purpose.name();
    Some(match suggest::nearest(name, &known) {
        Some(near) => format!("unknown {kind} variable `{name}`{location}; did you mean `{near}`?"),
        None => format!(
            "unknown {kind} variable `{name}`{location}; to pass {} of that name, write `{root} = {root}` after the text; every {kind} has {}",
            match purpose {
                Purpose::Input => "a value",
                Purpose::Alert => "a constant",
            },
            suggest::list(&variables)
        ),
    })
}

/// Airflow's names that are not available here, and what to write instead.
fn airflow(purpose: Purpose) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let own = match purpose {
        Purpose::Input => &[],
        Purpose::Alert => AIRFLOW_OF_ALERTS,
    };
    own.iter().chain(AIRFLOW)
}

/// Checks filters, tests, functions and methods, and collects the functions that the template calls.
fn check_calls(
    purpose: Purpose,
    source: &str,
    instructions: &Instructions<'_>,
    functions: &mut Vec<String>,
    found: &mut Vec<String>,
) {
    let mut before = None;
    for instruction in (0..).map_while(|at| instructions.get(at)) {
        let mistake = match instruction {
            Instruction::ApplyFilter(name, arguments, _) => wrong_filter(source, name, *arguments, before),
            Instruction::PerformTest(name, ..) if !TESTS.contains(name) => {
                Some(format!("unknown template test `{name}`{}; {}", location(source, name), suggest::hint(name, TESTS)))
            }
            Instruction::CallFunction(name, _) => {
                functions.push((*name).to_owned());
                unknown_function(source, name)
            }
            Instruction::CallMethod(name, _) => unknown_method(purpose, source, name),
            _ => None,
        };
        found.extend(mistake);
        before = Some(instruction);
    }
}

fn wrong_filter(source: &str, name: &str, arguments: Option<u16>, before: Option<&Instruction<'_>>) -> Option<String> {
    if let Some(own) = DATE_FILTERS.iter().find(|own| own.name == name) {
        return wrong_arguments(source, own, arguments).or_else(|| wrong_format(source, own, before));
    }
    if BUILTIN_FILTERS.contains(&name) {
        return None;
    }
    let location = location(source, name);
    if name == "strftime" {
        return Some(format!("unknown template filter `strftime`{location}; write `date(\"%Y-%m-%d\")`"));
    }
    let known: Vec<_> = DATE_FILTERS.iter().map(|own| own.name).chain(BUILTIN_FILTERS.iter().copied()).collect();
    Some(match suggest::nearest(name, &known) {
        Some(near) => format!("unknown template filter `{name}`{location}; did you mean `{near}`?"),
        None => format!(
            "unknown template filter `{name}`{location}; the filters are minijinja's, and {}",
            suggest::list(&known[..DATE_FILTERS.len()])
        ),
    })
}

fn wrong_arguments(source: &str, own: &DateFilter, given: Option<u16>) -> Option<String> {
    // The filtered value is the first argument. A list of unknown length is checked only at run time.
    let given = given?.checked_sub(1)?;
    (given != own.arguments).then(|| {
        let takes = match own.arguments {
            0 => "no argument",
            _ => "one argument",
        };
        format!("the template filter `{}` takes {takes}{}, as in `{}`", own.name, location(source, own.name), own.example)
    })
}

/// Checks a date format, because one that chrono does not know would fail only when the task runs.
fn wrong_format(source: &str, own: &DateFilter, before: Option<&Instruction<'_>>) -> Option<String> {
    let ("date", Some(Instruction::LoadConst(format))) = (own.name, before) else {
        return None;
    };
    let format = format.as_str()?;
    StrftimeItems::new(format).any(|item| item == Item::Error).then(|| {
        format!(
            "invalid date format {format:?}{}: use the specifiers of strftime, as in `{}`",
            location(source, own.name),
            own.example
        )
    })
}

fn unknown_function(source: &str, name: &str) -> Option<String> {
    // `loop(..)` is the call of a recursive loop.
    if name == "loop" || FUNCTIONS.contains(&name) {
        return None;
    }
    let location = location(source, name);
    let as_filter = DATE_FILTERS.iter().find(|own| own.name == name);
    Some(match as_filter {
        Some(own) => format!("`{name}` is a filter, not a function{location}: write `{}`", own.example),
        None if BUILTIN_FILTERS.contains(&name) => {
            format!("`{name}` is a filter, not a function{location}: write `{{{{ value | {name} }}}}`")
        }
        None => format!("unknown template function `{name}`{location}; {}", suggest::hint(name, FUNCTIONS)),
    })
}

fn unknown_method(purpose: Purpose, source: &str, name: &str) -> Option<String> {
    // A call on a variable, such as a date, is reported as a part that the variable does not have.
    if METHODS.contains(&name) || source.contains(&format!("macros.{name}")) || on_variable(purpose, source, name) {
        return None;
    }
    Some(format!(
        "template values have no methods, so `{name}()` cannot be called{}; use a filter, as in `{{{{ params.name | upper }}}}`",
        location(source, name)
    ))
}

/// True if the method is called on a known variable whose parts the pipeline does not define itself, as it does for `params`.
fn on_variable(purpose: Purpose, source: &str, method: &str) -> bool {
    let variables = purpose.variables().into_iter().chain(airflow(purpose).map(|(name, _)| *name));
    variables.filter(|name| !purpose.is_open(name)).any(|name| source.contains(&format!("{name}.{method}")))
}

/// The place of a name, " in line 2, column 7", if the template has several lines.
fn location(source: &str, name: &str) -> String {
    if !source.trim_end().contains('\n') {
        return String::new();
    }
    match position(source, name) {
        Some((line, column)) => format!(" in line {line}, column {column}"),
        None => String::new(),
    }
}

/// The line and column, counted from one, of the first occurrence of a dotted name in the template's code.
fn position(source: &str, name: &str) -> Option<(u16, u16)> {
    let tokens: Vec<_> = tokenize(source, false, SyntaxConfig::default()).filter_map(Result::ok).collect();
    let words: Vec<_> = name.split('.').collect();
    let is = |at: usize, word: &str| matches!(tokens.get(at), Some((Token::Ident(ident), _)) if *ident == word);
    let stands = |at: usize| {
        let follows_dot = at > 0 && matches!(tokens[at - 1], (Token::Dot, _)) && words.len() > 1;
        !follows_dot && words.iter().enumerate().all(|(step, word)| is(at + 2 * step, word))
    };
    (0..tokens.len()).find(|at| stands(*at)).map(|at| (tokens[at].1.start_line, tokens[at].1.start_col + 1))
}

#[cfg(test)]
mod tests {
    use super::Purpose;

    fn mistakes(source: &str) -> Vec<String> {
        super::check(Purpose::Input, source, &[]).mistakes
    }

    fn accepted(source: &str) {
        assert_eq!(mistakes(source), Vec::<String>::new(), "{source}");
    }

    #[test]
    fn what_is_given_is_known_and_has_to_be_used() {
        let given = ["table".to_owned(), "columns".to_owned(), "other".to_owned()];
        let found = super::check(Purpose::Input, "{{ table.name }}{% for column in columns %}{{ column }}{% endfor %}", &given);
        assert_eq!((found.mistakes, found.unused), (vec![], vec!["other".to_owned()]));
        let found = super::check(Purpose::Input, "{{ tabel }}", &given);
        assert_eq!(found.mistakes, ["unknown template variable `tabel`; did you mean `table`?"]);
    }

    fn refused(source: &str) -> String {
        let found = mistakes(source);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        found.into_iter().next().unwrap_or_default()
    }

    #[test]
    fn what_the_runtime_provides_is_accepted() {
        accepted("raw/daily_export_{{ ds_nodash }}.json");
        accepted("plain text without code, {a,b} and {\"k\": 1}");
        accepted("{% raw %}{text}{% endraw %}/${HOME}/[0-9]{4}");
        accepted(
            "{{ run.kind }}/{{ run.started | ds }}/{{ dag.id }}/{{ task.id }}/{{ run_id }}/{{ try_number }}/{{ ts | upper }}",
        );
        accepted("{{ params.region }}/{{ params.a.b[0] | default('x') }}/{{ params['c'] }}");
        accepted("{{ data_interval_end | ds }}{{ ds | ds_add(-7) | ds_nodash }}{{ logical_date | date('%Y/%m') }}");
        accepted("{% if prev_data_interval_end_success is defined %}{{ prev_data_interval_end_success }}{% endif %}");
    }

    #[test]
    fn locals_of_the_template_are_its_own() {
        accepted("{% set day = ds %}{{ day }}");
        accepted("{% for r in params.regions %}{{ loop.index }}{{ r.name }}{{ loop.cycle('a', 'b') }}{% endfor %}");
        accepted("{% set ns = namespace(n=1) %}{{ ns.n }}{% for i in range(3) %}{{ i }}{% endfor %}");
    }

    #[test]
    fn unknown_names_are_explained() {
        for (source, message) in [
            ("{{ ds_nodas }}", "unknown template variable `ds_nodas`; did you mean `ds_nodash`?"),
            ("{{ ds | uper }}", "unknown template filter `uper`; did you mean `upper`?"),
            ("{{ ds is strng }}", "unknown template test `strng`; did you mean `string`?"),
            ("{{ rang(3) }}", "unknown template function `rang`; did you mean `range`?"),
            ("{{ execution_date }}", "`execution_date` is Airflow's name: write `logical_date`"),
            ("{{ dag.dag_id }}", "`dag.dag_id` is Airflow's name: write `dag.id`"),
            ("{{ dag }}", "`dag` has only an id: write `dag.id`"),
            ("{{ task.name }}", "`task` has only an id: write `task.id`"),
            ("{{ run }}", "there is no `run`: write `run.kind` or `run.started`"),
            ("{{ run.start }}", "there is no `run.start`: write `run.kind` or `run.started`"),
            ("{{ run.id }}", "`run` has no id: write `run_id`"),
            ("{{ dag_run.run_type }}", "`dag_run.run_type` is Airflow's name: write `run.kind`"),
            (
                "{{ logical_date.strftime('%Y') }}",
                "`logical_date` has no `strftime`; use a filter, as in \
                 `{{ logical_date | date(\"%Y-%m\") }}`",
            ),
            (
                "{{ params.name.upper() }}",
                "template values have no methods, so `upper()` cannot be called; use a filter, as in `{{ params.name | upper }}`",
            ),
            (
                "{{ macros.ds_add(ds, 5) }}",
                "`macros` is Airflow's name: write a filter, as in `{{ ds | ds_add(-7) }}` or \
                 `{{ logical_date | date(\"%Y\") }}`",
            ),
            ("{{ ds_add(ds, 5) }}", "`ds_add` is a filter, not a function: write `{{ ds | ds_add(-7) }}`"),
            ("{{ ds | ds_add }}", "the template filter `ds_add` takes one argument, as in `{{ ds | ds_add(-7) }}`"),
            (
                "{{ ts | date('%Q') }}",
                "invalid date format \"%Q\": use the specifiers of strftime, as in `{{ logical_date | date(\"%Y/%m\") }}`",
            ),
        ] {
            assert_eq!(refused(source), message);
        }
    }

    #[test]
    fn an_alert_has_names_of_its_own() {
        let of_alert = |source: &str| super::check(Purpose::Alert, source, &[]).mistakes;
        let all = "{{ event }}{{ summary }}{{ state }}{{ error | upper }}{{ attempt }}{{ attempts }}{{ pokes }}{{ elapsed }}{{ budget_left }}\
                   {{ inputs.key }}{{ at | date('%H:%M') }}{{ task.id }}{{ params.region }}{{ try_number }}";
        assert_eq!(of_alert(all), Vec::<String>::new());
        for (source, message) in [
            ("{{ eror }}", "unknown alert variable `eror`; did you mean `error`?"),
            ("{{ exception }}", "`exception` is Airflow's name: write `error`"),
            ("{{ ti.try_number }}", "`ti.try_number` is Airflow's name: write `attempt`"),
            ("{{ error.message }}", "`error` has no `message`; use a filter, as in `{{ error | upper }}`"),
            ("{error}", "template expressions need double braces: write `{{ error }}` for `{error}`"),
        ] {
            assert_eq!(of_alert(source), [message]);
        }
        assert_eq!(
            refused("{{ error }}"),
            "`error` is available only in an `alert!(..)`; to pass a value of that name, write `error = error` after the text"
        );
    }

    #[test]
    fn single_braces_are_noticed() {
        assert_eq!(
            refused("raw/{ds_nodash}.json"),
            "template expressions need double braces: write `{{ ds_nodash }}` for `{ds_nodash}`"
        );
        assert!(refused("{ params.region }").contains("`{{ params.region }}`"));
        assert_eq!(
            refused("{bucket}/{{ ds }}"),
            "`{bucket}` is not replaced: template expressions need double braces, and a value is passed by name; write \
             `{{ bucket }}`, and after the text `bucket = bucket`; for literal braces write `{% raw %}{bucket}{% endraw %}`"
        );
        assert!(refused("one\n{bucket}").starts_with("`{bucket}` is not replaced in line 2: "));
        assert!(refused("${bucket}\n{{bucket}}\n{bucket}").starts_with("`{bucket}` is not replaced in line 3: "));
    }

    #[test]
    fn syntax_is_checked() {
        assert!(refused("{{ ds").starts_with("this template does not parse: "));
        assert!(refused("{% if ds %}x").starts_with("this template does not parse: "));
        assert!(refused("{% include 'x' %}").contains("include"));
    }

    #[test]
    fn several_lines_have_places() {
        assert_eq!(refused("one\n  {{ dss }}\n"), "unknown template variable `dss` in line 2, column 6; did you mean `ds`?");
        assert!(refused("one\n{{ ds | }}\n").ends_with("in line 2, `{{ ds | }}`"));
        assert!(refused("one\n{{ params.a | uper }}").contains("in line 2, column 15"));
    }

    #[test]
    fn every_mistake_is_found() {
        assert_eq!(mistakes("{{ dss }}{{ tss }}{{ ds | uper }}").len(), 3);
    }
}
