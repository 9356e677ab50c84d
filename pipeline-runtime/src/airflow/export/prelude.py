from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from datetime import datetime, timedelta, timezone

try:
    from airflow.sdk import (
        DAG, Asset, BaseOperator, BaseSensorOperator, CronDataIntervalTimetable, DeltaDataIntervalTimetable, Param, Variable,
        Connection, task_group,
    )
    from airflow.sdk.execution_time.xcom import XCom
    from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException, AirflowSkipException
    from airflow.sdk.log import mask_secret

    AIRFLOW_2 = False
except ImportError:
    from airflow import DAG
    from airflow.datasets import Dataset
    from airflow.decorators import task_group
    from airflow.exceptions import AirflowFailException, AirflowRescheduleException, AirflowSkipException
    from airflow.models import BaseOperator, Connection, Variable
    from airflow.models.param import Param
    from airflow.sensors.base import BaseSensorOperator
    from airflow.timetables.interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable
    from airflow.utils.log.secrets_masker import mask_secret

    AIRFLOW_2 = True

    def Asset(name, uri):
        return Dataset(uri)


class Conversation:
    """Answers in place of Airflow's supervisor where no coordinator has started the executable."""

    def __init__(self, context, log):
        self.context, self.ti, self.log, self.output = context, context["ti"], log, None
        self.kept = f"pipeline_node/{self.ti.dag_id}/{self.ti.run_id}/{self.ti.task_id}/{self.ti.map_index}"

    def startup(self):
        ti, run, context = self.ti, self.context["dag_run"], self.context
        at = lambda name: getattr(run, name, None)
        text = lambda time: time.isoformat() if time else None
        tries = getattr(ti, "max_tries", None)
        tries = self.context["task"].retries if tries is None else tries
        kind = str(getattr(run.run_type, "value", run.run_type))
        events = []
        # Read only for runs that assets triggered: in `dags test` the lookup may fail in Airflow 2.
        begun_by = {"asset_triggered": "triggering_asset_events", "dataset_triggered": "triggering_dataset_events"}.get(kind)
        for event in [e for of in (begun_by and context.get(begun_by) or {}).values() for e in of]:
            asset = getattr(event, "asset", None) or getattr(event, "dataset", None)
            events.append({"asset": {"name": getattr(asset, "name", None) or getattr(asset, "uri", "")}, "extra": event.extra,
                           "timestamp": text(getattr(event, "timestamp", None))})
        return {
            "type": "StartupDetails",
            "ti": {"id": str(getattr(ti, "id", "")), "task_id": ti.task_id, "dag_id": ti.dag_id, "run_id": ti.run_id,
                   "try_number": ti.try_number, "map_index": ti.map_index},
            "ti_context": {
                "max_tries": tries, "should_retry": ti.try_number <= tries, "xcom_keys_to_clear": [],
                "dag_run": {
                    "logical_date": text(at("logical_date")), "run_after": text(at("run_after")), "start_date": text(at("start_date")),
                    "data_interval_start": text(context.get("data_interval_start")),
                    "data_interval_end": text(context.get("data_interval_end")),
                    "run_type": kind, "conf": run.conf or {},
                    "consumed_asset_events": events,
                },
            },
        }

    def pull_all(self, task_id, key):
        if AIRFLOW_2:
            return self.ti.xcom_pull(task_ids=task_id, key=key, map_indexes=range(MAX_ELEMENTS))
        return XCom.get_all(run_id=self.ti.run_id, dag_id=self.ti.dag_id, task_id=task_id, key=key)

    def states(self, ask):
        if not AIRFLOW_2:
            return self.ti.get_task_states(dag_id=ask["dag_id"], run_ids=ask["run_ids"], task_ids=ask["task_ids"])
        found = {}
        for ti in self.context["dag_run"].get_task_instances():
            if ask["task_ids"] is None or ti.task_id in ask["task_ids"]:
                found[ti.task_id if ti.map_index < 0 else f"{ti.task_id}_{ti.map_index}"] = ti.state and str(ti.state)
        return {ask["run_ids"][0]: found}

    def answer(self, ask):
        kind = ask["type"]
        if kind == "GetXCom":
            # Without an index Airflow uses that of the calling task.
            found = self.ti.xcom_pull(task_ids=ask["task_id"], key=ask["key"], map_indexes=ask.get("map_index", -1))
            return {"key": ask["key"], "value": plain(found)}
        if kind == "GetXComSequenceSlice":
            return {"root": plain(list(self.pull_all(ask["task_id"], ask["key"]) or []))}
        if kind == "SetXCom":
            if ask["key"] == "return_value":
                # Airflow maps over what an operator returns, not over what it pushes.
                self.output = ask["value"]
            else:
                self.ti.xcom_push(key=ask["key"], value=ask["value"])
            return None
        if kind == "GetTaskStates":
            return {"task_states": {run: {task: state and str(getattr(state, "value", state)) for task, state in of.items()}
                                    for run, of in self.states(ask).items()}}
        if kind == "GetTaskStateStore":
            kept = Variable.get(self.kept, None) if not AIRFLOW_2 else Variable.get(self.kept, default_var=None)
            return missing("TASK_STORE_NOT_FOUND") if kept is None else {"value": json.loads(kept)}
        if kind == "SetTaskStateStore":
            Variable.set(self.kept, json.dumps(ask["value"]))
            return {"ok": True}
        if kind == "GetVariable":
            found = Variable.get(ask["key"], None) if not AIRFLOW_2 else Variable.get(ask["key"], default_var=None)
            return missing("VARIABLE_NOT_FOUND") if found is None else {"key": ask["key"], "value": found}
        if kind == "GetConnection":
            try:
                of = Connection.get(ask["conn_id"]) if not AIRFLOW_2 else Connection.get_connection_from_secrets(ask["conn_id"])
            except Exception:
                return missing("CONNECTION_NOT_FOUND")
            return {name: getattr(of, name, None) for name in ("conn_id", "conn_type", "host", "schema", "login", "password", "port", "extra")}
        if kind == "MaskSecret":
            mask_secret(ask["value"])
            return None
        if kind == "GetPrevSuccessfulDagRun":
            text = lambda name: (lambda time: time.isoformat() if time else None)(self.context.get(name))
            return {"data_interval_start": text("prev_data_interval_start_success"),
                    "data_interval_end": text("prev_data_interval_end_success"), "start_date": text("prev_start_date_success")}
        if kind in ("SetRenderedMapIndex", "DeleteXCom"):
            return None
        raise ValueError(f"this export does not know a `{kind}`: export it again")

    def forget(self):
        try:
            Variable.delete(self.kept)
        except Exception:
            pass


MAX_ELEMENTS = 100_000


def plain(value):
    """Returns an XCom as plain JSON values."""
    return value if value is None or isinstance(value, (str, int, float, bool)) else json.loads(json.dumps(value))


def missing(code):
    return {"type": "ErrorResponse", "error": code}


def run(operator, context):
    """Runs the executable as Airflow's coordinator would, and ends in the state that it reports."""
    log = operator.log
    listener = socket.create_server(("127.0.0.1", 0))
    address = "%s:%s" % listener.getsockname()
    logs_listener = socket.create_server(("127.0.0.1", 0))
    logs_address = "%s:%s" % logs_listener.getsockname()
    try:
        process = subprocess.Popen([BUNDLE, f"--comm={address}", f"--logs={logs_address}", "--wire=json"])
    except OSError as error:
        raise AirflowFailException(
            f"{error}: no coordinator serves the queue {QUEUE!r}, so the operator starts the executable itself: put it there, or set its path "
            "in PIPELINE_BUNDLE; or set AIRFLOW__SDK__COORDINATORS and AIRFLOW__SDK__QUEUE_TO_COORDINATOR where tasks run") from None
    operator.process = process
    conversation, last = Conversation(context, log), None
    try:
        for of in (listener, logs_listener):
            of.settimeout(30)
        comm, _ = listener.accept()
        logs, _ = logs_listener.accept()
        for of in (comm, logs):
            of.settimeout(None)

        def tell():
            for line in logs.makefile("r", encoding="utf-8", errors="replace"):
                said = json.loads(line)
                fields = "".join(f" {name}={value}" for name, value in said.get("fields", {}).items())
                getattr(log, said["level"], log.info)("%s: %s%s", said["logger"], said["event"], fields)

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        send = lambda message: comm.sendall((json.dumps(message) + "\n").encode())
        send([0, conversation.startup(), None])
        for line in comm.makefile("r", encoding="utf-8"):
            number, ask = json.loads(line)
            if ask["type"] in ("SucceedTask", "TaskState", "RetryTask", "RescheduleTask"):
                last = ask
                send([number, None, None])
                break
            try:
                send([number, conversation.answer(ask), None])
            except Exception as error:
                log.exception("%s", ask["type"])
                send([number, None, {"error": "API_SERVER_ERROR", "detail": {"status_code": None, "message": repr(error)}}])
        code = process.wait()
        teller.join(10)
    finally:
        end(process)
        listener.close()
        logs_listener.close()
    if last is None:
        raise RuntimeError(f"the executable exited with code {code} and reported no end: see its log")
    kind, state = last["type"], last["state"]
    if kind == "RescheduleTask":
        raise AirflowRescheduleException(datetime.fromisoformat(last["reschedule_date"].replace("Z", "+00:00")))
    if kind == "RetryTask":
        raise RuntimeError(last.get("retry_reason") or "the attempt failed")
    conversation.forget()
    if state == "skipped":
        raise AirflowSkipException("the task was skipped: see its log")
    if state != "success":
        raise AirflowFailException("the task failed: see its log")
    for event in last.get("outlet_events", []):
        of = [outlet for outlet in context["task"].outlets if getattr(outlet, "name", None) == event["dest_asset_key"]["name"] or outlet.uri == event["dest_asset_key"]["uri"]]
        for outlet in of:
            context["outlet_events"][outlet].extra = event["extra"]
    return conversation.output


def end(process):
    """Terminates the executable, which drops its running body first."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()


class PipelineTask(BaseOperator):
    """A node of a pipeline. Where a coordinator serves the queue, Airflow starts the executable itself, and never calls this."""

    process = None

    def execute(self, context):
        return run(self, context)

    def on_kill(self):
        end(self.process)


class PipelineSensor(BaseSensorOperator):
    """A sensor that frees its slot between two pokes."""

    process = None

    def execute(self, context):
        return run(self, context)

    def on_kill(self):
        end(self.process)
