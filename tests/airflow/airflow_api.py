"""A small client of Airflow's REST API."""

import datetime
import json
import time
import urllib.error
import urllib.parse
import urllib.request

quote = lambda text: urllib.parse.quote(text, safe="")


class Api:
    def __init__(self, url):
        self.url, self.token = url, None
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method, path, body=None):
        if self.token is None:
            self.token = json.load(self.opener.open(self.url + "/auth/token"))["access_token"]
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        try:
            answer = self.opener.open(request).read()
        except urllib.error.HTTPError as error:
            if error.code == 404 and method == "GET":
                return None
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()[:600]}") from None
        return json.loads(answer) if answer else None

    def wait_until_up(self, dags, seconds):
        """Returns once the scheduler is healthy and all of these DAGs exist."""
        until, why = time.time() + seconds, None
        while time.time() < until:
            try:
                health = json.load(self.opener.open(self.url + "/api/v2/monitor/health"))
                why = [dag for dag in dags if self.call("GET", f"/api/v2/dags/{dag}/details") is None]
                if health["scheduler"]["status"] == "healthy" and not why:
                    return
            except (OSError, RuntimeError) as error:
                why = error
            time.sleep(0.5)
        raise RuntimeError(f"Airflow is not up within {seconds} s: {why}; {self.call('GET', '/api/v2/importErrors')}")

    def trigger(self, dag, conf=None):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        for tries_left in reversed(range(10)):
            try:
                return self.call("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": now, "conf": conf or {}})["dag_run_id"]
            except RuntimeError as error:
                # SQLite is locked now and then, and Airflow's API then fails instead of waiting.
                if ": 500 " not in str(error) or not tries_left:
                    raise
                time.sleep(1)

    def wait(self, dag, run, seconds):
        until = time.time() + seconds
        while time.time() < until:
            found = self.call("GET", f"/api/v2/dags/{dag}/dagRuns/{quote(run)}")
            if found["state"] in ("success", "failed"):
                return found
            time.sleep(0.3)
        raise RuntimeError(f"{dag}: the run {run} has not ended within {seconds} s")

    def wait_for_run(self, dag, seconds):
        """The id of a run that something else has started, once it has ended."""
        until = time.time() + seconds
        while time.time() < until:
            runs = self.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]
            if runs and runs[0]["state"] in ("success", "failed"):
                return runs[0]["dag_run_id"]
            time.sleep(0.3)
        return None

    def tasks(self, dag, run):
        found = []
        while True:
            page = self.call("GET", f"/api/v2/dags/{dag}/dagRuns/{quote(run)}/taskInstances?limit=100&offset={len(found)}")
            found += page["task_instances"]
            if len(found) >= page["total_entries"]:
                return found

    def xcom(self, dag, run, task, index=-1, key="return_value"):
        found = self.call(
            "GET", f"/api/v2/dags/{dag}/dagRuns/{quote(run)}/taskInstances/{task}/xcomEntries/{key}?map_index={index}&deserialize=false")
        return found and found["value"]

    def log(self, dag, run, task, attempt=1, index=-1):
        found = self.call("GET", f"/api/v2/dags/{dag}/dagRuns/{quote(run)}/taskInstances/{task}/logs/{attempt}?map_index={index}&full_content=true")
        return found["content"] if found else []
