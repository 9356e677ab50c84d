//! Pipelines whose bodies note their inputs: `power` cuts their power, and `soak.rs` leaves them alone.
//!
//! An output is the name of its node and a word that no other body ever makes. So the notes show whether an output that was
//! passed on still exists afterwards, and whether its body ran again. `SPEED` is the speed of the clock.

use pipeline_runtime::cli::Cli;
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// An output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Output {
    node: String,
    /// A unique word.
    word: String,
    /// Padding, to make it long.
    rest: String,
}

/// Writes the line at once, so that the lines of a killed process are whole.
fn note(line: &str) -> Result<()> {
    let mut effects = std::fs::OpenOptions::new().append(true).create(true).open("effects")?;
    Ok(effects.write_all(format!("{line}\n").as_bytes())?)
}

/// Notes `begin RUN NODE NODE:WORD…` with the body's inputs, then `made RUN NODE WORD`.
fn work<'a>(ctx: &Context, inputs: impl IntoIterator<Item = &'a Output>) -> Result<Output> {
    static BODIES: AtomicU64 = AtomicU64::new(0);
    let run = format!("{}/{}", ctx.pipeline(), ctx.run_id());
    let inputs: Vec<String> = inputs.into_iter().map(|made| format!("{}:{}", made.node, made.word)).collect();
    note(format!("begin {run} {} {}", ctx.node(), inputs.join(" ")).trim_end())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let word = format!("{now:x}.{:x}.{:x}", std::process::id(), BODIES.fetch_add(1, Ordering::Relaxed));
    note(&format!("made {run} {} {word}", ctx.node()))?;
    Ok(Output { node: ctx.node().to_owned(), word, rest: String::new() })
}

#[task]
async fn source(ctx: Context) -> Result<Output> {
    work(&ctx, [])
}

#[task]
async fn pass(ctx: Context, made: Output) -> Result<Output> {
    work(&ctx, [&made])
}

/// All elements are the same output.
#[task]
async fn split(ctx: Context, made: Output) -> Result<Vec<Output>> {
    Ok(vec![work(&ctx, [&made])?; 3])
}

#[task(retries = 2, retry_delay = "2ms")]
async fn delicate(ctx: Context, made: Output) -> Result<Output> {
    let word = work(&ctx, [&made])?;
    if ctx.attempt() == 1 { Err("503".into()) } else { Ok(word) }
}

/// Is ready at its second poke.
#[sensor(poke = "5ms", poke_timeout = "10d", timeout = "30d")]
async fn arrival(ctx: Context, made: Output) -> Result<Poke<Output>> {
    if ctx.recall::<u32>()?.is_none() {
        ctx.remember(&1_u32)?;
        return Ok(Poke::NotYet);
    }
    Ok(Poke::Ready(work(&ctx, [&made])?))
}

#[task]
async fn gather(ctx: Context, all: Vec<Output>, delicate: Output, arrived: Output) -> Result<Output> {
    work(&ctx, all.iter().chain([&delicate, &arrived]))
}

/// A chain, a mapping, a node that fails once, and a sensor.
#[pipeline(schedule = "@daily", start = "2024-01-01", end = "2024-01-31")]
fn mixed() {
    let first = pass(source()).named("first");
    let all = split(first).each(|made| pass(pass(made).named("one")).named("two"));
    pass(gather(all, delicate(first), arrival(first))).named("last");
}

#[task]
async fn heavy(ctx: Context, made: Output) -> Result<Output> {
    Ok(Output { rest: "x".repeat(20_000), ..work(&ctx, [&made])? })
}

/// Writes so much that the newest commits are copied into the journal's file before the end.
#[pipeline]
fn large() {
    let mut last = source();
    for n in 1..250 {
        last = heavy(last).named(format!("heavy_{n}"));
    }
}

/// Runs only on command.
#[pipeline]
fn on_command() {
    pass(pass(source()).named("middle")).named("last");
}

/// Pipelines that run every minute, one interval after another.
macro_rules! minutely {
    ($($name:ident)*) => {
        $(
            #[doc = "Runs every minute."]
            #[pipeline(schedule = "* * * * *", catchup = true, max_active_runs = 4)]
            fn $name() {
                pass(source()).named("last");
            }
        )*
        fn every_minute() -> Vec<Pipeline> {
            vec![$($name()),*]
        }
    };
}

minutely! {
    m00 m01 m02 m03 m04 m05 m06 m07 m08 m09 m10 m11 m12 m13 m14 m15 m16 m17 m18 m19
    m20 m21 m22 m23 m24 m25 m26 m27 m28 m29 m30 m31 m32 m33 m34 m35 m36 m37 m38 m39
    m40 m41 m42 m43 m44 m45 m46 m47 m48 m49 m50 m51 m52 m53 m54 m55 m56 m57 m58 m59
}

fn number(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

/// `MINUTELY` is the number of pipelines that run every minute.
fn main() -> ExitCode {
    let minutely = every_minute().into_iter().take(number("MINUTELY", 1) as usize);
    Cli::new([mixed(), large(), on_command()].into_iter().chain(minutely)).speed(number("SPEED", 1)).main()
}
