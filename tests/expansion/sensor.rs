#[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
const _: () = {
    #[cfg(rust_analyzer)]
    {
        mod options {
            use ::pipeline_runtime::__private::options::sensor::*;
            use self::{
                timeout as _, backoff::{start as _, max as _, factor as _},
                on_timeout as _,
            };
        }
    }
};
impl export {
    ///Runs the body of `export` directly, without a pipeline: for unit tests.
    #[allow(
        dead_code,
        clippy::unused_async,
        unused_braces,
        reason = "a task's signature is its place in the plan"
    )]
    async fn call(
        bucket: ::pipeline_runtime::__private::Id<Bucket>,
        key: ::pipeline_runtime::__private::Id<String>,
    ) -> Result<Poke<Object>> {
        let _ = ::pipeline_runtime::__private::input::<Bucket, Bucket>;
        let _ = ::pipeline_runtime::__private::input::<String, String>;
        { body(bucket, key).await }
    }
}
/// Waits for a key.
#[track_caller]
fn export(
    bucket: impl ::pipeline_runtime::IntoInput<Bucket>,
    key: impl ::pipeline_runtime::IntoInput<String>,
) -> ::pipeline_runtime::Node<Object> {
    ::pipeline_runtime::__private::sensor::<
        export,
        Result<Poke<Object>>,
        Object,
        _,
    >(
        ::pipeline_runtime::__private::body2(<export>::call),
        ::pipeline_runtime::__private::Equality::<Object>::ask().answer(),
        ::pipeline_runtime::__private::TaskOptions::new()
            .timeout(1800000)
            .backoff(
                ::pipeline_runtime::__private::Backoff::from_millis(30000, 300000)
                    .with_factor(2.0),
            )
            .on_timeout(::pipeline_runtime::__private::OnTimeout::Skip),
        [
            ::pipeline_runtime::__private::input::<Bucket, _>("bucket", bucket),
            ::pipeline_runtime::__private::input::<String, _>("key", key),
        ],
    )
}
#[doc(hidden)]
#[allow(
    dead_code,
    non_camel_case_types,
    reason = "the home of `call`, without values; it shares the function's name"
)]
enum export {}
impl ::pipeline_runtime::__private::TaskName for export {
    type Output = ::pipeline_runtime::__private::Id<Object>;
    const DEFINITION: ::pipeline_runtime::__private::Definition = ::pipeline_runtime::__private::Definition::sensor::<
        Self,
    >("export", "Waits for a key.", "Object");
}
