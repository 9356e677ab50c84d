//! Handles of nodes, used where they do not belong.

use super::*;

#[test]
fn a_mapping_may_return_its_element() {
    #[pipeline]
    fn nightly() {
        files().each(|file| {
            size(file);
            file
        });
        folders()
            .each(|folder| {
                folder
                    .each(|file| {
                        size(file);
                        file
                    })
                    .named("inner")
            })
            .named("nested");
    }
    let expected = [
        "files",
        "each(element).element",
        "size",
        "each(element)",
        "folders",
        "nested.element",
        "inner.element",
        "size__2",
        "inner",
        "nested",
    ];
    assert_eq!(ids(&nightly()), expected);
}

#[test]
fn a_node_of_another_pipeline_is_refused_wherever_it_is_used() {
    use std::cell::Cell;
    thread_local! {
        static KEPT: Cell<Option<Node<u64>>> = const { Cell::new(None) };
    }
    #[pipeline]
    fn first() {
        KEPT.set(Some(rows()));
    }
    #[pipeline]
    fn second() {
        let foreign = KEPT.get().unwrap();
        add(foreign);
        add(1).after(foreign);
        foreign.retries(2);
        first_of([foreign]);
    }
    first().check().unwrap();
    refused(
        &second(),
        &expect![[r#"
            error: a node of another pipeline, or of an earlier call of this one's function, is used
              --> `add(foreign)`: used here
              = help: a node belongs to the one call of the pipeline function that made it: call its task here, too (what pipelines share is a plain function that wires it)

            error: a node of another pipeline, or of an earlier call of this one's function, is used
              --> `first_of([foreign])`: used here
              = help: a node belongs to the one call of the pipeline function that made it: call its task here, too (what pipelines share is a plain function that wires it)

            error: a node of another pipeline, or of an earlier call of this one's function, is used
              --> `after(foreign)`: used here
              = help: a node belongs to the one call of the pipeline function that made it: call its task here, too (what pipelines share is a plain function that wires it)

            error: a node of another pipeline, or of an earlier call of this one's function, is used
              --> `retries(2)`: used here
              = help: a node belongs to the one call of the pipeline function that made it: call its task here, too (what pipelines share is a plain function that wires it)

            pipeline `second` has 4 mistakes; nothing was run"#]],
    );
}

#[test]
fn an_element_outside_of_its_mapping_is_reported_with_all_three_places() {
    #[pipeline]
    fn nightly() {
        let mut kept = None;
        files().each(|file| {
            kept = Some(file);
            size(file)
        });
        size(kept.unwrap());
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: the element of `each(size)` is used outside of its `.each`
              --> `each(|file| {`: it is an element of this mapping
              --> `size(kept.unwrap())`: and used here
              = help: what is made inside leaves it only as the closure's result: return it, and use the list that `.each` returns

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn a_node_from_inside_of_a_mapping_is_reported_too() {
    #[pipeline]
    fn nightly() {
        let mut kept = None;
        files().each(|file| {
            let of_file = size(file);
            kept = Some(of_file);
            of_file
        });
        rows().after(kept.unwrap());
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `size` is used outside of its `.each`
              --> `size(file)`: it is made here, once for each element
              --> `each(|file| {`: of this mapping
              --> `rows().after(kept.unwrap())`: and used here
              = help: what is made inside leaves it only as the closure's result: return it, and use the list that `.each` returns

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn a_mapping_returns_what_is_wired_in_it() {
    #[pipeline]
    fn nightly() {
        let once = rows();
        files().each(|file| {
            size(file);
            once
        });
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: the closure of `.each` returns `rows`, which is made outside of it
              --> `rows()`: it is made here, once
              --> `each(|file| {`: and returned for every element of this mapping
              = help: return a node that the closure wires; what is made once can be taken directly, without `.each`

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn the_failure_of_a_node_is_at_hand_inside_and_outside() {
    #[task]
    async fn log(failure: Failure, file: String) -> Result<String> {
        Ok(failure.node().to_owned() + &file)
    }
    #[pipeline]
    fn nightly() {
        let first = rows();
        files().each(|file| log(first.failure(), file));
        repair(first.failure());
    }
    let expected = ["rows", "files", "each(log).element", "rows.failure", "log", "each(log)", "repair"];
    assert_eq!(ids(&nightly()), expected);
    assert_eq!(plan(&nightly()).to_json()["nodes"][3]["scope"], Value::Null);
}

#[test]
fn a_mapping_repeats_something() {
    #[pipeline]
    fn nightly() {
        files().each(|file| file);
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: `.each` has nothing to repeat: no task is called in its closure
          --> `each(|file| file)`: this mapping
          = help: call a task on the element, as in `.each(|item| task(item))`

        pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn a_task_called_outside_of_a_pipeline_says_what_to_call() {
    let panic = std::panic::catch_unwind(|| add(1)).unwrap_err();
    expect!["`add` was called outside of a pipeline: in a `#[pipeline]` function it wires a node; to run its body, as in a unit test, call `add::call(..)`"].assert_eq(&crate::author::pipeline::panic_message(&*panic));
}
