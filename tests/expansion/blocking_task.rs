#[track_caller]
fn hash(
    file: impl ::pipeline_runtime::IntoInput<PathBuf>,
    seed: impl ::pipeline_runtime::IntoInput<u64>,
) -> ::pipeline_runtime::Node<u64> {
    ::pipeline_runtime::__private::node::<
        <hash as ::pipeline_runtime::__private::Checks>::Output,
        Result<u64>,
        _,
        _,
    >(
        const {
            &::pipeline_runtime::__private::Definition::new(
                ::pipeline_runtime::__private::Kind::Task,
                "hash",
                &["file", "seed"],
                "",
                ::core::convert::identity,
            )
        },
        [
            ::pipeline_runtime::__private::arg::<
                <hash as ::pipeline_runtime::__private::Checks>::Output,
                PathBuf,
            >(file),
            ::pipeline_runtime::__private::arg::<
                <hash as ::pipeline_runtime::__private::Checks>::Output,
                u64,
            >(seed),
        ],
        |inputs| {
            let input_1 = inputs.take();
            let input_2 = inputs.take();
            ::pipeline_runtime::__private::drive_blocking::<
                <hash as ::pipeline_runtime::__private::Checks>::Output,
                _,
            >(move || hash::call(input_1, input_2))
        },
    )
}
#[doc(hidden)]
#[allow(
    dead_code,
    non_camel_case_types,
    reason = "the home of `call`, without values; it shares the function's name"
)]
enum hash {}
impl hash {
    ///Runs the body of `hash` directly, without a pipeline: for unit tests.
    #[allow(
        dead_code,
        clippy::missing_const_for_fn,
        clippy::needless_pass_by_value,
        clippy::unnecessary_wraps,
        reason = "a task's signature is its place in the plan"
    )]
    fn call(
        file: ::pipeline_runtime::__private::Id<PathBuf>,
        seed: ::pipeline_runtime::__private::Id<u64>,
    ) -> Result<u64> {
        body(file, seed)
    }
}
impl ::pipeline_runtime::__private::Checks for hash {
    type Output = ::pipeline_runtime::__private::Checked<
        ::pipeline_runtime::__private::AsTask,
        {
            ::pipeline_runtime::__private::param::<PathBuf>();
            ::pipeline_runtime::__private::param::<u64>();
            ::pipeline_runtime::__private::task_output::<Result<u64>>()
        },
    >;
}
