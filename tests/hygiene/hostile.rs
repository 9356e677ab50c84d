//! Every name that an expansion might use is taken by something else.
#![allow(
    dead_code,
    unused_macros,
    missing_debug_implementations,
    non_snake_case,
    clippy::used_underscore_binding,
    clippy::redundant_pub_crate,
    reason = "the decoys are for nobody, and their names are the point"
)]

use ::pipeline_runtime as renamed;
use ::pipeline_runtime::{Branch, Node, Notification, Outcome, alert, branch, pipeline, sensor, task, template};

// Decoys for the prelude, the standard library and the runtime.
struct Option;
struct Result;
struct Box;
struct String;
struct Vec;
struct Arc;
struct Some;
struct None;
struct Ok;
struct Err;
struct Send;
struct Sync;
struct Fn;
struct Clone;
struct Default;
struct From;
struct Into;
struct IntoInput;
struct Definition;
struct Pipeline;
struct Input;
struct Inputs;
struct TaskOptions;
mod core {}
mod std {}
mod alloc {}
mod serde {}
mod __private {}
mod pipeline_runtime {}
const fn drop() {}
macro_rules! unimplemented {
    () => {};
}
macro_rules! panic {
    () => {};
}
macro_rules! vec {
    () => {};
}

type Answer<T> = ::std::result::Result<T, renamed::TaskError>;

async fn page(_: Notification) {}

/// Has parameters named like the expansion's own locals.
#[task(retries = 1, backoff(start = "1s", max = "2s"), timeout = "1m", on_failure = page)]
pub(crate) async fn collides(inputs: u64, o: u64, value: u64, branch: u64) -> Answer<u64> {
    ::std::result::Result::Ok(inputs + o + value + branch)
}

/// Has parameters named like the expansion's items.
#[task]
fn definitions(__DEFINITION: u64, input_1: u64, call: u64) -> Answer<u64> {
    ::std::result::Result::Ok(__DEFINITION + input_1 + call)
}

/// Has raw identifiers.
#[task]
async fn r#type(r#fn: u64, ctx: renamed::Context) -> Answer<u64> {
    ::std::assert!(!ctx.run_id().is_empty());
    ::std::result::Result::Ok(r#fn)
}

/// Waits for nothing.
#[sensor(poke = "1s", timeout = "1m")]
async fn ready(o: ::std::option::Option<u64>) -> Answer<renamed::Poke<u64>> {
    ::std::result::Result::Ok(::std::convert::From::from(o))
}

/// Has arms named like things that the expansion uses.
#[derive(::std::clone::Clone, ::serde::Serialize, ::serde::Deserialize, Branch)]
pub(crate) enum Choice {
    /// Taken.
    Value(u64),
    /// Not taken.
    Branch,
}

/// Always the same.
#[branch]
async fn choose(branch: u64) -> Answer<Choice> {
    ::std::result::Result::Ok(if branch > 0 { Choice::Value(branch) } else { Choice::Branch })
}

/// Accepts any outcome.
#[task]
async fn settled(value: Outcome<u64>) -> Answer<bool> {
    ::std::result::Result::Ok(value.success().is_some())
}

/// A text.
#[task]
async fn text(key: ::std::string::String) -> Answer<::std::string::String> {
    ::std::result::Result::Ok(key)
}

/// Wires all of them.
#[pipeline(sla = "1h", on_sla_miss = page, defaults(retries = 1), tags = ["hostile"])]
pub(crate) fn hostile() -> Answer<()> {
    let one: Node<u64> = collides(1u64, 2u64, 3u64, 4u64);
    let _ = definitions(1u64, 2u64, 3u64);
    let _ = r#type(3u64);
    let _ = ready(one);
    let ChoiceArms { value, branch: _ } = choose(one);
    let _ = settled(value);
    let _ = text(template!("{{ run_id }}"));
    let _ = alert!("{{ error }}");
    let _ = alert!("{{ team }}", team = 1);
    ::std::result::Result::Ok(())
}
