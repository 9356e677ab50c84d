//! dagx: a task has at most eight upstreams. The last node of a shape has more, so the caller computes it.

use dagx::{DagRunner, Task, TaskHandle, task};
use pipeline_bench::memory::shape::Shape;
use pipeline_bench::stopwatch::{Stopwatch, Took};

struct First;
#[task]
impl First {
    async fn run() -> u64 {
        1
    }
}

struct One;
#[task]
impl One {
    async fn run(n: &u64) -> u64 {
        n.wrapping_add(1)
    }
}

struct Three;
#[task]
impl Three {
    async fn run(a: &u64, b: &u64, c: &u64) -> u64 {
        a.wrapping_add(*b).wrapping_add(*c).wrapping_add(1)
    }
}

pub(crate) fn once(shape: &Shape) -> Took {
    let runtime = super::runtime();
    let dag = DagRunner::new();
    let mut nodes: Vec<TaskHandle<u64>> = Vec::new();
    let mut last = None;
    for upstreams in &shape.upstreams {
        let node = match *upstreams.as_slice() {
            [] => dag.add_task(First).into(),
            [n] => dag.add_task(One).depends_on(nodes[n as usize]),
            [a, b, c] => dag.add_task(Three).depends_on((&nodes[a as usize], &nodes[b as usize], &nodes[c as usize])),
            ref many => {
                last = Some(many);
                break;
            }
        };
        nodes.push(node);
    }
    let output = |node: TaskHandle<u64>| match dag.get(node) {
        Ok(output) => output,
        Err(error) => panic!("dagx has no output of a node: {error}"),
    };
    let watch = Stopwatch::start();
    let run = dag.run(|body| drop(tokio::spawn(body)));
    if let Err(error) = runtime.block_on(run) {
        panic!("dagx: {error}");
    }
    let sum = match last {
        Some(upstreams) => upstreams.iter().map(|&from| output(nodes[from as usize])).fold(1, u64::wrapping_add),
        None => nodes.last().map_or(0, |&node| output(node)),
    };
    let took = watch.took();
    assert_eq!(sum, shape.expected());
    took
}
