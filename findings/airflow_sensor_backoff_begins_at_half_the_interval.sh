#!/usr/bin/env bash
# A sensor of Airflow with exponential backoff waits less than its poke_interval before its second poke.
#
# Version: apache-airflow 3.3.2 (task SDK 1.3.2, apache-airflow-providers-standard 1.21.0), Python 3.11.
#
# What happens: with `exponential_backoff=True` the wait before poke n+1 is drawn from b up to 2b, where b is poke_interval *
# 2^(n-2). So `poke_interval=30` gives a first wait of 15 to 30 seconds, and only the second one is 30 or more. The draw is a hash
# of DAG, task and start. So two sensors of one DAG wait differently, and one sensor always gets the same wait for a poke.
#
# What was expected: poke_interval as the first and shortest wait, doubled from there. The class's page calls it the "time that
# the job should wait in between each try".
#
# Seen on 2026-11-29, for poke_interval=30 and max_wait of 5 minutes, the least and the most of 1,000 sensors:
#
#   after poke 1: 15 to 29 s
#   after poke 2: 30 to 59 s
#   after poke 3: 60 to 119 s
#   after poke 4: 120 to 239 s
#   after poke 5: 240 to 300 s
#   after poke 6: 300 to 300 s
#
# It needs Python with pip, and PyPI. It exits with 1 once the behavior has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check apache-airflow==3.3.2 apache-airflow-providers-standard==1.21.0
cat >waits.py <<'PYTHON'
import datetime

from airflow.providers.standard.sensors.python import PythonSensor

for poke in range(1, 7):
    waits = []
    for number in range(1000):
        sensor = PythonSensor(
            task_id=f"sensor_{number}", python_callable=bool, poke_interval=30, exponential_backoff=True, max_wait=datetime.timedelta(minutes=5)
        )
        waits.append(int(sensor._get_next_poke_interval(0.0, lambda: 0.0, poke)))
    print(f"after poke {poke}: {min(waits)} to {max(waits)} s")
PYTHON
AIRFLOW_HOME=$work/home python/bin/python -W ignore waits.py 2>stderr | grep "^after poke" | tee seen
diff - seen <<'SEEN' || { tail -n 5 stderr >&2; echo "the behavior has changed" >&2; exit 1; }
after poke 1: 15 to 29 s
after poke 2: 30 to 59 s
after poke 3: 60 to 119 s
after poke 4: 120 to 239 s
after poke 5: 240 to 300 s
after poke 6: 300 to 300 s
SEEN
