//! The attribute macros of the typed data-pipeline DSL: annotated functions become typed nodes, wired by calling them.
//!
//! Use them through `pipeline-runtime`, whose prelude has them all:
//!
//! ```
//! use pipeline_runtime::prelude::*;
//!
//! /// Counts the words of a text.
//! #[task(retries = 1)]
//! async fn count(text: String) -> Result<u64> {
//!     Ok(text.split_whitespace().count() as u64)
//! }
//!
//! #[task]
//! async fn report(words: u64) -> Result<()> {
//!     println!("{words} words");
//!     Ok(())
//! }
//!
//! #[pipeline(schedule = "0 6 * * *")]
//! fn daily() {
//!     let words = count(template!("of {{ ds }}"));
//!     report(words);
//! }
//! # let _ = daily;
//! ```
//!
//! # What the compiler tells you
//!
//! The macros check what stands in the attributes and the shape of the function; rustc checks every type. All mistakes
//! of an item are reported in one run, each once and at your own token, and an item with a mistake can still be used by
//! others without a second error.
//!
//! Two things are worth knowing beforehand. A task takes its name as a type, too, since `count::call` runs its body:
//! `mod count; use count::count;` is E0255, and a task named `csv` hides a crate of that name in its module. And a
//! parameter of type `Context` is the runtime's: beside `anyhow`, write `use anyhow::Context as _`.

// Entry points alone: each hands over to a pure function over proc_macro2's tokens, which tests call without rustc.

use pipeline_syntax::template::Purpose;
use proc_macro::TokenStream;

mod attrs;
mod branch;
mod error;
#[cfg(test)]
mod goldens;
mod item;
mod options;
mod pipeline;
mod placement;
mod runtime;
mod task;
mod template;
mod types;

/// Turns a function into a task: calling it inside of a [`macro@pipeline`] adds a node.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// #[task(retries = 3, backoff(start = "30s", max = "5m"), timeout = "10m")]
/// async fn fetch(url: String) -> Result<String> {
///     Ok(format!("the contents of {url}"))
/// }
///
/// #[task]
/// async fn length(text: String) -> Result<u64> {
///     Ok(text.len() as u64)
/// }
///
/// #[pipeline]
/// fn sizes() {
///     length(fetch("https://example.com")); // a plain value or a node, in the same position
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// // The untouched body, for unit tests:
/// assert_eq!(length::call("four".into()).await.unwrap(), 4);
/// # });
/// # let _ = sizes;
/// ```
///
/// A function that is not `async` runs on the blocking pool. It returns `Result<T, E>`, for any `E` that converts into
/// `Box<dyn Error + Send + Sync>`, or nothing. Its doc comment is the node's description.
///
/// # Parameters
///
/// Each parameter is an input, and its type is the trigger rule. Types are owned, and written out.
///
/// | parameter | accepts | rule |
/// |---|---|---|
/// | `T` | `T`, `&T`, `Node<T>`; for `String` also `&str` and `template!` | `all_success` |
/// | `Option<T>` | `Node<T>`, `Option<T>` | `none_failed`: `None` where the upstream was skipped |
/// | `Outcome<T>` | `Node<T>` | `all_done`: `Success(T)`, `Skipped` or `Failed(Failure)` |
/// | `Arc<T>` | `Node<T>`, `Arc<T>` | as `T`, without a copy |
/// | `Vec<T>`, `Vec<Option<T>>`, `Vec<Outcome<T>>` | `.each(..)`, `[Node<T>; N]`, `Vec<Node<T>>` | the three above, over all |
/// | `Failure` | `node.failure()` | runs only where that node failed |
/// | `Context` | nothing: the runtime supplies it | |
///
/// Once a run is cancelled, or reaches its own `timeout`, nothing more begins, whatever the rule: not a task that takes an `Outcome<T>` either.
///
/// # Options
///
/// | option | type | default | meaning | typical error |
/// |---|---|---|---|---|
/// | `retries = 2` | whole number up to 1,000,000 | 0 | attempts after the first | `` `retries` is a whole number from 0 on `` |
/// | `retry_delay = "5m"` | duration | 5m | wait before each retry | `` invalid duration "5": the unit is missing: write `5s`, `5m` or `5h` `` |
/// | `backoff(start = "30s", max = "5m", factor = 2, jitter = "5s")` | list; `start` and `max` are required | none | growing waits instead of `retry_delay`: the k-th is `min(max, start * factor^k)` and up to `jitter` more | `` `retry_delay` and `backoff` both say how long to wait between attempts: keep one `` |
/// | `timeout = "10m"` | duration | none | limit of one attempt | `` invalid duration "10M": `M` is a month, which has no fixed length; for minutes write `m` `` |
/// | `pool = S3` | path of a `static` [`Pool`] | `default_pool` | bounds how many run at once | `` `pool` takes the pool itself, not its name `` |
/// | `priority = 5` | whole number, negative ones included | 0 | higher goes first where nodes wait for one pool | `` `priority` takes a whole number, negative ones included `` |
/// | `depends_on_past = true` | `true` or `false` | false | whether it starts only once the same node has passed in the previous scheduled run | `` `depends_on_past` takes `true` or `false` `` |
/// | `sla = "45m"` | duration | none | `on_sla_miss` fires where the node has not ended by then | `` a duration is written in quotes: `sla = "45m"` `` |
/// | `on_failure`, `on_upstream_failed`, `on_retry`, `on_success`, `on_skipped`, `on_sla_miss` | path of a callback, or a list `[page, CHAT]`; or `none`, without the pipeline's default | none | told of the event | `` `on_failure` takes the callback itself, not its name: write `on_failure = page` `` |
/// | `id = "load_eu"` | text | the function's name | the node's id | `` invalid id "a b": ` ` cannot stand in an id `` |
/// | `crate = my_facade::pipeline` | path | `::pipeline_runtime` | how this crate reaches the runtime: see [below](#another-name-for-the-runtime) | `` `crate` takes a path, not a text: write `crate = my_facade::pipeline` `` |
///
/// A callback is an `async fn(n: Notification) -> Result<()>`, or a const of a type that implements [`Notify`].
/// Durations are humantime's (`"1h30m"`), in `ms`, `s`, `m`, `h`, `d` and `w`: whole milliseconds, and at most a hundred years. They are longer
/// than zero, but for `retry_delay` and jitters. An id has letters and digits of any script, `_`, `-` and `.`, in at most 200 bytes.
///
/// A constant may stand for a number, a switch, a duration, a word or a `backoff`: `retries = RETRIES`, `timeout = LIMIT` of a
/// `const LIMIT: Duration`. rustc checks its type and, as it evaluates constants, the limits.
///
/// Every option but `id` and `crate` is also a method of the node, with the same limits (`check` refuses what is beyond them), which goes before the attribute; the attribute goes before the
/// pipeline's `defaults(..)`.
///
/// ```
/// # use pipeline_runtime::prelude::*;
/// static S3: Pool = Pool::new("s3", 4);
///
/// async fn page(n: Notification) -> Result<()> {
///     eprintln!("{} failed: {:?}", n.name(), n.error());
///     Ok(())
/// }
///
/// #[task(pool = S3, priority = -1, on_failure = page, sla = "45m", id = "load_eu")]
/// async fn load(ctx: Context, rows: Option<u64>) -> Result<u64> {
///     Ok(rows.unwrap_or_default() + u64::from(ctx.attempt()))
/// }
/// ```
///
/// # Another name for the runtime
///
/// What the macros make names `::pipeline_runtime`. Where that is not in scope, `crate = ..` gives the path that leads to it: for a dependency that
/// `Cargo.toml` renames, and for a crate that re-exports the runtime so that others need not depend on it. All attributes take it, and
/// `#[derive(Branch)]` takes it as `#[branch(crate = ..)]`. [`template!`] finds the runtime by itself.
///
/// ```
/// mod my_facade {
///     pub use pipeline_runtime as pipeline; // or, in Cargo.toml: pipe = { package = "pipeline-runtime", .. }
/// }
/// use my_facade::pipeline::prelude::*;
///
/// #[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
/// #[branch(crate = my_facade::pipeline)]
/// enum Route {
///     Clean(u64),
///     Nothing,
/// }
///
/// #[branch(crate = my_facade::pipeline)]
/// async fn route(rows: u64) -> Result<Route> {
///     Ok(if rows > 0 { Route::Clean(rows) } else { Route::Nothing })
/// }
///
/// #[task(crate = my_facade::pipeline, retries = 2)]
/// async fn publish(rows: u64) -> Result<()> {
///     println!("{rows} rows");
///     Ok(())
/// }
///
/// #[pipeline(crate = my_facade::pipeline)]
/// fn daily() {
///     let RouteArms { clean, nothing: _ } = route(7u64);
///     publish(clean);
/// }
/// # daily().check().unwrap();
/// ```
///
/// # Errors
///
/// Not a task, and said so where it is defined: a method with `self`; a generic function; a borrowed, `impl Trait` or
/// pattern parameter; a parameter that is not `Clone + Send + Sync + 'static`; an output that is not `Data`
/// (`Serialize + DeserializeOwned + Clone + Send + Sync + 'static`); a future that is not `Send`.
///
/// ```compile_fail
/// # use pipeline_runtime::prelude::*;
/// #[task(retrys = 2)] // unknown option `retrys`; did you mean `retries`?
/// async fn load(key: &str) -> Result<u64> { // a task's input must be owned, not borrowed, .. : write `String`
///     Ok(1)
/// }
/// ```
///
/// [`template!`]: https://docs.rs/pipeline-runtime/latest/pipeline_runtime/macro.template.html
/// [`Pool`]: https://docs.rs/pipeline-runtime/latest/pipeline_runtime/struct.Pool.html
/// [`Notify`]: https://docs.rs/pipeline-runtime/latest/pipeline_runtime/trait.Notify.html
#[proc_macro_attribute]
pub fn task(attr: TokenStream, item: TokenStream) -> TokenStream {
    let expand = |item| task::expand(task::Kind::Task, attr.into(), &item);
    placement::refused("task", &item).unwrap_or_else(|| expand(item.into()).into())
}

/// Turns an `async` function into a sensor: a node that asks again until it is ready, and passes on what it found.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// /// Waits for the day's export.
/// #[sensor(timeout = "10m", poke = "45s", retries = 2, retry_delay = "2m")]
/// async fn export(path: String) -> Result<Poke<u64>> {
///     match std::fs::metadata(&path) {
///         Ok(found) => Ok(Poke::Ready(found.len())),
///         Err(_) => Ok(Poke::NotYet),
///     }
/// }
///
/// #[task]
/// async fn process(size: u64) -> Result<()> {
///     println!("{size} bytes");
///     Ok(())
/// }
///
/// #[pipeline]
/// fn daily() {
///     process(export(template!("/data/export_{{ ds_nodash }}.csv")));
/// }
/// # let _ = daily;
/// ```
///
/// It returns `Result<Poke<T>>`; an `Option<T>` converts by `.into()`. What it wants to keep between two pokes it gives
/// to `ctx.remember(..)`, of a parameter `ctx: Context`.
///
/// # Options
///
/// Those of a [`macro@task`], of which `timeout` and `backoff` mean the wait here, and:
///
/// | option | type | default | meaning | typical error |
/// |---|---|---|---|---|
/// | `timeout = "10m"` | duration | 7d | budget of the whole wait, across pokes, retries and restarts; the error names what the last poke looked for in a `Bucket` | `` `timeout` must be longer than `poke`, which is 1m where it is not given `` |
/// | `poke = "45s"` | duration | 60s | wait between pokes | `` `poke` must be shorter than `timeout`, which is 30s: the sensor would be poked only once `` |
/// | `backoff(start = "30s", max = "5m", factor = 2, jitter = "5s")` | list | none | growing waits between pokes, instead of `poke` | `` `poke` and `backoff` both say how long to wait between pokes: keep one `` |
/// | `poke_jitter = "5s"` | duration | none | up to so much more between pokes | `` `poke_jitter` is longer than the whole wait `` |
/// | `poke_timeout = "10s"` | duration | the smaller of `poke` and 60s | limit of one poke | `` `poke_timeout` is longer than the whole wait `` |
/// | `on_timeout = "skip"` | `"fail"`, `"skip"` or `"retry"` | `"fail"` | how the node ends when the budget is used up, also while it waits for a place in its pool; `"skip"` is Airflow's `soft_fail`, and an error of the last poke fails it all the same | `` `on_timeout` cannot be "skipped"; did you mean `skip`? `` |
/// | `mode = "poke"` | `"poke"` or `"reschedule"` | `"reschedule"` | whether it holds its pool slot between pokes | `` `mode` cannot be "rescheduled"; did you mean `reschedule`? `` |
///
/// `retry_delay` is the wait before a poke that follows a failed one.
///
/// ```
/// # use pipeline_runtime::prelude::*;
/// #[sensor(timeout = "30m", backoff(start = "30s", max = "5m"), on_timeout = "skip", poke_timeout = "10s")]
/// async fn third_time(ctx: Context) -> Result<Poke<u64>> {
///     let pokes = ctx.recall::<u64>()?.unwrap_or_default() + 1;
///     ctx.remember(&pokes)?;
///     Ok(if pokes < 3 { Poke::NotYet } else { Poke::Ready(pokes) })
/// }
/// ```
///
/// ```compile_fail
/// # use pipeline_runtime::prelude::*;
/// #[sensor]
/// async fn export() -> Result<u64> { // a sensor cannot return `Result<u64, TaskError>`; expected `Result<Poke<T>>`
///     Ok(1)
/// }
/// ```
#[proc_macro_attribute]
pub fn sensor(attr: TokenStream, item: TokenStream) -> TokenStream {
    let expand = |item| task::expand(task::Kind::Sensor, attr.into(), &item);
    placement::refused("sensor", &item).unwrap_or_else(|| expand(item.into()).into())
}

/// Turns an `async` function into a branch: a node that decides which of its arms run.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// #[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
/// enum Route {
///     Clean(u64),
///     Quarantine(String),
///     Nothing,
/// }
///
/// #[branch]
/// async fn route(rows: u64) -> Result<Route> {
///     Ok(if rows > 0 { Route::Clean(rows) } else { Route::Nothing })
/// }
///
/// #[task]
/// async fn publish(rows: u64) -> Result<()> {
///     println!("{rows} rows");
///     Ok(())
/// }
///
/// #[pipeline]
/// fn daily() {
///     let RouteArms { clean, quarantine: _, nothing: _ } = route(7u64);
///     publish(clean);
/// }
/// # let _ = daily;
/// ```
///
/// It returns `Result<B>`, where the enum `B` has [`macro@Branch`] derived; wiring it gives `BArms`, a struct with one
/// typed node for each variant. Arms that are not taken are `skipped`. The options are those of a [`macro@task`].
///
/// ```compile_fail
/// # use pipeline_runtime::prelude::*;
/// # #[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
/// # enum Route { Clean(u64), Nothing }
/// # #[branch] async fn route(rows: u64) -> Result<Route> { Ok(Route::Clean(rows)) }
/// # #[task] async fn publish(rows: u64) -> Result<()> { Ok(()) }
/// #[pipeline]
/// fn daily() {
///     let RouteArms { clean } = route(7u64); // pattern does not mention field `nothing`
///     publish(clean);
/// }
/// ```
#[proc_macro_attribute]
pub fn branch(attr: TokenStream, item: TokenStream) -> TokenStream {
    let expand = |item| task::expand(task::Kind::Branch, attr.into(), &item);
    placement::refused("branch", &item).unwrap_or_else(|| expand(item.into()).into())
}

/// Makes an enum the outcome of a [`macro@branch`]: each variant is an arm.
///
/// For `enum Route { Clean(Report), Nothing }` it makes
/// `struct RouteArms { clean: Node<Report>, nothing: Node<()> }`. A variant carries one value or none; its field is its
/// name in snake case, raw where that is a keyword (`Type` becomes `r#type`).
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// /// What to do with the upload.
/// #[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
/// pub enum Upload {
///     Accept(String),
///     AskAgain,
/// }
///
/// fn arms(arms: UploadArms) -> (Node<String>, Node<()>) {
///     (arms.accept, arms.ask_again)
/// }
/// # let _ = arms;
/// ```
///
/// `#[branch(crate = my_facade::pipeline)]` beneath the derive says how this crate reaches the runtime, as the option
/// [`crate`](macro@task#another-name-for-the-runtime) of the attributes does.
///
/// ```compile_fail
/// # use pipeline_runtime::prelude::*;
/// #[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
/// enum Route {
///     Clean(u64, u64), // an arm carries one value or none: gather the fields in a struct
/// }
/// ```
#[proc_macro_derive(Branch, attributes(branch))]
pub fn derive_branch(item: TokenStream) -> TokenStream {
    branch::expand(item.into()).into()
}

/// Turns a function that wires nodes into a pipeline: `name()` describes it, for `cli::main` and for tests.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct Options {
///     region: String,
/// }
///
/// #[task]
/// async fn load(region: String) -> Result<u64> {
///     Ok(region.len() as u64)
/// }
///
/// async fn page(n: Notification) -> Result<()> {
///     eprintln!("{} is late", n.name());
///     Ok(())
/// }
///
/// /// Loads one region a day.
/// #[pipeline(
///     schedule = "0 6 * * *", timezone = "Europe/Berlin", start = "2024-01-01",
///     sla = "45m", on_sla_miss = page, escalate("60m" => page, "90m" => [page, page]),
///     defaults(retries = 1, retry_delay = "1m"), tags = ["daily"],
/// )]
/// fn load_region(options: Options) -> Result<()> {
///     load(options.region);
///     Ok(())
/// }
///
/// let described: Pipeline = load_region();
/// # let _ = described;
/// ```
///
/// The function takes at most one parameter, its params, a type that is `Serialize + DeserializeOwned + Default`; it
/// returns `Result<()>` or nothing. It only wires: it is not `async`, does no I/O, and runs again on resume.
///
/// # Options
///
/// | option | type | default | meaning | typical error |
/// |---|---|---|---|---|
/// | `schedule = "0 6 * * *"` | cron of five fields as croniter reads it, or `@daily`, `@hourly`, …; a list of such lines; `schedule(every = "4w", from = "2024-01-31")`; or a constant | none: runs when asked to | each tick closes a data interval | `` invalid schedule "61 6 * * *": minute 61 is not within 0-59 `` |
/// | `when = all(VISITS, PROCESSES)` | paths of `static` assets | none | a run begins once each of the assets, or with `any(..)` one of them, was updated since the last run that began so | `` `schedule` and `when` both say when a run begins: keep one `` |
/// | `timezone = "Europe/Berlin"` | IANA name | UTC | where the schedule's clock stands, and where a date or time without an offset is meant; dates in templates are UTC | `` invalid time zone "Europe/Berln": there is none of that name; did you mean `Europe/Berlin`? `` |
/// | `start = "2024-01-31"`, `end` | a day, a time `"2024-01-31T06:00"` of `timezone`, or an instant `"2024-01-31T06:00:00Z"` | none | no interval starts before, or after; of a day, before it begins, or after it ends | `` invalid date "2024-1-5": write `2024-01-05` `` |
/// | `catchup = true` | `true` or `false` | false | whether missed intervals run, all of them, or the latest only | `` write it without quotes: `catchup = true` `` |
/// | `max_active_runs = 1` | whole number from 1 | 16 | runs at a time | `` `max_active_runs` is a whole number from 1 on `` |
/// | `depends_on_past = true` | `true` or `false` | false | whether a run waits for the success of the one before | `` `depends_on_past` takes `true` or `false` `` |
/// | `keep = "90d"` | duration | `serve --keep`, and without that for ever | `serve` deletes runs that ended longer ago | `` `months` has no fixed length; use `d` for days or `w` for weeks `` |
/// | `timeout = "3h"` | duration | none | limit of a run: then what is under way is cut off, what has not begun is skipped, and the run fails | `` a duration is written with a unit, in quotes: `timeout = "3s"` `` |
/// | `sla = "45m"` | duration | none | `on_sla_miss` fires where the run has not ended by then | as above |
/// | `escalate("60m" => page, "90m" => [page, log_it])` | steps in rising order | none | a ladder of further callbacks, from the same origin | `` each step comes later than the one before it, here 1h `` |
/// | `on_failure`, `on_success`, `on_cancel`, `on_sla_miss` | path of a callback, or a list | none | told how the run ends | `` `on_failure` takes the callback itself, not its name `` |
/// | `on_retry`, `on_skipped`, `on_upstream_failed` | path of a callback, or a list | none | told of each node that is tried again, or skipped, or did not run because of another: a run has none of these | as above |
/// | `defaults(retries = 1, ..)` | options of tasks and sensors, `id` excepted; or a constant: `defaults = TEAM` | none | for all nodes; a node's own attribute goes before | `` `retries` is an option of `#[task]`, ..; write `defaults(retries = 2)` `` |
/// | `tags = ["daily"]` | list of texts | none | for `list` and the dashboard | `` `tags` takes a list of texts `` |
/// | `id = "load_eu"` | text | the function's name | the pipeline's id | `` invalid id "a b" `` |
/// | `crate = my_facade::pipeline` | path | `::pipeline_runtime` | how this crate reaches the runtime: see [`macro@task`](macro@task#another-name-for-the-runtime) | `` `crate` takes a path, not a text: write `crate = my_facade::pipeline` `` |
///
/// A constant may stand for the value of an option, callbacks, pools and ids excepted: `const DAILY: Cron = cron!("0 6 * * *")`,
/// `every!`, `defaults!`, a `Duration`, or a type that implements `Timetable`. rustc checks its type. A zone or a date that is a `&str` is checked with the plan.
///
/// What a pipeline's attribute says, its value has as a method, so that one function makes several pipelines: see `Pipeline`.
///
/// ```
/// # use pipeline_runtime::prelude::*;
/// const OFFICE: Cron = cron!("0 6 * * 1-5", "0 10 * * 6");
/// const TEAM: Defaults = defaults!(retries = 2, retry_delay = "5m");
///
/// # #[task] async fn load() {}
/// #[pipeline(schedule = OFFICE, defaults = TEAM)]
/// fn visits() {
///     load();
/// }
///
/// let pipelines = [visits(), visits().with_id("visits_hourly").schedule(cron!("@hourly"))];
/// # pipelines.map(|pipeline| pipeline.check().unwrap());
/// ```
///
/// ```compile_fail
/// # use pipeline_runtime::prelude::*;
/// #[pipeline(schedule = "0 6 * *")] // invalid schedule "0 6 * *": it has 4 fields where cron has 5
/// async fn daily() {} // a pipeline is not `async`: it only wires the nodes, which do the work; write `fn`
/// ```
#[proc_macro_attribute]
pub fn pipeline(attr: TokenStream, item: TokenStream) -> TokenStream {
    let expand = |item| pipeline::expand(attr.into(), &item);
    placement::refused("pipeline", &item).unwrap_or_else(|| expand(item.into()).into())
}

/// What `pipeline_runtime::template!` is made of: the runtime's path and a comma, then what the user wrote.
///
/// A macro of the runtime's own knows that path as `$crate`, however the user reaches it, so that `template!` needs no `crate = ..`.
#[proc_macro]
#[doc(hidden)]
pub fn checked_template(input: TokenStream) -> TokenStream {
    template::expand(Purpose::Input, input.into()).into()
}

/// What `pipeline_runtime::alert!` is made of, as [`checked_template`] is.
#[proc_macro]
#[doc(hidden)]
pub fn checked_alert(input: TokenStream) -> TokenStream {
    template::expand(Purpose::Alert, input.into()).into()
}

/// What `pipeline_runtime::cron!` is made of, as [`checked_template`] is.
#[proc_macro]
#[doc(hidden)]
pub fn checked_cron(input: TokenStream) -> TokenStream {
    options::cron(input.into()).into()
}

/// What `pipeline_runtime::every!` is made of.
#[proc_macro]
#[doc(hidden)]
pub fn checked_every(input: TokenStream) -> TokenStream {
    options::every(input.into()).into()
}

/// What `pipeline_runtime::defaults!` is made of.
#[proc_macro]
#[doc(hidden)]
pub fn checked_defaults(input: TokenStream) -> TokenStream {
    options::defaults(input.into()).into()
}
