//! `docs/pipelines-as-values.md`

use pipeline_runtime::prelude::*;

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Options {
    medium: String,
    limit: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { medium: "image".to_owned(), limit: 100 }
    }
}

fn in_production() -> bool {
    false
}

#[task]
async fn refresh(medium: String, limit: u32) -> Result<String> {
    Ok(format!("{medium} {limit}"))
}

#[pipeline(schedule = "@daily")]
fn image_refresh(options: Options) {
    refresh(options.medium, options.limit);
}

fn pipelines() -> Vec<Pipeline> {
    let of = |medium: &str| {
        image_refresh().with_id(format!("{medium}_refresh")).with_params(Options { medium: medium.into(), limit: 200 })
    };
    let all = [of("image"), of("audio").schedule(cron!("0 0 * * 1"))];
    all.map(|pipeline| pipeline.unscheduled_unless(in_production())).into()
}

fn main() -> std::process::ExitCode {
    pipeline_runtime::cli::main(pipelines())
}

#[test]
fn they_have_no_mistakes() {
    for pipeline in pipelines() {
        pipeline.check().unwrap();
    }
}
