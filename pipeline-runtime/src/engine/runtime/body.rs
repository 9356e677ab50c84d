//! Attempts: inputs gathered, bodies called and polled, results delivered to the core.

use super::super::effects::{Answer, Answered};
use super::super::ids::Job;
use super::engine::{State, drop_quietly};
use super::{Attempt, Engine, Instead, Waiter, scope, sensor_state};
use crate::author::body::{Arg, AttemptResult, Produced, Started};
use crate::author::bounded::Unwritten;
use crate::author::error::{Kind, TaskError};
use crate::author::input::{Source, Supply, Upstream};
use crate::author::pipeline::panic_message;
use crate::author::redaction::redacted;
use crate::author::secret::{Secret, as_output};
use crate::author::setting;
use crate::author::template::Template;
use crate::author::value::Value;
use crate::plan::{NodeIx, Plan, What};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// The largest output, as JSON.
pub(crate) const MAX_OUTPUT: usize = 16 << 20;

pub(crate) type Body = Pin<Box<dyn Future<Output = AttemptResult> + Send>>;

/// What came of a node's first poll.
pub(super) struct Executed {
    /// None where it goes on as a task or a thread of its own.
    pub(super) answer: Option<Answer>,
    /// The attempt, if it is over: the next one may have its memory.
    pub(super) spare: Option<Box<Attempt>>,
}

impl Engine {
    /// Gathers what a node is started with; `None` if it was decided otherwise meanwhile.
    pub(super) fn prepare(state: &State, job: Job, spares: &mut VecDeque<Box<Attempt>>) -> Option<Box<Attempt>> {
        let run = state.core.run(job.run).filter(|_| state.core.is_under_way(job))?;
        let mut attempt = spares.pop_back().unwrap_or_else(|| Box::new(Attempt::blank(run.spec())));
        attempt.take_up(run, job, &state.watches);
        Some(attempt)
    }

    /// Starts a node and polls it once, in place. Returns its answer if it has one; else it goes on as a task of its own.
    pub(super) fn execute(&self, mut attempt: Box<Attempt>) -> Executed {
        if let Some(interceptor) = &self.0.interceptor
            && let Some(instead) = interceptor.instead(&attempt)
        {
            return match instead {
                Instead::Answer(answered) => {
                    let answer = self.check(&attempt, answered).into();
                    Executed { answer: Some(answer), spare: Some(attempt) }
                }
                #[cfg(any(feature = "cli", feature = "dashboard"))]
                Instead::Body(body) => {
                    self.spawn(attempt, Some(body));
                    Executed { answer: None, spare: None }
                }
            };
        }
        let mut supplies = std::mem::take(&mut attempt.supplies);
        if attempt.has_templates
            && let Err(error) = render(&attempt, &mut supplies)
        {
            return Executed { answer: Some(fatal(error)), spare: Some(attempt) };
        }
        if attempt.has_secrets && self.0.interceptor.is_none() && reads_files(&attempt) {
            self.spawn_reading(attempt, supplies);
            return Executed { answer: None, spare: None };
        }
        let args = match attempt.has_secrets.then(|| self.read_secrets(&attempt.spec.plan, attempt.node)).transpose() {
            Ok(args) => args,
            Err(error) => return Executed { answer: Some(fatal(error)), spare: Some(attempt) },
        };
        self.begin(attempt, supplies, args.as_deref())
    }

    /// Calls a body, and polls it once.
    #[inline]
    fn begin(&self, attempt: Box<Attempt>, mut supplies: Vec<Supply>, args: Option<&[Arg]>) -> Executed {
        let mut attempt = Some(attempt);
        let (mut running, mut value, mut result) = (None, None, None);
        let done = self.on_behalf(&mut attempt, || {
            running = scope::current(|attempt| attempt.call(args, &supplies)).flatten();
            supplies.clear();
            let Some(Started::Async(body)) = &mut running else { return };
            match body.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => return,
                Poll::Ready(Ok(Produced::Value(produced))) => value = Some(produced),
                Poll::Ready(ended) => result = Some(ended),
            }
            // Before it is answered for, as what it holds may be what a downstream waits for. Should that panic, it does not
            // change what the body came to.
            running = None;
        });
        if let Some(value) = value {
            if !self.0.writes_outputs {
                // What most bodies come to; nobody asks what they remember.
                if let Some(attempt) = &mut attempt {
                    attempt.supplies = supplies;
                }
                return Executed { answer: Some(Answered::Success(value, None).into()), spare: attempt };
            }
            result = Some(Ok(Produced::Value(value)));
        }
        let result = match (result, done) {
            (Some(ended), _) => ended.map_err(Failed::Body),
            (None, Err(panicked)) => {
                let _ = self.on_behalf(&mut attempt, || drop((running.take(), supplies)));
                supplies = Vec::new();
                Err(panicked)
            }
            (None, Ok(())) => {
                match (attempt, running) {
                    (Some(attempt), Some(Started::Async(body))) => self.spawn(attempt, Some(body)),
                    (Some(attempt), Some(Started::Blocking(body))) => self.spawn_blocking(attempt, body),
                    // Only bodies are started.
                    _ => {}
                }
                return Executed { answer: None, spare: None };
            }
        };
        let answer = self.finish(attempt.as_deref(), result);
        if let Some(attempt) = &mut attempt {
            attempt.supplies = supplies;
        }
        Executed { answer: Some(answer), spare: attempt }
    }

    /// The args of a body that takes secrets, with the values of those. An attempt that waited for its turn has the newest.
    fn read_secrets(&self, plan: &Plan, node: NodeIx) -> Result<Vec<Arg>, Arc<str>> {
        let What::Body(task) = &plan.node(node).what else { return Ok(Vec::new()) };
        let read = |secret: &Secret| match self.0.interceptor.as_ref().and_then(|interceptor| interceptor.secret(secret)) {
            Some(secret) => Ok(secret),
            None => secret.read(),
        };
        let args = plan.args(node).iter().zip(&task.inputs).map(|(arg, input)| {
            let Source::Secrets(secrets) = &arg.source else { return Ok(arg.clone()) };
            let secrets = secrets.read(read).map_err(|error| format!("the input `{input}` cannot be read: {error}"))?;
            Ok(Arg { source: Source::Secrets(Box::new(secrets)), fill: arg.fill })
        });
        args.collect()
    }

    /// Reads the attempt's secrets on a thread that may wait for a file system, and then begins. Until then it can be cut off as a task.
    #[cold]
    fn spawn_reading(&self, attempt: Box<Attempt>, supplies: Vec<Supply>) {
        let job = attempt.job();
        let (spec, node) = (Arc::clone(&attempt.spec), attempt.node);
        let (tell, told) = oneshot::channel::<Result<Vec<Arg>, Arc<str>>>();
        let mut answering = Answering { engine: self.clone(), job, given: false };
        let task = async move {
            let args = told.await.unwrap_or_else(|_| Err(NO_THREAD_TO_READ.into()));
            let engine = answering.engine.clone();
            // What it becomes now is another task.
            drop(engine.lock().forget_task(job));
            match args.map(|args| engine.begin(attempt, supplies, Some(Vec::as_slice(&args))).answer) {
                Ok(Some(answer)) => answering.give(answer),
                Ok(None) => answering.hand_over(),
                Err(error) => answering.give(fatal(error)),
            }
        };
        self.register(job, &self.spawn_task(task).abort_handle());
        // Only now: it is registered before it goes on.
        let engine = self.clone();
        let read = move || drop(tell.send(engine.read_secrets(&spec.plan, node)));
        // Where the system gives no thread, tokio panics, and `tell` is dropped.
        let _ = catch_unwind(AssertUnwindSafe(|| self.spawn_thread(read)));
    }

    /// Has a task cut off with its attempt.
    fn register(&self, job: Job, task: &AbortHandle) {
        let mut state = self.lock();
        if state.core.is_under_way(job) && !state.stopped {
            state.tasks.insert(job.attempt, (job, task.clone()));
        } else {
            // Cut off before it was a task, or answered for already.
            drop(state);
            task.abort();
        }
    }

    fn spawn(&self, attempt: Box<Attempt>, mut body: Option<Body>) {
        let job = attempt.job();
        let mut answering = Answering { engine: self.clone(), job, given: false };
        let mut attempt = Some(attempt);
        let task = async move {
            let result = std::future::poll_fn(|context| {
                answering.engine.polling(Waiter::Attempt(job), || answering.engine.poll(&mut attempt, &mut body, context))
            });
            let result = result.await;
            answering.give(answering.engine.finish(attempt.as_deref(), result));
        };
        // Not under the lock: where the runtime is at its end the task answers for itself at once.
        self.register(job, &self.spawn_task(task).abort_handle());
    }

    fn spawn_blocking(&self, attempt: Box<Attempt>, body: Box<dyn FnOnce() -> AttemptResult + Send>) {
        let (engine, job) = (self.clone(), attempt.job());
        self.note_blocking(true);
        let work = move || {
            // It may have been cut off while it waited for a thread.
            let answer = if engine.lock().core.is_under_way(job) {
                let mut attempt = Some(attempt);
                let result = engine.on_behalf(&mut attempt, body).and_then(|result| result.map_err(Failed::Body));
                engine.finish(attempt.as_deref(), result)
            } else {
                drop_quietly((attempt, body));
                Answered::Aborted.into()
            };
            engine.post(job, answer);
            engine.note_blocking(false);
        };
        // Where the system gives no thread, tokio panics.
        if catch_unwind(AssertUnwindSafe(|| self.spawn_thread(work))).is_err() {
            let error = "the system gives no thread for a body that blocks; raise the limit of threads, or make it `async`";
            self.post(job, Answered::Error(error.into()).into());
            self.note_blocking(false);
        }
    }

    /// A body that blocks has begun, or has ended: in a simulation the clock waits for it.
    fn note_blocking(&self, begun: bool) {
        if let Some(interceptor) = &self.0.interceptor {
            interceptor.blocking(begun);
        }
    }

    /// Answers for a job that was cut off before it began.
    pub(super) fn spawn_answer(&self, job: Job, attempt: Option<Box<Attempt>>) {
        let engine = self.clone();
        // Not here: the caller holds the lock.
        drop(self.spawn_task(async move {
            drop(attempt);
            engine.post(job, Answered::Aborted.into());
        }));
    }

    /// Delivers an answer to the core, or in a simulation to its step.
    fn post(&self, job: Job, answer: Answer) {
        if self.0.interceptor.is_some() {
            return self.put_answer(job, answer);
        }
        self.answer(job, answer);
    }

    /// Delivers an answer to the core, and begins with what follows if that is one node: waking a worker for it would take longer. So
    /// a chain of bodies that are pending costs one task a node, and no wake-up of a worker beside it.
    fn post_and_follow(&self, job: Job, answer: Answer) {
        if self.0.interceptor.is_some() {
            return self.put_answer(job, answer);
        }
        let Some(next) = self.answer_and_follow(job, answer) else { return };
        let job = next.job();
        if let Some(answer) = self.execute(next).answer {
            self.answer(job, answer);
        }
    }

    /// Runs the user's code on behalf of an attempt. Nothing of a body that panicked is used again.
    fn on_behalf<R>(&self, attempt: &mut Option<Box<Attempt>>, work: impl FnOnce() -> R) -> Result<R, Failed> {
        let enter = || self.within(|| scope::enter(attempt, work));
        catch_unwind(AssertUnwindSafe(enter)).map_err(|panic| Failed::Panic(panic_message(&*panic)))
    }

    /// Polls a body, and drops it once it is done: before it is answered for, as what it holds may be what a downstream waits for.
    fn poll(
        &self,
        attempt: &mut Option<Box<Attempt>>,
        body: &mut Option<Body>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Produced, Failed>> {
        let Some(running) = body else { return Poll::Pending };
        let result = match self.on_behalf(attempt, || running.as_mut().poll(context)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => result.map_err(Failed::Body),
            Err(panicked) => Err(panicked),
        };
        // A value that panics as it is dropped does not change what the body came to.
        let _ = self.on_behalf(attempt, || drop(body.take()));
        Poll::Ready(result)
    }

    fn finish(&self, attempt: Option<&Attempt>, result: Result<Produced, Failed>) -> Answer {
        let Some(attempt) = attempt else { return Answered::Aborted.into() };
        let what = match result {
            Ok(Produced::Value(value)) if !self.0.writes_outputs => Answered::Success(value, None),
            Ok(Produced::Value(value)) => {
                // It calls the type's own `Serialize` and `Deserialize`.
                let checked = catch_unwind(AssertUnwindSafe(|| self.check(attempt, Answered::Success(value, None))));
                checked.unwrap_or_else(|panic| {
                    Answered::Fatal(
                        format!("the output's own code panicked as it was written as JSON: {}", panic_message(&*panic)).into(),
                    )
                })
            }
            Ok(Produced::NotBefore(time)) => Answered::NotBefore(time.into()),
            Ok(Produced::NotYet) => Answered::NotYet(attempt.last_seen.as_ref().and_then(|seen| seen.told())),
            Err(Failed::Panic(message)) => Answered::Error(format!("the body panicked: {message}").into()),
            Err(Failed::Body(error)) => {
                let kind = error.kind();
                // It calls the error's own `Display`, and its `Drop`.
                let text = catch_unwind(AssertUnwindSafe(move || error.chain()))
                    .unwrap_or_else(|panic| format!("the error's own code panicked as it was shown: {}", panic_message(&*panic)));
                let text: Arc<str> = text.into();
                match kind {
                    Kind::Retry => Answered::Error(text),
                    Kind::Fatal => Answered::Fatal(text),
                    Kind::Skip => Answered::Skip(text),
                }
            }
        };
        let what = without_secrets(what);
        let mut memory = attempt.memory();
        if let (Answered::NotYet(_), Some(watching)) = (&what, attempt.watching.get()) {
            if self.0.is_durable {
                memory = sensor_state::joined(memory.as_ref(), &watching.traces());
            }
            self.keep_watching(attempt.job(), watching);
        }
        Answer { what, memory }
    }

    /// Writes an output where the journal is durable, and refuses one that it could not give back.
    fn check(&self, attempt: &Attempt, answered: Answered) -> Answered {
        let Answered::Success(value, _) = answered else { return answered };
        let What::Body(task) = &attempt.spec.plan.node(attempt.node).what else { return Answered::Success(value, None) };
        // First, so that what is too large is written by nobody, whatever its size.
        let json = self.0.is_durable.then(|| as_output(|| value.encode(MAX_OUTPUT)));
        if let Some(Err(Unwritten::TooLarge)) = &json {
            let limit = MAX_OUTPUT >> 20;
            let what = format!(
                "the output has more than {limit} MiB as JSON, which is the limit: put it in a bucket and return its key"
            );
            return Answered::Fatal(what.into());
        }
        if self.0.options.check_outputs
            && let Err(different) = as_output(|| (task.codec.round_trip)(value.as_ref(), task.compare))
        {
            return Answered::Fatal(different.to_string().into());
        }
        match json.transpose() {
            Ok(json) => Answered::Success(value, json.map(Into::into)),
            Err(error) => Answered::Fatal(format!("the output cannot be written as JSON: {error}").into()),
        }
    }
}

const NO_THREAD_TO_READ: &str = "the system gives no thread to read its secrets on; raise the limit of threads";

/// Whether some of its secrets are in files, or with Airflow. Reading one may wait for its file system, which no worker does.
fn reads_files(attempt: &Attempt) -> bool {
    let is_file = |secret: &Secret| secret.may_wait();
    attempt.spec.plan.args(attempt.node).iter().any(|arg| match &arg.source {
        Source::Secrets(secrets) => secrets.iter().any(is_file),
        _ => false,
    })
}

/// Answers for an attempt that is a task of its own, also where the task is cut off.
struct Answering {
    engine: Engine,
    job: Job,
    given: bool,
}

impl Answering {
    fn give(&mut self, answer: Answer) {
        self.given = true;
        self.engine.post_and_follow(self.job, answer);
    }

    /// Another task answers, or a thread.
    fn hand_over(&mut self) {
        self.given = true;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if !self.given {
            self.engine.post(self.job, Answered::Aborted.into());
        }
    }
}

/// Why a body came to no output.
enum Failed {
    Body(TaskError),
    Panic(String),
}

/// What an attempt says, without the values of secrets: whoever makes the text, it passes here.
fn without_secrets(answered: Answered) -> Answered {
    let hidden = |text: Arc<str>| match redacted(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(hidden) => hidden.into(),
    };
    match answered {
        Answered::Error(text) => Answered::Error(hidden(text)),
        Answered::Fatal(text) => Answered::Fatal(hidden(text)),
        Answered::Skip(text) => Answered::Skip(hidden(text)),
        Answered::NotYet(looked) => Answered::NotYet(looked.map(|text| redacted(&text).into())),
        answered @ (Answered::Success(..) | Answered::NotBefore(_) | Answered::Aborted) => answered,
    }
}

/// The end of an attempt whose inputs cannot be made.
#[cold]
fn fatal(error: Arc<str>) -> Answer {
    without_secrets(Answered::Fatal(error)).into()
}

fn render(attempt: &Attempt, supplies: &mut [Supply]) -> Result<(), Arc<str>> {
    let render = |template: &Template| -> Result<Upstream, Arc<str>> {
        let zone = attempt.spec.plan.zone.current();
        let text = template.render(&attempt.spec.info, &attempt.id(), attempt.number, zone).map_err(|error| error.to_string())?;
        Ok(Upstream::Success(Value::new(text)))
    };
    let wired = attempt
        .spec
        .plan
        .args(attempt.node)
        .iter()
        .filter(|arg| !matches!(arg.source, Source::Plain(_) | Source::Text(_) | Source::Secrets(_)));
    for (arg, supply) in wired.zip(supplies) {
        match &arg.source {
            Source::Template(template) => *supply = Supply::One(render(template)?),
            Source::Templates(templates) => *supply = Supply::Many(templates.iter().map(render).collect::<Result<_, _>>()?),
            Source::Setting(setting) => {
                *supply = Supply::One(Upstream::Success(setting::value_in(&attempt.spec.info.settings, *setting)?));
            }
            _ => {}
        }
    }
    Ok(())
}
