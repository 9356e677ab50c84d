//! `.after(..)`: circles, and what cannot wait.

use super::*;

#[test]
fn a_circle_is_reported_once_and_without_those_who_only_wait_for_it() {
    #[pipeline]
    fn nightly() {
        let first = rows();
        let second = add(first);
        let third = add(second);
        first.after(third);
        rows().named("bystander").after(third);
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: nodes wait for each other in a circle: `rows` waits for `add__2`, which waits for `add`, which waits for `rows`
              --> `after(third)`: `rows` is told to wait for `add__2` here
              = help: leave out the `.after` that closes the circle

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn nobody_waits_for_itself() {
    #[pipeline]
    fn nightly() {
        let only = rows();
        only.after(only);
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `rows` waits for itself
              --> `after(only)`: `rows` is told to wait for `rows` here
              = help: leave out the `.after` that closes the circle

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn the_inside_of_a_mapping_does_not_wait_for_the_mapping() {
    #[pipeline]
    fn nightly() {
        let mut inside = None;
        let mapped = files().each(|file| {
            let of_file = size(file);
            inside = Some(of_file);
            of_file
        });
        inside.unwrap().after(total(mapped));
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: nodes wait for each other in a circle: `size` waits for `total`, which waits for `each(size)`, which waits for `size`
              --> `after(total(mapped))`: `size` is told to wait for `total` here
              = help: leave out the `.after` that closes the circle

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn what_a_list_waits_for_does_not_wait_for_its_elements() {
    #[pipeline]
    fn nightly() {
        let first = rows();
        let mapped = files().after(first).each(|file| size(file));
        first.after(mapped);
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: nodes wait for each other in a circle: `rows` waits for `each(size)`, which waits for `size`, which waits for `each(size).element`, which waits for `files`, which waits for `rows`
              --> `after(first).each(|file| size(file))`: `files` is told to wait for `rows` here
              --> `after(mapped)`: `rows` is told to wait for `each(size)` here
              = help: leave out the `.after` that closes the circle

            pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn a_race_or_an_element_cannot_be_held_back() {
    #[pipeline]
    fn nightly() {
        let first = rows();
        add(first_of([add(1), add(2)]).after(first));
        files().each(|file| size(file.after(first)));
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: `.after` cannot hold back `first_of`: its runners start by themselves, and a race has no single start
          --> `after(first))`: `.after` is called here
          --> `first_of([add(1), add(2)]).after(first))`: on the node wired here
          = help: call `.after` on each runner, or on the task that takes the winner

        error: `.after` cannot hold back `each(size).element`: an element exists once its list does
          --> `after(first)))`: `.after` is called here
          --> `each(|file| size(file.after(first)))`: on the node wired here
          = help: call `.after` on the result of `.each`, which holds back the whole mapping, or on a task inside

        pipeline `nightly` has 2 mistakes; nothing was run"#]],
    );
}
