use crate::schedule::{Zone, parse_date, parse_zone};
use crate::{Context, Poke, Result, TaskError, sensor};
use chrono::{DateTime, Utc};

/// Waits until it is that late.
///
/// The time is written as everywhere here: `2024-03-25T06:00:00Z` with any offset, or in UTC `2024-03-25T06:00` or `2024-03-25`. A zone after it
/// makes it a time of that zone's clocks: `2024-03-25T09:00[America/Toronto]`. What cannot be read fails at once. A time that has
/// passed is reached at the first poke. The value is the time.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::sensors::time_reached;
///
/// #[task] async fn load() -> Result<u64> { Ok(1) }
///
/// #[pipeline(schedule = "@daily")]
/// fn nightly() {
///     // 05:30 on the day after the data's: the day on which a daily run starts.
///     let open = time_reached(template!("{{ data_interval_end | ds }}T05:30:00Z"));
///     load().after(open);
/// }
/// # nightly().check().unwrap();
/// ```
///
/// It is poked twice, at first and when it is that late, whatever its poke interval: see [`Poke::NotBefore`]. Its timeout holds as of any sensor: without
/// one it waits for up to 7 days.
///
/// # In Airflow: `DateTimeSensor`, `TimeSensor`, `TimeDeltaSensor`
///
/// - `DateTimeSensor` with `target_time`, which is a template there as well. For `TimeSensor` write the day before the time of day, as
///   above: which day is meant is then no riddle.
/// - A waiting sensor holds neither a worker nor a slot, so that there is no second, deferrable form of it (`DateTimeSensorAsync`).
/// - By the engine's clock: a simulation of a day's wait takes milliseconds.
#[sensor]
pub async fn time_reached(ctx: Context, time: String) -> Result<Poke<DateTime<Utc>>> {
    let time = parse(&time)?;
    Ok(if ctx.started() >= time { Poke::Ready(time) } else { Poke::NotBefore(time) })
}

fn parse(text: &str) -> Result<DateTime<Utc>> {
    let (time, zone) = match text.trim_end().strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
        Some((time, zone)) => (time, parse_zone(zone).map_err(TaskError::fatal)?),
        None => (text, Zone::UTC),
    };
    parse_date(time, zone).map_err(TaskError::fatal)
}
