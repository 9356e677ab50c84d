use crate::command::call;

/// Options that take a duration, and their errors.
#[test]
fn durations_are_read_as_in_an_attribute() {
    let month = "`M` is a month, which has no fixed length; for minutes write `m`";
    for (args, why) in [
        (
            &["prune", "--older-than", "30"][..],
            "'30' for '--older-than <DURATION>': the unit is missing: write `30s`, `30m` or `30h`",
        ),
        (&["prune", "--older-than", "5M"], month),
        (&["serve", "--drain", "5M"], month),
        (&["serve", "--drain", "10 minuts"], "unknown unit `minuts`; did you mean `minute`?"),
        (&["serve", "--drain", "18446744073709551615s"], "it is longer than a hundred years"),
        (&["serve", "--keep", "9999w"], "it is longer than a hundred years"),
        (&["serve", "--keep", "1500us"], "it is finer than a millisecond, the engine's smallest unit: use `ms` or longer"),
        (
            &["simulate", "sales", "--latency", "data-bucket=2"],
            "`2` is not a duration: the unit is missing: write `2s`, `2m` or `2h`",
        ),
        (&["simulate", "sales", "--arrive", "5M=data-bucket/x:x"], "`5M` is not a duration: `M` is a month"),
    ] {
        let said = call(args);
        assert!(said.starts_with("[exit 2]") && said.contains(why), "{args:?}: {said}");
    }
}
