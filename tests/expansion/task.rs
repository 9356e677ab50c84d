#[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
const _: () = {
    #[cfg(rust_analyzer)]
    {
        mod options {
            use ::pipeline_runtime::__private::options::task::*;
            use self::{retries as _, retry_delay as _, pool as _, on_failure as _};
        }
    }
};
impl count {
    ///Runs the body of `count` directly, without a pipeline: for unit tests.
    #[allow(
        dead_code,
        clippy::unused_async,
        unused_braces,
        clippy::missing_errors_doc,
        clippy::missing_panics_doc,
        reason = "a task's signature is its place in the plan"
    )]
    #[instrument(skip_all)]
    pub async fn call(
        bucket: ::pipeline_runtime::__private::Id<Bucket>,
        mut export: ::pipeline_runtime::__private::Id<Object>,
        ctx: Context,
    ) -> Result<Report> {
        let _ = ::pipeline_runtime::__private::input::<Bucket, Bucket>;
        let _ = ::pipeline_runtime::__private::input::<Object, Object>;
        { body(bucket, export, ctx).await }
    }
}
/// Counts the rows.
///
/// Slowly.
#[allow(
    clippy::must_use_candidate,
    reason = "the call alone wires the node, with the inputs of its body"
)]
#[track_caller]
pub fn count(
    bucket: impl ::pipeline_runtime::IntoInput<Bucket>,
    export: impl ::pipeline_runtime::IntoInput<Object>,
) -> ::pipeline_runtime::Node<Report> {
    ::pipeline_runtime::__private::task::<
        count,
        Result<Report>,
        Report,
        _,
    >(
        ::pipeline_runtime::__private::Start::by(|inputs, erase| ::pipeline_runtime::__private::drive(
            erase,
            inputs,
            <count>::call(
                ::pipeline_runtime::__private::Inputs::take(inputs),
                ::pipeline_runtime::__private::Inputs::take(inputs),
                ::pipeline_runtime::__private::Inputs::context(inputs),
            ),
        )),
        ::pipeline_runtime::__private::Equality::<Report>::ask().answer(),
        ::pipeline_runtime::__private::TaskOptions::new()
            .retries(1)
            .retry_delay(300000)
            .pool(&S3)
            .on_failure(log_it)
            .on_failure(CHAT),
        [
            ::pipeline_runtime::__private::input::<Bucket, _>("bucket", bucket),
            ::pipeline_runtime::__private::input::<Object, _>("export", export),
        ],
    )
}
#[doc(hidden)]
#[allow(
    dead_code,
    non_camel_case_types,
    missing_debug_implementations,
    reason = "the home of `call`, without values; it shares the function's name"
)]
pub enum count {}
impl ::pipeline_runtime::__private::TaskName for count {
    type Output = ::pipeline_runtime::__private::Id<Report>;
    const DEFINITION: ::pipeline_runtime::__private::Definition = ::pipeline_runtime::__private::Definition::task::<
        Self,
    >("count", "Counts the rows.", "Report");
}
