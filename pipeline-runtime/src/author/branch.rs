//! Branches: an enum whose variants are a node's arms.

use super::draft;
use super::node::Node;
use super::value::Datum;

/// An enum whose variants are the arms of a `#[branch]`. Only [`#[derive(Branch)]`](macro@crate::Branch) implements it: its
/// hidden items change without notice.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a branch",
    label = "a `#[branch]` returns `Result<B>` where `B` is an enum that derives `Branch`",
    note = "add `#[derive(Branch)]` to `{Self}`, if it is an enum of yours",
    note = "a branch does not return the name of a task, as in Airflow: write an enum with one variant for each arm, and wire the arms to tasks"
)]
pub trait Branch: Sized {
    /// The arms as nodes: a struct with one field per variant.
    type Arms: Arms<Self>;
    /// The index of the arm that the value takes, and the value that the arm carries.
    #[doc(hidden)]
    fn split(&self) -> (usize, &dyn Datum);
}

/// The arms of the branch `B` as nodes.
///
/// `#[derive(Branch)]` defines the struct, with one public field per variant, so that a pattern without `..` that forgets an arm
/// does not compile. Only the derive implements the trait. It has the same overrides as a node: `route(report).retries(2)`.
pub trait Arms<B>: Sized {
    #[doc(hidden)]
    const NAMES: &'static [&'static str];
    #[doc(hidden)]
    #[track_caller]
    fn from_branch(branch: BranchHandle) -> Self;
    #[doc(hidden)]
    fn branch(&self) -> BranchHandle;
}

/// The node of a `#[branch]`, without its arms.
#[derive(Debug, Clone, Copy)]
pub struct BranchHandle(pub(crate) draft::Handle);

/// The node of one arm. Whether `T` is [`Data`](super::value::Data) is checked where its value is taken out of the branch.
#[track_caller]
pub fn arm<T>(branch: BranchHandle, index: usize) -> Node<T> {
    Node::new(draft::arm(branch.0, index))
}

/// The branch that an arm belongs to.
pub fn branch_of<T>(arm: &Node<T>) -> BranchHandle {
    BranchHandle(draft::branch_of(arm.handle()))
}
