//! Inputs: what a task's argument may be, and how the parameter is made from it.
//!
//! None of the impls for nodes requires anything of the type: a type that is not `Data` is reported where its task is defined,
//! and nowhere else. That is possible because values fill a slot of their own type (see [`Datum`](super::value::Datum)).

use super::node::Node;
use super::outcome::{Failure, Outcome};
use super::secret::Secrets;
use super::setting::AnySetting;
use super::template::Template;
use super::value::Value;
use std::any::Any;
use std::sync::Arc;

/// Anything that may be passed to a task's parameter: a plain `T`, a `Node<T>`, or what a wider parameter accepts. The trait is
/// sealed.
///
/// | parameter | takes | trigger rule |
/// |---|---|---|
/// | `T` | `T`, `&T`, `Node<T>`, `&Setting<T>`; `String` also `&str` and `template!(..)` | all_success |
/// | `Option<T>` | `Node<T>`, `Option<T>` | none_failed |
/// | `Outcome<T>` | `Node<T>` | all_done |
/// | `Arc<T>` | `Node<T>`, `Arc<T>` | all_success, without a copy |
/// | `Vec<String>` | also `["a", "b"]`, `[template!(..), template!(..)]` and `[template!(..), "a".into()]` | |
/// | `Vec<T>`, `Vec<Option<T>>`, `Vec<Outcome<T>>` | `.each(..)`, `[Node<T>; N]`, `Vec<Node<T>>` | the same three, over all |
#[diagnostic::on_unimplemented(
    message = "this input takes `{T}`, but it is given `{Self}`",
    label = "neither `{T}` nor a node of a task that returns it",
    note = "wire a task that returns `{T}`, or pass a plain `{T}` (a plain value needs `Clone + Send + Sync + 'static`)",
    note = "`Option<T>`, `Outcome<T>` and `Arc<T>` take a task that returns `T`, and `Failure` takes `node.failure()`; a node of a list is spread \
            with `.each(|item| task(item))`"
)]
pub trait IntoInput<T> {
    #[doc(hidden)]
    fn into_input(self) -> Input;
}

/// An input that is not yet known to be valid for a parameter.
#[derive(Debug)]
pub struct Input(pub(crate) Source<Box<dyn Any>>, pub(crate) Fill);

/// The source of an input.
#[derive(Debug, Clone)]
pub(crate) enum Source<Plain> {
    /// A value that the pipeline function gave.
    Plain(Plain),
    /// A plain value that is a `String`. A plan may hold millions of different keys, so they are stored as compactly as possible.
    Text(Box<str>),
    /// Secrets, whose values are read when the attempt starts.
    Secrets(Box<Secrets>),
    /// A template, rendered when the attempt starts.
    Template(Template),
    /// A list of templates.
    Templates(Box<[Template]>),
    /// A setting, whose value is the one that the run started with.
    Setting(&'static dyn AnySetting),
    /// One node.
    Node(super::draft::Handle, Rule),
    /// A fan-in of nodes.
    Nodes(Box<[super::draft::Handle]>, Rule),
    /// The elements of a mapping; each is judged separately.
    Elements(super::draft::Handle, Rule),
}

/// The condition of an input: Airflow's trigger rules, but judged for each input separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rule {
    /// The upstream must succeed.
    AllSuccess,
    /// The upstream may also be skipped.
    NoneFailed,
    /// The upstream only has to end.
    AllDone,
}

impl Rule {
    /// Airflow's name of the rule.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AllSuccess => "all_success",
            Self::NoneFailed => "none_failed",
            Self::AllDone => "all_done",
        }
    }
}

/// How an upstream ended, with its value or failure.
#[derive(Debug, Clone)]
pub(crate) enum Upstream {
    Success(Value),
    Skipped,
    /// Boxed, because it is larger than a value, and rarer.
    Failed(Box<Failure>),
}

/// What the engine supplies for one wired input: one upstream, or many in their order.
#[derive(Debug, Clone)]
pub(crate) enum Supply {
    One(Upstream),
    Many(Vec<Upstream>),
}

/// Makes the parameter from its supply, into an `Option` of the parameter's type. Returns whether it succeeded: it does, unless
/// the engine supplied an upstream that the input's rule excludes.
pub(crate) type Fill = fn(&Supply, &mut dyn Any) -> bool;

fn put<P: 'static>(slot: &mut dyn Any, parameter: Option<P>) -> bool {
    match (slot.downcast_mut::<Option<P>>(), parameter) {
        (Some(slot), Some(parameter)) => {
            *slot = Some(parameter);
            true
        }
        _ => false,
    }
}

fn value<T: 'static>(upstream: &Upstream) -> Option<T> {
    let Upstream::Success(value) = upstream else { return None };
    let mut slot = None::<T>;
    value.as_ref().clone_into(&mut slot);
    slot
}

#[expect(clippy::option_option, reason = "the inner one is the parameter, the outer one says whether it could be made")]
fn optional<T: 'static>(upstream: &Upstream) -> Option<Option<T>> {
    match upstream {
        Upstream::Success(_) => value(upstream).map(Some),
        Upstream::Skipped => Some(None),
        Upstream::Failed(_) => None,
    }
}

fn outcome<T: 'static>(upstream: &Upstream) -> Option<Outcome<T>> {
    Some(match upstream {
        Upstream::Success(_) => Outcome::Success(value(upstream)?),
        Upstream::Skipped => Outcome::Skipped,
        Upstream::Failed(failure) => Outcome::Failed(Failure::clone(failure)),
    })
}

/// Clones one upstream's value into a parameter of the same type. Most inputs use it, and it compares types only once.
pub(super) fn cloned(supply: &Supply, slot: &mut dyn Any) -> bool {
    match supply {
        Supply::One(Upstream::Success(value)) => value.as_ref().clone_into(slot),
        _ => false,
    }
}

/// Like [`cloned`], but shares the value.
fn shared(supply: &Supply, slot: &mut dyn Any) -> bool {
    match supply {
        Supply::One(Upstream::Success(value)) => value.share_into(slot),
        _ => false,
    }
}

/// Converts one upstream into one parameter.
fn one<P: 'static>(supply: &Supply, slot: &mut dyn Any, make: fn(&Upstream) -> Option<P>) -> bool {
    match supply {
        Supply::One(upstream) => put(slot, make(upstream)),
        Supply::Many(_) => false,
    }
}

/// Converts many upstreams into a list.
fn many<P: 'static>(supply: &Supply, slot: &mut dyn Any, make: fn(&Upstream) -> Option<P>) -> bool {
    match supply {
        Supply::Many(all) => put(slot, all.iter().map(make).collect::<Option<Vec<P>>>()),
        Supply::One(_) => false,
    }
}

fn no_fill(_: &Supply, _: &mut dyn Any) -> bool {
    false
}

// ---- plain values

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<T> for T {
    fn into_input(self) -> Input {
        Input(Source::Plain(Box::new(self)), no_fill)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Clone + 'static> IntoInput<T> for &T {
    fn into_input(self) -> Input {
        self.clone().into_input()
    }
}

#[diagnostic::do_not_recommend]
impl IntoInput<String> for &str {
    fn into_input(self) -> Input {
        self.to_owned().into_input()
    }
}

#[diagnostic::do_not_recommend]
impl IntoInput<String> for Template {
    fn into_input(self) -> Input {
        Input(Source::Template(self), cloned)
    }
}

#[diagnostic::do_not_recommend]
impl IntoInput<String> for &Template {
    fn into_input(self) -> Input {
        IntoInput::<String>::into_input(self.clone())
    }
}

#[diagnostic::do_not_recommend]
impl<const N: usize> IntoInput<Vec<String>> for [&str; N] {
    fn into_input(self) -> Input {
        IntoInput::<Vec<String>>::into_input(self.map(str::to_owned).to_vec())
    }
}

#[diagnostic::do_not_recommend]
impl<const N: usize> IntoInput<Vec<String>> for [Template; N] {
    fn into_input(self) -> Input {
        IntoInput::<Vec<String>>::into_input(Vec::from(self))
    }
}

#[diagnostic::do_not_recommend]
impl IntoInput<Vec<String>> for Vec<Template> {
    fn into_input(self) -> Input {
        Input(Source::Templates(self.into()), |supply, slot| many::<String>(supply, slot, value))
    }
}

// ---- one node

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<T> for Node<T> {
    fn into_input(self) -> Input {
        Input(Source::Node(self.handle(), Rule::AllSuccess), cloned)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Arc<T>> for Node<T> {
    fn into_input(self) -> Input {
        Input(Source::Node(self.handle(), Rule::AllSuccess), shared)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Option<T>> for Node<T> {
    fn into_input(self) -> Input {
        Input(Source::Node(self.handle(), Rule::NoneFailed), |supply, slot| one::<Option<T>>(supply, slot, optional))
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Outcome<T>> for Node<T> {
    fn into_input(self) -> Input {
        Input(Source::Node(self.handle(), Rule::AllDone), |supply, slot| one::<Outcome<T>>(supply, slot, outcome))
    }
}

// ---- many nodes

fn handles<T>(nodes: &[Node<T>]) -> Box<[super::draft::Handle]> {
    nodes.iter().map(|node| node.handle()).collect()
}

fn values_of<T: 'static>(nodes: &[Node<T>]) -> Input {
    Input(Source::Nodes(handles(nodes), Rule::AllSuccess), |supply, slot| many::<T>(supply, slot, value))
}

fn optionals_of<T: 'static>(nodes: &[Node<T>]) -> Input {
    Input(Source::Nodes(handles(nodes), Rule::NoneFailed), |supply, slot| many::<Option<T>>(supply, slot, optional))
}

fn outcomes_of<T: 'static>(nodes: &[Node<T>]) -> Input {
    Input(Source::Nodes(handles(nodes), Rule::AllDone), |supply, slot| many::<Outcome<T>>(supply, slot, outcome))
}

#[diagnostic::do_not_recommend]
impl<T: 'static, const N: usize> IntoInput<Vec<T>> for [Node<T>; N] {
    fn into_input(self) -> Input {
        values_of(&self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Vec<T>> for Vec<Node<T>> {
    fn into_input(self) -> Input {
        values_of(&self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static, const N: usize> IntoInput<Vec<Option<T>>> for [Node<T>; N] {
    fn into_input(self) -> Input {
        optionals_of(&self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Vec<Option<T>>> for Vec<Node<T>> {
    fn into_input(self) -> Input {
        optionals_of(&self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static, const N: usize> IntoInput<Vec<Outcome<T>>> for [Node<T>; N] {
    fn into_input(self) -> Input {
        outcomes_of(&self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Vec<Outcome<T>>> for Vec<Node<T>> {
    fn into_input(self) -> Input {
        outcomes_of(&self)
    }
}

// ---- the elements of a mapping

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Vec<Option<T>>> for Node<Vec<T>> {
    fn into_input(self) -> Input {
        Input(Source::Elements(self.handle(), Rule::NoneFailed), |supply, slot| many::<Option<T>>(supply, slot, optional))
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Vec<Outcome<T>>> for Node<Vec<T>> {
    fn into_input(self) -> Input {
        Input(Source::Elements(self.handle(), Rule::AllDone), |supply, slot| many::<Outcome<T>>(supply, slot, outcome))
    }
}
