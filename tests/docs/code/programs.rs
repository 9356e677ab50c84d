//! `docs/programs.md`

use pipeline_runtime::Command;
use pipeline_runtime::prelude::*;

static DATABASE: Secret = Secret::env("DATABASE_URL");

#[task(timeout = "2h", retries = 2, retry_delay = "1m")]
async fn dbt(ctx: Context, database: Secret, day: String) -> Result<Built> {
    let dbt = Command::new("dbt").args(["run", "--vars", &day]).env("DATABASE_URL", &database).dir("/srv/dbt");
    dbt.run(&ctx).await?.output_json()
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Built {
    models: u64,
}

#[pipeline]
fn models() {
    dbt(&DATABASE, template!("{{ ds }}"));
}

#[test]
fn it_has_no_mistakes() {
    models().check().unwrap();
}
