use super::context::RunInfo;
use super::error::{Result, TaskError};
use super::output::PipelineOutput;
use super::redaction::redacted;
use super::seal::Seal;
use super::secret::Secret;
use super::template::Escaping;
use super::template::alert::AlertText;
use crate::schedule::Zone;
use std::any::TypeId;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Receives notifications: an `async fn(Notification) -> Result<()>`, a [`Webhook`](crate::Webhook), a `Mail`, or a type of your
/// own.
///
/// A notifier that fails is called again, from 1 s to 5 min apart, for 24 h; a [`Webhook`](crate::Webhook) waits up to an hour if
/// its server requests it. A process that resumes the work of another calls it within 10 s, unless the server requested a longer
/// wait. A notifier that fails with [`TaskError::fatal`](crate::TaskError::fatal) is not called again for that notification. The
/// same notification may be delivered twice. A notifier never changes its run and never delays it.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::BoxFuture;
///
/// async fn page(n: Notification) -> Result<()> {
///     println!("{}: {} of {}", n.name(), n.node().unwrap_or("the run"), n.run_id());
///     Ok(())
/// }
///
/// struct Printer { prefix: &'static str }
/// impl Notify for Printer {
///     fn notify(&self, n: Notification) -> BoxFuture<Result<()>> {
///         let line = format!("{} {}", self.prefix, n.name());
///         Box::pin(async move { println!("{line}"); Ok(()) })
///     }
/// }
/// const PRINTER: Printer = Printer { prefix: "pipeline:" };
///
/// #[task(on_failure = [page, PRINTER])]
/// async fn load() -> Result<u64> { Ok(1) }
/// ```
#[diagnostic::on_unimplemented(
    message = "this is not a callback: `{Self}`",
    label = "expected an `async fn(Notification) -> Result<()>`",
    note = "write `async fn name(n: Notification) -> Result<()> {{ .. }}` and pass its name",
    note = "a method takes a closure, too, which is called for each event: `move |n| {{ let to = to.clone(); async move {{ .. }} }}` keeps what it captures",
    note = "or pass a const of a type that implements `Notify`, such as `const CHAT: Webhook = Webhook::env(\"CHAT_URL\")`"
)]
pub trait Notify: Send + Sync + 'static {
    /// Delivers a notification.
    fn notify(&self, notification: Notification) -> BoxFuture<Result<()>>;

    /// The secrets that it reads to deliver a notification: `check` and `serve` report those that have no value.
    fn secrets(&self) -> Vec<Secret> {
        Vec::new()
    }

    /// Configuration mistakes that can be detected before any delivery, such as an invalid address. The plan is refused because
    /// of them, by `check` and at the start of every run and test.
    fn mistakes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Mistakes in the values of its [`secrets`](Self::secrets), such as an invalid URL: `check --env` fails because of them.
    /// Leave out secrets without a value, which are already reported. No text may contain the value.
    fn mistakes_of_values(&self) -> Vec<String> {
        Vec::new()
    }

    /// The name of this notifier in messages. The default is its type's name.
    fn label(&self) -> String {
        std::any::type_name::<Self>().to_owned()
    }
}

impl std::fmt::Debug for dyn Notify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.label())
    }
}

/// A boxed future, as [`Notify::notify`] returns it.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

#[diagnostic::do_not_recommend]
impl<F, Fut> Notify for F
where
    F: Fn(Notification) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: PipelineOutput> + Send + 'static,
{
    fn notify(&self, notification: Notification) -> BoxFuture<Result<()>> {
        let told = self(notification);
        Box::pin(async move { told.await.into_result(Seal) })
    }
}

/// Removes a callback that an attribute or a pipeline's `defaults(..)` sets: `.on_failure(Nobody)`, or `on_failure = none` in an
/// attribute.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::Nobody;
///
/// const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
///
/// #[task] async fn load() {}
/// #[task(on_failure = none)] async fn try_it() {}
///
/// #[pipeline(defaults(on_failure = CHAT))]
/// fn nightly() {
///     load();
///     try_it().allow_failure();
///     load().on_failure(Nobody);
/// }
/// # nightly().check().unwrap();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nobody;

impl Notify for Nobody {
    fn notify(&self, _: Notification) -> BoxFuture<Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// The event of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A node or a run ended `failed`.
    OnFailure,
    /// A node ended `upstream_failed`: it did not run because an upstream failed.
    OnUpstreamFailed,
    /// A run was cancelled.
    OnCancel,
    /// An attempt failed and will be retried.
    OnRetry,
    /// A node or run succeeded.
    OnSuccess,
    /// A node was skipped.
    OnSkipped,
    /// A node or run has missed its SLA.
    OnSlaMiss,
}

impl Event {
    /// The option's name, such as `on_failure`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnFailure => "on_failure",
            Self::OnUpstreamFailed => "on_upstream_failed",
            Self::OnCancel => "on_cancel",
            Self::OnRetry => "on_retry",
            Self::OnSuccess => "on_success",
            Self::OnSkipped => "on_skipped",
            Self::OnSlaMiss => "on_sla_miss",
        }
    }
}

/// A callback of a node or a pipeline.
#[derive(Clone)]
pub(crate) struct Callback {
    pub(crate) event: Event,
    pub(crate) notifier: Arc<dyn Notify>,
    identity: Identity,
}

/// Determines whether two callbacks share a notifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    /// A function, or another type without fields: all its values are the same.
    Type(TypeId),
    /// A value with fields, or a closure with captures: two of them are never known to be the same. The address identifies it as
    /// long as the callback lives.
    Value(usize),
}

impl Callback {
    pub(crate) fn new<N: Notify>(event: Event, notifier: N) -> Self {
        let notifier: Arc<N> = Arc::new(notifier);
        let identity = match size_of::<N>() {
            0 => Identity::Type(TypeId::of::<N>()),
            _ => Identity::Value(Arc::as_ptr(&notifier).addr()),
        };
        Self { event, notifier, identity }
    }

    /// True if it stands for no callback.
    pub(crate) fn is_nobody(&self) -> bool {
        self.identity == Identity::Type(TypeId::of::<Nobody>())
    }

    /// Distinguishes this notifier from others, as long as the callback lives.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = {}", self.event.name(), self.notifier.label())
    }
}

/// The content of a notification.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Notification {
    pub(crate) event: Event,
    pub(crate) pipeline: String,
    pub(crate) run_id: String,
    pub(crate) logical_date: chrono::DateTime<chrono::Utc>,
    pub(crate) at: chrono::DateTime<chrono::Utc>,
    pub(crate) node: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) attempt: Option<u32>,
    pub(crate) attempts: Option<u32>,
    pub(crate) pokes: Option<u32>,
    pub(crate) error: Option<String>,
    pub(crate) elapsed: Option<Duration>,
    pub(crate) budget_left: Option<Duration>,
    pub(crate) inputs: Vec<(String, String)>,
    /// What the run was when it started, for texts. It is stored with the run, and added when the notification is delivered.
    #[serde(skip)]
    pub(crate) run: Option<OfRun>,
}

/// The run of a notification.
#[derive(Debug, Clone)]
pub(crate) struct OfRun {
    pub(crate) info: Arc<RunInfo>,
    /// The pipeline's zone.
    pub(crate) zone: Zone,
}

impl Notification {
    /// The callback's name, such as `on_failure`.
    pub fn name(&self) -> &str {
        self.event.name()
    }

    /// Renders an [`alert!`](macro@crate::alert) for this notification, for a notifier of your own. The values of secrets that
    /// this process has read are replaced by `***`.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::Event;
    ///
    /// async fn page(n: Notification) -> Result<()> {
    ///     println!("{}", n.render(&alert!("{{ task.id }} of {{ dag.id }}: {{ error }}"))?);
    ///     Ok(())
    /// }
    ///
    /// let failure = Notification::for_test(Event::OnFailure).with_node("load", "failed").with_error("disk full");
    /// assert_eq!(failure.render(&alert!("{{ task.id }}: {{ error }}")).unwrap(), "load: disk full");
    /// ```
    ///
    /// # Errors
    ///
    /// If something that the text prints has no value in this alert, or the text is longer than 1 MiB. The error is fatal, as a
    /// retry would not help.
    pub fn render(&self, text: &AlertText) -> Result<String> {
        let rendered = text.render(self, Escaping::None).map_err(|error| TaskError::fatal(error.to_string()))?;
        Ok(redacted(&rendered).into_owned())
    }

    /// The event that it reports.
    pub fn event(&self) -> Event {
        self.event
    }

    /// The pipeline's id.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// The run's id.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The run's logical date.
    pub fn logical_date(&self) -> chrono::DateTime<chrono::Utc> {
        self.logical_date
    }

    /// When the event happened.
    pub fn at(&self) -> chrono::DateTime<chrono::Utc> {
        self.at
    }

    /// The node's id; `None` if it is about the run.
    pub fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    /// The state of the node or run, such as `upstream_failed`.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The number of the attempt, from 1.
    pub fn attempt(&self) -> Option<u32> {
        self.attempt
    }

    /// How many attempts the node may have.
    pub fn attempts(&self) -> Option<u32> {
        self.attempts
    }

    /// How often a sensor was poked.
    pub fn pokes(&self) -> Option<u32> {
        self.pokes
    }

    /// The error, followed by the errors that caused it.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// How long the node or run has taken so far, waiting included. After a manual retry it counts from that retry.
    pub fn elapsed(&self) -> Option<Duration> {
        self.elapsed
    }

    /// The remaining time of a sensor's timeout.
    pub fn budget_left(&self) -> Option<Duration> {
        self.budget_left
    }

    /// The node's inputs that come from a template or are a text of the params, by parameter, such as the key that a sensor waits
    /// for. A text from the code is not included, because it may be confidential. Like the error, an input of more than 16 KiB is
    /// cut, and says how much is missing.
    pub fn inputs(&self) -> &[(String, String)] {
        &self.inputs
    }
}

/// For tests.
impl Notification {
    /// A notification for calling a notifier in a test, about the run `test` of the pipeline `test` at 2024-01-01T00:00:00Z.
    /// Everything else is missing.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::Event;
    ///
    /// async fn page(n: Notification) -> Result<()> {
    ///     if n.error().is_none() {
    ///         return Err("there is nothing to page about".into());
    ///     }
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let failure = Notification::for_test(Event::OnFailure).with_node("load", "failed").with_error("disk full");
    /// page(failure).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_test(event: Event) -> Self {
        let at = super::context::test_date();
        Self {
            event,
            pipeline: "test".into(),
            run_id: "test".into(),
            logical_date: at,
            at,
            node: None,
            state: None,
            attempt: None,
            attempts: None,
            pokes: None,
            error: None,
            elapsed: None,
            budget_left: None,
            inputs: Vec::new(),
            run: None,
        }
    }

    /// Sets the pipeline's id and the run's id.
    pub fn with_run_id(self, pipeline: &str, run_id: &str) -> Self {
        Self { pipeline: pipeline.to_owned(), run_id: run_id.to_owned(), ..self }
    }

    /// Sets the node's id and state, such as `failed`.
    pub fn with_node(self, node: &str, state: &str) -> Self {
        Self { node: Some(node.to_owned()), state: Some(state.to_owned()), ..self }
    }

    /// Sets the number of the attempt, from 1, and how many there may be.
    pub fn with_attempt(self, attempt: u32, attempts: u32) -> Self {
        Self { attempt: Some(attempt), attempts: Some(attempts), ..self }
    }

    /// Sets the error.
    pub fn with_error(self, error: &str) -> Self {
        Self { error: Some(error.to_owned()), ..self }
    }

    /// Adds one of the node's text inputs.
    pub fn with_input(mut self, parameter: &str, value: &str) -> Self {
        self.inputs.push((parameter.to_owned(), value.to_owned()));
        self
    }
}
