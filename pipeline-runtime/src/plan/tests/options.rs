//! Options and overrides: where they have an effect, and their limits.

use super::*;

#[test]
fn an_override_stands_where_it_can_have_an_effect() {
    #[pipeline]
    fn nightly() {
        rows().poke(seconds(5));
        let arms = route(rows()).poke_timeout(seconds(5));
        arms.clean.retries(2);
        arms.nothing.failure().timeout(seconds(5));
        files().each(|file| size(file.priority(1))).retries(2).after(rows()).allow_failure();
        first_of([rows(), rows()]).sla(seconds(60));
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `.poke` is for sensors, and `rows` is a task
              --> `poke(seconds(5))`: set here
              --> `rows().poke(seconds(5))`: on the node wired here
              = help: leave it out, or make the task a `#[sensor]`

            error: `.poke_timeout` is for sensors, and `route` is a branch
              --> `poke_timeout(seconds(5))`: set here
              --> `route(rows()).poke_timeout(seconds(5))`: on the node wired here
              = help: leave it out, or make the task a `#[sensor]`

            error: `.retries` cannot be set on the arm `route.clean`
              --> `retries(2)`: set here
              --> `route(rows()).poke_timeout(seconds(5))`: on the node wired here
              = help: an arm runs nothing; set it on the branch: `route(..).retries(..)`, or on the task that takes the arm

            error: `.timeout` cannot be set on `route.nothing.failure`
              --> `timeout(seconds(5))`: set here
              --> `failure().timeout(seconds(5))`: on the node wired here
              = help: nothing runs there; set it on the task that it is meant for

            error: `.priority` cannot be set on `each(size).element`
              --> `priority(1))).retries(2).after(rows()).allow_failure()`: set here
              --> `each(|file| size(file.priority(1))).retries(2).after(rows()).allow_failure()`: on the node wired here
              = help: nothing runs there; set it on the task that it is meant for

            error: `.retries` cannot be set on the mapping `each(size)`
              --> `retries(2).after(rows()).allow_failure()`: set here
              --> `each(|file| size(file.priority(1))).retries(2).after(rows()).allow_failure()`: on the node wired here
              = help: set it inside, on the task that it is meant for: `.each(|item| task(item).retries(..))`

            error: `.sla` cannot be set on `first_of`
              --> `sla(seconds(60))`: set here
              --> `first_of([rows(), rows()]).sla(seconds(60))`: on the node wired here
              = help: nothing runs there; set it on the task that it is meant for

            pipeline `nightly` has 7 mistakes; nothing was run"#]],
    );
}

#[test]
fn a_bound_is_for_mappings_and_lets_something_through() {
    #[pipeline]
    fn nightly() {
        sizes().max_active(2);
        files().each(|file| size(file)).max_active(0);
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `.max_active` bounds a mapping, and `sizes` is a task
              --> `max_active(2)`: `.max_active` is called here
              --> `sizes().max_active(2)`: on the node wired here
              = help: call it on the result of `.each(..)`; a pool bounds single tasks: `.pool(&POOL)`

            error: `each(size)` could never start an element: `.max_active(0)`
              --> `max_active(0)`: set here
              = help: allow at least one element at a time

            pipeline `nightly` has 2 mistakes; nothing was run"#]],
    );
}

#[test]
fn an_order_is_for_mappings_and_allows_one_element_at_a_time() {
    #[pipeline]
    fn nightly() {
        sizes().in_order();
        files().each(|file| size(file)).in_order().max_active(2);
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: `.in_order` orders the elements of a mapping, and `sizes` is a task
          --> `in_order()`: `.in_order` is called here
          --> `sizes().in_order()`: on the node wired here
          = help: call it on the result of `.each(..)`; `.after(..)` orders single tasks

        error: `each(size)` runs one element at a time, `.in_order()`, and 2 at once, `.max_active(2)`
          --> `in_order().max_active(2)`: in order here
          --> `max_active(2)`: and several at once here
          = help: leave one of them out

        pipeline `nightly` has 2 mistakes; nothing was run"#]],
    );
}

#[test]
fn a_part_of_an_output_is_no_node() {
    #[task]
    async fn pair() -> Result<(u64, Vec<u64>)> {
        Ok((1, vec![]))
    }
    #[pipeline]
    fn nightly() {
        let (first, list) = pair().split();
        first.named("first").retries(2);
        list.max_active(2).after(rows());
    }
    refused(
        &nightly(),
        &expect![[r#"
        error: `.named` is called on a part of the output of `pair`, which is not a node
          --> `named("first").retries(2)`: `.named` is called here
          --> `pair().split()`: the node is wired here
          = help: call it on the node, before `.field(..)` or `.split()`: `node.named(..)`

        error: `.retries` is called on a part of the output of `pair`, which is not a node
          --> `retries(2)`: `.retries` is called here
          --> `pair().split()`: the node is wired here
          = help: call it on the node, before `.field(..)` or `.split()`: `node.retries(..)`

        error: `.max_active` is called on a part of the output of `pair`, which is not a node
          --> `max_active(2).after(rows())`: `.max_active` is called here
          --> `pair().split()`: the node is wired here
          = help: call it on the node, before `.field(..)` or `.split()`: `node.max_active(..)`

        error: `.after` is called on a part of the output of `pair`, which is not a node
          --> `after(rows())`: `.after` is called here
          --> `pair().split()`: the node is wired here
          = help: call it on the node, before `.field(..)` or `.split()`: `node.after(..)`

        pipeline `nightly` has 4 mistakes; nothing was run"#]],
    );
}

#[test]
fn a_sensor_must_not_outlive_its_pipeline() {
    #[sensor]
    async fn patient() -> Result<Poke<u64>> {
        Ok(Poke::NotYet)
    }
    #[pipeline(timeout = "5m")]
    fn nightly() {
        export("a.json");
        export("b.json").named("short").timeout(seconds(300));
        patient();
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: the sensor `export` may wait 10m, but pipeline `nightly` ends after 5m
              --> `export("a.json")`: the sensor is wired here
              --> `nightly() {`: the pipeline is defined here
              = help: give the sensor a shorter `timeout` (the default is 7d), or the pipeline a longer one

            error: the sensor `patient` may wait 7days, but pipeline `nightly` ends after 5m
              --> `patient()`: the sensor is wired here
              --> `nightly() {`: the pipeline is defined here
              = help: give the sensor a shorter `timeout` (the default is 7d), or the pipeline a longer one

            pipeline `nightly` has 2 mistakes; nothing was run"#]],
    );
}

#[test]
fn a_sensor_is_asked_more_than_once() {
    #[pipeline]
    fn nightly() {
        export("a.json").named("rare").poke(seconds(600));
        export("b.json").named("never").poke(seconds(0));
        export("c.json").named("shrinking").backoff(crate::Backoff::new(seconds(60), seconds(30)));
        export("d.json").named("long").poke_timeout(seconds(601));
        export("e.json").named("jittery").poke_jitter(seconds(601));
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `.poke` of `never` cannot be used: it must be longer than zero
              --> `poke(seconds(0))`: set here
              --> `export("b.json").named("never").poke(seconds(0))`: on the node wired here
              = help: a duration is in whole milliseconds, and at most a hundred years; without the call the default holds

            error: `.backoff` of `shrinking` cannot be used: it starts at 1m, which is longer than its `max` of 30s
              --> `backoff(crate::Backoff::new(seconds(60), seconds(30)))`: set here
              --> `export("c.json").named("shrinking").backoff(crate::Backoff::new(seconds(60), seconds(30)))`: on the node wired here
              = help: `start` is longer than zero and at most `max`, and the factor lies between 1 and 1000000

            error: `rare` would be poked only once: its `poke` is 10m and its `timeout` 10m
              --> `export(key: String) -> Result<Poke<u64>> {`: the sensor is defined here
              --> `export("a.json").named("rare").poke(seconds(600))`: and wired here
              = help: let `poke` be shorter than `timeout`

            error: the `poke_timeout` of `long` is 10m 1s, longer than its whole wait: its `timeout` is 10m
              --> `export(key: String) -> Result<Poke<u64>> {`: the sensor is defined here
              --> `export("d.json").named("long").poke_timeout(seconds(601))`: and wired here
              = help: let it be at most as long as `timeout`

            error: the `poke_jitter` of `jittery` is 10m 1s, longer than its whole wait: its `timeout` is 10m
              --> `export(key: String) -> Result<Poke<u64>> {`: the sensor is defined here
              --> `export("e.json").named("jittery").poke_jitter(seconds(601))`: and wired here
              = help: let it be at most as long as `timeout`

            pipeline `nightly` has 5 mistakes; nothing was run"#]],
    );
}

/// The limits are those of the attributes, which refuse the same values at compile time.
#[test]
fn a_value_given_by_a_method_has_the_limits_of_the_attributes() {
    use crate::Backoff;
    #[pipeline]
    fn nightly() {
        let of = |name: &str| rows().named(name);
        of("zero").timeout(Duration::ZERO);
        of("none").timeout(Duration::MAX);
        of("fine").sla(Duration::from_micros(1500));
        of("often").retries(1_000_001);
        of("steep").backoff(Backoff::new(seconds(1), seconds(2)).with_factor(1e7));
        of("at_once").backoff(Backoff::new(Duration::ZERO, seconds(2)));
        of("falling").backoff(Backoff::new(seconds(2), seconds(1)));
        // The last call of a method overrides earlier ones.
        of("set_right").timeout(Duration::ZERO).timeout(seconds(1));
        of("sound").retries(1_000_000).retry_delay(Duration::ZERO).timeout(Duration::from_millis(1));
    }
    refused(
        &nightly(),
        &expect![[r#"
            error: `.timeout` of `zero` cannot be used: it must be longer than zero
              --> `timeout(Duration::ZERO)`: set here
              --> `rows().named(name)`: on the node wired here
              = help: a duration is in whole milliseconds, and at most a hundred years; without the call the default holds

            error: `.timeout` of `none` cannot be used: it is longer than a hundred years
              --> `timeout(Duration::MAX)`: set here
              --> `rows().named(name)`: on the node wired here
              = help: a duration is in whole milliseconds, and at most a hundred years; without the call the default holds

            error: `.sla` of `fine` cannot be used: it is finer than a millisecond, the engine's smallest unit: use `ms` or longer
              --> `sla(Duration::from_micros(1500))`: set here
              --> `rows().named(name)`: on the node wired here
              = help: a duration is in whole milliseconds, and at most a hundred years; without the call the default holds

            error: `.retries` of `often` cannot be used: a node is retried at most 1000000 times
              --> `retries(1_000_001)`: set here
              --> `rows().named(name)`: on the node wired here
              = help: write a smaller number

            error: `.backoff` of `steep` cannot be used: its `factor` is 10000000, and a factor must be at least 1, or the waits would shrink, and at most 1000000
              --> `backoff(Backoff::new(seconds(1), seconds(2)).with_factor(1e7))`: set here
              --> `rows().named(name)`: on the node wired here
              = help: `start` is longer than zero and at most `max`, and the factor lies between 1 and 1000000

            error: `.backoff` of `at_once` cannot be used: its `start` is 0s, and it must be longer than zero
              --> `backoff(Backoff::new(Duration::ZERO, seconds(2)))`: set here
              --> `rows().named(name)`: on the node wired here
              = help: `start` is longer than zero and at most `max`, and the factor lies between 1 and 1000000

            error: `.backoff` of `falling` cannot be used: it starts at 2s, which is longer than its `max` of 1s
              --> `backoff(Backoff::new(seconds(2), seconds(1)))`: set here
              --> `rows().named(name)`: on the node wired here
              = help: `start` is longer than zero and at most `max`, and the factor lies between 1 and 1000000

            pipeline `nightly` has 7 mistakes; nothing was run"#]],
    );
}
