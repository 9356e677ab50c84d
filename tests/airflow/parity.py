"""Runs each pipeline by our engine and by a running Airflow, and compares the nodes: states, outputs, attempts and skips.

usage: parity.py BINARY URL FOLDER [PIPELINE]...
BINARY is airflow-pipelines, whose export the Airflow at URL has; FOLDER is for our journals. Exits with 1 if there is a difference that the table
in docs/airflow.md does not list.
"""

import concurrent.futures
import json
import os
import subprocess
import sys

from airflow_api import Api

# Outputs that contain a duration.
TIMES = {("advanced_cloud_sensors", "enterprise_critical_sensor"), ("advanced_cloud_sensors", "analyze_performance")}
# Fields that differ between copies of one file in two stores.
OF_A_FILE = {"etag", "last_modified", "version"}


def conf(pipeline, folder, of):
    """The params of the exercises: the places of their files."""
    if pipeline == "event_archive":
        return {"source": f"file://{folder}/events", "target": f"file://{folder}/{of}/archives"}
    if pipeline in ("cloud_data_pipeline", "multi_bucket_pipeline", "advanced_cloud_sensors"):
        return {"store": f"file://{folder}/{of}"}
    return {}


def ours(binary, folder, pipeline):
    journal = os.path.join(folder, f"{pipeline}.db")
    for end in ("", "-wal", "-shm", "-lock"):
        if os.path.exists(journal + end):
            os.remove(journal + end)
    told = dict(os.environ, PARITY_TOLD=os.path.join(folder, "told"))
    command = [binary, "--journal", journal, "run", pipeline]
    for name, value in conf(pipeline, folder, "ours").items():
        command += ["--param", f"{name}={value}"]
    subprocess.run(command, env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return json.loads(subprocess.run([binary, "outcome", journal], stdout=subprocess.PIPE, check=True).stdout)


def theirs(api, folder, pipeline):
    run = api.trigger(pipeline, conf(pipeline, folder, "airflow"))
    ended = api.wait(pipeline, run, 300)
    nodes = {}
    for task in api.tasks(pipeline, run):
        index = task["map_index"]
        node = task["task_id"] + (f"[{index}]" if index >= 0 else "")
        told = {"state": task["state"], "attempts": task["try_number"] if task["start_date"] else 0, "output": None,
                "label": task["rendered_map_index"]}
        if task["state"] == "success":
            told["output"] = unpacked(api.xcom(pipeline, run, task["task_id"], index))
        nodes[node] = told
        if task["task_id"].endswith(".each") and task["state"] in ("success", "failed"):
            # A mapping that is one task reports the outcomes of its nodes itself.
            within = unpacked(api.xcom(pipeline, run, task["task_id"], index, "pipeline_elements") or {}).get("nodes", {})
            nodes.update((node, of_element(came)) for node, came in within.items())
    return {"state": ended["state"], "nodes": nodes}


def of_element(came):
    if "output" in came:
        return {"state": "success", "attempts": None, "output": came["output"]}
    return {"state": came["ended"]["state"], "attempts": None, "output": None}


def unpacked(value):
    return json.loads(value["$json"]) if isinstance(value, dict) and list(value) == ["$json"] else value


def by_index(nodes):
    """Our nodes, with the keys of keyed elements replaced by their indices, as in Airflow."""
    seen, named = {}, {}
    for node, told in nodes.items():
        base, _, key = node.partition("[")
        if key and "][" not in key:
            seen.setdefault(base, []).append(node)
            node = f"{base}[{seen[base].index(node) if node in seen[base] else 0}]"
        named[node] = told
    return named


def differences(pipeline, our, their):
    found, known = [], []
    if our["state"] != their["state"]:
        found.append(f"{pipeline}: the run is {our['state']} here and {their['state']} in Airflow")
    compared = 0
    for node, told in by_index(our["nodes"]).items():
        other = their["nodes"].get(node)
        if other is None:
            continue  # A node that is decided without a body has no task in Airflow.
        compared += 1
        if told["state"] == "upstream_failed" and other["state"] == "failed":
            known.append(f"{pipeline}/{node}: upstream_failed here is failed in Airflow")
            continue
        for what in ("state", "output", "attempts"):
            here, there = told[what], other[what]
            if what == "output":
                if (pipeline, node) in TIMES:
                    continue
                here, there = without_versions(here), without_versions(there)
            if what == "attempts" and (told["state"] in ("skipped", "upstream_failed") or other["attempts"] is None):
                continue  # Airflow starts a process even for a decision, and one for all attempts of a mapping.
            if here != there:
                found.append(f"{pipeline}/{node}: {what} is {here!r} here and {there!r} in Airflow")
    if compared == 0:
        found.append(f"{pipeline}: no node was compared")
    return compared, found, known


def without_versions(value):
    if isinstance(value, dict):
        return {name: without_versions(of) for name, of in value.items() if name not in OF_A_FILE}
    return [without_versions(of) for of in value] if isinstance(value, list) else value


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return sorted(file.read().splitlines())


def beside(api, pipeline, folder, their):
    """Compares the effects of a pipeline besides its nodes."""
    if pipeline == "told":
        here, there = lines(os.path.join(folder, "told")), lines(os.environ["PARITY_TOLD"])
        if here != there:
            yield f"told: {here} were told here and {there} in Airflow"
    if pipeline == "mappings":
        labels = [their["nodes"][f"by_key[{index}]"]["label"] for index in range(2)]
        if labels != ["k0", "k1"]:
            yield f"mappings: the elements of `by_key` are called {labels} in Airflow"
    if pipeline == "updates":
        begun = api.wait_for_run("follows", 180)
        output = unpacked(api.xcom("follows", begun, "same")) if begun else None
        if output != their["nodes"]["same"]["output"]:
            yield f"updates: the run of `follows` that the asset began, {begun}, has {output!r}"


def main():
    binary, url, folder, *only = sys.argv[1:]
    api = Api(url)
    listed = subprocess.run([binary, "list", "--json"], stdout=subprocess.PIPE, check=True).stdout
    # Pipelines whose tasks wait for ever, one that an asset starts, and those that scale.py runs.
    left_out = {"upsets", "follows", "chain", "fan", "ledger", "waiting"}
    pipelines = only or [json.loads(line)["pipeline"] for line in listed.splitlines() if json.loads(line)["pipeline"] not in left_out]
    api.wait_until_up(pipelines, 180)
    api.call("POST", "/api/v2/pools", {"name": "archives", "slots": 4})
    subprocess.run([binary, "seed", folder], check=True)
    print("Airflow is up, and has all pipelines", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        theirs_of = {pipeline: pool.submit(theirs, api, folder, pipeline) for pipeline in pipelines}
        for pipeline in pipelines:
            our = ours(binary, folder, pipeline)
            compared, found, known = differences(pipeline, our, theirs_of[pipeline].result())
            found += beside(api, pipeline, folder, theirs_of[pipeline].result())
            print(f"{pipeline}: {compared} nodes compared, {len(found)} differ, {len(known)} as the table of docs/airflow.md says", flush=True)
            for line in known + found:
                print(f"  {line}")
            failed += bool(found)
    print(f"{len(pipelines) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
