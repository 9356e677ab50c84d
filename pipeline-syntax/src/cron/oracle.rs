//! Compares the days of random lines with those of croner, another implementation.
//!
//! The lines use only syntax that both interpret alike. A failure prints its seed: `CRON_SEED=<seed>` repeats it, and
//! `CRON_LINES=<n>` tries more lines.

use chrono::NaiveDate;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use fastrand::Rng;

use super::{CronError, parse};

/// As many lines as take a few seconds in a debug build.
const LINES: u64 = 3_000;
/// Each line is compared over four years, beginning with a random one.
const DAYS: usize = 4 * 366;

/// A text in our spelling and in croner's.
struct Both {
    ours: String,
    croners: String,
}

impl Both {
    fn alike(text: String) -> Self {
        Self { croners: text.clone(), ours: text }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// One to three items: numbers, ranges and steps.
fn list(random: &mut Rng, low: u8, high: u8) -> String {
    let items = (0..random.u8(1..=3)).map(|_| {
        let (a, b) = (random.u8(low..=high), random.u8(low..=high));
        let (from, to) = (a.min(b), a.max(b));
        match random.u8(..6) {
            0 => format!("*/{}", random.u8(2..40)),
            1 if from < to => format!("{from}-{to}"),
            2 if from < to => format!("{from}-{to}/{}", random.u8(1..10)),
            _ => a.to_string(),
        }
    });
    items.collect::<Vec<_>>().join(",")
}

/// The fields for days: day of month, month, day of week.
fn days(random: &mut Rng) -> [Both; 3] {
    let any = || Both::alike("*".to_owned());
    let shape = random.u8(..9);
    let month = match shape {
        // Some of these days never occur.
        8 => Both::alike(random.u8(1..=12).to_string()),
        _ if random.bool() => any(),
        _ => Both::alike(list(random, 1, 12)),
    };
    // With a special day the other field has to be `*`.
    let (day, weekday) = match shape {
        8 => (Both::alike(random.u8(29..=31).to_string()), any()),
        0 => (any(), Both::alike(list(random, 0, 7))),
        1 => (Both::alike(list(random, 1, 31)), any()),
        2 => (Both::alike(format!("{},L", list(random, 1, 31))), any()),
        3 => (Both::alike("L".to_owned()), Both::alike(list(random, 0, 7))),
        4 => (Both::alike(format!("{}W", random.u8(1..=28))), any()),
        5 => (Both { ours: "31W".to_owned(), croners: "LW".to_owned() }, any()),
        6 => (any(), weekdays_of_a_month(random)),
        _ => (Both::alike(list(random, 1, 31)), Both::alike(list(random, 0, 7))),
    };
    [day, month, weekday]
}

fn weekdays_of_a_month(random: &mut Rng) -> Both {
    let items: Vec<Both> = (0..random.u8(1..=3))
        .map(|_| {
            let day = random.u8(..8);
            match random.u8(..6) {
                0 => Both { ours: format!("L{day}"), croners: format!("{day}L") },
                nth => Both::alike(format!("{day}#{nth}")),
            }
        })
        .collect();
    let joined = |text: fn(&Both) -> &str| items.iter().map(text).collect::<Vec<_>>().join(",");
    Both { ours: joined(|item| &item.ours), croners: joined(|item| &item.croners) }
}

/// Parses five fields in croner's spelling with croner.
fn by_croner(fields: &str) -> Cron {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(fields).unwrap_or_else(|error| panic!("croner refuses {fields}: {error}"))
}

/// croner's interpretation, with croniter's rule that a field which lists every day counts as a `*` if the other contains a `*`.
fn expected([day, month, weekday]: [&str; 3]) -> Cron {
    let cron = by_croner(&format!("0 0 {day} {month} {weekday}"));
    let every_day = cron.pattern.days.values().len() == 31 && weekday.contains('*');
    let every_weekday = cron.pattern.days_of_week.values().len() == 7 && (day.contains('*') || every_day);
    let (day, weekday) = (if every_day { "*" } else { day }, if every_weekday { "*" } else { weekday });
    by_croner(&format!("0 0 {day} {month} {weekday}"))
}

#[test]
fn the_days_are_those_that_croner_says() {
    let seed = number("CRON_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("repeat with CRON_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let (mut fired, mut never) = (0_u64, 0);
    for _ in 0..number("CRON_LINES").unwrap_or(LINES) {
        let [day, month, weekday] = days(&mut random);
        let croners = expected([&day.croners, &month.croners, &weekday.croners]);
        let text = format!("0 0 {} {} {}", day.ours, month.ours, weekday.ours);
        let first = NaiveDate::from_ymd_opt(random.i32(1678..2255), 1, 1).expect("a date");
        let mut matching = first.iter_days().take(DAYS).filter(|day| {
            let midnight = day.and_hms_opt(0, 0, 0).expect("a time");
            croners.is_time_matching(&midnight).expect("a date")
        });
        match parse(&text) {
            Ok(line) => {
                for day in first.iter_days().take(DAYS).filter(|day| line.days.matches(*day)) {
                    fired += 1;
                    assert_eq!(Some(day), matching.next(), "CRON_SEED={seed}: {text}");
                }
                assert_eq!(matching.next(), None, "CRON_SEED={seed}: {text}");
            }
            Err(CronError::Never) => {
                never += 1;
                assert_eq!(matching.next(), None, "CRON_SEED={seed}: {text}");
            }
            Err(error) => panic!("CRON_SEED={seed}: {text}: {error}"),
        }
    }
    assert!(fired > 0 && never > 0, "CRON_SEED={seed}: {fired} days, {never} lines without any");
}
