//! Bodies: how a task's own function is called with its inputs, and how its result is erased.
//!
//! The expansion of an attribute names only types and spans; what it calls is here, in generic functions, so that it stays
//! small and quick to check. A failed check of a type is an error *const* in [`Checked`]: rustc reports it once, at the
//! definition, and whatever touches the type stays silent.

use super::branch::{Branches, Split};
use super::context::{Attempt, Context};
use super::definition::Definition;
use super::draft;
use super::error::TaskError;
use super::input::{Fill, Input, IntoInput, Source, Supply};
use super::node::Node;
use super::outcome::Poke;
use super::output::{BranchOutput, SensorOutput, TaskOutput};
use super::value::{Codec, Data, Value};
use std::any::Any;
use std::cell::Cell;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

// ---- parameters

/// What a task's parameter must be, checked where the task is defined. Not a trait *of* `P`, or rustc proposes to borrow it.
#[diagnostic::on_unimplemented(
    message = "`{P}` cannot be a task's input",
    label = "not `Clone + Send + Sync + 'static`",
    note = "an input is shared between attempts and threads: derive `Clone`, or share it as `Arc<T>` with a `T: Send + Sync`"
)]
pub trait Takes<P> {}

/// Stands for the runtime in [`Takes`].
#[derive(Debug)]
pub struct Runtime;

#[diagnostic::do_not_recommend]
impl<P: Clone + Send + Sync + 'static> Takes<P> for Runtime {}

/// Checks a parameter's type.
pub const fn param<P>()
where
    Runtime: Takes<P>,
{
}

/// One wired parameter, erased.
#[derive(Debug)]
pub struct Arg {
    pub(crate) source: Source<Box<Plain>>,
    pub(crate) fill: Fill,
}

/// A plain value, and how a parameter is cloned from it.
pub(crate) struct Plain {
    value: Arc<dyn Any + Send + Sync>,
    clone: fn(&dyn Any, &mut dyn Any),
    /// The value where it is a text: alerts name it, as it is often the key that a sensor waits for.
    pub(crate) text: fn(&dyn Any) -> Option<&str>,
}

impl Plain {
    fn new<P: Clone + Send + Sync + 'static>(value: P) -> Self {
        Self {
            value: Arc::new(value),
            clone: |value, slot| {
                if let Some(slot) = slot.downcast_mut::<Option<P>>() {
                    *slot = value.downcast_ref::<P>().cloned();
                }
            },
            text: |value| value.downcast_ref::<String>().map(String::as_str),
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        (self.text)(&*self.value)
    }
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.text() {
            Some(text) => write!(f, "{text:?}"),
            None => f.write_str("<value>"),
        }
    }
}

/// Erases an input of type `P`.
pub trait Erase<P> {
    #[doc(hidden)]
    fn erase(input: Input) -> Arg;
}

impl<P: Clone + Send + Sync + 'static, W> Erase<P> for Checked<W, true> {
    fn erase(Input(source, fill): Input) -> Arg {
        let source = match source {
            Source::Plain(value) => match value.downcast::<P>() {
                Ok(value) => Source::Plain(Box::new(Plain::new(*value))),
                // `IntoInput<P>` boxes a `P` in all its impls for plain values, and it is sealed by its hidden method.
                Err(_) => unreachable!("a plain input holds its parameter's type"),
            },
            Source::Template(template) => Source::Template(template),
            Source::Templates(templates) => Source::Templates(templates),
            Source::Node(node, rule) => Source::Node(node, rule),
            Source::Nodes(nodes, rule) => Source::Nodes(nodes, rule),
            Source::Elements(node, rule) => Source::Elements(node, rule),
        };
        Arg { source, fill }
    }
}

/// One wired parameter.
pub fn arg<C: Erase<P>, P>(input: impl IntoInput<P>) -> Arg {
    C::erase(input.into_input())
}

/// What a body's parameters are taken from, in their order.
pub struct Inputs<'a> {
    args: &'a [Arg],
    supplies: &'a [Supply],
    attempt: &'a dyn Attempt,
    next_arg: Cell<usize>,
    next_supply: Cell<usize>,
}

impl<'a> Inputs<'a> {
    /// `supplies` are those of the args that are no plain values, in order.
    pub(crate) fn new(args: &'a [Arg], supplies: &'a [Supply], attempt: &'a dyn Attempt) -> Self {
        Self { args, supplies, attempt, next_arg: Cell::new(0), next_supply: Cell::new(0) }
    }

    /// The next parameter.
    ///
    /// # Panics
    ///
    /// Where the engine's supplies and the plan's args do not agree, which is a mistake of the engine and none of a user's.
    pub fn take<P: 'static>(&self) -> P {
        let mut slot = None::<P>;
        let arg = self.args.get(self.next_arg.replace(self.next_arg.get() + 1));
        match arg.map(|arg| (&arg.source, arg.fill)) {
            Some((Source::Plain(plain), _)) => (plain.clone)(&*plain.value, &mut slot),
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

// ---- results

/// What an attempt produced.
#[derive(Debug)]
pub(crate) enum Produced {
    Value(Value),
    NotYet,
}

pub(crate) type AttemptResult = Result<Produced, TaskError>;

/// A started attempt.
pub enum Running {
    #[doc(hidden)]
    Async(Pin<Box<dyn Future<Output = AttemptResult_> + Send>>),
    #[doc(hidden)]
    Blocking(Box<dyn FnOnce() -> AttemptResult_ + Send>),
}

/// [`AttemptResult`], unnameable outside.
#[derive(Debug)]
pub struct AttemptResult_(pub(crate) AttemptResult);

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Async(_) => "Running::Async",
            Self::Blocking(_) => "Running::Blocking",
        })
    }
}

/// Calls a body with its inputs. What comes back has not been polled.
pub type Start = fn(&Inputs<'_>) -> Running;

/// A return type with the proof that it was checked, `W` saying for what.
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

/// The one place per task that names its checked output, so that a failed check is one error.
pub trait Checks {
    /// A [`Checked`].
    type Output;
}

/// How the result `R` of a body is erased.
pub trait Output<R> {
    /// What wiring the task returns: the `T` of its `Node<T>`, or a branch's arms.
    type Value;
    #[doc(hidden)]
    const CODEC: &'static Codec;
    #[doc(hidden)]
    const SPLIT: Option<Split_>;
    #[doc(hidden)]
    fn erase(result: R) -> AttemptResult_;
}

/// [`Split`], unnameable outside.
#[derive(Debug, Clone, Copy)]
pub struct Split_(pub(crate) Split);

impl<R: TaskOutput<Value: Data>> Output<R> for Checked<AsTask, true> {
    type Value = R::Value;
    const CODEC: &'static Codec = Codec::of::<R::Value>();
    const SPLIT: Option<Split_> = None;
    fn erase(result: R) -> AttemptResult_ {
        AttemptResult_(result.into_result().map(|value| Produced::Value(Arc::new(value))))
    }
}

impl<R: SensorOutput<Value: Data>> Output<R> for Checked<AsSensor, true> {
    type Value = R::Value;
    const CODEC: &'static Codec = Codec::of::<R::Value>();
    const SPLIT: Option<Split_> = None;
    fn erase(result: R) -> AttemptResult_ {
        AttemptResult_(result.into_result().map(|poke| match poke {
            Poke::Ready(value) => Produced::Value(Arc::new(value)),
            Poke::NotYet => Produced::NotYet,
        }))
    }
}

impl<R: BranchOutput<Value: Data + Branches>> Output<R> for Checked<AsBranch, true> {
    type Value = R::Arms;
    const CODEC: &'static Codec = Codec::of::<R::Value>();
    const SPLIT: Option<Split_> = Some(Split_(super::branch::split::<R::Value>));
    fn erase(result: R) -> AttemptResult_ {
        AttemptResult_(result.into_result().map(|branch| Produced::Value(Arc::new(branch))))
    }
}

/// Drives an async body.
pub trait Drive<F> {
    #[doc(hidden)]
    fn drive(body: F) -> Running;
}

impl<F: Future<Output = R> + Send + 'static, R, W> Drive<F> for Checked<W, true>
where
    Self: Output<R>,
{
    fn drive(body: F) -> Running {
        Running::Async(Box::pin(async move { <Self as Output<R>>::erase(body.await) }))
    }
}

/// Drives a body that blocks.
pub trait DriveBlocking<F> {
    #[doc(hidden)]
    fn drive(body: F) -> Running;
}

impl<F: FnOnce() -> R + Send + 'static, R: 'static, W> DriveBlocking<F> for Checked<W, true>
where
    Self: Output<R>,
{
    fn drive(body: F) -> Running {
        Running::Blocking(Box::new(move || <Self as Output<R>>::erase(body())))
    }
}

/// Starts an async body.
pub fn drive<C: Drive<F>, F>(body: F) -> Running {
    C::drive(body)
}

/// Starts a body that blocks, on the blocking pool.
pub fn drive_blocking<C: DriveBlocking<F>, F>(body: F) -> Running {
    C::drive(body)
}

// ---- constructors

/// Adds a node to the pipeline being described.
///
/// # Panics
///
/// Outside of a pipeline function, naming the call.
#[track_caller]
pub fn node<C, R, T, const N: usize>(definition: &'static Definition, args: [Arg; N], start: Start) -> Node<T>
where
    C: Output<R, Value = T>,
{
    Node::new(draft::task(definition, args, start, C::CODEC, None))
}

/// Adds a branch with its arms to the pipeline being described.
///
/// # Panics
///
/// Outside of a pipeline function, naming the call.
#[track_caller]
pub fn arms<C, R, A, B, const N: usize>(definition: &'static Definition, args: [Arg; N], start: Start) -> A
where
    C: Output<R, Value = A>,
    A: super::branch::Arms<B>,
{
    let branch = draft::task(definition, args, start, C::CODEC, C::SPLIT.map(|split| (split.0, A::NAMES)));
    A::from_branch(super::branch::BranchHandle(branch))
}
