//! `docs/alerts.md`: each block has constants of the same names.

#[rustfmt::skip]
mod by_what {
    use pipeline_runtime::prelude::*;

    const CHAT: Webhook = Webhook::env("SLACK_URL").slack();
    const TEAM: Mail = Mail::env("SMTP_URL").to(&["data@example.org"]).from("Pipelines <pipelines@example.org>");

    #[pipeline(schedule = "@daily", on_failure = [CHAT, TEAM], sla = "45m", on_sla_miss = TEAM)]
    fn nightly() { /* .. */ }
}

mod in_your_words {
    use pipeline_runtime::prelude::*;

    const CHAT: Webhook =
        Webhook::env("SLACK_URL").slack().text(alert!("*{{ task.id | default('the run') }}* of {{ dag.id }}: {{ error }}"));
    const TEAM: Mail = Mail::env("SMTP_URL")
        .to(&["data@example.org"])
        .subject(alert!("[{{ dag.id }}] {{ summary }}"))
        .text(alert!(file = "ui/alert/pass/failure.txt"));

    #[task]
    async fn load() -> Result<u64> {
        Ok(1)
    }

    #[pipeline(schedule = "@daily", on_failure = [CHAT, TEAM])]
    fn nightly() {
        load();
    }

    #[test]
    fn it_has_no_mistakes() {
        nightly().check().unwrap();
    }
}
