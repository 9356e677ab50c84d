#!/usr/bin/env bash
# In Airflow a task's id may have a dot and a task group's may not, though Airflow itself joins the two by a dot.
#
# Version: apache-airflow 3.3.2 (task SDK 1.3.2), Python 3.11.
#
# What happens: `BaseOperator(task_id="a.b")` is accepted, and `TaskGroup(group_id="a.b")` is refused. So a generator of DAGs
# whose own names have dots can name its tasks after them, but not its groups; and a task `group.task` outside of any group looks
# like a group's task.
#
# What was expected: one rule for both, since both share one namespace and a group's name is the first half of its tasks' ids.
#
# Seen on 2026-11-30:
#
#   task a.b: a.b
#   group a.b: The key 'a.b' has to be made of alphanumeric characters, dashes, and underscores exclusively
#   a task in a group: a.b
#
# It needs Python with pip, and PyPI. It exits with 1 once the behavior has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check apache-airflow==3.3.2
cat >names.py <<'PYTHON'
from airflow.sdk import DAG, BaseOperator, TaskGroup

with DAG("one", schedule=None):
    print("task a.b:", BaseOperator(task_id="a.b").task_id)
    try:
        print("group a.b:", TaskGroup(group_id="a.b").group_id)
    except ValueError as error:
        print("group a.b:", error)
with DAG("two", schedule=None):
    with TaskGroup(group_id="a"):
        print("a task in a group:", BaseOperator(task_id="b").task_id)
PYTHON
AIRFLOW_HOME=$work/home python/bin/python -W ignore names.py 2>stderr | grep "a.b" | tee seen
diff - seen <<'SEEN' || { tail -n 5 stderr >&2; echo "the behavior has changed" >&2; exit 1; }
task a.b: a.b
group a.b: The key 'a.b' has to be made of alphanumeric characters, dashes, and underscores exclusively
a task in a group: a.b
SEEN
