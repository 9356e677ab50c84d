//! The attribute macros of the typed data-pipeline DSL: annotated functions become typed nodes, which are wired by calling them.
//!
//! Use them through `pipeline-runtime`, whose prelude exports all of them:
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
//! The macros check the options and the shape of the function; rustc checks every type. All mistakes of an item are reported in
//! one run, each once and at your own token. Code that uses an item with a mistake gets no second error.
//!
//! Two things are worth knowing in advance. The name of a task is also the name of a type, because `count::call` runs the task's
//! body. So `mod count; use count::count;` is E0255, and a task named `csv` hides a crate of that name in its module. And a
//! parameter of type `Context` is supplied by the runtime: if the module also uses `anyhow`, write `use anyhow::Context as _`.

// Only entry points. Each calls a function over proc_macro2's tokens, which tests can call without rustc.

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

/// Turns a function into a task: calling it in a [`macro@pipeline`] adds a node.
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
/// `Box<dyn Error + Send + Sync>`, or nothing. The first paragraph of its doc comment is the node's description.
///
/// # Parameters
///
/// Each parameter is an input, and its type is the trigger rule. The types must be owned and explicit.
///
/// | parameter | accepts | rule |
/// |---|---|---|
/// | `T` | `T`, `&T`, `Node<T>`; for `String` also `&str` and `template!` | `all_success` |
/// | `Option<T>` | `Node<T>`, `Option<T>` | `none_failed`: `None` if the upstream was skipped |
/// | `Outcome<T>` | `Node<T>` | `all_done`: `Success(T)`, `Skipped` or `Failed(Failure)` |
/// | `Arc<T>` | `Node<T>`, `Arc<T>` | as `T`, without a copy |
/// | `Vec<T>`, `Vec<Option<T>>`, `Vec<Outcome<T>>` | `.each(..)`, `[Node<T>; N]`, `Vec<Node<T>>` | as `T`, `Option<T>`, `Outcome<T>`, over all upstreams |
/// | `Failure` | `node.failure()` | runs only if that node failed |
/// | `Context` | nothing: the runtime supplies it | |
///
/// After a run is cancelled or reaches its own `timeout`, only teardowns start, whatever the rule: a task that takes an
/// `Outcome<T>` does not start either.
///
/// # Options
///
/// | option | type | default | meaning | typical error |
/// |---|---|---|---|---|
/// | `retries = 2` | whole number up to 1,000,000 | 0 | attempts after the first | `` `retries` is a whole number from 0 on `` |
/// | `retry_delay = "5m"` | duration | 5m | wait before each retry | `` invalid duration "5": the unit is missing: write `5s`, `5m` or `5h` `` |
/// | `backoff(start = "30s", max = "5m", factor = 2, jitter = "5s")` | list; `start` and `max` are required | none | growing waits instead of `retry_delay`: the k-th wait, k from 0, is `min(max, start * factor^k)`, plus up to `jitter` | `` `retry_delay` and `backoff` both set the wait between attempts: keep one `` |
/// | `timeout = "10m"` | duration | none | time limit of one attempt | `` invalid duration "10M": `M` is a month, which has no fixed length; for minutes write `m` `` |
/// | `pool = S3` | path of a `static` [`Pool`] | `default_pool` | limits how many of the pool's nodes run at once | `` `pool` takes the pool itself, not its name `` |
/// | `priority = 5` | whole number, negative ones included | 0 | of the nodes that wait for the same pool, the one with the highest priority runs first | `` `priority` takes a whole number, negative ones included `` |
/// | `depends_on_past = true` | `true` or `false` | false | if true, the node waits until the same node has succeeded or was skipped in the previous scheduled run | `` `depends_on_past` takes `true` or `false` `` |
/// | `sla = "45m"` | duration | none | `on_sla_miss` is called if the node has not ended within this limit | `` a duration needs quotes: write `sla = "45m"` `` |
/// | `on_failure` | path of a callback, or a list `[page, CHAT]`; or `none`, to remove the pipeline's default | none | called when the node fails | `` `on_failure` takes the callback itself, not its name: write `on_failure = page` `` |
/// | `on_upstream_failed` | path of a callback, a list, or `none` | none | called when the node does not run because an upstream failed | as above |
/// | `on_retry` | path of a callback, a list, or `none` | none | called when an attempt failed and will be retried | as above |
/// | `on_success` | path of a callback, a list, or `none` | none | called when the node succeeds | as above |
/// | `on_skipped` | path of a callback, a list, or `none` | none | called when the node is skipped | as above |
/// | `on_sla_miss` | path of a callback, a list, or `none` | none | called when the node misses its `sla` | as above |
/// | `id = "load_eu"` | text | the function's name | the node's id | `` invalid id "a b": ` ` is not allowed in an id `` |
/// | `crate = my_facade::pipeline` | path | `::pipeline_runtime` | the path of the runtime in this crate: see [below](#another-name-for-the-runtime) | `` `crate` takes a path, not a text: write `crate = my_facade::pipeline` `` |
///
/// A callback is an `async fn(n: Notification) -> Result<()>`, or a const of a type that implements [`Notify`].
/// A duration is written with a unit (`"1h30m"`): `ms`, `s`, `m`, `h`, `d` or `w`, in whole milliseconds, and at most a hundred
/// years. Durations are longer than zero, except for `retry_delay` and jitters. An id has letters and digits of any script, `_`,
/// `-` and `.`, in at most 200 bytes.
///
/// A constant may replace the literal of a number, a switch, a duration, a word or a `backoff`: `retries = RETRIES`, or
/// `timeout = LIMIT` with `const LIMIT: Duration`. rustc checks its type and, when it evaluates constants, its limits.
///
/// Every option except `id` and `crate` is also a method of the node, with the same limits, which `check` verifies. A method
/// takes precedence over the attribute, and the attribute over the pipeline's `defaults(..)`.
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
/// The generated code refers to the runtime as `::pipeline_runtime`. If a crate has the runtime under another path, `crate = ..`
/// gives that path: when `Cargo.toml` renames the dependency, or when another crate re-exports the runtime, so that its users
/// need no dependency of their own. All attributes take this option, and `#[derive(Branch)]` takes it as `#[branch(crate = ..)]`.
/// [`template!`] finds the runtime by itself.
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
/// The definition is refused if the function is a method with `self`, or generic; if a parameter is borrowed, an `impl Trait`, a
/// pattern, or not `Clone + Send + Sync + 'static`; if the output is not `Data`
/// (`Serialize + DeserializeOwned + Clone + Send + Sync + 'static`); or if the future is not `Send`.
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
    placement::reject_associated("task", &item).unwrap_or_else(|| expand(item.into()).into())
}

/// Turns an `async` function into a sensor: a node that is poked until it is ready, and passes on what it found.
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
/// The function returns `Result<Poke<T>>`; an `Option<T>` converts with `.into()`. To remember a value until the next poke, take
/// a parameter `ctx: Context` and call `ctx.remember(..)`.
///
/// # Options
///
/// A sensor has the options of a [`macro@task`], with `timeout` and `backoff` as below, and these:
///
/// | option | type | default | meaning | typical error |
/// |---|---|---|---|---|
/// | `timeout = "10m"` | duration | 7d | time limit of the whole wait, across pokes, retries and restarts; the error names what the last poke looked for in a `Bucket` | `` `timeout` must be longer than `poke`, which is 1m by default `` |
/// | `poke = "45s"` | duration | 60s | wait between pokes | `` `poke` must be shorter than `timeout`, which is 30s: the sensor would be poked only once `` |
/// | `backoff(start = "30s", max = "5m", factor = 2, jitter = "5s")` | list | none | growing waits between pokes, instead of `poke` | `` `poke` and `backoff` both set the wait between pokes: keep one `` |
/// | `poke_jitter = "5s"` | duration | none | a random time of up to this is added to each wait between pokes | `` `poke_jitter` is longer than the whole wait `` |
/// | `poke_timeout = "10s"` | duration | the smaller of `poke` and 60s | time limit of one poke | `` `poke_timeout` is longer than the whole wait `` |
/// | `on_timeout = "skip"` | `"fail"`, `"skip"` or `"retry"` | `"fail"` | what happens when the timeout is reached, even while the node waits for a slot of its pool; `"skip"` is Airflow's `soft_fail`, but the node still fails if its last poke was an error | `` `on_timeout` cannot be "skipped"; did you mean `skip`? `` |
/// | `mode = "poke"` | `"poke"` or `"reschedule"` | `"reschedule"` | `"poke"` holds the pool slot between pokes, `"reschedule"` releases it | `` `mode` cannot be "rescheduled"; did you mean `reschedule`? `` |
///
/// `retry_delay` is the wait after a poke that failed.
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
    placement::reject_associated("sensor", &item).unwrap_or_else(|| expand(item.into()).into())
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
/// The function returns `Result<B>`, where the enum `B` derives [`macro@Branch`]. In a pipeline, the call returns `BArms`, a
/// struct with one typed node for each variant. Arms that are not taken are `skipped`. The options are those of a [`macro@task`].
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
    placement::reject_associated("branch", &item).unwrap_or_else(|| expand(item.into()).into())
}

/// Lets a [`macro@branch`] return an enum: each variant is an arm.
///
/// For `enum Route { Clean(Report), Nothing }` it generates `struct RouteArms { clean: Node<Report>, nothing: Node<()> }`. A
/// variant carries one value or none. Its field has the variant's name in snake case, as a raw identifier if that is a keyword
/// (`Type` becomes `r#type`).
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
/// `#[branch(crate = my_facade::pipeline)]` below the derive gives the path of the runtime in this crate, like the option
/// [`crate`](macro@task#another-name-for-the-runtime) of the attributes.
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

/// Turns a function that wires nodes into one that returns a `Pipeline`, for `cli::main` and for tests.
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
/// The function takes at most one parameter, the run's params, whose type is `Serialize + DeserializeOwned + Default`. It returns
/// `Result<()>` or nothing. It only wires nodes: it is not `async`, does no I/O, and is called again when a run is resumed.
///
/// # Options
///
/// | option | type | default | meaning | typical error |
/// |---|---|---|---|---|
/// | `schedule = "0 6 * * *"` | cron of five fields as croniter reads it, or `@daily`, `@hourly`, …; a list of such lines; `schedule(every = "4w", from = "2024-01-31")`; or a constant | none: no scheduled runs | each tick ends a data interval, whose run then begins | `` invalid schedule "61 6 * * *": minute 61 is not within 0-59 `` |
/// | `when = all(VISITS, PROCESSES)` | paths of `static` assets | none | a run begins once each of the assets, or with `any(..)` one of them, was updated since the last run that updates began | `` `schedule` and `when` both set when a run begins: keep one `` |
/// | `timezone = "Europe/Berlin"` | IANA name | UTC | the time zone of the schedule, and of dates and times without an offset; dates in templates are UTC | `` invalid time zone "Europe/Berln": no such time zone; did you mean `Europe/Berlin`? `` |
/// | `start = "2024-01-31"`, `end` | a day, a time `"2024-01-31T06:00"` of `timezone`, or an instant `"2024-01-31T06:00:00Z"` | none | no data interval starts before `start` or after `end`; both are inclusive, and a day is the whole day | `` invalid date "2024-1-5": write `2024-01-05` `` |
/// | `catchup = true` | `true` or `false` | false | if true, all missed intervals run, otherwise only the latest | `` write it without quotes: `catchup = true` `` |
/// | `max_active_runs = 1` | whole number from 1 | 16 | how many runs may be active at once, without those of backfills | `` `max_active_runs` is a whole number from 1 on `` |
/// | `depends_on_past = true` | `true` or `false` | false | if true, a scheduled run waits until the run before it has succeeded | `` `depends_on_past` takes `true` or `false` `` |
/// | `keep = "90d"` | duration | that of `serve --keep`, or else forever | `serve` deletes runs that ended longer ago than this | `` `months` has no fixed length; use `d` for days or `w` for weeks `` |
/// | `timeout = "3h"` | duration | none | time limit of a run: then running attempts are cut off, nodes that have not started are skipped, and the run fails | `` a duration needs a unit and quotes: write `timeout = "3s"` `` |
/// | `sla = "45m"` | duration | none | `on_sla_miss` is called if the run has not ended within this limit | as above |
/// | `escalate("60m" => page, "90m" => [page, log_it])` | steps in rising order | none | further callbacks, each called if the run has not ended within its limit | `` each step must come later than the one before it, which is at 1h `` |
/// | `on_failure` | path of a callback, or a list | none | called when the run fails | `` `on_failure` takes the callback itself, not its name `` |
/// | `on_success` | path of a callback, or a list | none | called when the run succeeds | as above |
/// | `on_cancel` | path of a callback, or a list | none | called when the run is cancelled | as above |
/// | `on_sla_miss` | path of a callback, or a list | none | called when the run misses its `sla` | as above |
/// | `on_retry` | path of a callback, or a list | none | called when a node's attempt failed and will be retried | as above |
/// | `on_skipped` | path of a callback, or a list | none | called when a node is skipped | as above |
/// | `on_upstream_failed` | path of a callback, or a list | none | called when a node does not run because an upstream failed | as above |
/// | `defaults(retries = 1, ..)` | options of tasks and sensors, `id` excepted; or a constant: `defaults = TEAM` | none | options of all nodes; a node's own attribute takes precedence | `` `retries` is an option of `#[task]`, ..; write `defaults(retries = 2)` `` |
/// | `tags = ["daily"]` | list of texts | none | labels for `list` and the dashboard | `` `tags` takes a list of texts `` |
/// | `id = "load_eu"` | text | the function's name | the pipeline's id | `` invalid id "a b" `` |
/// | `crate = my_facade::pipeline` | path | `::pipeline_runtime` | the path of the runtime in this crate: see [`macro@task`](macro@task#another-name-for-the-runtime) | `` `crate` takes a path, not a text: write `crate = my_facade::pipeline` `` |
///
/// A constant may replace the value of an option, except for callbacks, `when`, `id` and `crate`:
/// `const DAILY: Cron = cron!("0 6 * * *")`, `every!`, `defaults!`, a `Duration`, or a type that implements `Timetable`. rustc
/// checks its type. A zone or a date in a `&str` constant is checked with the plan.
///
/// `Pipeline` has methods for these options, so that one function can make several pipelines.
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
/// #[pipeline(schedule = "0 6 * *")] // invalid schedule "0 6 * *": expected 5 fields, .., but found 4
/// async fn daily() {} // a pipeline cannot be `async`, because it only wires the nodes: write `fn`
/// ```
#[proc_macro_attribute]
pub fn pipeline(attr: TokenStream, item: TokenStream) -> TokenStream {
    let expand = |item| pipeline::expand(attr.into(), &item);
    placement::reject_associated("pipeline", &item).unwrap_or_else(|| expand(item.into()).into())
}

/// Implements `pipeline_runtime::template!`. The input is the runtime's path, a comma, and then the user's tokens.
///
/// The runtime's own `macro_rules!` pass that path as `$crate`, which is right whatever the user calls the runtime. So
/// `template!` needs no `crate = ..`.
#[proc_macro]
#[doc(hidden)]
pub fn checked_template(input: TokenStream) -> TokenStream {
    template::expand(Purpose::Input, input.into()).into()
}

/// Implements `pipeline_runtime::alert!`, with an input like that of [`checked_template`].
#[proc_macro]
#[doc(hidden)]
pub fn checked_alert(input: TokenStream) -> TokenStream {
    template::expand(Purpose::Alert, input.into()).into()
}

/// Implements `pipeline_runtime::cron!`, with an input like that of [`checked_template`].
#[proc_macro]
#[doc(hidden)]
pub fn checked_cron(input: TokenStream) -> TokenStream {
    options::cron(input.into()).into()
}

/// Implements `pipeline_runtime::every!`, with an input like that of [`checked_template`].
#[proc_macro]
#[doc(hidden)]
pub fn checked_every(input: TokenStream) -> TokenStream {
    options::every(input.into()).into()
}

/// Implements `pipeline_runtime::defaults!`, with an input like that of [`checked_template`].
#[proc_macro]
#[doc(hidden)]
pub fn checked_defaults(input: TokenStream) -> TokenStream {
    options::defaults(input.into()).into()
}
