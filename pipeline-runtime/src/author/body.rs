//! Bodies: how a task's own function is called with its inputs, and how its result is erased.
//!
//! The expansion of an attribute names only types and spans. What it calls is here, in generic functions, so that the expansion
//! stays small and quick to check.

use super::across::TaskName;
use super::branch::{Arms, Branch, BranchHandle};
use super::call::{Call, call};
use super::context::{Attempt, Context};
use super::definition::{BranchArms, Definition, Task};
use super::derived;
use super::draft;
use super::equality::Compare;
use super::error::TaskError;
use super::input::{Fill, Input, IntoInput, Source, Supply};
use super::node::Node;
use super::notify::BoxFuture;
use super::options::TaskOptions;
use super::outcome::Poke;
use super::output::{BranchOutput, SensorOutput, TaskOutput};
use super::seal::Seal;
use super::secret::Secrets;
use super::value::{Codec, Data, Value};
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use std::any::Any;
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

// ---- parameters

/// What a task's parameter must be, checked where the task is defined. Not a trait *of* `P`, or rustc proposes to borrow it.
#[diagnostic::on_unimplemented(
    message = "`{P}` cannot be a task's input",
    label = "not `Clone + Send + Sync + 'static`",
    note = "an input is shared between attempts and threads: derive `Clone` for a type of your own, or share it as `Arc<T>` with a `T: Send + Sync`",
    note = "create what stays on one thread, such as an `Rc` or a connection to a database, in the body: take as an input what it is made from, such as a path or URL",
    note = "a parameter has the value's own type: write `T` for `Node<T>` or `Result<T>`; how the node ended is an `Outcome<T>`"
)]
pub trait Takes<P> {
    #[doc(hidden)]
    fn plain(value: Box<dyn Any>) -> Plain;
}

/// Stands for the runtime in [`Takes`].
#[derive(Debug)]
pub struct Runtime;

#[diagnostic::do_not_recommend]
impl<P: Clone + Send + Sync + 'static> Takes<P> for Runtime {
    fn plain(value: Box<dyn Any>) -> Plain {
        match value.downcast::<P>() {
            Ok(value) => Plain(Arc::new(TypedPlain(*value))),
            // `IntoInput<P>` boxes a `P` in all its impls for plain values, and it is sealed by its hidden method.
            Err(_) => unreachable!("a plain input holds its parameter's type"),
        }
    }
}

/// One wired parameter, erased.
#[derive(Debug, Clone)]
pub(crate) struct Arg {
    pub(crate) source: Source<Plain>,
    pub(crate) fill: Fill,
}

/// A wired parameter with its name in the plan.
#[derive(Debug)]
pub struct Labelled {
    pub(crate) label: &'static str,
    pub(crate) arg: Arg,
}

/// A plain value that the pipeline function gave.
#[derive(Clone)]
pub struct Plain(Arc<dyn PlainValue>);

/// A plain value of unknown type. A plan may hold millions, so each is one allocation.
trait PlainValue: Send + Sync {
    /// Clones it into `slot`, which must be an `Option` of its type.
    fn fill(&self, slot: &mut dyn Any);
    /// The value if it is a list of texts, for which a list of templates may be used instead.
    fn texts(&self) -> &[String];
}

struct TypedPlain<P>(P);

impl<P: Clone + Send + Sync + 'static> PlainValue for TypedPlain<P> {
    fn fill(&self, slot: &mut dyn Any) {
        if let Some(slot) = slot.downcast_mut::<Option<P>>() {
            *slot = Some(self.0.clone());
        }
    }

    fn texts(&self) -> &[String] {
        (&self.0 as &dyn Any).downcast_ref::<Vec<String>>().map_or(&[], Vec::as_slice)
    }
}

impl Plain {
    pub(crate) fn texts(&self) -> &[String] {
        self.0.texts()
    }

    /// Returns a copy of the value if it has that type.
    #[cfg(feature = "dashboard")]
    pub(crate) fn value<T: 'static>(&self) -> Option<T> {
        let mut value = None::<T>;
        self.0.fill(&mut value);
        value
    }
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<value>")
    }
}

/// One wired parameter. The body names it, too: if `P` cannot be an input, the body has the same error, of which rustc shows only
/// one, and a body in error does not also complain that its future is not `Send`.
pub fn input<P, I: IntoInput<P>>(label: &'static str, input: I) -> Labelled
where
    Runtime: Takes<P>,
{
    let Input(source, fill) = input.into_input();
    let source = match source {
        Source::Plain(value) => plain(value, <Runtime as Takes<P>>::plain),
        Source::Text(text) => Source::Text(text),
        Source::Secrets(secrets) => Source::Secrets(secrets),
        Source::Template(template) => Source::Template(template),
        Source::Templates(templates) => Source::Templates(templates),
        Source::Setting(setting) => Source::Setting(setting),
        Source::Node(node, rule) => Source::Node(node, rule),
        Source::Nodes(nodes, rule) => Source::Nodes(nodes, rule),
        Source::Elements(node, rule) => Source::Elements(node, rule),
    };
    Labelled { label, arg: Arg { source, fill } }
}

fn plain(value: Box<dyn Any>, of: fn(Box<dyn Any>) -> Plain) -> Source<Plain> {
    match value.downcast::<String>() {
        Ok(text) => Source::Text((*text).into()),
        Err(value) => match Secrets::of(value) {
            Ok(secrets) => Source::Secrets(Box::new(secrets)),
            Err(value) => Source::Plain(of(value)),
        },
    }
}

/// The source of a body's parameters, in their order.
pub struct Inputs<'a> {
    args: &'a [Arg],
    supplies: &'a [Supply],
    attempt: &'a dyn Attempt,
    next_arg: Cell<usize>,
    next_supply: Cell<usize>,
    reusable: Cell<Option<Call>>,
}

impl<'a> Inputs<'a> {
    /// `supplies` belong to the args that are not plain values, in order. `reusable` is the memory of a call that is over, to be
    /// reused.
    pub(crate) fn new(args: &'a [Arg], supplies: &'a [Supply], attempt: &'a dyn Attempt, reusable: Option<Call>) -> Self {
        Self { args, supplies, attempt, next_arg: Cell::new(0), next_supply: Cell::new(0), reusable: Cell::new(reusable) }
    }

    /// The next parameter.
    ///
    /// # Panics
    ///
    /// If the engine's supplies and the plan's args do not match, which is a bug in the engine.
    pub fn take<P: 'static>(&self) -> P {
        let mut slot = None::<P>;
        let arg = self.args.get(self.next_arg.replace(self.next_arg.get() + 1));
        match arg.map(|arg| (&arg.source, arg.fill)) {
            Some((Source::Plain(plain), _)) => plain.0.fill(&mut slot),
            Some((Source::Text(text), _)) => fill_text(text, &mut slot),
            Some((Source::Secrets(secrets), _)) => secrets.fill(&mut slot),
            Some((_, fill)) => {
                let supply = self.supplies.get(self.next_supply.replace(self.next_supply.get() + 1));
                if let Some(supply) = supply {
                    fill(supply, &mut slot);
                }
            }
            None => {}
        }
        match slot {
            Some(parameter) => parameter,
            None => unreachable!("the engine starts a body only once its inputs hold"),
        }
    }

    /// Returns whether the node behind this sensor passed in the previous scheduled run.
    pub(super) fn passed_before(&self) -> BoxFuture<AttemptResult> {
        self.attempt.passed_before()
    }

    /// The attempt's context.
    pub fn context(&self) -> Context {
        self.attempt.context()
    }
}

impl std::fmt::Debug for Inputs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inputs").field("supplies", &self.supplies).finish_non_exhaustive()
    }
}

/// Copies a text into `slot`, which must be an `Option<String>`.
fn fill_text(text: &str, slot: &mut dyn Any) {
    if let Some(slot) = slot.downcast_mut::<Option<String>>() {
        *slot = Some(text.to_owned());
    }
}

// ---- results

/// What an attempt produced.
#[derive(Debug)]
pub(crate) enum Produced {
    Value(Value),
    NotYet,
    NotBefore(DateTime<Utc>),
}

/// An attempt's result, erased.
pub(crate) type AttemptResult = Result<Produced, TaskError>;

/// A started attempt of a body, not polled yet.
pub struct Running(Started);

/// How an attempt runs.
pub(crate) enum Started {
    Async(Call),
    Blocking(Box<dyn FnOnce() -> AttemptResult + Send>),
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Started::Async(_) => "Running::Async",
            Started::Blocking(_) => "Running::Blocking",
        })
    }
}

/// How the result of a body that returns `R` is erased. It is passed to the body's own closure, so that the closure needs no
/// bounds on `R`, and a failed check is reported once.
pub struct Erase<R>(fn(R) -> AttemptResult);

impl<R> Clone for Erase<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Erase<R> {}

impl<R> std::fmt::Debug for Erase<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<R>())
    }
}

type Starts<R> = dyn Fn(&Inputs<'_>, Erase<R>) -> Running + Send + Sync;

/// Calls a body with its inputs. It holds a function or a closure without captures, so its box does not allocate.
pub struct Start<R>(Box<Starts<R>>);

impl<R> std::fmt::Debug for Start<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<R>())
    }
}

impl<R> Start<R> {
    /// A body whose call takes more than wired inputs.
    pub fn by(start: impl Fn(&Inputs<'_>, Erase<R>) -> Running + Send + Sync + 'static) -> Self {
        Self(Box::new(start))
    }
}

// Async bodies that take only wired inputs, one function for each number of inputs. rustc needs half the work for the function
// itself compared with a closure that calls it. No macro makes these, because the macro would appear in the message about a
// future that is not `Send`.

/// A body without inputs.
pub fn body0<R: 'static, F: Future<Output = R> + Send + 'static>(body: impl Fn() -> F + Send + Sync + 'static) -> Start<R> {
    Start::by(move |inputs, erase| drive(erase, inputs, body()))
}

/// A body of one input.
pub fn body1<R: 'static, A: 'static, F: Future<Output = R> + Send + 'static>(
    body: impl Fn(A) -> F + Send + Sync + 'static,
) -> Start<R> {
    Start::by(move |inputs, erase| drive(erase, inputs, body(inputs.take())))
}

/// A body of two inputs.
pub fn body2<R: 'static, A: 'static, B: 'static, F: Future<Output = R> + Send + 'static>(
    body: impl Fn(A, B) -> F + Send + Sync + 'static,
) -> Start<R> {
    Start::by(move |inputs, erase| drive(erase, inputs, body(inputs.take(), inputs.take())))
}

/// A body of three inputs.
pub fn body3<R: 'static, A: 'static, B: 'static, C: 'static, F: Future<Output = R> + Send + 'static>(
    body: impl Fn(A, B, C) -> F + Send + Sync + 'static,
) -> Start<R> {
    Start::by(move |inputs, erase| drive(erase, inputs, body(inputs.take(), inputs.take(), inputs.take())))
}

/// A body of four inputs.
pub fn body4<R: 'static, A: 'static, B: 'static, C: 'static, D: 'static, F: Future<Output = R> + Send + 'static>(
    body: impl Fn(A, B, C, D) -> F + Send + Sync + 'static,
) -> Start<R> {
    Start::by(move |inputs, erase| drive(erase, inputs, body(inputs.take(), inputs.take(), inputs.take(), inputs.take())))
}

/// A body of five inputs.
pub fn body5<R: 'static, A: 'static, B: 'static, C: 'static, D: 'static, E: 'static, F: Future<Output = R> + Send + 'static>(
    body: impl Fn(A, B, C, D, E) -> F + Send + Sync + 'static,
) -> Start<R> {
    Start::by(move |inputs, erase| {
        drive(erase, inputs, body(inputs.take(), inputs.take(), inputs.take(), inputs.take(), inputs.take()))
    })
}

/// A body of six inputs.
pub fn body6<
    R: 'static,
    A: 'static,
    B: 'static,
    C: 'static,
    D: 'static,
    E: 'static,
    G: 'static,
    F: Future<Output = R> + Send + 'static,
>(
    body: impl Fn(A, B, C, D, E, G) -> F + Send + Sync + 'static,
) -> Start<R> {
    Start::by(move |inputs, erase| {
        drive(erase, inputs, body(inputs.take(), inputs.take(), inputs.take(), inputs.take(), inputs.take(), inputs.take()))
    })
}

/// Starts an async body.
pub fn drive<R: 'static>(erase: Erase<R>, inputs: &Inputs<'_>, body: impl Future<Output = R> + Send + 'static) -> Running {
    // Not an `async` block: its future would be larger by the size of the body.
    Running(Started::Async(call(body.map(erase.0), inputs.reusable.take())))
}

/// Starts a blocking body on the blocking pool; its inputs are taken there, too.
pub fn drive_blocking<R: 'static>(erase: Erase<R>, inputs: &Inputs<'_>, body: fn(&Inputs<'_>) -> R) -> Running {
    let (args, supplies, context) = (inputs.args.to_vec(), inputs.supplies.to_vec(), inputs.context());
    Running(Started::Blocking(Box::new(move || (erase.0)(body(&Inputs::new(&args, &supplies, &context, None))))))
}

/// A task's function with its result erased.
pub(crate) trait Body: std::fmt::Debug + Send + Sync {
    /// Calls it with its inputs.
    fn start(&self, inputs: &Inputs<'_>) -> Started;
}

/// A function that returns `R`, and how its result is erased.
struct Typed<R> {
    start: Start<R>,
    erase: Erase<R>,
}

impl<R> std::fmt::Debug for Typed<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.erase.fmt(f)
    }
}

impl<R: 'static> Body for Typed<R> {
    fn start(&self, inputs: &Inputs<'_>) -> Started {
        (self.start.0)(inputs, self.erase).0
    }
}

// ---- constructors

/// Adds a node of the task `Name` to the pipeline being described. The definition comes from the name's type, because rustc would
/// check a constant here for each task.
///
/// # Panics
///
/// Outside of a pipeline function, naming the call.
#[track_caller]
#[inline]
pub fn task<Name, R, T, const N: usize>(
    start: Start<R>,
    compare: Option<Compare>,
    options: TaskOptions,
    inputs: [Labelled; N],
) -> Node<T>
where
    Name: TaskName,
    R: TaskOutput<Value = T> + 'static,
    T: Data,
{
    wire_task(const { &Name::DEFINITION }, options, inputs, start, compare)
}

/// Adds a node of the sensor `Name` to the pipeline being described.
///
/// # Panics
///
/// Outside of a pipeline function, naming the call.
#[track_caller]
#[inline]
pub fn sensor<Name, R, T, const N: usize>(
    start: Start<R>,
    compare: Option<Compare>,
    options: TaskOptions,
    inputs: [Labelled; N],
) -> Node<T>
where
    Name: TaskName,
    R: SensorOutput<Value = T> + 'static,
    T: Data,
{
    wire_sensor(const { &Name::DEFINITION }, options, inputs, start, compare)
}

#[track_caller]
pub(crate) fn wire_task<R, T, const N: usize>(
    definition: &'static Definition,
    mut options: TaskOptions,
    inputs: [Labelled; N],
    start: Start<R>,
    compare: Option<Compare>,
) -> Node<T>
where
    R: TaskOutput<Value = T> + 'static,
    T: Data,
{
    let erase = Erase(|result: R| result.into_result(Seal).map(|value| Produced::Value(Value::new(value))));
    let body = Typed { start, erase };
    Node::new(draft::task(definition, inputs, |inputs| Task {
        definition,
        inputs,
        options: std::mem::take(&mut options),
        body: Box::new(body),
        codec: Codec::of::<T>(),
        compare,
        branch: None,
    }))
}

#[track_caller]
fn wire_sensor<R, T, const N: usize>(
    definition: &'static Definition,
    mut options: TaskOptions,
    inputs: [Labelled; N],
    start: Start<R>,
    compare: Option<Compare>,
) -> Node<T>
where
    R: SensorOutput<Value = T> + 'static,
    T: Data,
{
    let erase = Erase(|result: R| {
        result.into_result(Seal).map(|poke| match poke {
            Poke::Ready(value) => Produced::Value(Value::new(value)),
            Poke::NotYet => Produced::NotYet,
            Poke::NotBefore(time) => Produced::NotBefore(time),
        })
    });
    let body = Typed { start, erase };
    Node::new(draft::task(definition, inputs, |inputs| Task {
        definition,
        inputs,
        options: std::mem::take(&mut options),
        body: Box::new(body),
        codec: Codec::of::<T>(),
        compare,
        branch: None,
    }))
}

// ---- outputs that only the traits can name

/// The one place per task that names its checked output, so that a failed check is one error.
pub trait Checks {
    /// A [`Checked`].
    type Output;
}

/// A return type with the proof that it was checked; `W` names what for. The proof of a failed check is an error *const*: rustc
/// reports it once, at the definition, and everything that uses the type stays silent.
#[derive(Debug)]
pub struct Checked<W, const OK: bool>(PhantomData<W>);

/// Checked for a `#[task]`.
#[derive(Debug)]
pub struct AsTask;
/// Checked for a `#[sensor]`.
#[derive(Debug)]
pub struct AsSensor;
/// Checked for a `#[branch]`.
#[derive(Debug)]
pub struct AsBranch;

/// Checks a task's return type.
pub const fn task_output<R: TaskOutput<Value: Data>>() -> bool {
    true
}

/// Checks a sensor's return type.
pub const fn sensor_output<R: SensorOutput<Value: Data>>() -> bool {
    true
}

/// Checks a branch's return type.
pub const fn branch_output<R: BranchOutput<Value: Data>>() -> bool {
    true
}

/// How a task that returns `R` is wired.
pub trait Wires<R> {
    /// What the node passes on.
    type Value;
    /// What wiring the task returns: a `Node<T>`, or a branch's arms.
    type Wired;
    #[doc(hidden)]
    #[track_caller]
    fn wire<const N: usize>(
        definition: &'static Definition,
        options: TaskOptions,
        inputs: [Labelled; N],
        start: Start<R>,
        compare: Option<Compare>,
    ) -> Self::Wired;
}

impl<R: TaskOutput<Value: Data> + 'static> Wires<R> for Checked<AsTask, true> {
    type Value = R::Value;
    type Wired = Node<R::Value>;
    #[track_caller]
    fn wire<const N: usize>(
        definition: &'static Definition,
        options: TaskOptions,
        inputs: [Labelled; N],
        start: Start<R>,
        compare: Option<Compare>,
    ) -> Self::Wired {
        wire_task(definition, options, inputs, start, compare)
    }
}

impl<R: SensorOutput<Value: Data> + 'static> Wires<R> for Checked<AsSensor, true> {
    type Value = R::Value;
    type Wired = Node<R::Value>;
    #[track_caller]
    fn wire<const N: usize>(
        definition: &'static Definition,
        options: TaskOptions,
        inputs: [Labelled; N],
        start: Start<R>,
        compare: Option<Compare>,
    ) -> Self::Wired {
        wire_sensor(definition, options, inputs, start, compare)
    }
}

impl<B: Data + Branch, R: BranchOutput<Value = B, Arms = B::Arms> + 'static> Wires<R> for Checked<AsBranch, true> {
    type Value = B;
    type Wired = R::Arms;
    #[track_caller]
    fn wire<const N: usize>(
        definition: &'static Definition,
        mut options: TaskOptions,
        inputs: [Labelled; N],
        start: Start<R>,
        compare: Option<Compare>,
    ) -> Self::Wired {
        let erase = Erase(|result: R| result.into_result(Seal).map(|branch| Produced::Value(Value::new(branch))));
        let body = Typed { start, erase };
        let branch = draft::task(definition, inputs, |inputs| Task {
            definition,
            inputs,
            options: std::mem::take(&mut options),
            body: Box::new(body),
            codec: Codec::of::<B>(),
            compare,
            branch: Some(BranchArms {
                arm: derived::arm::<B>,
                carried: derived::arm_value::<B>,
                arms: <B::Arms as Arms<B>>::NAMES,
            }),
        });
        <B::Arms as Arms<B>>::from_branch(BranchHandle(branch))
    }
}

/// Adds a node to the pipeline being described, like [`task`], for an output type that only the traits know.
///
/// # Panics
///
/// Outside of a pipeline function, naming the call.
#[track_caller]
#[inline]
pub fn wire<Name: TaskName, C: Wires<R>, R, const N: usize>(
    start: Start<R>,
    compare: Option<Compare>,
    options: TaskOptions,
    inputs: [Labelled; N],
) -> C::Wired {
    C::wire(const { &Name::DEFINITION }, options, inputs, start, compare)
}
