//! Random plans, built through the public interface, each with a description for the reference model.

use crate::Order;
use crate::author::input::Rule;
use crate::author::node::Node;
use crate::author::options::{Mode, OnTimeout, Pool};
use crate::plan::{Plan, PlanError};
use crate::prelude::*;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

/// Choices read from a list of numbers. At the end of the list every choice is the first: the shortest and simplest one.
#[derive(Debug, Clone)]
pub(super) struct Entropy {
    numbers: Vec<u16>,
    at: usize,
}

impl Entropy {
    pub(super) fn new(numbers: Vec<u16>) -> Self {
        Self { numbers, at: 0 }
    }

    /// A number below `n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        let number = self.numbers.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(number) % n.max(1)
    }

    /// True once in `n` times.
    pub(super) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }
}

/// Which features a plan may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowed {
    /// Branches, and nodes that depend on a failure.
    pub(super) skips: bool,
    /// Races.
    pub(super) races: bool,
    /// Sensors that may time out.
    pub(super) timeouts: bool,
}

/// A node as the model sees it.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) what: Kind,
    /// The nodes that it waits for. All of them come before it in the list.
    pub(super) inputs: Vec<(usize, Needs)>,
    pub(super) scope: usize,
    pub(super) allow_failure: bool,
    /// For a teardown: the node that it undoes.
    pub(super) tears_down: Option<usize>,
    pub(super) retries: u32,
    pub(super) pool: usize,
    pub(super) priority: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Task,
    Sensor,
    Fork,
    List,
    Arm,
    Failure,
    Race,
    Element,
    Each {
        result: usize,
        bound: Option<u32>,
        scope: usize,
        keyed: bool,
        in_order: bool,
    },
    /// Another list of a mapping's results.
    Gather {
        result: usize,
    },
}

impl Kind {
    pub(super) fn is_body(&self) -> bool {
        matches!(self, Self::Task | Self::Sensor | Self::Fork | Self::List)
    }
}

/// What an input requires of its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Value(Rule),
    Elements(Rule),
    /// `.after`
    Order(Rule),
    Arm(u32),
    Failure,
    Runner,
    /// For a teardown: a node that works with its setup.
    Inside,
    /// For a mapping: another list of its results.
    Gathered,
}

/// A scope of the model: the pipeline, or the inside of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) parent: usize,
    pub(super) each: Option<usize>,
    pub(super) depth: usize,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Description {
    pub(super) specs: Vec<Spec>,
    pub(super) scopes: Vec<Scope>,
}

pub(super) static NARROW: Pool = Pool::new("narrow", 1);
pub(super) static WIDER: Pool = Pool::new("wider", 2);

/// A branch with an arm of each kind.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, Branch)]
pub(super) enum Direction {
    Left(u64),
    Right(u64),
    Neither,
}

#[task]
async fn work(all: Vec<u64>, some: Vec<Option<u64>>, any: Vec<Outcome<u64>>) -> Result<u64> {
    Ok((all.len() + some.len() + any.len()) as u64)
}

#[sensor]
async fn look(all: Vec<u64>, some: Vec<Option<u64>>, any: Vec<Outcome<u64>>) -> Result<Poke<u64>> {
    Ok(Poke::Ready((all.len() + some.len() + any.len()) as u64))
}

#[branch]
async fn fork(all: Vec<u64>, some: Vec<Option<u64>>, any: Vec<Outcome<u64>>) -> Result<Direction> {
    Ok(Direction::Left((all.len() + some.len() + any.len()) as u64))
}

#[task]
async fn list(all: Vec<u64>, some: Vec<Option<u64>>, any: Vec<Outcome<u64>>) -> Result<Vec<u64>> {
    Ok(vec![(all.len() + some.len() + any.len()) as u64])
}

#[task]
async fn gather(list: Vec<u64>) -> Result<u64> {
    Ok(list.len() as u64)
}

#[task]
async fn gather_some(list: Vec<Option<u64>>) -> Result<u64> {
    Ok(list.len() as u64)
}

#[task]
async fn gather_any(list: Vec<Outcome<u64>>) -> Result<u64> {
    Ok(list.len() as u64)
}

#[task]
async fn gather_maybe(list: Option<Vec<u64>>) -> Result<u64> {
    Ok(list.map_or(0, |list| list.len() as u64))
}

#[task]
async fn repair(failure: Failure) -> Result<u64> {
    Ok(u64::from(failure.attempts()))
}

thread_local! {
    /// The choices for the plan being wired, and the results so far.
    static WIRING: RefCell<Option<(Entropy, Allowed, Vec<Entropy>)>> = const { RefCell::new(None) };
    static WIRED: RefCell<Option<Description>> = const { RefCell::new(None) };
}

#[pipeline]
fn random() {
    let Some((entropy, allowed, growths)) = WIRING.take() else { return };
    let mut wiring = Wiring { entropy, allowed, description: Description::default(), within_teardowns: 0 };
    wiring.description.scopes.push(Scope { parent: 0, each: None, depth: 0 });
    let mut nodes = Vec::new();
    let count = 1 + wiring.entropy.below(9);
    for _ in 0..count {
        wiring.item(0, &mut nodes);
    }
    if nodes.is_empty() {
        wiring.body(&Kind::Task, &mut nodes);
    }
    for growth in growths {
        wiring.entropy = growth;
        for _ in 0..=wiring.entropy.below(3) {
            wiring.addition(&mut nodes);
        }
    }
    WIRED.set(Some(wiring.description));
}

/// A random plan. Returns an error if one node requires two exclusive arms, which random wiring may produce.
pub(super) fn plan(entropy: Entropy, allowed: Allowed) -> Result<(Arc<Plan>, Arc<Description>), PlanError> {
    grown(entropy, allowed, Vec::new())
}

/// The same plan with more nodes, once for each growth, as deployments add them.
pub(super) fn grown(
    entropy: Entropy,
    allowed: Allowed,
    growths: Vec<Entropy>,
) -> Result<(Arc<Plan>, Arc<Description>), PlanError> {
    WIRING.set(Some((entropy, allowed, growths)));
    let plan = random().plan(&serde_json::Value::Null)?;
    Ok((Arc::new(plan), Arc::new(WIRED.take().unwrap())))
}

/// A node that others may take, and its index in the description.
type WiredNode = (Node<u64>, usize);
/// The fan-ins of a task: one for each rule.
type FanIns = [Vec<Node<u64>>; 3];

struct Wiring {
    entropy: Entropy,
    allowed: Allowed,
    description: Description,
    /// The number of teardown closures that this lies in.
    within_teardowns: usize,
}

impl Wiring {
    fn item(&mut self, depth: usize, nodes: &mut Vec<WiredNode>) {
        match self.entropy.below(15) {
            13 | 14 if self.within_teardowns < 2 => self.teardown(depth, nodes),
            5 | 6 => self.body(&Kind::Sensor, nodes),
            7 if self.allowed.skips => self.body(&Kind::Fork, nodes),
            8 | 9 if self.allowed.races => self.race(nodes),
            10 if self.allowed.skips => self.repair(nodes),
            11 | 12 if depth < 2 => self.each(depth, nodes),
            _ => self.body(&Kind::Task, nodes),
        }
    }

    /// What a run's plan may gain while the run is unfinished: nothing within a mapping.
    fn addition(&mut self, nodes: &mut Vec<WiredNode>) {
        match self.entropy.below(8) {
            3 => self.body(&Kind::Sensor, nodes),
            4 if self.allowed.skips => self.body(&Kind::Fork, nodes),
            5 if self.allowed.races => self.race(nodes),
            6 if self.allowed.skips => self.repair(nodes),
            _ => self.body(&Kind::Task, nodes),
        }
    }

    fn scope(&self) -> usize {
        self.description.scopes.iter().rposition(|scope| scope.each == Some(usize::MAX)).unwrap_or(0)
    }

    fn spec(&mut self, name: String, what: Kind, inputs: Vec<(usize, Needs)>) -> usize {
        let scope = self.scope();
        self.spec_in(scope, name, what, inputs)
    }

    fn spec_in(&mut self, scope: usize, name: String, what: Kind, inputs: Vec<(usize, Needs)>) -> usize {
        self.description.specs.push(Spec {
            name,
            what,
            inputs,
            scope,
            allow_failure: false,
            tears_down: None,
            retries: 0,
            pool: 0,
            priority: 0,
        });
        self.description.specs.len() - 1
    }

    fn picks(&mut self, nodes: &[WiredNode], most: usize) -> Vec<WiredNode> {
        if nodes.is_empty() {
            return Vec::new();
        }
        let count = self.entropy.below(most + 1);
        (0..count).map(|_| nodes[nodes.len() - 1 - self.entropy.below(nodes.len())]).collect()
    }

    /// Returns a task's inputs for each rule, with their description.
    fn inputs(&mut self, nodes: &[WiredNode]) -> (FanIns, Vec<(usize, Needs)>) {
        let mut needs = Vec::new();
        let handles = [(Rule::AllSuccess, 2), (Rule::NoneFailed, 1), (Rule::AllDone, 1)].map(|(rule, most)| {
            let picks = self.picks(nodes, most);
            needs.extend(picks.iter().map(|(_, spec)| (*spec, Needs::Value(rule))));
            picks.into_iter().map(|(node, _)| node).collect()
        });
        (handles, needs)
    }

    fn body(&mut self, kind: &Kind, nodes: &mut Vec<WiredNode>) {
        let ([all, some, any], inputs) = self.inputs(nodes);
        let name = format!("n{}", self.description.specs.len());
        let spec = self.spec(name.clone(), kind.clone(), inputs);
        match kind {
            Kind::Fork => {
                let RouteArms { arms, left, right } = RouteArms::new(fork(all, some, any).named(name.clone()));
                let _ = self.options(arms, spec, nodes);
                for (index, node, arm) in [(0, Some(left), "left"), (1, Some(right), "right"), (2, None, "neither")] {
                    let arm = self.spec(format!("{name}.{arm}"), Kind::Arm, vec![(spec, Needs::Arm(index))]);
                    nodes.extend(node.map(|node| (node, arm)));
                }
            }
            Kind::Sensor => {
                let node = look(all, some, any).named(name);
                let timeout = if self.allowed.timeouts { 10 + self.entropy.below(90) as u64 } else { 10_000_000 };
                let poke = 1 + self.entropy.below(9) as u64;
                let mut node = node.timeout(Duration::from_secs(timeout)).poke(Duration::from_secs(poke));
                if self.entropy.once_in(2) {
                    node = node.mode(Mode::Poke);
                }
                node = match self.entropy.below(3) {
                    0 => node,
                    // A wait that times out would skip the sensor.
                    1 if self.allowed.skips => node.on_timeout(OnTimeout::Skip),
                    _ => node.on_timeout(OnTimeout::Retry),
                };
                let node = self.options(node, spec, nodes);
                nodes.push((node, spec));
            }
            _ => {
                let mut node = work(all, some, any).named(name);
                if self.entropy.once_in(3) {
                    node = node.timeout(Duration::from_secs(1 + self.entropy.below(20) as u64));
                }
                let node = self.options(node, spec, nodes);
                nodes.push((node, spec));
            }
        }
    }

    fn rule(&mut self) -> Rule {
        match self.entropy.below(4) {
            2 => Rule::NoneFailed,
            3 => Rule::AllDone,
            _ => Rule::AllSuccess,
        }
    }

    fn options<N: Overridable>(&mut self, node: N, spec: usize, nodes: &[WiredNode]) -> N {
        let retries = u32::try_from(self.entropy.below(3)).unwrap();
        let mut node = node.set_retries(retries, Duration::from_secs(1 + self.entropy.below(5) as u64));
        let pool = self.entropy.below(3);
        if pool > 0 {
            node = node.set_pool([&NARROW, &WIDER][pool - 1]);
        }
        let priority = i32::try_from(self.entropy.below(3)).unwrap();
        node = node.set_priority(priority);
        let allow_failure = self.entropy.once_in(4);
        if allow_failure {
            node = node.set_allow_failure();
        }
        let own = &mut self.description.specs[spec];
        (own.retries, own.pool, own.priority, own.allow_failure) = (retries, pool, priority, allow_failure);
        if self.entropy.once_in(4) && !nodes.is_empty() {
            let (upstream, of) = nodes[self.entropy.below(nodes.len())];
            // A setup must also wait for everything that its teardown waits for in other ways.
            let rule = if self.description.specs[spec].tears_down.is_some() { Rule::AllDone } else { self.rule() };
            node = node.set_after(order(upstream, rule));
            self.description.specs[spec].inputs.push((of, Needs::Order(rule)));
        }
        node
    }

    fn race(&mut self, nodes: &mut Vec<WiredNode>) {
        let mut runners = self.picks(nodes, 3);
        if runners.is_empty() {
            let Some(first) = nodes.last() else { return };
            runners.push(*first);
        }
        let name = format!("n{}", self.description.specs.len());
        let inputs = runners.iter().map(|(_, spec)| (*spec, Needs::Runner)).collect();
        let spec = self.spec(name.clone(), Kind::Race, inputs);
        nodes.push((first_of(runners.into_iter().map(|(node, _)| node)).named(name), spec));
    }

    fn repair(&mut self, nodes: &mut Vec<WiredNode>) {
        let bodies: Vec<WiredNode> =
            nodes.iter().copied().filter(|(_, spec)| self.description.specs[*spec].what.is_body()).collect();
        if bodies.is_empty() {
            return;
        }
        let (of, failed) = bodies[self.entropy.below(bodies.len())];
        let name = format!("{}.failure", self.description.specs[failed].name);
        let known = self.description.specs.iter().position(|spec| spec.name == name);
        let scope = self.description.specs[failed].scope;
        let gate = known.unwrap_or_else(|| self.spec_in(scope, name, Kind::Failure, vec![(failed, Needs::Failure)]));
        let name = format!("n{}", self.description.specs.len());
        let spec = self.spec(name.clone(), Kind::Task, vec![(gate, Needs::Value(Rule::AllSuccess))]);
        nodes.push((repair(of.failure()).named(name), spec));
    }

    fn teardown(&mut self, depth: usize, nodes: &mut Vec<WiredNode>) {
        let scope = self.scope();
        let in_scope: Vec<WiredNode> =
            nodes.iter().copied().filter(|(_, spec)| self.description.specs[*spec].scope == scope).collect();
        if in_scope.is_empty() {
            return self.body(&Kind::Task, nodes);
        }
        let (setup, of) = in_scope[in_scope.len() - 1 - self.entropy.below(in_scope.len())];
        let takes = self.entropy.once_in(2);
        let first = self.description.specs.len();
        let made = std::cell::Cell::new(None);
        let undo = |setup| {
            let node = work(if takes { vec![setup] } else { Vec::new() }, Vec::<Node<u64>>::new(), Vec::<Node<u64>>::new());
            made.set(Some(node));
            node
        };
        self.within_teardowns += 1;
        setup.teardown(undo, |_| {
            for _ in 0..self.entropy.below(4) {
                self.item(depth, nodes);
            }
        });
        self.within_teardowns -= 1;
        let inside = (first..self.description.specs.len()).filter(|spec| {
            let Spec { scope: of, what, .. } = &self.description.specs[*spec];
            *of == scope && (what.is_body() || matches!(what, Kind::Each { .. }))
        });
        let mut inputs: Vec<(usize, Needs)> = inside.map(|spec| (spec, Needs::Inside)).collect();
        inputs.push((of, if takes { Needs::Value(Rule::AllSuccess) } else { Needs::Order(Rule::AllSuccess) }));
        let name = format!("n{}", self.description.specs.len());
        let spec = self.spec(name.clone(), Kind::Task, inputs);
        self.description.specs[spec].tears_down = Some(of);
        let node = self.options(made.take().expect("it was wired").named(name), spec, nodes);
        self.description.specs[spec].allow_failure = true;
        if self.entropy.once_in(3) {
            nodes.push((node, spec));
        }
    }

    fn each(&mut self, depth: usize, nodes: &mut Vec<WiredNode>) {
        let ([all, some, any], inputs) = self.inputs(nodes);
        let name = format!("n{}", self.description.specs.len());
        let of_list = self.spec(name.clone(), Kind::List, inputs);
        let of_items = list(all, some, any).named(name);
        let of_items = self.options(of_items, of_list, nodes);

        let parent = self.scope();
        let scope = self.description.scopes.len();
        // Marked as open until its mapping is described, after its inside.
        self.description.scopes.push(Scope { parent, each: Some(usize::MAX), depth: depth + 1 });
        let element = self.spec(String::new(), Kind::Element, Vec::new());
        let (mut result, mut second) = (0, 0);
        let (keyed, in_order) = (self.entropy.once_in(2), self.entropy.once_in(3));
        let inside = |item: Node<u64>| {
            let mut inner = nodes.clone();
            inner.push((item, element));
            let outside = inner.len();
            let count = 1 + self.entropy.below(3);
            for _ in 0..count {
                self.item(depth + 1, &mut inner);
            }
            if inner.len() == outside {
                self.body(&Kind::Task, &mut inner);
            }
            // The node that was made last, another inner node, or the element itself.
            let back = self.entropy.below(inner.len() - outside + 1);
            let (node, spec) = inner[inner.len() - 1 - back];
            let back = self.entropy.below(inner.len() - outside);
            let (node_2, spec_2) = inner[inner.len() - 1 - back];
            (result, second) = (spec, spec_2);
            (node, node_2)
        };
        let (mapped, also) = if keyed { of_items.keyed(|n| *n).each(inside) } else { of_items.each(inside) };
        let mapped = if in_order {
            also.in_order();
            mapped
        } else {
            mapped
        };
        let inputs = vec![(of_list, Needs::Value(Rule::AllSuccess))];
        let bound = if in_order { 0 } else { self.entropy.below(3) };
        let mapped = if bound > 0 { mapped.max_active(bound) } else { mapped };
        let bound = (bound > 0).then_some(u32::try_from(bound).unwrap());
        self.description.scopes[scope].each = None;
        let name = format!("n{}", self.description.specs.len());
        let each = self.spec(name.clone(), Kind::Each { result, bound, scope, keyed, in_order }, inputs);
        self.description.scopes[scope].each = Some(each);
        self.description.specs[element].name = format!("{name}.element");
        let mut mapped = mapped.named(name);
        if self.entropy.once_in(4) {
            mapped = mapped.allow_failure();
            self.description.specs[each].allow_failure = true;
        }
        if self.entropy.once_in(4) && !nodes.is_empty() {
            let (upstream, of) = nodes[self.entropy.below(nodes.len())];
            let rule = self.rule();
            mapped = mapped.after(order(upstream, rule));
            self.description.specs[each].inputs.push((of, Needs::Order(rule)));
        }

        let name = format!("n{}", self.description.specs.len());
        // In the plan's order: the second list is behind the first.
        let gathered = self.spec(name.clone(), Kind::Gather { result: second }, vec![(each, Needs::Gathered)]);
        let also = also.named(name);
        self.taker(mapped, each, nodes);
        if self.entropy.once_in(2) {
            self.taker(also, gathered, nodes);
        }
    }

    /// A task that takes the results of a mapping.
    fn taker(&mut self, list: Node<Vec<u64>>, of: usize, nodes: &mut Vec<WiredNode>) {
        let name = format!("n{}", self.description.specs.len());
        let (node, needs) = match self.entropy.below(4) {
            0 => (gather(list), Needs::Value(Rule::AllSuccess)),
            1 => (gather_some(list), Needs::Elements(Rule::NoneFailed)),
            2 => (gather_any(list), Needs::Elements(Rule::AllDone)),
            _ => (gather_maybe(list), Needs::Value(Rule::NoneFailed)),
        };
        let spec = self.spec(name.clone(), Kind::Task, vec![(of, needs)]);
        let node = self.options(node.named(name), spec, nodes);
        nodes.push((node, spec));
    }
}

fn order(upstream: Node<u64>, rule: Rule) -> Order {
    match rule {
        Rule::AllSuccess => Order::new(upstream.handle(), rule),
        Rule::NoneFailed => upstream.or_skipped(),
        Rule::AllDone => upstream.ended(),
    }
}

/// A branch without its arms, for the overrides.
struct RouteArms {
    arms: DirectionArms,
    left: Node<u64>,
    right: Node<u64>,
}

impl RouteArms {
    fn new(arms: DirectionArms) -> Self {
        let (left, right) = (arms.left, arms.right);
        Self { arms, left, right }
    }
}

/// The overrides that nodes and a branch's arms have in common.
trait Overridable: Sized {
    fn set_retries(self, retries: u32, delay: Duration) -> Self;
    fn set_pool(self, pool: &'static Pool) -> Self;
    fn set_priority(self, priority: i32) -> Self;
    fn set_allow_failure(self) -> Self;
    fn set_after(self, upstream: Order) -> Self;
}

macro_rules! overridable {
    ($($of:ty),*) => {$(
        impl Overridable for $of {
            fn set_retries(self, retries: u32, delay: Duration) -> Self {
                self.retries(retries).retry_delay(delay)
            }
            fn set_pool(self, pool: &'static Pool) -> Self {
                self.pool(pool)
            }
            fn set_priority(self, priority: i32) -> Self {
                self.priority(priority)
            }
            fn set_allow_failure(self) -> Self {
                self.allow_failure()
            }
            fn set_after(self, upstream: Order) -> Self {
                self.after(upstream)
            }
        }
    )*};
}
overridable!(Node<u64>, Node<Vec<u64>>, DirectionArms);
