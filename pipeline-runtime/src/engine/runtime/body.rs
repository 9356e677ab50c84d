//! Attempts: gather inputs, call and poll bodies, deliver results to the core.

use super::super::effects::{Answer, Answered, Garbage};
use super::super::ids::Job;
use super::engine::{State, drop_quietly};
use super::{Attempt, Engine, Instead, Waiter, scope, sensor_state};
use crate::author::body::{Arg, AttemptResult, Produced, Started};
use crate::author::bounded::Unwritten;
use crate::author::call::{Call, call};
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

/// The largest output, in bytes of JSON.
pub(crate) const MAX_OUTPUT: usize = 16 << 20;

pub(crate) type Body = Pin<Box<dyn Future<Output = AttemptResult> + Send>>;

/// The result of polling a body in place.
pub(super) enum Executed {
    /// The answer, and the finished attempt, whose memory the next one may reuse.
    Ended(Answer, Option<Box<Attempt>>),
    /// The body is pending, and may be polled in place once more.
    Waits(Box<Attempt>),
    /// The body continues as a task or on a thread of its own.
    Elsewhere,
}

impl Engine {
    /// Gathers the inputs of a node. Returns `None` if the attempt was cut off meanwhile.
    pub(super) fn prepare(state: &mut State, job: Job, spares: &mut VecDeque<Box<Attempt>>) -> Option<Box<Attempt>> {
        let run = state.core.run(job.run).filter(|_| state.core.is_under_way(job))?;
        let mut attempt = spares.pop_back().unwrap_or_else(|| Box::new(Attempt::blank(run.spec())));
        if let Some(last) = attempt.take_up(run, job, &state.watches) {
            // It may be the last reference to a run that is forgotten.
            state.core.outbox().garbage.push(Garbage::Spec(last));
        }
        Some(attempt)
    }

    /// Starts a node and polls it once, in place. A pending one is polled for the second time.
    pub(super) fn execute(&self, attempt: Box<Attempt>) -> Executed {
        if attempt.begun.is_some() {
            return self.poll_again(attempt);
        }
        if attempt.has_templates || attempt.has_secrets || self.0.interceptor.is_some() {
            return self.execute_slow(attempt);
        }
        self.begin(attempt, None)
    }

    /// Starts a node whose inputs are not all made yet, or which a simulation may intercept.
    #[inline(never)]
    fn execute_slow(&self, mut attempt: Box<Attempt>) -> Executed {
        if let Some(interceptor) = &self.0.interceptor
            && let Some(instead) = interceptor.instead(&attempt)
        {
            return match instead {
                Instead::Answer(answered) => {
                    // Here, because the next user of the attempt's memory would clear them under the lock.
                    attempt.supplies.clear();
                    Executed::Ended(self.check(&attempt, answered).into(), Some(attempt))
                }
                #[cfg(any(feature = "cli", feature = "dashboard"))]
                Instead::Body(body) => {
                    self.spawn(attempt, call(body, None));
                    Executed::Elsewhere
                }
            };
        }
        if attempt.has_templates
            && let Err(error) = render(&mut attempt)
        {
            return refuse(attempt, error);
        }
        if attempt.has_secrets && self.0.interceptor.is_none() && reads_files(&attempt) {
            self.spawn_reading(attempt);
            return Executed::Elsewhere;
        }
        match attempt.has_secrets.then(|| self.read_secrets(&attempt.spec.plan, attempt.node)).transpose() {
            Ok(args) => self.begin(attempt, args.as_deref()),
            Err(error) => refuse(attempt, error),
        }
    }

    /// Like [`execute`](Self::execute), for callers that do not poll again. Returns the answer if there is one; otherwise the
    /// body continues as a task or on a thread of its own.
    pub(super) fn execute_once(&self, attempt: Box<Attempt>) -> Option<Answer> {
        let executed = self.execute(attempt);
        self.spawn_what_waits(executed)
    }

    fn spawn_what_waits(&self, executed: Executed) -> Option<Answer> {
        match executed {
            Executed::Ended(answer, _) => return Some(answer),
            Executed::Waits(mut attempt) => {
                if let Some(call) = attempt.begun.take() {
                    self.spawn(attempt, call);
                }
            }
            Executed::Elsewhere => {}
        }
        None
    }

    /// Calls a body, and polls it once.
    #[inline]
    fn begin(&self, attempt: Box<Attempt>, args: Option<&[Arg]>) -> Executed {
        let mut attempt = Some(attempt);
        let (mut running, mut result) = (None, None);
        let begin = || {
            // Inputs are cloned and dropped outside of the body's scope: the body does not cause that.
            running = attempt.as_mut().and_then(|attempt| attempt.start(args));
            if let Some(Started::Async(call)) = &mut running {
                scope::enter(&mut attempt, || poll_to_end(call, &mut Context::from_waker(Waker::noop()), &mut result));
            }
        };
        let done = self.guarded(begin);
        match (attempt, running) {
            (Some(mut attempt), Some(Started::Async(call))) if done.is_ok() => {
                let Some(ended) = result else {
                    attempt.begun = Some(call);
                    return Executed::Waits(attempt);
                };
                attempt.place = Some(call);
                let answer = match ended {
                    // The most frequent case.
                    Ok(Produced::Value(value)) if !self.0.writes_outputs => Answer::Output(value),
                    ended => self.finish(Some(&attempt), ended.map_err(Failed::Body)),
                };
                Executed::Ended(answer, Some(attempt))
            }
            (Some(attempt), Some(Started::Blocking(body))) => {
                self.spawn_blocking(attempt, body);
                Executed::Elsewhere
            }
            (attempt, running) => self.begin_failed(attempt, running, result, done),
        }
    }

    /// A panic: in the body, in the drop of a value that it held, or in the clone of an input.
    #[cold]
    fn begin_failed(
        &self,
        mut attempt: Option<Box<Attempt>>,
        running: Option<Started>,
        result: Option<AttemptResult>,
        done: Result<(), Failed>,
    ) -> Executed {
        let mut call = if let Some(Started::Async(call)) = running { Some(call) } else { None };
        let result = self.outcome(&mut attempt, &mut call, result, done);
        self.over(attempt, None, result)
    }

    /// Polls a body in place for the second time. One that only yielded, as by `yield_now`, ends by that; of any other a task is
    /// made, which can be woken.
    #[inline(never)]
    fn poll_again(&self, mut attempt: Box<Attempt>) -> Executed {
        let mut call = attempt.begun.take();
        let mut attempt = Some(attempt);
        match (self.poll(&mut attempt, &mut call, &mut Context::from_waker(Waker::noop())), call) {
            (Poll::Ready(result), call) => self.over(attempt, call, result),
            (Poll::Pending, call) => {
                if let (Some(attempt), Some(call)) = (attempt, call) {
                    self.spawn(attempt, call);
                }
                Executed::Elsewhere
            }
        }
    }

    /// Ends an attempt. The next one may reuse its memory, and the memory of its call.
    #[inline]
    fn over(&self, mut attempt: Option<Box<Attempt>>, call: Option<Call>, result: Result<Produced, Failed>) -> Executed {
        let answer = self.finish(attempt.as_deref(), result);
        if let Some(attempt) = &mut attempt {
            attempt.place = call;
        }
        Executed::Ended(answer, attempt)
    }

    /// Returns the arguments of a body that takes secrets, with the secrets' values. They are read at the start of the attempt,
    /// so an attempt that waited has the newest.
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

    /// Reads the attempt's secrets on a thread that may wait for a file system, and then begins. Until then the attempt can be
    /// cut off as a task.
    #[cold]
    fn spawn_reading(&self, attempt: Box<Attempt>) {
        let job = attempt.job();
        let (spec, node) = (Arc::clone(&attempt.spec), attempt.node);
        let (sender, args) = oneshot::channel::<Result<Vec<Arg>, Arc<str>>>();
        let mut answering = Answering { engine: self.clone(), job, given: false };
        let task = async move {
            let args = args.await.unwrap_or_else(|_| Err(NO_THREAD_TO_READ.into()));
            let engine = answering.engine.clone();
            // From here on it becomes another task.
            drop(engine.lock().forget_task(job));
            match args.map(|args| engine.spawn_what_waits(engine.begin(attempt, Some(Vec::as_slice(&args))))) {
                Ok(Some(answer)) => answering.give(answer),
                Ok(None) => answering.hand_over(),
                Err(error) => answering.give(fatal(error)),
            }
        };
        self.register(job, &self.spawn_task(task).abort_handle());
        // Only now: the task must be registered before it continues.
        let engine = self.clone();
        let read = move || drop(sender.send(engine.read_secrets(&spec.plan, node)));
        // If the system has no thread for it, tokio panics, and `sender` is dropped.
        let _ = catch_unwind(AssertUnwindSafe(|| self.spawn_thread(read)));
    }

    /// Lets a task be aborted when its attempt is cut off.
    fn register(&self, job: Job, task: &AbortHandle) {
        let mut state = self.lock();
        if state.core.is_under_way(job) && !state.stopped {
            state.tasks.insert(job.attempt, (job, task.clone()));
        } else {
            // Cut off before it was a task, or already answered for.
            drop(state);
            task.abort();
        }
    }

    fn spawn(&self, attempt: Box<Attempt>, call: Call) {
        let job = attempt.job();
        let mut answering = Answering { engine: self.clone(), job, given: false };
        let (mut attempt, mut body) = (Some(attempt), Some(call));
        let task = async move {
            let result = std::future::poll_fn(|context| {
                answering.engine.polling(Waiter::Attempt(job), || answering.engine.poll(&mut attempt, &mut body, context))
            });
            let result = result.await;
            answering.give(answering.engine.finish(attempt.as_deref(), result));
        };
        // Not under the lock: if the runtime is shutting down, the task answers for itself at once.
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
        // If the system has no thread for it, tokio panics.
        if catch_unwind(AssertUnwindSafe(|| self.spawn_thread(work))).is_err() {
            let error = "the system gives no thread for a body that blocks; raise the limit of threads, or make it `async`";
            self.post(job, Answered::Error(error.into()).into());
            self.note_blocking(false);
        }
    }

    /// Reports that a blocking body has begun or ended: a simulation's clock waits for it.
    fn note_blocking(&self, begun: bool) {
        if let Some(interceptor) = &self.0.interceptor {
            interceptor.blocking(begun);
        }
    }

    /// Answers for a job that was cut off before it began.
    pub(super) fn spawn_answer(&self, job: Job, attempt: Option<Box<Attempt>>) {
        let engine = self.clone();
        // On a task, because the caller holds the lock.
        drop(self.spawn_task(async move {
            drop_quietly(attempt);
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

    /// Delivers an answer to the core, and begins the job that follows if it is the only one: waking a worker for it would take
    /// longer. So a chain of pending bodies costs one task per node, and no wake-up of a worker.
    fn post_and_follow(&self, job: Job, answer: Answer) {
        if self.0.interceptor.is_some() {
            return self.put_answer(job, answer);
        }
        let Some(next) = self.answer_and_follow(job, answer) else { return };
        let job = next.job();
        if let Some(answer) = self.execute_once(next) {
            self.answer(job, answer);
        }
    }

    /// Runs user code on behalf of an attempt. Nothing of a body that panicked is used again.
    fn on_behalf<R>(&self, attempt: &mut Option<Box<Attempt>>, work: impl FnOnce() -> R) -> Result<R, Failed> {
        self.guarded(|| scope::enter(attempt, work))
    }

    /// Runs user code, which may panic.
    #[inline]
    fn guarded<R>(&self, work: impl FnOnce() -> R) -> Result<R, Failed> {
        catch_unwind(AssertUnwindSafe(|| self.within(work))).map_err(|panic| Failed::Panic(panic_message(&*panic)))
    }

    /// Polls a body, and drops its future once it has ended.
    fn poll(
        &self,
        attempt: &mut Option<Box<Attempt>>,
        call: &mut Option<Call>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Produced, Failed>> {
        let Some(running) = call else { return Poll::Pending };
        let mut result = None;
        let done = self.on_behalf(attempt, || poll_to_end(running, context, &mut result));
        if result.is_none() && done.is_ok() {
            return Poll::Pending;
        }
        Poll::Ready(self.outcome(attempt, call, result, done))
    }

    /// Returns the result of a body that has ended or panicked. After a panic the memory of its call is not reused.
    #[inline]
    fn outcome(
        &self,
        attempt: &mut Option<Box<Attempt>>,
        call: &mut Option<Call>,
        result: Option<AttemptResult>,
        done: Result<(), Failed>,
    ) -> Result<Produced, Failed> {
        if done.is_err() {
            // A value that panics in its drop does not change the body's result.
            let _ = self.on_behalf(attempt, || drop(call.take()));
            if let Some(attempt) = attempt {
                attempt.supplies.clear();
            }
        }
        match (result, done) {
            (Some(ended), _) => ended.map_err(Failed::Body),
            (None, Err(panicked)) => Err(panicked),
            // Only bodies are started.
            (None, Ok(())) => Err(Failed::Panic("nothing was started".to_owned())),
        }
    }

    #[inline]
    fn finish(&self, attempt: Option<&Attempt>, result: Result<Produced, Failed>) -> Answer {
        match result {
            // The most frequent case. The memory does not matter then.
            Ok(Produced::Value(value)) if !self.0.writes_outputs => Answer::Output(value),
            result => self.finish_slow(attempt, result),
        }
    }

    #[inline(never)]
    fn finish_slow(&self, attempt: Option<&Attempt>, result: Result<Produced, Failed>) -> Answer {
        let Some(attempt) = attempt else { return Answered::Aborted.into() };
        let what = match result {
            Ok(Produced::Value(value)) => {
                // This calls the type's own `Serialize` and `Deserialize`.
                let checked = catch_unwind(AssertUnwindSafe(|| self.check(attempt, Answered::Success(value, None))));
                checked.unwrap_or_else(|panic| {
                    Answered::Fatal(
                        format!("the output's own code panicked as it was written as JSON: {}", panic_message(&*panic)).into(),
                    )
                })
            }
            Ok(Produced::NotBefore(time)) => Answered::NotBefore(time.into()),
            Ok(Produced::NotYet) => Answered::NotYet(attempt.last_seen.as_ref().and_then(|seen| seen.describe())),
            Err(Failed::Panic(message)) => Answered::Error(format!("the body panicked: {message}").into()),
            Err(Failed::Body(error)) => {
                let kind = error.kind();
                // This calls the error's own `Display` and `Drop`.
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
        Answer::new(what, memory)
    }

    /// Writes an output as JSON if the journal is durable, and refuses one that could not be read back.
    fn check(&self, attempt: &Attempt, answered: Answered) -> Answered {
        let Answered::Success(value, _) = answered else { return answered };
        let What::Body(task) = &attempt.spec.plan.node(attempt.node).what else { return Answered::Success(value, None) };
        // First, so that no other code writes an output that is too large.
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

/// Polls a call. At its end the future is dropped before the answer is given, because a downstream may wait for something that it
/// holds.
#[inline]
fn poll_to_end(call: &mut Call, context: &mut Context<'_>, result: &mut Option<AttemptResult>) {
    if let Poll::Ready(ended) = call.as_mut().poll(context) {
        // First, because a panic in the drop does not change the body's result.
        *result = Some(ended);
        call.as_mut().end();
    }
}

const NO_THREAD_TO_READ: &str = "the system gives no thread to read its secrets on; raise the limit of threads";

/// True if some of its secrets are in files, or with Airflow. Reading one may wait for a file system, which no worker does.
fn reads_files(attempt: &Attempt) -> bool {
    let is_file = |secret: &Secret| secret.may_wait();
    attempt.spec.plan.args(attempt.node).iter().any(|arg| match &arg.source {
        Source::Secrets(secrets) => secrets.iter().any(is_file),
        _ => false,
    })
}

/// Answers for an attempt that is a task of its own, even if the task is aborted.
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

    /// Another task or thread will answer.
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

/// Why a body has no output.
enum Failed {
    Body(TaskError),
    Panic(String),
}

/// Removes the values of secrets from an attempt's texts. All of them pass here, whatever made them.
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

/// Ends an attempt whose inputs cannot be made.
#[cold]
fn refuse(mut attempt: Box<Attempt>, error: Arc<str>) -> Executed {
    // Here, because the next user of the attempt's memory would clear them under the lock.
    attempt.supplies.clear();
    Executed::Ended(fatal(error), Some(attempt))
}

/// The answer of an attempt whose inputs cannot be made.
#[cold]
fn fatal(error: Arc<str>) -> Answer {
    without_secrets(Answered::Fatal(error)).into()
}

fn render(attempt: &mut Attempt) -> Result<(), Arc<str>> {
    let mut supplies = std::mem::take(&mut attempt.supplies);
    let rendered = render_into(attempt, &mut supplies);
    attempt.supplies = supplies;
    rendered
}

fn render_into(attempt: &Attempt, supplies: &mut [Supply]) -> Result<(), Arc<str>> {
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
