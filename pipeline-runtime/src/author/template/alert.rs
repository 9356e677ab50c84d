//! The texts of alerts.

use super::rendering::{Escaping, NamedJson, RenderError, Rendering, date_variables, run_variables};
use crate::author::notification_text;
use crate::author::notify::Notification;
use minijinja::{Value, context};
use pipeline_syntax::template::Purpose;
use std::fmt;

/// A notifier's text, with variables. [`alert!`](macro@crate::alert) creates it.
///
/// It is `Copy`, so that it, and a notifier that has one, can be constants.
#[derive(Clone, Copy)]
pub struct AlertText {
    source: &'static str,
    /// A function, because a constant cannot be written as JSON at compile time.
    given: Option<fn() -> Vec<NamedJson>>,
}

impl AlertText {
    pub(crate) const fn new(source: &'static str) -> Self {
        Self { source, given: None }
    }

    pub(crate) const fn with(source: &'static str, given: fn() -> Vec<NamedJson>) -> Self {
        Self { source, given: Some(given) }
    }

    /// The text as it was written.
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// Renders the text for this notification.
    pub(crate) fn render(&self, of: &Notification, escaping: Escaping) -> Result<String, RenderError> {
        let rendering = Rendering { source: self.source, purpose: Purpose::Alert, escaping };
        let given = self.given.map_or_else(Vec::new, |given| given());
        rendering.text(context! { ..rendering.named_values(&given)?, ..values(of) })
    }
}

impl fmt::Debug for AlertText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.source, f)
    }
}

/// The values of an alert. Missing ones are left out, so that they can be tested, and printing them is an error.
fn values(n: &Notification) -> Value {
    // What the run was when it started is not stored with each of its notifications.
    let run = n
        .run
        .as_ref()
        .map_or_else(|| context! { params => context! {}, run => context! {} }, |of| run_variables(&of.info, of.zone));
    let task = n.node.as_ref().map_or_else(|| context! {}, |node| context! { id => node });
    let inputs = Value::from_pairs(n.inputs.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str()))));
    let at = n.at.to_rfc3339();
    let attempt = notification_text::attempt(n).map(Value::from);
    let maybe = [
        ("state", n.state.as_deref().map(Value::from)),
        ("error", n.error.as_deref().map(Value::from)),
        ("try_number", attempt.clone()),
        ("attempt", attempt),
        ("attempts", n.attempts.map(Value::from)),
        ("pokes", n.pokes.map(Value::from)),
        ("elapsed", n.elapsed.map(|elapsed| Value::from(notification_text::duration(elapsed)))),
        ("budget_left", n.budget_left.map(|left| Value::from(notification_text::duration(left)))),
    ];
    let known = Value::from_pairs(maybe.into_iter().filter_map(|(name, value)| Some((name, value?))));
    context! {
        event => n.name(),
        summary => notification_text::headline(n),
        at => at,
        inputs => inputs,
        task => task,
        run_id => &n.run_id,
        dag => context! { id => &n.pipeline },
        ..context! { ..known, ..context! { ..date_variables(n.logical_date), ..run } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::context::RunInfo;
    use crate::author::notify::{Event, OfRun};
    use crate::author::previous::Previous;
    use crate::schedule::{Interval, Zone};
    use pipeline_syntax::template::{AIRFLOW_OF_ALERTS, ALERT_VARIABLES, VARIABLES};
    use std::sync::Arc;
    use std::time::Duration;

    fn failure() -> Notification {
        Notification {
            pokes: Some(3),
            elapsed: Some(Duration::from_mins(10)),
            budget_left: Some(Duration::ZERO),
            ..Notification::for_test(Event::OnFailure).with_node("load", "failed").with_attempt(2, 3).with_error("disk full")
        }
        .with_input("key", "raw/1.json")
    }

    /// Adds what the engine adds about the run.
    fn with_run(n: Notification) -> Notification {
        let interval = Interval::at(n.logical_date);
        let info = RunInfo {
            previous: Some(Previous { interval, began: None }).into(),
            ..RunInfo::new("test", "test", interval, serde_json::json!({ "region": "eu" }))
        };
        Notification { run: Some(OfRun { info: Arc::new(info), zone: Zone::named("Europe/Berlin").unwrap() }), ..n }
    }

    fn render(source: &'static str, n: &Notification) -> Result<String, String> {
        AlertText::new(source).render(n, Escaping::None).map_err(|error| error.to_string())
    }

    #[test]
    fn all_variables_have_a_value() {
        let told = with_run(failure());
        for name in ALERT_VARIABLES.iter().chain(VARIABLES) {
            let source = format!("{{{{ {name} }}}}").leak();
            assert!(render(source, &told).is_ok_and(|text| !text.is_empty()), "{source}: {:?}", render(source, &told));
        }
        let all = "{{ event }}: {{ summary }}: {{ error }}; {{ attempt }}={{ try_number }} of {{ attempts }} in {{ elapsed }}, {{ inputs.key }}";
        assert_eq!(render(all, &told).unwrap(), "on_failure: load of test failed: disk full; 2=2 of 3 in 10m, raw/1.json");
        assert_eq!(render("{{ params.region }} {{ at | local | date('%H:%M') }}", &told).unwrap(), "eu 01:00");
    }

    #[test]
    fn what_airflow_has_instead_is_there() {
        for (_, instead) in AIRFLOW_OF_ALERTS {
            assert!(ALERT_VARIABLES.contains(&instead.trim_matches('`')), "{instead}");
        }
    }

    #[test]
    fn what_is_not_known_can_be_tested_but_not_printed() {
        let run_variables = Notification::for_test(Event::OnSuccess);
        assert_eq!(render("{% if task.id %}x{% else %}the run{% endif %}", &run_variables).unwrap(), "the run");
        assert_eq!(render("{{ error | default('none') }}, {{ ds }}", &run_variables).unwrap(), "none, 2024-01-01");
        for name in
            ["error", "task.id", "attempt", "try_number", "pokes", "state", "inputs.key", "params.region", "run.kind", "local_ds"]
        {
            let error = render(format!("{{{{ {name} }}}}").leak(), &run_variables).unwrap_err();
            assert!(error.contains(&format!("`{name}` has no value in this alert")), "{error}");
        }
    }

    #[test]
    fn constants_are_given_by_name() {
        let text = AlertText::with("{{ team }}: {{ summary }}", || vec![("team", Ok("data".into()))]);
        assert_eq!(text.render(&failure(), Escaping::None).unwrap(), "data: load of test failed");
    }

    #[test]
    fn it_is_bounded_as_every_template_is() {
        let error = render("{% for x in range(3000) %}{{ 'x' * 1000 }}{% endfor %}", &failure()).unwrap_err();
        assert!(error.ends_with("its text has more than 1 MiB, which is the limit"), "{error}");
        let error =
            render("{% for x in range(3000) %}{% for y in range(3000) %}{% endfor %}{% endfor %}", &failure()).unwrap_err();
        assert!(error.ends_with("it takes more than 1000000 instructions: loop over less"), "{error}");
    }
}
