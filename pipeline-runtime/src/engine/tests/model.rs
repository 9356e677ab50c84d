//! The reference: the consequences of the rules for a plan, recomputed from scratch at each event.
//!
//! It knows nothing of time, pools, attempts or records: only which bodies ended, and how. Everything else follows.

use super::random_plan::{Description, Kind, Needs, Spec};
use crate::author::input::Rule;
use crate::engine::{NodeState, RunState};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A node of a run: its index in the description, and its elements.
pub(super) type Key = (usize, Vec<u32>);

#[derive(Debug, Clone)]
pub(super) struct Model {
    description: Arc<Description>,
    ended: BTreeMap<Key, NodeState>,
    /// The arm that each branch took.
    arms: BTreeMap<Key, u32>,
    /// The number of elements of each list; and the names of each mapping's elements, once it has expanded: keys or indices.
    lists: BTreeMap<Key, Vec<u32>>,
    elements: BTreeMap<Key, Vec<u32>>,
    /// Mappings whose keys were just made.
    keys_made: BTreeSet<Key>,
    /// Nodes that no longer want their inputs: nodes that were cut off, and skipped gates.
    done_with_inputs: BTreeSet<Key>,
    /// Nodes that the run's end cut off.
    cut_by_end: BTreeSet<Key>,
    /// Mappings whose lists are being rebuilt.
    refolding: BTreeSet<Key>,
    /// Only teardowns still run.
    ending: bool,
}

/// The verdict of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Wait,
    Go,
    Skip,
    Fail,
}

fn failed(state: NodeState) -> bool {
    matches!(state, NodeState::Failed | NodeState::UpstreamFailed)
}

impl Model {
    pub(super) fn new(description: Arc<Description>) -> Self {
        let mut model = Self {
            description,
            ended: BTreeMap::new(),
            arms: BTreeMap::new(),
            lists: BTreeMap::new(),
            elements: BTreeMap::new(),
            keys_made: BTreeSet::new(),
            done_with_inputs: BTreeSet::new(),
            cut_by_end: BTreeSet::new(),
            refolding: BTreeSet::new(),
            ending: false,
        };
        model.settle();
        model
    }

    pub(super) fn state(&self, key: &Key) -> Option<NodeState> {
        self.ended.get(key).copied()
    }

    pub(super) fn ended(&self) -> impl Iterator<Item = (&Key, NodeState)> {
        self.ended.iter().map(|(key, state)| (key, *state))
    }

    /// A branch took that arm. To be called before the branch has ended.
    pub(super) fn set_arm(&mut self, fork: &Key, arm: u32) {
        self.arms.insert(fork.clone(), arm);
    }

    /// A list has these elements. To be called before the list's node has ended.
    pub(super) fn set_list(&mut self, list: &Key, items: Vec<u32>) {
        self.lists.insert(list.clone(), items);
    }

    /// The keys of a mapping's list are known.
    pub(super) fn keys_made(&mut self, each: &Key) {
        self.keys_made.insert(each.clone());
        self.settle();
        self.keys_made.clear();
    }

    /// A body has ended.
    pub(super) fn end(&mut self, key: &Key, state: NodeState) {
        self.end_unsettled(key, state);
        self.settle();
    }

    /// The same, if more events are to be applied before anything follows.
    pub(super) fn end_unsettled(&mut self, key: &Key, state: NodeState) {
        self.ended.insert(key.clone(), state);
    }

    /// The run was cancelled, or exceeded its timeout.
    pub(super) fn cancel(&mut self) {
        let due = if self.ending { BTreeSet::new() } else { self.due_teardowns() };
        self.ending = !due.is_empty();
        self.end_all_but(&due);
        self.settle();
    }

    fn end_all_but(&mut self, due: &BTreeSet<Key>) {
        for key in self.keys() {
            if !self.ended.contains_key(&key) && !due.contains(&key) {
                self.cut_by_end.insert(key.clone());
                self.ended.insert(key, NodeState::Skipped);
            }
        }
    }

    /// Returns teardowns whose setup succeeded, and the mappings around them.
    fn due_teardowns(&self) -> BTreeSet<Key> {
        let mut due = BTreeSet::new();
        for key in self.keys().into_iter().filter(|key| !self.ended.contains_key(key)) {
            let Some(setup) = self.description.specs[key.0].tears_down else { continue };
            if self.state(&self.seen_from(setup, &key.1)) == Some(NodeState::Success) {
                let mut scope = self.description.specs[key.0].scope;
                while let Some(each) = self.description.scopes[scope].each {
                    due.insert(self.seen_from(each, &key.1));
                    scope = self.description.scopes[scope].parent;
                }
                due.insert(key);
            }
        }
        let mut takers: Vec<Key> = due.iter().filter(|key| self.description.specs[key.0].tears_down.is_some()).cloned().collect();
        while let Some(taker) = takers.pop() {
            for &(from, needs) in &self.description.specs[taker.0].inputs {
                let from = self.seen_from(from, &taker.1);
                if self.ended.contains_key(&from) || self.would_do_without(&from, needs) {
                    continue;
                }
                let is_each = matches!(self.description.specs[from.0].what, Kind::Each { .. });
                let mut open = if is_each { self.inside(&from) } else { Vec::new() };
                open.push(from);
                takers.extend(open.into_iter().filter(|key| !self.ended.contains_key(key) && due.insert(key.clone())));
            }
        }
        due
    }

    /// True if a node's consumer could run although the node was cut off.
    fn would_do_without(&self, from: &Key, needs: Needs) -> bool {
        match needs {
            Needs::Inside => true,
            Needs::Value(rule) | Needs::Order(rule) => rule != Rule::AllSuccess,
            Needs::Elements(rule) => rule != Rule::AllSuccess && self.elements.contains_key(&self.mapping_of(from)),
            Needs::Gathered => self.elements.contains_key(from) && !self.refolding.contains(from),
            Needs::Arm(_) | Needs::Failure | Needs::Runner => false,
        }
    }

    /// The plan has gained nodes, which are placed after the existing ones.
    pub(super) fn grow(&mut self, description: Arc<Description>) {
        let is_ending = self.ending && self.run_state().is_none();
        self.description = description;
        if is_ending {
            let due = self.due_teardowns();
            self.end_all_but(&due);
        }
    }

    /// Skips nodes, all at once.
    fn skip(&mut self, keys: &[Key]) {
        for key in keys {
            if matches!(self.description.specs[key.0].what, Kind::Race | Kind::Each { .. }) {
                self.done_with_inputs.insert(key.clone());
            }
            self.ended.insert(key.clone(), NodeState::Skipped);
        }
    }

    /// Retries the first of these nodes, and skips the others.
    pub(super) fn edit(&mut self, cleared: &[Key], skipped: &[Key]) {
        self.clear(cleared);
        self.skip(skipped);
        self.settle();
    }

    fn clear(&mut self, keys: &[Key]) {
        self.ending &= keys.is_empty();
        for key in keys {
            self.ended.remove(key);
            self.done_with_inputs.remove(key);
            self.cut_by_end.remove(key);
            let Kind::Each { .. } = self.description.specs[key.0].what else { continue };
            let list = self.seen_from(self.description.specs[key.0].inputs[0].0, &key.1);
            if self.elements.contains_key(key) && keys.contains(&list) {
                self.refolding.insert(key.clone());
            }
        }
    }

    /// Returns everything that a mapping repeats, in all its elements.
    fn inside(&self, each: &Key) -> Vec<Key> {
        self.keys().into_iter().filter(|(spec, path)| self.is_inside(*spec, each.0) && path.starts_with(&each.1)).collect()
    }

    pub(super) fn run_state(&self) -> Option<RunState> {
        if self.keys().iter().any(|key| !self.ended.contains_key(key)) {
            return None;
        }
        let failed = |key: &Key, state: NodeState| state == NodeState::Failed || self.cut_by_end.contains(key);
        let counts = |(key, state): (&Key, &NodeState)| failed(key, *state) && !self.is_allowed(key.0);
        Some(if self.ended.iter().any(counts) { RunState::Failed } else { RunState::Success })
    }

    fn is_allowed(&self, spec: usize) -> bool {
        let of = &self.description.specs[spec];
        of.allow_failure || self.description.scopes[of.scope].each.is_some_and(|each| self.is_allowed(each))
    }

    /// True if the node exists by now.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.paths(self.description.specs[key.0].scope).contains(&key.1)
    }

    /// Returns all nodes that exist by now.
    pub(super) fn keys(&self) -> Vec<Key> {
        (0..self.description.specs.len())
            .flat_map(|spec| self.paths(self.description.specs[spec].scope).into_iter().map(move |path| (spec, path)))
            .collect()
    }

    /// Returns the elements for which a scope exists.
    fn paths(&self, scope: usize) -> Vec<Vec<u32>> {
        let Some(each) = self.description.scopes[scope].each else { return vec![Vec::new()] };
        let outer = self.paths(self.description.scopes[scope].parent);
        let within = |path: Vec<u32>| {
            let elements = self.elements.get(&(each, path.clone())).cloned().unwrap_or_default();
            elements.into_iter().map(move |element| [path.clone(), vec![element]].concat())
        };
        outer.into_iter().flat_map(within).collect()
    }

    fn seen_from(&self, spec: usize, path: &[u32]) -> Key {
        (spec, path[..self.description.scopes[self.description.specs[spec].scope].depth].to_vec())
    }

    /// True if a body is to run, or has run.
    pub(super) fn may_run(&self, key: &Key) -> bool {
        let spec = &self.description.specs[key.0];
        spec.what.is_body()
            && self.is_activated(key)
            && spec.inputs.iter().all(|input| self.verdict(*input, &key.1) == Verdict::Go)
    }

    /// Returns the element that a node lies in, unless it is that element.
    fn element_of(&self, key: &Key) -> Option<usize> {
        let element = |spec: &Spec| spec.what == Kind::Element && spec.scope == self.description.specs[key.0].scope;
        self.description.specs.iter().position(element).filter(|element| *element != key.0)
    }

    fn is_activated(&self, key: &Key) -> bool {
        self.element_of(key).is_none_or(|element| self.state(&(element, key.1.clone())) == Some(NodeState::Success))
    }

    fn verdict(&self, (upstream, needs): (usize, Needs), path: &[u32]) -> Verdict {
        let key = self.seen_from(upstream, path);
        let Some(state) = self.state(&key) else { return Verdict::Wait };
        let rule = match needs {
            Needs::Arm(arm) if state == NodeState::Success => {
                return if self.arms[&key] == arm { Verdict::Go } else { Verdict::Skip };
            }
            Needs::Failure => return if failed(state) { Verdict::Go } else { Verdict::Skip },
            Needs::Runner | Needs::Inside => return Verdict::Go,
            Needs::Elements(rule) if self.elements.contains_key(&self.mapping_of(&key)) => rule,
            Needs::Gathered if self.elements.contains_key(&key) && !self.refolding.contains(&key) => return Verdict::Go,
            Needs::Value(rule) | Needs::Order(rule) => rule,
            Needs::Elements(_) | Needs::Arm(_) | Needs::Gathered => Rule::AllSuccess,
        };
        match (rule, state) {
            (Rule::AllDone, _) | (_, NodeState::Success) | (Rule::NoneFailed, NodeState::Skipped) => Verdict::Go,
            (_, state) if failed(state) => Verdict::Fail,
            _ => Verdict::Skip,
        }
    }

    /// Returns the mapping that a list of results belongs to.
    fn mapping_of(&self, list: &Key) -> Key {
        match self.description.specs[list.0].what {
            Kind::Gather { .. } => (self.description.specs[list.0].inputs[0].0, list.1.clone()),
            _ => list.clone(),
        }
    }

    /// Applies all consequences.
    pub(super) fn settle(&mut self) {
        loop {
            while self.decide_all() {}
            if !self.cut_off_unwanted() && !self.activate() {
                return;
            }
        }
    }

    /// Cuts off one node that a consumer no longer wants and no other waits for.
    fn cut_off_unwanted(&mut self) -> bool {
        let is_unwanted = |key: &Key| {
            let Spec { what, tears_down, .. } = &self.description.specs[key.0];
            let is_open = !self.ended.contains_key(key) && *what != Kind::Element && tears_down.is_none();
            is_open && self.is_rejected(key) && !self.is_awaited(key)
        };
        let Some(key) = self.keys().into_iter().find(is_unwanted) else { return false };
        self.ended.insert(key.clone(), NodeState::Skipped);
        self.done_with_inputs.insert(key.clone());
        if let Kind::Each { .. } = self.description.specs[key.0].what {
            for inner in self.inside(&key) {
                if !self.ended.contains_key(&inner) {
                    self.done_with_inputs.insert(inner.clone());
                    self.ended.insert(inner, NodeState::Skipped);
                }
            }
        }
        true
    }

    fn is_done_with_inputs(&self, key: &Key) -> bool {
        let has_won = self.description.specs[key.0].what == Kind::Race && self.state(key) == Some(NodeState::Success);
        has_won || self.done_with_inputs.contains(key)
    }

    /// True if a consumer of the node's output no longer wants it.
    fn is_rejected(&self, key: &Key) -> bool {
        let takers = (0..self.description.specs.len()).filter(|to| {
            self.description.specs[*to]
                .inputs
                .iter()
                .any(|(from, needs)| *from == key.0 && !matches!(needs, Needs::Order(_) | Needs::Inside))
        });
        takers.filter_map(|to| self.standing_for(to, key)).any(|to| self.is_done_with_inputs(&to))
    }

    /// Returns what represents a node in the scope of another: the node itself, or the mapping that it lies in.
    fn standing_for(&self, to: usize, key: &Key) -> Option<Key> {
        let own = self.description.specs[key.0].scope;
        let mut to = to;
        while self.description.specs[to].scope != own {
            to = self.description.scopes[self.description.specs[to].scope].each?;
        }
        Some((to, key.1.clone()))
    }

    fn decide_all(&mut self) -> bool {
        let mut changed = false;
        for spec in 0..self.description.specs.len() {
            for path in self.paths(self.description.specs[spec].scope) {
                let key = (spec, path);
                if !self.ended.contains_key(&key) {
                    changed |= self.decide(&key);
                }
            }
        }
        changed
    }

    fn decide(&mut self, key: &Key) -> bool {
        let of = Arc::clone(&self.description);
        let spec = &of.specs[key.0];
        let mut says: Vec<Verdict> = spec.inputs.iter().map(|input| self.verdict(*input, &key.1)).collect();
        // A node inside an element needs the element like an input.
        says.extend(self.element_of(key).map(|element| self.verdict((element, Needs::Order(Rule::AllSuccess)), &key.1)));
        let state = if says.contains(&Verdict::Fail) {
            NodeState::UpstreamFailed
        } else if says.contains(&Verdict::Skip) {
            NodeState::Skipped
        } else {
            match spec.what {
                Kind::Race => return self.race(key),
                _ if says.contains(&Verdict::Wait) => return false,
                Kind::Arm | Kind::Failure => NodeState::Success,
                Kind::Each { result, scope, keyed, .. } => return self.map(key, result, scope, keyed),
                Kind::Gather { result } => self.gathered(&self.mapping_of(key), result),
                // Bodies run, and elements are activated.
                _ => return false,
            }
        };
        if let Kind::Each { .. } = spec.what {
            // Elements of an earlier list do not continue without their mapping, and belong to that list until it expands again.
            for inner in self.inside(key) {
                self.ended.entry(inner).or_insert(state);
            }
        }
        self.ended.insert(key.clone(), state);
        true
    }

    fn race(&mut self, key: &Key) -> bool {
        let of = Arc::clone(&self.description);
        let runners: Vec<Key> = of.specs[key.0].inputs.iter().map(|(spec, _)| self.seen_from(*spec, &key.1)).collect();
        let states: Vec<Option<NodeState>> = runners.iter().map(|runner| self.state(runner)).collect();
        if states.contains(&Some(NodeState::Success)) {
            self.ended.insert(key.clone(), NodeState::Success);
            return true;
        }
        if states.contains(&None) || !self.is_activated(key) {
            return false;
        }
        let skipped = states.iter().all(|state| *state == Some(NodeState::Skipped));
        self.ended.insert(key.clone(), if skipped { NodeState::Skipped } else { NodeState::UpstreamFailed });
        true
    }

    /// True if a node lies within a mapping.
    fn is_inside(&self, spec: usize, each: usize) -> bool {
        let mut scope = self.description.specs[spec].scope;
        while let Some(around) = self.description.scopes[scope].each {
            if around == each {
                return true;
            }
            scope = self.description.scopes[scope].parent;
        }
        false
    }

    fn is_awaited(&self, key: &Key) -> bool {
        let own = self.description.specs[key.0].scope;
        (0..self.description.specs.len()).any(|to| {
            let spec = &self.description.specs[to];
            let takes = spec.inputs.iter().any(|(from, needs)| *from == key.0 && *needs != Needs::Inside);
            let gathers = matches!(spec.what, Kind::Each { result, .. } | Kind::Gather { result } if result == key.0);
            if !takes && !gathers {
                return false;
            }
            if gathers && spec.scope != own {
                return true;
            }
            // An edge into a mapping: the mapping waits.
            let mut to = to;
            while self.description.specs[to].scope != own {
                let Some(each) = self.description.scopes[self.description.specs[to].scope].each else { return true };
                to = each;
            }
            let to = (to, key.1.clone());
            let is_arm = self.description.specs[to.0].what == Kind::Arm;
            !self.ended.contains_key(&to) && (!is_arm || self.is_awaited(&to))
        })
    }

    /// Expands a mapping, or joins it.
    fn map(&mut self, key: &Key, result: usize, scope: usize, keyed: bool) -> bool {
        let list = self.seen_from(self.description.specs[key.0].inputs[0].0, &key.1);
        if !self.elements.contains_key(key) || self.refolding.contains(key) {
            if keyed && !self.keys_made.remove(key) {
                return false;
            }
            self.refolding.remove(key);
            let items = self.lists[&list].clone();
            let elements: Vec<u32> = if keyed { items } else { (0..).take(items.len()).collect() };
            // Elements that the new list no longer has are removed.
            for (spec, path) in self.inside(key) {
                if !elements.contains(&path[key.1.len()]) {
                    self.ended.remove(&(spec, path.clone()));
                    self.done_with_inputs.remove(&(spec, path.clone()));
                    self.cut_by_end.remove(&(spec, path.clone()));
                    self.elements.remove(&(spec, path));
                }
            }
            self.elements.insert(key.clone(), elements);
            return true;
        }
        let inside = |(spec, path): &Key| self.description.specs[*spec].scope == scope && path.starts_with(&key.1);
        if self.keys().iter().any(|inner| inside(inner) && !self.ended.contains_key(inner)) {
            return false;
        }
        let state = self.gathered(key, result);
        self.ended.insert(key.clone(), state);
        true
    }

    /// Returns the joint result of a mapping's elements.
    fn gathered(&self, each: &Key, result: usize) -> NodeState {
        let path = |element: &u32| [&each.1[..], &[*element]].concat();
        let results: BTreeSet<NodeState> =
            self.elements[each].iter().map(|element| self.ended[&self.seen_from(result, &path(element))]).collect();
        if results.iter().any(|state| failed(*state)) {
            NodeState::UpstreamFailed
        } else if results.contains(&NodeState::Skipped) {
            NodeState::Skipped
        } else {
            NodeState::Success
        }
    }

    /// Activates the next elements of mappings, as many as may be under way; or ends those, in order, that will never be
    /// activated.
    fn activate(&mut self) -> bool {
        let of = Arc::clone(&self.description);
        let mut changed = false;
        for (element, spec) in of.specs.iter().enumerate().filter(|(_, spec)| spec.what == Kind::Element) {
            let each = of.scopes[spec.scope].each.unwrap();
            let Kind::Each { bound, in_order, result, .. } = of.specs[each].what else { unreachable!() };
            let second = of.specs.iter().find_map(|other| match other.what {
                Kind::Gather { result } if other.inputs[0].0 == each => Some(result),
                _ => None,
            });
            let results = [Some(result), second];
            for (key, elements) in self.elements.clone() {
                if key.0 != each || self.refolding.contains(&key) {
                    continue;
                }
                for (position, index) in elements.iter().enumerate() {
                    let path = |index: u32| [&key.1[..], &[index]].concat();
                    let inside = || (0..of.specs.len()).filter(|inner| of.specs[*inner].scope == spec.scope);
                    let is_over = |index: u32| inside().all(|inner| self.ended.contains_key(&(inner, path(index))));
                    let started = |index: u32| self.state(&(element, path(index))) == Some(NodeState::Success);
                    let active = elements.iter().filter(|index| started(**index) && !is_over(**index)).count();
                    if self.ended.contains_key(&(element, path(*index))) || bound.is_some_and(|bound| active >= bound as usize) {
                        continue;
                    }
                    let mut state = NodeState::Success;
                    if in_order {
                        let waits = |index: &u32| !self.ended.contains_key(&(element, path(*index)));
                        let before = position.checked_sub(1).map(|position| elements[position]);
                        if active > 0 || elements[..position].iter().any(waits) || before.is_some_and(|before| !is_over(before)) {
                            continue;
                        }
                        if let Some(before) = before {
                            let of_node = |inner: usize| self.ended[&(inner, path(before))];
                            // The node and the mappings around it, up to the one whose elements these are.
                            let around = |inner: usize| {
                                let around = std::iter::successors(Some(inner), |inner| of.scopes[of.specs[*inner].scope].each);
                                around.take_while(|inner| *inner != each).collect::<Vec<usize>>()
                            };
                            let counts = |inner: usize| {
                                let around = around(inner);
                                let is_inside = around.iter().any(|inner| of.specs[*inner].scope == spec.scope);
                                is_inside && around.iter().all(|inner| !of.specs[*inner].allow_failure)
                            };
                            let mut failures = self
                                .ended
                                .iter()
                                .filter(|((_, at), state)| **state == NodeState::Failed && at.starts_with(&path(before)));
                            let results = || results.iter().flatten().map(|result| of_node(*result));
                            if failures.any(|((inner, _), _)| counts(*inner)) || results().any(failed) {
                                state = NodeState::UpstreamFailed;
                            } else if results().any(|state| state == NodeState::Skipped) {
                                state = NodeState::Skipped;
                            }
                        }
                    }
                    self.ended.insert((element, path(*index)), state);
                    changed = true;
                    if in_order {
                        // The consequences for the nodes inside come first.
                        return true;
                    }
                }
            }
        }
        changed
    }
}
