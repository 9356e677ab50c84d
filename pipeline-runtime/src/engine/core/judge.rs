//! Trigger rules: what one ended upstream means for one input.

use super::super::state::NodeState;
use super::run::Node;
use crate::author::input::Rule;
use crate::plan::EdgeRule;

/// What an edge says of its target, once its source has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The input holds.
    Holds,
    /// A race is won.
    Wins,
    /// One runner less in a race.
    Loses,
    /// The input never will: the target is skipped.
    Skips,
    /// The input never will: the target is `upstream_failed`.
    Fails,
}

/// `unfolded` says whether the source is a mapping whose list was there.
#[inline]
pub(crate) fn judge(rule: EdgeRule, source: &Node, unfolded: bool) -> Verdict {
    use Verdict::{Fails, Holds, Loses, Skips, Wins};
    let state = source.state;
    let failed = matches!(state, NodeState::Failed | NodeState::UpstreamFailed);
    let success = state == NodeState::Success;
    match rule {
        EdgeRule::Upstream(Rule::AllDone) => Holds,
        EdgeRule::Elements(Rule::AllDone) if unfolded => Holds,
        EdgeRule::Elements(Rule::NoneFailed) if unfolded && !failed => Holds,
        EdgeRule::Upstream(Rule::NoneFailed) if !failed => Holds,
        EdgeRule::Upstream(_) | EdgeRule::Elements(_) if success => Holds,
        EdgeRule::Upstream(_) | EdgeRule::Elements(_) if failed => Fails,
        EdgeRule::Arm(index) => match (source.arm(), state) {
            (Some((arm, _)), NodeState::Success) if arm == u32::from(index) => Holds,
            _ if failed => Fails,
            _ => Skips,
        },
        EdgeRule::Failure if failed => Holds,
        EdgeRule::Upstream(_) | EdgeRule::Elements(_) | EdgeRule::Failure => Skips,
        EdgeRule::Race if success => Wins,
        EdgeRule::Race => Loses,
    }
}
