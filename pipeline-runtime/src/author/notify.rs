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

/// Takes notifications: an `async fn(Notification) -> Result<()>`, a [`Webhook`](crate::Webhook), a `Mail`, or a type of your own.
///
/// A notifier that fails is asked again, from 1 s to 5 min apart, for 24 h; a [`Webhook`](crate::Webhook) up to an hour later where its server
/// wants it. A process that takes up what another has left tries it within 10 s, unless that server asked for more. One that fails with
/// [`TaskError::fatal`](crate::TaskError::fatal) is not asked again about that. A notifier may be told the same thing twice, never changes its run
/// and never makes it wait.
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
    note = "write `async fn name(n: Notification) -> Result<()> {{ .. }}` and give its name",
    note = "a method takes a closure, too, which is called for each event: `move |n| {{ let to = to.clone(); async move {{ .. }} }}` keeps what it captures",
    note = "or give a const of a type that implements `Notify`, such as `const CHAT: Webhook = Webhook::env(\"CHAT_URL\")`"
)]
pub trait Notify: Send + Sync + 'static {
    /// Tells somebody.
    fn notify(&self, notification: Notification) -> BoxFuture<Result<()>>;

    /// What it reads to tell somebody: `check` and `serve` say which of these have no value.
    fn secrets(&self) -> Vec<Secret> {
        Vec::new()
    }

    /// What is wrong with it, as far as that can be known before somebody is told, such as an address that is none. The plan is refused with these, by
    /// `check`, and first thing in every run and test.
    fn mistakes(&self) -> Vec<String> {
        Vec::new()
    }

    /// What is wrong with the values of its [`secrets`](Self::secrets), such as a URL that is none: `check --env` fails with these. Of one that has no
    /// value that is said already. No text says the value.
    fn mistakes_of_values(&self) -> Vec<String> {
        Vec::new()
    }

    /// What messages call this notifier: its type's name, unless it says better.
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

/// Takes a callback away that an attribute or a pipeline's `defaults(..)` has: `.on_failure(Nobody)`, or `on_failure = none` in an attribute.
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

/// What a callback is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A node or a run ended `failed`.
    OnFailure,
    /// A node ended `upstream_failed`: it did not run, because something before it failed.
    OnUpstreamFailed,
    /// A run was cancelled.
    OnCancel,
    /// An attempt failed and will be retried.
    OnRetry,
    /// A node or run succeeded.
    OnSuccess,
    /// A node was skipped.
    OnSkipped,
    /// A node or run has not ended in time.
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

/// What makes two callbacks one notifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    /// A function, or another type without a field: all its values are the same.
    Type(TypeId),
    /// A value with fields, or a closure that captured some: nothing says that two of them are the same. The address of one that
    /// lives as long as its callback.
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

    /// Whether it stands for no callback at all.
    pub(crate) fn is_nobody(&self) -> bool {
        self.identity == Identity::Type(TypeId::of::<Nobody>())
    }

    /// What tells this notifier from others, for as long as the callback lives.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = {}", self.event.name(), self.notifier.label())
    }
}

/// What a callback is told.
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
    /// What the run was when it began, for texts. It is the run's, so it is kept with that, and added when somebody is told.
    #[serde(skip)]
    pub(crate) run: Option<OfRun>,
}

/// What a notification knows of its run.
#[derive(Debug, Clone)]
pub(crate) struct OfRun {
    pub(crate) info: Arc<RunInfo>,
    /// The pipeline's.
    pub(crate) zone: Zone,
}

impl Notification {
    /// The callback's name, such as `on_failure`.
    pub fn name(&self) -> &str {
        self.event.name()
    }

    /// The text that an [`alert!`](macro@crate::alert) makes of it, for a notifier of your own. The values of secrets that this process has read are
    /// replaced by `***`.
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
    /// If something that the text prints has no value in this alert, or the text is longer than 1 MiB. No retry would help.
    pub fn render(&self, text: &AlertText) -> Result<String> {
        let rendered = text.render(self, Escaping::None).map_err(|error| TaskError::fatal(error.to_string()))?;
        Ok(redacted(&rendered).into_owned())
    }

    /// What it is about.
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

    /// When it happened.
    pub fn at(&self) -> chrono::DateTime<chrono::Utc> {
        self.at
    }

    /// The node's id; `None` where it is about the run.
    pub fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    /// The state that the node or run is in, such as `upstream_failed`.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The attempt that it is about, from 1.
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

    /// The error, with the errors that led to it.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// How long the node, or the run, has taken so far, waiting included. Once it was retried by hand, that is another life, and it counts from there.
    pub fn elapsed(&self) -> Option<Duration> {
        self.elapsed
    }

    /// What is left of a sensor's timeout.
    pub fn budget_left(&self) -> Option<Duration> {
        self.budget_left
    }

    /// The node's inputs that are made by a template or are a text of the params, by parameter, such as the key a sensor waits for. A text
    /// that the code has is not among them: it may be what is nobody's affair. An input of more than 16 KiB is cut, and says how much is
    /// missing, as is the error.
    pub fn inputs(&self) -> &[(String, String)] {
        &self.inputs
    }
}

/// For tests.
impl Notification {
    /// A notification to call a notifier with in a test, of the run `test` of the pipeline `test` at 2024-01-01T00:00:00Z. All else is
    /// missing, as with a run's.
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

    /// In the run of that id of that pipeline.
    pub fn with_run_id(self, pipeline: &str, run_id: &str) -> Self {
        Self { pipeline: pipeline.to_owned(), run_id: run_id.to_owned(), ..self }
    }

    /// About the node of that id in that state, such as `failed`.
    pub fn with_node(self, node: &str, state: &str) -> Self {
        Self { node: Some(node.to_owned()), state: Some(state.to_owned()), ..self }
    }

    /// About the attempt `attempt`, from 1, of `attempts`.
    pub fn with_attempt(self, attempt: u32, attempts: u32) -> Self {
        Self { attempt: Some(attempt), attempts: Some(attempts), ..self }
    }

    /// With that error.
    pub fn with_error(self, error: &str) -> Self {
        Self { error: Some(error.to_owned()), ..self }
    }

    /// With one more of the node's text inputs.
    pub fn with_input(mut self, parameter: &str, value: &str) -> Self {
        self.inputs.push((parameter.to_owned(), value.to_owned()));
        self
    }
}
