//! Files as they arrive: on time, late, and of a new event.

use super::layout::Hour;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use pipeline_runtime::Bucket;
use std::error::Error;
use std::io::Write;

/// A file that arrives.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    event: &'static str,
    /// Its name, which begins with the hour and minute of its data.
    name: &'static str,
    /// When it is written, in minutes of the day.
    minute: i64,
}

/// The first interval in which files arrive begins at this minute of the day: 07:00.
const FIRST: i64 = 7 * 60;

/// The number of half-hour intervals in which files arrive.
pub const INTERVALS: u8 = 3;

const fn arrival(event: &'static str, name: &'static str, hour: i64, minute: i64) -> Arrival {
    Arrival { event, name, minute: hour * 60 + minute }
}

const ARRIVALS: [Arrival; 15] = [
    arrival("customer_new_customer_event", "07_00_file_123.csv", 7, 1),
    arrival("customer_new_customer_event", "07_15_file_124.csv", 7, 16),
    arrival("customer_new_customer_event", "07_27_file_125.csv", 7, 28),
    arrival("customer_order_event", "06_58_file_40.csv", 7, 2),
    arrival("customer_order_event", "07_10_file_41.csv", 7, 11),
    arrival("customer_new_customer_event", "07_50_file_126.csv", 7, 51),
    arrival("customer_order_event", "07_12_file_42.csv", 7, 44), // half an hour late
    arrival("customer_order_event", "07_40_file_43.csv", 7, 41),
    arrival("product_viewed_event", "07_45_file_7.csv", 7, 46), // the first of its event
    arrival("product_viewed_event", "07_55_file_8.csv", 7, 56),
    arrival("customer_new_customer_event", "08_15_file_127.csv", 8, 16),
    arrival("customer_new_customer_event", "07_05_file_128.csv", 8, 20), // more than an hour late
    arrival("customer_order_event", "05_30_file_39.csv", 8, 3),          // hours late
    arrival("customer_order_event", "08_20_file_44.csv", 8, 21),
    arrival("product_viewed_event", "08_05_file_9.csv", 8, 6),
];

/// The help text of `seed`.
pub const ABOUT: &str = "Lets the event files of three intervals arrive, on time and late";

/// The command `seed`.
#[derive(Debug, clap::Parser)]
#[command(about = ABOUT)]
pub struct Command {
    /// The bucket in which the files arrive; a missing folder is created
    #[arg(long, value_name = "URL", default_value = super::pipeline::DEFAULT_SOURCE)]
    pub source: String,
    /// The day of the files
    #[arg(long, value_name = "DATE", default_value = "2021-09-01")]
    pub date: NaiveDate,
    /// Only the files of this interval: 1 is 07:00 to 07:30, 2 and 3 those after it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(INTERVALS)))]
    pub interval: Option<u8>,
}

impl Command {
    /// Writes the files, and prints each of them to `out`.
    pub async fn run(&self, out: &mut impl Write) -> Result<(), Box<dyn Error + Send + Sync>> {
        let folder = self.source.strip_prefix("file://");
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder).map_err(|error| format!("could not create {folder}: {error}"))?;
        }
        let bucket = Bucket::open(&self.source)?;
        for arrival in ARRIVALS.iter().filter(|arrival| self.interval.is_none_or(|interval| arrival.interval() == interval)) {
            let hour = Hour { event: arrival.event.into(), date: self.date, hour: 0 };
            let key = hour.source(arrival.name);
            bucket.put(&key, arrival.contents()).await?;
            match folder {
                // Only a folder allows setting a file's time; in other stores all files have the current time.
                Some(folder) => {
                    let written = arrival.written(self.date);
                    std::fs::File::options().append(true).open(format!("{folder}/{key}"))?.set_modified(written.into())?;
                    writeln!(out, "{} {key}", written.format("%F %R"))?;
                }
                None => writeln!(out, "{key}")?,
            }
        }
        Ok(())
    }
}

impl Arrival {
    fn interval(&self) -> u8 {
        u8::try_from((self.minute - FIRST) / 30 + 1).expect("the arrivals are of one morning")
    }

    fn written(&self, date: NaiveDate) -> DateTime<Utc> {
        date.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::minutes(self.minute)
    }

    /// Two rows below a header; no other file has the same rows.
    fn contents(&self) -> String {
        let file = self.name.trim_end_matches(".csv");
        format!("id,event,at\n{file}-1,{event},{at}\n{file}-2,{event},{at}\n", event = self.event, at = &self.name[..5])
    }
}
