#!/usr/bin/env bash
# In Airflow 2.11 `dags test` fails a task that reads `triggering_dataset_events` if it is ready together with another one.
#
# Version: apache-airflow 2.11.0, SQLAlchemy 1.4.54, Python 3.11, SQLite.
#
# What happens: of three tasks, the second and the third are downstream of the first, and each reads
# `context["triggering_dataset_events"]`. The first succeeds. Whichever of the other two runs first fails with sqlalchemy's
# `InvalidRequestError: merge() with load=False option does not support objects marked as 'dirty'`. In a chain of tasks, and under
# a scheduler, the same code succeeds.
#
# What was expected: an empty mapping, as in the first task, since no dataset started the run; and that a test run of a DAG
# behaves like a real one.
#
# Seen on 2026-11-30:
#
#   chain: failed: none
#   fan: failed: second InvalidRequestError: merge() with load=False
#
# It needs Python 3.9 to 3.12 with pip, and PyPI. It exits with 1 once the behavior has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv python
# uv leaves out releases that are newer than Airflow 2.11 supports.
python/bin/pip install --quiet --disable-pip-version-check uv==0.9.13
python/bin/uv pip install --quiet -p python/bin/python apache-airflow==2.11.0 --exclude-newer 2025-12-01
mkdir dags
cat >dags/looks.py <<'PYTHON'
import pendulum
from airflow import DAG
from airflow.decorators import task
from airflow.operators.python import get_current_context

def look():
    print("events:", dict(get_current_context()["triggering_dataset_events"]))

for name in ("chain", "fan"):
    with DAG(name, schedule=None, start_date=pendulum.datetime(2024, 1, 1)):
        first, second, third = (task(task_id=of, trigger_rule="all_done")(look)() for of in ("first", "second", "third"))
        first >> second
        (second if name == "chain" else first) >> third
PYTHON
export PATH=$work/python/bin:$PATH AIRFLOW_HOME=$work/home AIRFLOW__CORE__DAGS_FOLDER=$work/dags AIRFLOW__CORE__LOAD_EXAMPLES=False PYTHONWARNINGS=ignore
airflow db migrate >log 2>&1 || { tail -n 5 log >&2; exit 1; }
for dag in chain fan; do
    airflow dags test "$dag" >"$dag.log" 2>&1 || true
    failed=$(grep -oE "Marking task as FAILED. dag_id=$dag, task_id=[a-z]+" "$dag.log" | grep -oE '[a-z]+$' | sort -u | paste -sd' ' || true)
    why=$(grep -oE "InvalidRequestError: merge\(\) with load=False" "$dag.log" | sort -u || true)
    echo "$dag: failed: ${failed:-none} ${why}"
done | tee seen
if ! grep -q '^chain: failed: none $' seen || ! grep -qE '^fan: failed: (second|third) InvalidRequestError' seen; then
    tail -n 20 fan.log >&2
    echo "the behavior has changed" >&2
    exit 1
fi
