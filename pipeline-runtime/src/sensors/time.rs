use crate::schedule::{Zone, parse_date, parse_zone};
use crate::{Context, Poke, Result, TaskError, sensor};
use chrono::{DateTime, Utc};

/// Waits until a time is reached.
///
/// The time is written in the usual forms: `2024-03-25T06:00:00Z` with any offset, or in UTC `2024-03-25T06:00` or `2024-03-25`.
/// A zone behind it makes it a local time of that zone: `2024-03-25T09:00[America/Toronto]`. A text that is not a time fails at
/// once. A past time is reached at the first poke. The value is the time.
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
/// It is poked twice, at first and when the time is reached, whatever its poke interval: see [`Poke::NotBefore`]. Its timeout
/// applies as for any sensor: by default it waits for up to 7 days.
///
/// # In Airflow: `DateTimeSensor`, `TimeSensor`, `TimeDeltaSensor`
///
/// - `DateTimeSensor` with `target_time`, which is a template there as well. For `TimeSensor` write the date before the time of
///   day, as above, so that it is clear which day is meant.
/// - A waiting sensor holds neither a worker nor a slot, so there is no second, deferrable form of it (`DateTimeSensorAsync`).
/// - It uses the engine's clock: simulating a wait of a day takes milliseconds.
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
