//! The options of a pipeline's attribute, as methods of the pipeline's value.

use super::{DefaultParams, Pipeline, PipelineDefinition};
use crate::author::draft::SourceLocation;
use crate::author::interned;
use crate::author::notify::{Callback, Event, Notify};
use crate::author::options::Defaults;
use crate::author::params::Params;
use crate::schedule::IntoSchedule;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// A pipeline is a value: the options of its attribute can be overridden, so that one function makes several pipelines.
///
/// A method has the same limits as the attribute's option, and overrides it. [`Pipeline::check`] refuses values beyond those
/// limits, and reports where the method was called.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// struct Options {
///     medium: String,
///     limit: u32,
/// }
///
/// #[task] async fn refresh(medium: String) {}
/// #[pipeline(schedule = "@daily", start = "2024-01-01")]
/// fn image_refresh(options: Options) {
///     refresh(options.medium);
/// }
///
/// const WEEKLY: Cron = cron!("0 0 * * 1");
///
/// let of = |medium: &str| {
///     image_refresh()
///         .with_id(format!("{medium}_refresh"))
///         .with_params(Options { medium: medium.into(), limit: 200 })
/// };
/// let in_production = std::env::var_os("PRODUCTION").is_some();
/// let pipelines = [of("image"), of("audio").schedule(WEEKLY)].map(|pipeline| pipeline.unscheduled_unless(in_production));
/// for pipeline in &pipelines {
///     pipeline.check()?;
/// }
/// assert_eq!(pipelines[1].id(), "audio_refresh");
/// // fn main() -> std::process::ExitCode { pipeline_runtime::cli::main(pipelines()) }
/// # Ok::<(), pipeline_runtime::PlanError>(())
/// ```
impl Pipeline {
    /// The id, instead of the function's name. Runs are stored under it, and each pipeline of a process needs its own.
    #[track_caller]
    pub fn with_id(self, id: impl AsRef<str>) -> Self {
        self.with("id", Location::caller(), |definition| definition.name = interned::text(id.as_ref()))
    }

    /// The description, instead of the doc comment.
    #[track_caller]
    pub fn with_description(self, description: impl AsRef<str>) -> Self {
        self.with("description", Location::caller(), |definition| definition.description = interned::text(description.as_ref()))
    }

    /// The tags, instead of the attribute's.
    #[track_caller]
    pub fn with_tags(self, tags: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let tags: Vec<&'static str> = tags.into_iter().map(|tag| interned::text(tag.as_ref())).collect();
        self.with("tags", Location::caller(), |definition| definition.options.tags = interned::texts(&tags))
    }

    /// The params of a run for which none are given, instead of their type's `Default`. Params that are given for a run override
    /// them field by field.
    ///
    /// They must be of the type that the pipeline's function takes, which [`Pipeline::check`] verifies. They are read as JSON, as
    /// all params are: a field that serde skips has its default.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "it reads as the pipeline's function is called")]
    pub fn with_params<P: Params>(self, params: P) -> Self {
        self.with("params", Location::caller(), |definition| {
            definition.default_params = Some(Arc::new(DefaultParams::new(&params)));
        })
    }

    /// When the pipeline runs: a [`Cron`](crate::schedule::Cron), an [`Every`](crate::schedule::Every), or a calendar of your
    /// own, a [`Timetable`](crate::schedule::Timetable). It replaces the attribute's `when`, too.
    #[track_caller]
    pub fn schedule(self, schedule: impl IntoSchedule) -> Self {
        self.with("schedule", Location::caller(), |definition| {
            definition.options.schedule = Some(schedule.recurrence());
            definition.options.when = None;
        })
    }

    /// Unless `condition` holds, no process follows the schedule or the `when`: runs start only manually. The data intervals
    /// remain those of the schedule, so that a manual run covers the same interval as a scheduled one.
    ///
    /// Use it for pipelines that run only in production: `.unscheduled_unless(in_production())`. A schedule that is set later
    /// does not undo it.
    #[track_caller]
    pub fn unscheduled_unless(self, condition: bool) -> Self {
        if condition {
            return self;
        }
        self.with("unscheduled_unless", Location::caller(), |definition| definition.options.by_hand = true)
    }

    /// Adds a step of escalation: `notifier` is called if the run has not ended `after` its start. The first call replaces the
    /// attribute's `escalate(..)`; each step must be later than the one before.
    #[track_caller]
    pub fn escalate(self, after: Duration, notifier: impl Notify) -> Self {
        let is_first = self.definition.option_location("escalate").is_none();
        self.with("escalate", Location::caller(), |definition| {
            let ladder = &mut definition.options.escalation;
            if is_first {
                ladder.clear();
            }
            ladder.push((after, Callback::new(Event::OnSlaMiss, notifier)));
        })
    }

    /// The zone of the schedule and of dates without an offset: an IANA name.
    #[track_caller]
    pub fn timezone(self, name: impl AsRef<str>) -> Self {
        self.with("timezone", Location::caller(), |definition| definition.options.timezone = Some(interned::text(name.as_ref())))
    }

    /// No data interval starts before this: a day, a time of `timezone` or an instant.
    #[track_caller]
    pub fn start(self, date: impl AsRef<str>) -> Self {
        self.with("start", Location::caller(), |definition| definition.options.start = Some(interned::text(date.as_ref())))
    }

    /// No data interval starts after this: a day, a time of `timezone` or an instant.
    #[track_caller]
    pub fn end(self, date: impl AsRef<str>) -> Self {
        self.with("end", Location::caller(), |definition| definition.options.end = Some(interned::text(date.as_ref())))
    }

    /// Whether all missed intervals run, or only the latest.
    #[track_caller]
    pub fn catchup(self, catchup: bool) -> Self {
        self.with("catchup", Location::caller(), |definition| definition.options.catchup = catchup)
    }

    /// How many of the pipeline's runs may be active at a time, 1 or more.
    #[track_caller]
    pub fn max_active_runs(self, n: u32) -> Self {
        self.with("max_active_runs", Location::caller(), |definition| definition.options.max_active_runs = Some(n))
    }

    /// Whether a run waits for the success of the run before it.
    #[track_caller]
    pub fn depends_on_past(self, depends_on_past: bool) -> Self {
        self.with("depends_on_past", Location::caller(), |definition| definition.options.depends_on_past = depends_on_past)
    }

    /// How long `serve` retains a run after its end.
    #[track_caller]
    pub fn keep(self, keep: Duration) -> Self {
        self.with("keep", Location::caller(), |definition| definition.options.keep = Some(keep))
    }

    /// The time limit of a run.
    #[track_caller]
    pub fn timeout(self, limit: Duration) -> Self {
        self.with("timeout", Location::caller(), |definition| definition.options.timeout = Some(limit))
    }

    /// `on_sla_miss` is called if the run has not ended within this limit.
    #[track_caller]
    pub fn sla(self, limit: Duration) -> Self {
        self.with("sla", Location::caller(), |definition| definition.options.sla = Some(limit))
    }

    /// Options for all of the pipeline's nodes, instead of the attribute's `defaults(..)`; a node's own options override them.
    #[track_caller]
    pub fn defaults(self, defaults: Defaults) -> Self {
        self.with("defaults", Location::caller(), |definition| definition.options.defaults = defaults.options())
    }

    /// Called when the run fails. The first call replaces the attribute's callbacks, each further one adds to them.
    #[track_caller]
    pub fn on_failure(self, notifier: impl Notify) -> Self {
        self.notified(Event::OnFailure, Location::caller(), notifier)
    }

    /// Called when the run succeeds. The first call replaces the attribute's callbacks, each further one adds to them.
    #[track_caller]
    pub fn on_success(self, notifier: impl Notify) -> Self {
        self.notified(Event::OnSuccess, Location::caller(), notifier)
    }

    /// Called when the run is cancelled. The first call replaces the attribute's callbacks, each further one adds to them.
    #[track_caller]
    pub fn on_cancel(self, notifier: impl Notify) -> Self {
        self.notified(Event::OnCancel, Location::caller(), notifier)
    }

    /// Called when a node does not run because an upstream failed. The first call replaces the attribute's callbacks, each
    /// further one adds to them.
    #[track_caller]
    pub fn on_upstream_failed(self, notifier: impl Notify) -> Self {
        self.notified(Event::OnUpstreamFailed, Location::caller(), notifier)
    }

    /// Called when a node is retried. The first call replaces the attribute's callbacks, each further one adds to them.
    #[track_caller]
    pub fn on_retry(self, notifier: impl Notify) -> Self {
        self.notified(Event::OnRetry, Location::caller(), notifier)
    }

    /// Called when a node is skipped. The first call replaces the attribute's callbacks, each further one adds to them.
    #[track_caller]
    pub fn on_skipped(self, notifier: impl Notify) -> Self {
        self.notified(Event::OnSkipped, Location::caller(), notifier)
    }

    /// Called when the run misses its `sla`. The first call replaces the attribute's callbacks, each further one adds to them.
    #[track_caller]
    pub fn on_sla_miss(self, notifier: impl Notify) -> Self {
        self.notified(Event::OnSlaMiss, Location::caller(), notifier)
    }

    fn notified(self, event: Event, at: SourceLocation, notifier: impl Notify) -> Self {
        let is_first = self.definition.option_location(event.name()).is_none();
        self.with(event.name(), at, |definition| {
            let callbacks = &mut definition.options.callbacks;
            if is_first {
                callbacks.retain(|callback| callback.event != event);
            }
            callbacks.push(Callback::new(event, notifier));
        })
    }

    fn with(mut self, option: &'static str, at: SourceLocation, change: impl FnOnce(&mut PipelineDefinition)) -> Self {
        let definition = Arc::make_mut(&mut self.definition);
        change(definition);
        definition.set_options.push((option, at));
        self
    }
}
