//! The runtime by its name in `Cargo.toml`.

use pipe::prelude::*;

/// Which way it goes.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, Branch)]
#[branch(crate = pipe)]
pub enum Route {
    /// A number.
    Number(u64),
    /// No number.
    Nothing,
}

/// What the runs take.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Options {
    /// The number.
    pub number: u64,
}

static ONE: Pool = Pool::new("one", 1);

/// An alias of the result type: the node's output type must be found by traits.
pub type Answer<T> = Result<T, TaskError>;

async fn page(_n: Notification) {}

/// Waits for nothing.
#[sensor(crate = pipe, timeout = "1m", poke = "5s", on_timeout = "skip", mode = "poke")]
pub async fn number(of: Options) -> Result<Poke<u64>> {
    Ok(Poke::Ready(of.number + 21))
}

/// Doubles.
#[task(crate = pipe, retries = 2, backoff(start = "1s", max = "2s"), pool = ONE, on_failure = [page, page])]
pub async fn doubled(ctx: Context, number: u64) -> Result<u64> {
    Ok(number * 2 / u64::from(ctx.attempt()))
}

/// Decides.
#[branch(crate = pipe)]
pub async fn decide(number: u64) -> Result<Route> {
    Ok(Route::Number(number))
}

/// Blocks.
#[task(crate = pipe)]
pub fn named(number: u64, day: String) -> Answer<String> {
    Ok(if day.is_empty() { day } else { number.to_string() })
}

/// All of it.
#[pipeline(crate = pipe, schedule = "@daily", on_failure = page, escalate("5m" => page), defaults(mode = "reschedule"))]
pub fn renamed(options: Options) -> Result<()> {
    let RouteArms { number, nothing: _ } = decide(doubled(number(options)));
    named(number, template!("{{ ds }}"));
    Ok(())
}
