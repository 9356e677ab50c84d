#!/usr/bin/env bash
# Airflow's hourly cron lines stop, or overlap, in a zone whose clocks move by half an hour.
#
# Version: apache-airflow 3.3.2 (croniter 7.0.0), Python 3.11. Australia/Lord_Howe goes from +11:00 back to +10:30 on 2026-04-05 at 15:00 UTC.
#
# What happens, with CronDataIntervalTimetable, which schedules by data intervals:
# - `0 * * * *` raises `ValueError: … did not advance past …` at the change, each time it is asked for the next run. The DAG never
#   runs again.
# - `45 * * * *` goes back: the interval 14:45..15:45 UTC is followed by 15:15..16:15. Half an hour of data is in two intervals,
#   so a job that sums what arrived counts it twice.
# - A daily line works.
# In Berlin, whose clocks move by a whole hour, `0 */2 * * *` has an interval of one hour in spring and one of three hours in
# autumn.
#
# What was expected: intervals that follow one another without gaps and overlaps, in any zone.
#
# Seen on 2026-11-29:
#
#   Australia/Lord_Howe 0 * * * *: ValueError: CronDataIntervalTimetable timetable did not advance past 2026-04-04 15:00:00+00:00 after one retry
#   Australia/Lord_Howe 45 * * * *: 13:45-14:45 14:45-15:45 15:15-16:15 16:15-17:15
#   Australia/Lord_Howe 0 1 * * *: 14:00-14:30
#   Europe/Berlin 0 */2 * * * in spring: 23:00-01:00 01:00-02:00 02:00-04:00
#   Europe/Berlin 0 */2 * * * in autumn: 20:00-22:00 22:00-01:00 01:00-03:00
#
# It needs Python with pip, and PyPI. It exits with 1 once the behavior has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check apache-airflow==3.3.2 croniter==7.0.0
cat >intervals.py <<'PYTHON'
import pendulum
from airflow.timetables.base import TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable


def intervals(cron, zone, first, until):
    timetable = CronDataIntervalTimetable(cron, zone)
    limit = TimeRestriction(earliest=pendulum.parse(first), latest=None, catchup=True)
    last, seen = None, []
    while True:
        try:
            last = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=limit).data_interval
        except ValueError as error:
            return f"{type(error).__name__}: {error}"
        if last.end > pendulum.parse(until):
            return " ".join(seen)
        seen.append("-".join(time.in_tz("UTC").format("HH:mm") for time in (last.start, last.end)))


HOWE = "Australia/Lord_Howe"
for cron, first, until in [
    ("0 * * * *", "2026-04-04T13:00Z", "2026-04-04T18:00Z"),
    ("45 * * * *", "2026-04-04T13:45Z", "2026-04-04T17:30Z"),
    ("0 1 * * *", "2026-04-04T14:00Z", "2026-04-05T15:00Z"),
]:
    print(f"{HOWE} {cron}: {intervals(cron, HOWE, first, until)}")
for season, first, until in [
    ("spring", "2026-03-28T22:00Z", "2026-03-29T04:00Z"),
    ("autumn", "2026-10-24T20:00Z", "2026-10-25T03:00Z"),
]:
    print(f"Europe/Berlin 0 */2 * * * in {season}: {intervals('0 */2 * * *', 'Europe/Berlin', first, until)}")
PYTHON
AIRFLOW_HOME=$work/home python/bin/python -W ignore intervals.py 2>stderr | tee seen
diff - seen <<'SEEN' || { tail -n 5 stderr >&2; echo "the behavior has changed" >&2; exit 1; }
Australia/Lord_Howe 0 * * * *: ValueError: CronDataIntervalTimetable timetable did not advance past 2026-04-04 15:00:00+00:00 after one retry
Australia/Lord_Howe 45 * * * *: 13:45-14:45 14:45-15:45 15:15-16:15 16:15-17:15
Australia/Lord_Howe 0 1 * * *: 14:00-14:30
Europe/Berlin 0 */2 * * * in spring: 23:00-01:00 01:00-02:00 02:00-04:00
Europe/Berlin 0 */2 * * * in autumn: 20:00-22:00 22:00-01:00 01:00-03:00
SEEN
