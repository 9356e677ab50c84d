//! Everything that a template may use.

use pipeline_runtime::prelude::*;

#[task]
async fn show(text: String) -> Result<String> {
    Ok(text)
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Options {
    region: Option<String>,
}

#[pipeline]
pub(crate) fn templates(_: Options) {
    for text in [
        template!("raw/{{ ds }}/{{ ds_nodash }}/{{ ts }}/{{ ts_nodash }}"),
        template!("{{ logical_date }} {{ data_interval_start }} {{ data_interval_end }}"),
        template!("{{ run_id }} {{ dag.id }} {{ task.id }} {{ try_number }} {{ params.region | default('eu') | upper }}"),
        template!("{{ ds | ds_add(-7) }} {{ logical_date | date(\"%Y/%m\") }}"),
        template!("{% if prev_data_interval_end_success is defined %}{{ prev_data_interval_end_success | ds }}{% endif %}"),
        template!("{% for region in ['eu', 'us'] %}{{ loop.index }}{{ region }}{% endfor %}"),
        template!("a { single } brace is text, and so are *.{csv,json}, [0-9]{4}, ${HOME} and {\"k\": 1}"),
        template!("{% raw %}{braces} {{ ds }}{% endraw %}"),
        template!(
            "a text so long that rustfmt puts it on a line of its own, and a comma after it: {{ ds }}/{{ params.region | default('eu') }}",
        ),
    ] {
        show(text);
    }
    let region = "eu";
    show(template!("{{ region }}/{{ n }}", region = region, n = 1 + 1,));
    show(template!(file = "simulation/templates/enrich.sql", columns = [("a", 1)], limit = 7u64));
    show(template!("{{ local_ds }} {{ logical_date | local | ts }}"));
}
