//! Templates, and plain texts that were meant as templates.

use super::*;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Limits {
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tables: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Named {
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    limits: Limits,
    by_name: HashMap<String, String>,
    token: Secret,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Open {
    region: String,
    #[serde(flatten)]
    rest: HashMap<String, String>,
}

#[task]
async fn keyed(key: String) -> Result<u64> {
    Ok(key.len() as u64)
}

#[test]
fn a_template_that_names_a_param_which_is_none() {
    #[task]
    async fn loads(key: String, also: Vec<String>) -> Result<u64> {
        Ok(key.len() as u64 + also.len() as u64)
    }
    #[pipeline]
    fn nightly(named: Named) {
        let _ = named.region;
        loads(template!("{{ params.regoin }}/{{ ds }}"), [template!("{{ params.limits.row }}")]);
        keyed(template!("{% if params.since %}{{ params['untill'] }}{% endif %}"));
        keyed(template!("{{ params.token }}")).named("guarded");
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: the template of `loads` names `params.regoin`, but pipeline `nightly` has no param `regoin`
          --> `loads(template!("{{ params.regoin }}/{{ ds }}"), [template!("{{ params.limits.row }}")])`: the template "{{ params.regoin }}/{{ ds }}" is given here as `key`
          --> `loads(key: String, also: Vec<String>) -> Result<u64> {`: to the input of this task
          = help: did you mean `params.region`?

        error: the template of `loads` names `params.limits.row`, but pipeline `nightly` has no param `limits.row`
          --> `loads(template!("{{ params.regoin }}/{{ ds }}"), [template!("{{ params.limits.row }}")])`: the template "{{ params.limits.row }}" is given here as `also`
          --> `loads(key: String, also: Vec<String>) -> Result<u64> {`: to the input of this task
          = help: did you mean `params.limits.rows`?

        error: the template of `keyed` names `params.since`, but pipeline `nightly` has no param `since`
          --> `keyed(template!("{% if params.since %}{{ params['untill'] }}{% endif %}"))`: the template "{% if params.since %}{{ params['untill'] }}{% endif %}" is given here as `key`
          --> `keyed(key: String) -> Result<u64> {`: to the input of this task
          = help: write one of `params.by_name`, `params.limits`, `params.region`, `params.token`, `params.until`

        error: the template of `guarded` names `params.token`, which is a secret
          --> `keyed(template!("{{ params.token }}")).named("guarded")`: the template "{{ params.token }}" is given here as `key`
          --> `keyed(key: String) -> Result<u64> {`: to the input of this task
          = help: a text is shown and stored: give the task a parameter of the type `Secret`, and pass it the params' `token`

        pipeline `nightly` has 4 mistakes; nothing was run"#]],
    );
}

#[test]
fn a_template_that_names_a_param_there_is() {
    #[pipeline]
    fn nightly(named: Named) {
        let _ = named.region;
        for template in [
            template!("{{ params.region }} {{ params['region'] | upper }} {{ params.limits.rows }}"),
            template!("{% if params.until %}{{ params.until }}{% endif %}"),
            template!("{{ params.limits.tables | default('all') }}"),
            template!("{{ params.by_name.anything }} {{ params.by_name['x'] }} {{ params['re' ~ 'gion'] }}"),
            template!("{% for name in params.by_name %}{{ name }}{% endfor %}"),
        ] {
            keyed(template);
        }
    }
    #[pipeline]
    fn open(open: Open) {
        let _ = open.region;
        keyed(template!("{{ params.region }} {{ params.anything }}"));
    }
    nightly().check().unwrap();
    open().check().unwrap();
}

#[test]
fn a_template_of_a_pipeline_without_params() {
    #[pipeline]
    fn nightly() {
        keyed(template!("{{ params.region }}"));
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: the template of `keyed` names `params.region`, but pipeline `nightly` has no param `region`
          --> `keyed(template!("{{ params.region }}"))`: the template "{{ params.region }}" is given here as `key`
          --> `keyed(key: String) -> Result<u64> {`: to the input of this task
          = help: the pipeline takes no params: give its function a struct of them

        pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn a_secret_is_drawn_as_where_it_stands() {
    static KEY: Secret = Secret::env("NOBODY_SETS_THIS_EITHER");
    async fn page(_: Notification) -> Result<()> {
        Ok(())
    }
    const HOOK: Webhook = Webhook::env("NOBODY_SETS_THIS_HOOK");
    #[task(on_failure = [page, HOOK])]
    async fn fetch(key: Secret) -> Result<u64> {
        Ok(key.expose().len() as u64)
    }
    #[pipeline]
    fn nightly(named: Named) {
        fetch(&KEY);
        fetch(&KEY).named("again");
        fetch(named.token).named("of_params");
    }
    let plan = plan(&nightly());
    assert_eq!(plan.to_json()["nodes"][0]["inputs"][0]["text"], "env:NOBODY_SETS_THIS_EITHER");
    // A param that does not refer to anything yet is not a mistake.
    let missing: Vec<String> = plan.missing_secrets().iter().map(ToString::to_string).collect();
    expect![[r#"
        the secret `env:NOBODY_SETS_THIS_EITHER` has no value: set the environment variable NOBODY_SETS_THIS_EITHER; it is needed by `fetch`, `again` of pipeline `nightly`
        the secret `env:NOBODY_SETS_THIS_HOOK` has no value: set the environment variable NOBODY_SETS_THIS_HOOK; it is needed by `Webhook(NOBODY_SETS_THIS_HOOK)` of pipeline `nightly`"#]].assert_eq(&missing.join("\n"));
}

#[test]
fn a_plain_text_that_was_meant_as_a_template() {
    #[task]
    async fn load(key: String, also: Vec<String>) -> Result<u64> {
        Ok(key.len() as u64 + also.len() as u64)
    }
    #[pipeline]
    fn keys() {
        load("raw/{{ ds_nodash }}.json", ["a", "b/{{params.region}}"]);
        load(template!("raw/{{ ds_nodash }}.json"), [template!("{% raw %}{{ ds }}{% endraw %}")]);
        load("Dear {{ user.name }},", Vec::<String>::new());
    }
    refused(
        &keys(),
        &expect![[r#"
        error: `load` is given a plain text as `key`, in which `{{ ds_nodash }}` is not rendered
          --> `load("raw/{{ ds_nodash }}.json", ["a", "b/{{params.region}}"])`: the text is given here
          --> `load(key: String, also: Vec<String>) -> Result<u64> {`: to the input of this task
          = help: write `template!("..")`, which is rendered when the task starts; if `{{ ds_nodash }}` is what it is to get, `template!("{% raw %}..{% endraw %}")`

        error: `load` is given a plain text as `also`, in which `{{params.region}}` is not rendered
          --> `load("raw/{{ ds_nodash }}.json", ["a", "b/{{params.region}}"])`: the text is given here
          --> `load(key: String, also: Vec<String>) -> Result<u64> {`: to the input of this task
          = help: write `template!("..")`, which is rendered when the task starts; if `{{params.region}}` is what it is to get, `template!("{% raw %}..{% endraw %}")`

        pipeline `keys` has 2 mistakes; nothing was run"#]],
    );
}
