#[allow(
    unused_variables,
    reason = "the call alone wires the node, with the inputs of its body"
)]
#[track_caller]
fn count(
    input_1: impl ::pipeline_runtime::__private::Anything<
        ::pipeline_runtime::__private::Poison<
            {
                ::core::compile_error! {
                    "a task's parameter must be a plain name, which labels the input in the plan: destructure it in the body, with `let`"
                }
            },
        >,
    >,
    key: impl ::pipeline_runtime::__private::Anything<
        ::pipeline_runtime::__private::Poison<
            {
                ::core::compile_error! {
                    "a task's input must be owned, not borrowed, because it outlives the call: write `String`"
                }
            },
        >,
    >,
    rest: impl ::pipeline_runtime::IntoInput<u64>,
) -> ::pipeline_runtime::Node<u64> {
    ::core::unimplemented!()
}
