/// Waits for a key.
#[track_caller]
fn export(
    bucket: impl ::pipeline_runtime::IntoInput<Bucket>,
    key: impl ::pipeline_runtime::IntoInput<String>,
) -> ::pipeline_runtime::Node<Object> {
    ::pipeline_runtime::__private::node::<
        <export as ::pipeline_runtime::__private::Checks>::Output,
        Result<Poke<Object>>,
        _,
        _,
    >(
        const {
            &::pipeline_runtime::__private::Definition::new(
                ::pipeline_runtime::__private::Kind::Sensor,
                "export",
                &["bucket", "key"],
                "Waits for a key.",
                |o| {
                    o
                        .timeout(1800000)
                        .backoff(
                            ::pipeline_runtime::__private::Backoff::from_millis(
                                    30000,
                                    300000,
                                )
                                .with_factor(2.0),
                        )
                        .on_timeout(::pipeline_runtime::__private::OnTimeout::Skip)
                },
            )
        },
        [
            ::pipeline_runtime::__private::arg::<
                <export as ::pipeline_runtime::__private::Checks>::Output,
                Bucket,
            >(bucket),
            ::pipeline_runtime::__private::arg::<
                <export as ::pipeline_runtime::__private::Checks>::Output,
                String,
            >(key),
        ],
        |inputs| ::pipeline_runtime::__private::drive::<
            <export as ::pipeline_runtime::__private::Checks>::Output,
            _,
        >(export::call(inputs.take(), inputs.take())),
    )
}
#[doc(hidden)]
#[allow(
    dead_code,
    non_camel_case_types,
    reason = "the home of `call`, without values; it shares the function's name"
)]
enum export {}
impl export {
    ///Runs the body of `export` directly, without a pipeline: for unit tests.
    #[allow(
        dead_code,
        clippy::unused_async,
        reason = "a task's signature is its place in the plan"
    )]
    async fn call(
        bucket: ::pipeline_runtime::__private::Id<Bucket>,
        key: ::pipeline_runtime::__private::Id<String>,
    ) -> Result<Poke<Object>> {
        body(bucket, key).await
    }
}
impl ::pipeline_runtime::__private::Checks for export {
    type Output = ::pipeline_runtime::__private::Checked<
        ::pipeline_runtime::__private::AsSensor,
        {
            ::pipeline_runtime::__private::param::<Bucket>();
            ::pipeline_runtime::__private::param::<String>();
            ::pipeline_runtime::__private::sensor_output::<Result<Poke<Object>>>()
        },
    >;
}
