//! `cron!` and `every!`. They are macros of this crate so that they can refer to it by `$crate`, whatever name the user gave it.

/// Cron lines as the value of a constant, checked at compile time: a [`Cron`](crate::schedule::Cron).
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// const DAILY: Cron = cron!("0 6 * * *");
/// const OFFICE: Cron = cron!("0 6 * * 1-5", "0 10 * * 6");
/// assert_eq!(OFFICE.lines().len(), 2);
/// # let _ = DAILY;
/// ```
///
/// ```compile_fail
/// # use pipeline_runtime::prelude::*;
/// const DAILY: Cron = cron!("0 24 * * *"); // invalid schedule "0 24 * * *": hour 24 is not within 0-23
/// ```
#[macro_export]
macro_rules! cron {
    ($($lines:tt)*) => {
        $crate::__private::checked_cron!($crate, $($lines)*)
    };
}

/// A recurrence as the value of a constant, checked at compile time: an [`Every`](crate::schedule::Every).
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// const SPRINT: Every = every!("2w", from = "2024-01-08");
/// const GAUGES: Every = every!("90m", from = "2024-01-08T00:30");
/// # let _ = (SPRINT, GAUGES);
/// ```
///
/// ```compile_fail
/// # use pipeline_runtime::prelude::*;
/// const SPRINT: Every = every!("0w", from = "2024-01-08"); // invalid distance "0w": it must be longer than zero
/// ```
#[macro_export]
macro_rules! every {
    ($($recurrence:tt)*) => {
        $crate::__private::checked_every!($crate, $($recurrence)*)
    };
}
