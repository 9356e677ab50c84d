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
impl route {
    ///Runs the body of `route` directly, without a pipeline: for unit tests.
    #[allow(
        dead_code,
        clippy::unused_async,
        unused_braces,
        reason = "a task's signature is its place in the plan"
    )]
    async fn call(report: ::pipeline_runtime::__private::Id<Report>) -> Result<Route> {
        let _ = ::pipeline_runtime::__private::input::<Report, Report>;
        { body(report).await }
    }
}
#[track_caller]
fn route(
    report: impl ::pipeline_runtime::IntoInput<Report>,
) -> <<route as ::pipeline_runtime::__private::Checks>::Output as ::pipeline_runtime::__private::Wires<
    Result<Route>,
>>::Wired {
    ::pipeline_runtime::__private::wire::<
        route,
        <route as ::pipeline_runtime::__private::Checks>::Output,
        Result<Route>,
        _,
    >(
        ::pipeline_runtime::__private::body1(<route>::call),
        ::pipeline_runtime::__private::Equality::<
            <<route as ::pipeline_runtime::__private::Checks>::Output as ::pipeline_runtime::__private::Wires<
                Result<Route>,
            >>::Value,
        >::ask()
            .answer(),
        ::pipeline_runtime::__private::TaskOptions::new(),
        [::pipeline_runtime::__private::input::<Report, _>("report", report)],
    )
}
#[doc(hidden)]
#[allow(
    dead_code,
    non_camel_case_types,
    reason = "the home of `call`, without values; it shares the function's name"
)]
enum route {}
impl ::pipeline_runtime::__private::Checks for route {
    type Output = ::pipeline_runtime::__private::Checked<
        ::pipeline_runtime::__private::AsBranch,
        { ::pipeline_runtime::__private::branch_output::<Result<Route>>() },
    >;
}
impl ::pipeline_runtime::__private::TaskName for route {
    type Output = ::pipeline_runtime::__private::Id<
        <<route as ::pipeline_runtime::__private::Checks>::Output as ::pipeline_runtime::__private::Wires<
            Result<Route>,
        >>::Value,
    >;
    const DEFINITION: ::pipeline_runtime::__private::Definition = ::pipeline_runtime::__private::Definition::branch::<
        Self,
    >("route", "", "Route");
}
