//! Everything that the text of an alert may use.

use pipeline_runtime::prelude::*;

const TEAM: &str = "data";
const RUNBOOK: &str = "https://wiki.example.org/runbook";

const AUDIT: Webhook = Webhook::env("AUDIT_URL").text(alert!(
    "{{ event }} {{ summary }} {{ state }} {{ error | default('') }} {{ attempt }} {{ attempts }} {{ pokes }} {{ elapsed }} {{ at | date('%H:%M') }}",
));
const CHAT: Webhook = Webhook::env("CHAT_URL").slack().text(alert!(
    "*{{ summary }}*, {{ team }}: <{{ runbook | safe }}|what to do>\n```{{ error | default('no error') }}```",
    team = TEAM,
    runbook = RUNBOOK,
));
const OF_FILE: Webhook = Webhook::env("CHAT_URL").text(alert!(file = "ui/alert/pass/failure.txt"));

#[task(on_failure = [AUDIT, CHAT, OF_FILE])]
async fn load() -> Result<u64> {
    Ok(1)
}

#[pipeline(on_failure = CHAT)]
pub(crate) fn alerts() {
    load().on_retry(AUDIT.text(alert!("{{ task.id }} on {{ local_ds }} of {{ params.region | default('eu') }}, {{ run.kind }}")));
}
