#[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
const _: () = {
    #[cfg(rust_analyzer)]
    {
        mod options {
            use ::pipeline_runtime::__private::options::task::*;
            use self::{};
        }
    }
};
impl hash {
    ///Runs the body of `hash` directly, without a pipeline: for unit tests.
    #[allow(
        dead_code,
        clippy::missing_const_for_fn,
        clippy::needless_pass_by_value,
        clippy::unnecessary_wraps,
        unused_braces,
        reason = "a task's signature is its place in the plan"
    )]
    fn call(
        file: ::pipeline_runtime::__private::Id<PathBuf>,
        seed: ::pipeline_runtime::__private::Id<u64>,
    ) -> Result<u64> {
        let _ = ::pipeline_runtime::__private::input::<PathBuf, PathBuf>;
        let _ = ::pipeline_runtime::__private::input::<u64, u64>;
        { body(file, seed) }
    }
}
#[track_caller]
fn hash(
    file: impl ::pipeline_runtime::IntoInput<PathBuf>,
    seed: impl ::pipeline_runtime::IntoInput<u64>,
) -> ::pipeline_runtime::Node<u64> {
    ::pipeline_runtime::__private::task::<
        hash,
        Result<u64>,
        u64,
        _,
    >(
        ::pipeline_runtime::__private::Start::by(|inputs, erase| ::pipeline_runtime::__private::drive_blocking(
            erase,
            inputs,
            |inputs| <hash>::call(
                ::pipeline_runtime::__private::Inputs::take(inputs),
                ::pipeline_runtime::__private::Inputs::take(inputs),
            ),
        )),
        ::pipeline_runtime::__private::Equality::<u64>::ask().answer(),
        ::pipeline_runtime::__private::TaskOptions::new(),
        [
            ::pipeline_runtime::__private::input::<PathBuf, _>("file", file),
            ::pipeline_runtime::__private::input::<u64, _>("seed", seed),
        ],
    )
}
#[doc(hidden)]
#[allow(
    dead_code,
    non_camel_case_types,
    reason = "the home of `call`, without values; it shares the function's name"
)]
enum hash {}
impl ::pipeline_runtime::__private::TaskName for hash {
    type Output = ::pipeline_runtime::__private::Id<u64>;
    const DEFINITION: ::pipeline_runtime::__private::Definition = ::pipeline_runtime::__private::Definition::task::<
        Self,
    >("hash", "", "u64");
}
