//! Published items; their expansion must pass the lints of a library.

use ::core::clone::Clone;
use ::core::fmt::Debug;
use ::core::option::Option::Some;
use ::core::result::Result::Ok;
use ::pipeline_runtime::{Branch, branch, pipeline, sensor, task, template};

/// std
pub mod std {
    /// a
    #[derive(Debug, Clone, Copy)]
    pub struct Std;
}
/// core
pub mod core {
    /// a
    #[derive(Debug, Clone, Copy)]
    pub struct Core;
}
/// x
#[derive(Debug, Clone, Copy)]
pub struct Option;
/// x
#[derive(Debug, Clone, Copy)]
pub struct Result;
/// x
#[derive(Debug, Clone, Copy)]
pub struct Box;
/// x
#[derive(Debug, Clone, Copy, ::serde::Serialize, ::serde::Deserialize)]
pub struct String;
/// x
#[derive(Debug, Clone, Copy)]
pub struct Vec;
/// x
#[derive(Debug, Clone, Copy)]
pub struct Node;
/// x
#[derive(Debug, Clone, Copy)]
pub struct Output;
/// x
#[derive(Debug, Clone, Copy)]
pub struct Send;
/// x
pub static DEFINITION: u64 = 1;
static S3: ::pipeline_runtime::Pool = ::pipeline_runtime::Pool::new("s3", 4);
/// x
pub const fn o() {}

async fn page(_n: ::pipeline_runtime::Notification) -> ::pipeline_runtime::Result<()> {
    Ok(())
}

// In a file of its own, as rustfmt would reformat it.
::core::include!("one_line.in");

/// Loads.
///
/// More.
#[task(retries = 2, pool = S3, on_failure = [page, page], timeout = "5m", priority = -1)]
pub async fn load(
    inputs: u64,
    o: u64,
    _unused: String,
    self_: u64,
    mut input_1: u64,
    r#type: u64,
    _: u64,
) -> ::pipeline_runtime::Result<u64> {
    input_1 += inputs + o + self_ + r#type;
    ::pipeline_runtime::Result::Ok(input_1)
}

/// Blocks.
#[task]
pub fn blocking(inputs: u64, input_1: u64, input_2: u64) -> ::pipeline_runtime::Result<u64> {
    Ok(inputs + input_1 + input_2)
}

/// Waits.
#[sensor(poke = "5s", timeout = "5m", on_timeout = "skip", mode = "poke")]
pub async fn wait(
    ctx: ::pipeline_runtime::Context,
    again: ::pipeline_runtime::Context,
) -> ::pipeline_runtime::Result<::pipeline_runtime::Poke<u64>> {
    drop((ctx, again));
    Ok(::pipeline_runtime::Poke::Ready(1))
}
use ::core::mem::drop;

/// Nothing.
#[task]
pub async fn nothing() {}

/// Route.
#[derive(Debug, Clone, ::serde::Serialize, ::serde::Deserialize, Branch)]
pub enum Route {
    /// a
    Type(u64),
    /// b
    SelfNot(::std::string::String),
    /// c
    Nothing,
}

/// Routes.
#[branch(retries = 1)]
pub async fn route(value: u64) -> ::pipeline_runtime::Result<Route> {
    Ok(Route::Type(value))
}

/// Key.
#[task]
pub async fn key(key: ::std::string::String, maybe: ::core::option::Option<u64>) -> ::pipeline_runtime::Result<u64> {
    Ok(key.len() as u64 + maybe.unwrap_or_default())
}

/// Params.
#[derive(Debug, Clone, Copy, Default, ::serde::Serialize, ::serde::Deserialize)]
pub struct Options {
    /// n
    pub n: u64,
}
use ::core::default::Default;

/// All.
#[pipeline(schedule = "@daily", on_failure = page, escalate("5m" => page), defaults(retries = 1), tags = ["a"])]

pub fn all(options: Options) -> ::pipeline_runtime::Result<()> {
    let a = wait();
    let n = blocking(options.n, a, 1u64);
    let l = load(n, 1u64, String, 2u64, 3u64, 4u64, 5u64);
    let RouteArms { r#type, self_not: _, nothing: _ } = route(l);
    let _k = key(template!("{{ ds }}"), Some(1));
    let _k = key("x", r#type);
    let _n = nothing().after(l);
    Ok(())
}
