#[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
const _: () = {
    #[cfg(rust_analyzer)]
    {
        mod options {
            use my_facade::pipeline::__private::options::task::*;
            use self::{
                backoff::{start as _, max as _},
                on_failure as _,
            };
        }
    }
};
#[doc(hidden)]
use my_facade::pipeline::__private as __count_runtime;
impl count {
    ///Runs the body of `count` directly, without a pipeline: for unit tests.
    #[allow(
        dead_code,
        clippy::unused_async,
        unused_braces,
        reason = "a task's signature is its place in the plan"
    )]
    async fn call(rows: __count_runtime::Id<u64>, ctx: Context) -> Answer<u64> {
        let _ = __count_runtime::input::<u64, u64>;
        { body(rows, ctx).await }
    }
}
#[track_caller]
fn count(
    rows: impl __count_runtime::IntoInput<u64>,
) -> <<count as __count_runtime::Checks>::Output as __count_runtime::Wires<
    Answer<u64>,
>>::Wired {
    __count_runtime::wire::<
        count,
        <count as __count_runtime::Checks>::Output,
        Answer<u64>,
        _,
    >(
        __count_runtime::Start::by(|inputs, erase| __count_runtime::drive(
            erase,
            inputs,
            <count>::call(
                __count_runtime::Inputs::take(inputs),
                __count_runtime::Inputs::context(inputs),
            ),
        )),
        __count_runtime::Equality::<
            <<count as __count_runtime::Checks>::Output as __count_runtime::Wires<
                Answer<u64>,
            >>::Value,
        >::ask()
            .answer(),
        __count_runtime::TaskOptions::new()
            .backoff(__count_runtime::Backoff::from_millis(30000, 300000))
            .on_failure(page),
        [__count_runtime::input::<u64, _>("rows", rows)],
    )
}
#[doc(hidden)]
#[allow(
    dead_code,
    non_camel_case_types,
    reason = "the home of `call`, without values; it shares the function's name"
)]
enum count {}
impl __count_runtime::Checks for count {
    type Output = __count_runtime::Checked<
        __count_runtime::AsTask,
        { __count_runtime::task_output::<Answer<u64>>() },
    >;
}
impl __count_runtime::TaskName for count {
    type Output = __count_runtime::Id<
        <<count as __count_runtime::Checks>::Output as __count_runtime::Wires<
            Answer<u64>,
        >>::Value,
    >;
    const DEFINITION: __count_runtime::Definition = __count_runtime::Definition::task::<
        Self,
    >("count", "", "Answer<u64>");
}

#[doc(hidden)]
use my_facade::pipeline::__private as __RouteArms_runtime;
///The arms of [`Route`], as nodes. Taking it apart names every arm, so that a forgotten one is a compile error.
#[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
#[allow(dead_code, reason = "an arm that nothing follows is no mistake")]
struct RouteArms {
    ///Runs where the branch returned [`Route::Clean`].
    pub clean: __RouteArms_runtime::Node<u64>,
    ///Runs where the branch returned [`Route::Nothing`].
    pub nothing: __RouteArms_runtime::Node<()>,
}
const _: () = {
    impl __RouteArms_runtime::Branch for Route {
        type Arms = RouteArms;
        fn split(&self) -> (usize, &dyn __RouteArms_runtime::Datum) {
            match self {
                Self::Clean(value) => (0, __RouteArms_runtime::value::<u64>(value)),
                Self::Nothing => (1, __RouteArms_runtime::value(&())),
            }
        }
    }
    impl __RouteArms_runtime::Arms<Route> for RouteArms {
        const NAMES: &'static [&'static str] = &["clean", "nothing"];
        #[track_caller]
        fn from_branch(branch: __RouteArms_runtime::BranchHandle) -> Self {
            Self {
                clean: __RouteArms_runtime::arm::<u64>(branch, 0),
                nothing: __RouteArms_runtime::arm::<()>(branch, 1),
            }
        }
        fn branch(&self) -> __RouteArms_runtime::BranchHandle {
            __RouteArms_runtime::branch_of(&self.clean)
        }
    }
};

#[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
const _: () = {
    #[cfg(rust_analyzer)]
    {
        mod options {
            use my_facade::pipeline::__private::options::pipeline::*;
            use self::defaults::mode as _;
        }
    }
};
#[doc(hidden)]
use my_facade::pipeline::__private as __daily_runtime;
fn daily() -> __daily_runtime::Pipeline {
    #[allow(
        dead_code,
        clippy::needless_pass_by_value,
        clippy::unnecessary_wraps,
        reason = "an unregistered pipeline is reported once, by its outer name; a run calls it with owned params"
    )]
    fn daily(options: Options) {
        count(options.rows);
    }
    __daily_runtime::pipeline1::<
        Options,
        (),
    >(
        __daily_runtime::PipelineDefinition::new(
            "daily",
            "",
            |o| {
                o
                    .defaults(
                        __daily_runtime::Defaults::new(|o| {
                            o.mode(__daily_runtime::Mode::Poke)
                        }),
                    )
            },
        ),
        daily,
    )
}
