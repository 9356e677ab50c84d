use super::*;
use quote::quote;

fn read(owner: Owner, tokens: TokenStream) -> (String, Vec<String>) {
    let mut errors = Errors::default();
    let options = Options::parse(owner, tokens, &mut errors);
    let closure = options.closure(&crate::runtime::Runtime::default());
    let text = crate::error::pretty(&quote!(const CLOSURE: T = #closure;));
    let compact: String = text.lines().map(str::trim).collect();
    let calls = compact.trim_start_matches("const CLOSURE: T = |o| ").trim_end_matches(';').trim_matches(['{', '}']);
    (calls.to_owned(), errors.messages())
}

fn accepted(owner: Owner, tokens: TokenStream) -> String {
    let (closure, errors) = read(owner, tokens);
    assert_eq!(errors, Vec::<String>::new());
    closure
}

fn refused(owner: Owner, tokens: TokenStream) -> Vec<String> {
    let (_, errors) = read(owner, tokens);
    assert!(!errors.is_empty());
    errors
}

#[test]
fn options_become_calls() {
    assert_eq!(accepted(Owner::Task, quote!(id = "x")), "const CLOSURE: T = ::core::convert::identity");
    assert_eq!(
        accepted(
            Owner::Task,
            quote!(retries = 2, retry_delay = "5m", priority = -3, pool = pools::S3, on_failure = [a, b::C], id = "x")
        ),
        "o.retries(2).retry_delay(300000).priority(-3).pool(&pools::S3).on_failure(a).on_failure(b::C)"
    );
    assert_eq!(
        accepted(
            Owner::Sensor,
            quote!(backoff(start = "30s", max = "5m", factor = 1.5, jitter = "5s"), on_timeout = "skip", mode = "poke")
        ),
        "o.backoff(::pipeline_runtime::__private::Backoff::from_millis(30000, 300000).with_factor(1.5)\
         .with_jitter_millis(5000),).on_timeout(::pipeline_runtime::__private::OnTimeout::Skip)\
         .mode(::pipeline_runtime::__private::Mode::Poke)"
    );
    assert_eq!(
        accepted(
            Owner::Pipeline,
            quote!(
                schedule = "@daily",
                start = "2024-01-01",
                catchup = false,
                escalate("60m" => page, "90m" => [page, log_it]),
                defaults(retries = 1),
                tags = ["a", "b"]
            )
        ),
        "o.schedule(::pipeline_runtime::__private::Cron::checked(&[\"@daily\"])).start(\"2024-01-01\").catchup(false)\
         .escalate(3600000, page).escalate(5400000, page).escalate(5400000, log_it)\
         .defaults(::pipeline_runtime::__private::Defaults::new(|o| o.retries(1))).tags(&[\"a\", \"b\"])"
    );
}

#[test]
fn constants_stand_for_literals() {
    let checked = |of: &str, bound: &str, path: &str| {
        format!(
            "{{const __PIPELINE_CHECKED: {of} = ::pipeline_runtime::__private::constant::{bound}({path},);__PIPELINE_CHECKED}}"
        )
    };
    let calls = |owner, tokens| {
        let text = accepted(owner, tokens).replace(['\n', ' '], "").replace(",)", ")");
        text.replace("::pipeline_runtime::__private::", "")
    };
    let of = |of: &str, bound: &str, path: &str| {
        checked(of, bound, path).replace("::pipeline_runtime::__private::", "").replace(' ', "").replace(",)", ")")
    };
    assert_eq!(
        calls(Owner::Task, quote!(retries = team::RETRIES, timeout = LIMIT, retry_delay = WAIT, priority = RANK)),
        format!(
            "o.retries({}).timeout({}).retry_delay({}).priority(RANK)",
            of("u32", "retries", "team::RETRIES"),
            of("u64", "limit", "LIMIT"),
            of("u64", "wait", "WAIT"),
        )
    );
    assert_eq!(calls(Owner::Task, quote!(backoff = SLOW)), format!("o.backoff({})", of("Backoff", "backoff", "SLOW")));
    assert_eq!(calls(Owner::Sensor, quote!(on_timeout = ON, mode = Mode::Poke)), "o.on_timeout(ON).mode(Mode::Poke)");
    assert_eq!(
        calls(
            Owner::Pipeline,
            quote!(schedule = Terms, timezone = ZONE, start = FROM, catchup = ALL, tags = TAGS, defaults = TEAM, escalate(LATE => page))
        ),
        format!(
            "o.schedule(Terms).timezone(ZONE).start(FROM).catchup(ALL).tags(TAGS).defaults(TEAM).escalate({}page)",
            of("u64", "limit", "LATE") + ","
        )
    );
}

#[test]
fn a_schedule_is_lines_or_comes_round() {
    let calls = |tokens| accepted(Owner::Pipeline, tokens).replace("::pipeline_runtime::__private::", "").replace("),)", "))");
    assert_eq!(
        calls(quote!(schedule = ["0 6 * * 1-5", "0 10 * * 6"])),
        "o.schedule(Cron::checked(&[\"0 6 * * 1-5\", \"0 10 * * 6\"]))"
    );
    assert_eq!(calls(quote!(schedule(every = "4w", from = "2023-05-16"))), "o.schedule(Every::checked(\"4w\", \"2023-05-16\"))");
    for (tokens, message) in [
        (quote!(schedule = []), "the list is empty: add a cron line, as in `schedule = [\"0 6 * * 1-5\", \"0 10 * * 6\"]`"),
        (quote!(schedule = ["@daily", "@daily"]), "the line \"@daily\" is given twice; keep one"),
        (quote!(schedule = ["@daily", "61 * * * *"]), "invalid schedule \"61 * * * *\": minute 61 is not within 0-59"),
        (
            quote!(schedule = daily),
            "`schedule` takes a schedule in quotes, as in `schedule = \"0 6 * * *\"`, or a constant, as in `schedule = SCHEDULE`",
        ),
        (quote!(schedule(every = "0d", from = "2023-05-16")), "invalid distance \"0d\": it must be longer than zero"),
        (quote!(schedule(every = "-1d", from = "2023-05-16")), "invalid distance \"-1d\": a duration cannot be negative"),
        (quote!(schedule(every = "1d")), "`schedule` needs `from`, as in `every = \"4w\", from = \"2024-01-31\"`"),
        (quote!(schedule(every = "1d", from = "2024-1-5")), "invalid date \"2024-1-5\": write `2024-01-05`"),
        (
            quote!(timezone = "Europe/Berlin", schedule(every = "1d", from = "2024-10-27T02:30")),
            "invalid date: `2024-10-27T02:30` happened twice in Europe/Berlin; write `2024-10-27T02:30:00+02:00` or \
             `2024-10-27T02:30:00+01:00`",
        ),
    ] {
        assert_eq!(refused(Owner::Pipeline, tokens), [message]);
    }
}

#[test]
fn an_id_is_kept_aside() {
    let mut errors = Errors::default();
    let options = Options::parse(Owner::Task, quote!(id = "load-eu"), &mut errors);
    assert_eq!(options.id(), Some("load-eu"));
}

#[test]
fn every_mistake_is_reported() {
    let errors = refused(
        Owner::Sensor,
        quote!(retries = "2", retries = 3, poke = "1x", timeout = 5, schedule = "@daily", mode = "pokes", pool = "s3"),
    );
    assert_eq!(
        errors,
        [
            "`retries` takes a number without quotes: write `retries = 2`",
            "`retries` is given twice; keep one",
            "invalid duration \"1x\": unknown unit `x`; the units are `ms`, `s`, `m`, `h`, `d`, `w`",
            "a duration needs a unit and quotes: write `timeout = \"5s\"`",
            "`schedule` is an option of `#[pipeline]`, not of `#[sensor]`",
            "`mode` cannot be \"pokes\"; did you mean `poke`?",
            "`pool` takes the pool itself, not its name: declare `static S3: Pool = Pool::new(\"s3\", 4);` and write \
             `pool = S3`",
        ]
    );
}

#[test]
fn numbers_have_ranges() {
    for (tokens, message) in [
        (quote!(retries = -1), "`retries` must be at least 0, as in `retries = 2`"),
        (quote!(retries = 1.5), "`retries` takes a whole number, as in `retries = 2`"),
        (quote!(retries = 5_000_000_000), "`retries` must be at most 1000000"),
        (quote!(retries = 1_000_001), "`retries` must be at most 1000000"),
        (quote!(retries = many), "`retries` takes a whole number, as in `retries = 2`, or a constant, as in `retries = RETRIES`"),
        (quote!(priority = 3_000_000_000), "`priority` must be between -2147483648 and 2147483647"),
        (quote!(retries(2)), "`retries` takes a value, not a list in parentheses: write `retries = 2`"),
    ] {
        assert_eq!(refused(Owner::Task, tokens), [message]);
    }
    assert_eq!(
        refused(Owner::Pipeline, quote!(max_active_runs = 0)),
        ["`max_active_runs` must be at least 1, as in `max_active_runs = 1`"]
    );
}

#[test]
fn durations_want_quotes() {
    let text: TokenStream = "timeout = 1h30m".parse().expect("tokens");
    assert_eq!(refused(Owner::Task, text), ["a duration needs quotes: write `timeout = \"1h30m\"`"]);
    assert_eq!(
        refused(Owner::Task, quote!(timeout = limit)),
        ["`timeout` takes a duration in quotes, as in `timeout = \"10m\"`, or a constant, as in `timeout = TIMEOUT`"]
    );
    assert_eq!(refused(Owner::Task, quote!(timeout = 30)), ["a duration needs a unit and quotes: write `timeout = \"30s\"`"]);
    // The message proposes no value that would be refused too.
    let zero = refused(Owner::Task, quote!(timeout = 0));
    assert!(zero.len() == 1 && zero[0].starts_with("invalid duration 0: ") && !zero[0].contains("0s\""), "{zero:?}");
}

#[test]
fn a_duration_in_a_list_has_its_own_example() {
    for (tokens, message) in [
        (quote!(backoff(start = a(), max = "5m")), "`start` takes a duration in quotes, as in `start = \"30s\"`"),
        (quote!(backoff(start = "1s", max = a())), "`max` takes a duration in quotes, as in `max = \"5m\"`"),
        (quote!(backoff(start = "1s", max = "2s", jitter = a())), "`jitter` takes a duration in quotes, as in `jitter = \"5s\"`"),
    ] {
        assert_eq!(refused(Owner::Task, tokens), [message]);
    }
}

#[test]
fn only_a_wait_or_an_addition_to_one_may_be_zero() {
    accepted(Owner::Sensor, quote!(retry_delay = "0s", poke_jitter = "0s"));
    accepted(Owner::Task, quote!(backoff(start = "1s", max = "2s", jitter = "0s")));
    for tokens in [quote!(timeout = "0s"), quote!(sla = "0s"), quote!(backoff(start = "0s", max = "2s"))] {
        assert_eq!(refused(Owner::Task, tokens), ["invalid duration \"0s\": it must be longer than zero"]);
    }
}

#[test]
fn dates_are_those_that_the_runtime_reads() {
    accepted(Owner::Pipeline, quote!(start = "2024-01-05T06:00", end = "2024-01-31 06:00:00.5Z"));
    for (tokens, message) in [
        (quote!(start = "2024-1-5"), "invalid date \"2024-1-5\": write `2024-01-05`"),
        (quote!(start = "2024-01-31T23:59:60Z"), "invalid date \"2024-01-31T23:59:60Z\": the clock has no such time"),
        (
            quote!(timezone = "Europe/Berlin", end = "2024-10-27T02:30"),
            "invalid date: `2024-10-27T02:30` happened twice in Europe/Berlin; write `2024-10-27T02:30:00+02:00` or \
             `2024-10-27T02:30:00+01:00`",
        ),
    ] {
        assert_eq!(refused(Owner::Pipeline, tokens), [message]);
    }
    let outside = refused(Owner::Pipeline, quote!(start = "1600-01-01"));
    assert!(outside[0].contains("years run from 1678 to 2261"), "{outside:?}");
}

#[test]
fn ids_have_letters_of_any_script() {
    accepted(Owner::Task, quote!(id = "größe"));
    let long = "a".repeat(201);
    assert!(refused(Owner::Task, quote!(id = #long))[0].contains("longer than 200 bytes"));
}

#[test]
fn callbacks_are_paths() {
    for (tokens, part) in [
        (quote!(on_failure = "page"), "not its name: write `on_failure = page`"),
        (quote!(on_failure = page()), "not a call: write `on_failure = page`"),
        (quote!(on_failure = |n| page(n)), "not a closure"),
        (quote!(on_failure = []), "the list is empty"),
        (quote!(on_failure = [page, 3]), "takes the path of an `async fn"),
    ] {
        let errors = refused(Owner::Task, tokens);
        assert!(errors.len() == 1 && errors[0].contains(part), "{errors:?}");
    }
}

#[test]
fn waits_are_said_once() {
    assert_eq!(
        refused(Owner::Task, quote!(backoff(start = "1s", max = "2s"), retry_delay = "5m")),
        ["`retry_delay` and `backoff` both set the wait between attempts: keep one"]
    );
    assert_eq!(
        refused(Owner::Sensor, quote!(poke = "5m", backoff(start = "1s", max = "2s"))),
        ["`poke` and `backoff` both set the wait between pokes: keep one"]
    );
    accepted(Owner::Sensor, quote!(retry_delay = "5m", backoff(start = "1s", max = "2s")));
}

#[test]
fn a_sensor_is_asked_more_than_once() {
    for (tokens, message) in [
        (
            quote!(poke = "10m", timeout = "10m"),
            "`poke` must be shorter than `timeout`, which is 10m: the sensor would be poked only once",
        ),
        (
            quote!(poke = "7d"),
            "`poke` must be shorter than `timeout`, which is 7days by default: the sensor would be poked \
             only once",
        ),
        (
            quote!(timeout = "40s"),
            "`timeout` must be longer than `poke`, which is 1m by default: add a shorter `poke`, as in \
             `poke = \"10s\"`",
        ),
        (
            quote!(timeout = "30s", backoff(start = "30s", max = "5m")),
            "`start` of `backoff` must be shorter than `timeout`, which is 30s: the sensor would be poked only once",
        ),
        (quote!(timeout = "2m", poke_timeout = "3m"), "`poke_timeout` must not be longer than `timeout`, which is 2m"),
    ] {
        assert_eq!(refused(Owner::Sensor, tokens), [message]);
    }
    // A wrong value is one mistake, not two.
    assert_eq!(refused(Owner::Sensor, quote!(timeout = "30s", poke = "soon")).len(), 1);
    assert_eq!(refused(Owner::Sensor, quote!(timeout = "30s", backoff(start = "1x", max = "5m"))).len(), 1);
}

#[test]
fn backoff_is_checked() {
    for (tokens, message) in [
        (
            quote!(backoff(start = "10m", max = "5m")),
            "`start` of `backoff` is 10m, longer than its `max` of 5m: raise `max` or lower `start`",
        ),
        (quote!(backoff(start = "10m")), "`backoff` needs `max`, as in `backoff(start = \"30s\", max = \"5m\")`"),
        (
            quote!(backoff(start = "1s", max = "5m", factor = 0.5)),
            "invalid factor 0.5: a factor must be at least 1, or the waits would shrink, and at most 1000000",
        ),
        (quote!(backoff(start = "1s", max = "5m", facter = 2)), "`backoff` has no `facter`; did you mean `factor`?"),
        (quote!(backoff(start = "1s", start = "1s", max = "5m")), "`start` is given twice; keep one"),
        (quote!(backoff = "30s"), "`backoff` takes a list in parentheses: write `backoff(start = \"30s\", max = \"5m\")`"),
    ] {
        assert_eq!(refused(Owner::Task, tokens), [message]);
    }
}

#[test]
fn a_ladder_rises() {
    assert_eq!(
        refused(Owner::Pipeline, quote!(escalate("60m" => page, "30m" => page))),
        ["each step must come later than the one before it, which is at 1h"]
    );
    assert_eq!(
        refused(Owner::Pipeline, quote!(escalate("60m"))),
        ["expected a step, as in `\"60m\" => page` or `\"60m\" => [page, log_it]`"]
    );
    assert_eq!(refused(Owner::Pipeline, quote!(escalate())).len(), 1);
}

#[test]
fn an_end_follows_its_start() {
    assert_eq!(
        refused(Owner::Pipeline, quote!(start = "2024-02-01", end = "2024-01-01")),
        ["`end` must not come before `start`, which is 2024-02-01"]
    );
    // A window of one day, because both ends are inclusive.
    accepted(Owner::Pipeline, quote!(start = "2024-02-01", end = "2024-02-01"));
    // Midnight in Berlin is an hour before midnight in UTC.
    accepted(Owner::Pipeline, quote!(timezone = "Europe/Berlin", start = "2024-01-01", end = "2023-12-31T23:30:00Z"));
}

#[test]
fn defaults_are_options_of_nodes() {
    assert_eq!(
        refused(Owner::Pipeline, quote!(defaults(retrys = 1, schedule = "@daily"))),
        ["unknown option `retrys`; did you mean `retries`?", "`schedule` is an option of `#[pipeline]`, not of `defaults(..)`",]
    );
    // A short timeout is valid in defaults, because it also applies to tasks.
    accepted(Owner::Pipeline, quote!(defaults(timeout = "30s")));
}

#[test]
fn a_default_is_taken_away_where_there_is_one() {
    assert_eq!(accepted(Owner::Task, quote!(on_failure = none)), "o.on_failure(::pipeline_runtime::__private::Nobody)");
    assert_eq!(refused(Owner::Task, quote!(on_failure = None)), ["to notify nobody, write `on_failure = none`"]);
    assert_eq!(
        refused(Owner::Task, quote!(on_failure = [page, none])),
        ["`none` cannot be listed with callbacks: write `on_failure = none` to notify nobody"]
    );
    for owner in [Owner::Pipeline, Owner::Defaults, Owner::SharedDefaults] {
        assert_eq!(
            refused(owner, quote!(on_failure = none)),
            [
                "`none` has no effect here, because a pipeline inherits no callbacks: write it on a task, to remove the pipeline's default there"
            ]
        );
    }
    assert_eq!(refused(Owner::Task, quote!(on_cancel = page)), ["`on_cancel` is an option of `#[pipeline]`, not of `#[task]`"]);
}
