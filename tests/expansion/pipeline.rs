#[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
const _: () = {
    #[cfg(rust_analyzer)]
    {
        mod options {
            use ::pipeline_runtime::__private::options::pipeline::*;
            use self::{
                schedule as _, sla as _, escalate as _, defaults::retries as _,
                tags as _,
            };
        }
    }
};
/// Loads the day.
pub fn daily() -> ::pipeline_runtime::Pipeline {
    #[allow(
        dead_code,
        clippy::needless_pass_by_value,
        clippy::unnecessary_wraps,
        reason = "an unregistered pipeline is reported once, by its outer name; a run calls it with owned params"
    )]
    fn daily(options: Options) -> Result<()> {
        count(export(options.key));
        Ok(())
    }
    ::pipeline_runtime::__private::pipeline1::<
        Options,
        Result<()>,
    >(
        ::pipeline_runtime::__private::PipelineDefinition::new(
            "daily",
            "Loads the day.",
            |o| {
                o
                    .schedule(
                        ::pipeline_runtime::__private::Cron::checked(&["0 6 * * *"]),
                    )
                    .sla(2700000)
                    .escalate(3600000, page)
                    .escalate(5400000, page)
                    .escalate(5400000, log_it)
                    .defaults(
                        ::pipeline_runtime::__private::Defaults::new(|o| o.retries(1)),
                    )
                    .tags(&["daily"])
            },
        ),
        daily,
    )
}
