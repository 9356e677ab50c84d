#!/usr/bin/env bash
# Airflow's coordinator trusts a native task: it does not report an exit code of 0 to the server, and never refuses a retry.
#
# Version: apache-airflow 3.3.2 (task SDK 1.3.2), Python 3.11. The test's executable is a shell script with a bundle's footer.
#
# What happens: `ExecutableCoordinator` starts an executable as the task process. If the executable exits with 0 and has sent no
# final message, the supervisor's final state is `success`, but it reports nothing to the server. There the task stays `running`
# until a scheduler notices that its executor is done, and fails it. A `RetryTask` is passed on to the server even if
# `should_retry` is false and `max_tries` is 0, so a task that always asks for another try is retried for ever.
#
# What was expected: an exit code of 0 is a success, as the supervisor's own docstring says ("If a process exits without sending
# one of these the state will be derived from the exit code: 0 = SUCCESS"), and the limit on tries is enforced, as it is for
# Python tasks.
#
# Seen on 2026-11-30:
#
#   nothing: exit code 0, final state TaskInstanceState.SUCCESS, told to the server: nothing
#   retry: exit code 0, final state up_for_retry, told to the server: retry
#
# It needs Python with pip, and PyPI. It exits with 1 once the behavior has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check apache-airflow==3.3.2
cat >supervise.py <<'PYTHON'
import datetime
import hashlib
import io
import os
import stat
import struct
import sys
import uuid

import structlog
from airflow.sdk.api.datamodels import _generated as models
from airflow.sdk.coordinators.executable import ExecutableCoordinator
from airflow.sdk.log import logging_processors

# A bundle: an executable, its manifest, and the footer that Airflow finds it by.
folder = os.path.abspath("bundles")
os.makedirs(folder, exist_ok=True)
executable = f'#!/bin/sh\nexec {sys.executable} {os.path.abspath("task.py")} "$@"\n'.encode()
manifest = (b'{"airflow_bundle_metadata_version":"1.0","sdk":{"language":"sh","version":"0.1.0","supervisor_schema_version":"2026-06-16"},'
            b'"source":"task.sh","dags":{"dag":{"tasks":["task"]}}}')
footer = struct.pack("<III32s12s8s", 0, len(manifest), 1, hashlib.sha256(executable).digest(), bytes(12), b"AFBNDL01")
path = os.path.join(folder, "bundle")
with open(path, "wb") as bundle:
    bundle.write(executable + manifest + footer)
os.chmod(path, stat.S_IRWXU)


class Recorded:
    """A part of the API that notes what is called, and answers nothing but `start`."""

    def __init__(self, calls, answers):
        self.calls, self.answers = calls, answers

    def __getattr__(self, name):
        def call(*args, **named):
            self.calls.append(name)
            return self.answers.get(name)

        return call


def run(say):
    os.environ["SAY"] = say
    now, calls = datetime.datetime.now(datetime.timezone.utc), []
    dag_run = models.DagRun(dag_id="dag", run_id="run", logical_date=now, data_interval_start=now, data_interval_end=now, run_after=now,
                            start_date=now, end_date=None, run_type="manual", state="running", conf={},
                            consumed_asset_events=[], partition_key=None)
    context = models.TIRunContext(dag_run=dag_run, max_tries=0, should_retry=False, task_reschedule_count=0)

    class Client:
        task_instances = Recorded(calls, {"start": context})
        xcoms = variables = connections = Recorded([], {})

    log = structlog.wrap_logger(structlog.BytesLogger(io.BytesIO()), processors=logging_processors(json_output=True), logger_name="task").bind()
    task = models.TaskInstance(id=uuid.uuid4(), task_id="task", dag_id="dag", run_id="run", try_number=1, map_index=-1,
                               dag_version_id=uuid.uuid4(), queue="native")
    coordinator = ExecutableCoordinator(executables_root=[folder])
    ended = coordinator.execute_task(what=task, dag_rel_path="dag.py", bundle_info=None, client=Client(), logger=log,
                                     subprocess_logs_to_stdout=False)
    told = [call for call in calls if call not in ("start", "heartbeat")]
    print(f"{say}: exit code {ended.exit_code}, final state {ended.final_state}, told to the server: {', '.join(told) or 'nothing'}")


run("nothing")
run("retry")
PYTHON
cat >task.py <<'PYTHON'
import datetime
import os
import socket
import sys

import msgspec

address = {arg.split("=")[0]: arg.split("=")[1].split(":") for arg in sys.argv[1:]}
comm = socket.create_connection((address["--comm"][0], int(address["--comm"][1])))
logs = socket.create_connection((address["--logs"][0], int(address["--logs"][1])))


def read():
    def exactly(count):
        data = b""
        while len(data) < count:
            data += comm.recv(count - len(data))
        return data

    return msgspec.msgpack.decode(exactly(int.from_bytes(exactly(4), "big")))


def say(body):
    frame = msgspec.msgpack.encode([1, body])
    comm.sendall(len(frame).to_bytes(4, "big") + frame)
    return read()


read()
if os.environ["SAY"] == "retry":
    say({"type": "RetryTask", "state": "up_for_retry", "end_date": datetime.datetime.now(datetime.timezone.utc).isoformat()})
PYTHON
AIRFLOW_HOME=$work/home python/bin/python -W ignore supervise.py 2>stderr | grep "^nothing:\|^retry:" | tee seen
diff - seen <<'SEEN' || { tail -n 5 stderr >&2; echo "the behavior has changed" >&2; exit 1; }
nothing: exit code 0, final state TaskInstanceState.SUCCESS, told to the server: nothing
retry: exit code 0, final state up_for_retry, told to the server: retry
SEEN
