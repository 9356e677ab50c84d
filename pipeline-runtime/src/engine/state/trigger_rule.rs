//! Trigger rules: what one ended upstream means for one input.

use super::super::states::NodeState;
use crate::author::input::Rule;
use crate::plan::EdgeRule;

/// What an ended source means for the target of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The input holds.
    Holds,
    /// A race is won.
    Wins,
    /// A race has one runner less.
    Loses,
    /// The input will never hold: the target is skipped.
    Skips,
    /// The input will never hold: the target is `upstream_failed`.
    Fails,
}

/// Judges an edge. `state` is the source's state, and `arm` the arm that it took if it is a branch. `expanded` is true if the
/// source's list existed, and for a mapping's other results, if its elements still belong to that list.
#[inline]
pub(crate) fn judge(rule: EdgeRule, state: NodeState, arm: Option<u32>, expanded: bool) -> Verdict {
    use Verdict::{Fails, Holds, Loses, Skips, Wins};
    let failed = matches!(state, NodeState::Failed | NodeState::UpstreamFailed);
    let success = state == NodeState::Success;
    match rule {
        EdgeRule::Upstream(Rule::AllDone) | EdgeRule::Teardown => Holds,
        EdgeRule::Elements(Rule::AllDone) if expanded => Holds,
        EdgeRule::Elements(Rule::NoneFailed) if expanded && !failed => Holds,
        EdgeRule::Upstream(Rule::NoneFailed) if !failed => Holds,
        EdgeRule::Upstream(_) | EdgeRule::Elements(_) if success => Holds,
        // The list of results is judged by its own results.
        EdgeRule::Gather if success || expanded => Holds,
        EdgeRule::Upstream(_) | EdgeRule::Elements(_) | EdgeRule::Gather if failed => Fails,
        EdgeRule::Arm(index) => match (arm, state) {
            (Some(arm), NodeState::Success) if arm == u32::from(index) => Holds,
            _ if failed => Fails,
            _ => Skips,
        },
        EdgeRule::Failure if failed => Holds,
        EdgeRule::Upstream(_) | EdgeRule::Elements(_) | EdgeRule::Failure | EdgeRule::Gather => Skips,
        EdgeRule::Race if success => Wins,
        EdgeRule::Race => Loses,
    }
}
