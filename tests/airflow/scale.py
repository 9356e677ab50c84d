"""Two Celery workers with folders of their own: figures beside Python tasks, a thousand elements, a killed worker, and the event archive.

usage: scale.py URL ROOT [PART]...
ROOT has the bundles in `bundles` and the DAGs in `dags`; the environment is that of Airflow's processes. Parts are cold, figures, memory,
thousand, killed and archive; without one, all.
"""

import collections
import datetime
import gzip
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

from airflow_api import Api

PYTHON_QUEUE = "default"


class Worker:
    """A Celery worker with a home and bundles of its own, and without access to the database."""

    def __init__(self, root, number):
        self.number, self.folder = number, os.path.join(root, f"worker{number}")
        bundles = os.path.join(self.folder, "bundles")
        os.makedirs(os.path.join(self.folder, "dags"))
        shutil.copytree(os.path.join(root, "bundles"), bundles)
        shutil.copy(os.path.join(root, "dags", "beside.py"), os.path.join(self.folder, "dags"))
        coordinators = json.loads(os.environ["AIRFLOW__SDK__COORDINATORS"])
        coordinators["rust"]["kwargs"]["executables_root"] = [bundles]
        self.environment = dict(
            os.environ, AIRFLOW_HOME=self.folder, AIRFLOW__CORE__DAGS_FOLDER=os.path.join(self.folder, "dags"),
            AIRFLOW__LOGGING__BASE_LOG_FOLDER=os.path.join(self.folder, "logs"), AIRFLOW__SDK__COORDINATORS=json.dumps(coordinators),
            AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{self.folder}/none.db")
        self.log = os.path.join(self.folder, "worker.log")

    def start(self):
        with open(self.log, "ab") as log:
            begun = log.tell()
            command = ["airflow", "celery", "worker", "-H", f"w{self.number}@host", "-q", f"rust,{PYTHON_QUEUE}", "-c", "4"]
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        return begun

    def wait_until_ready(self, begun, seconds=180):
        until = time.time() + seconds
        while time.time() < until:
            with open(self.log, "rb") as log:
                log.seek(begun)
                if b" ready." in log.read():
                    return
            time.sleep(0.3)
        raise RuntimeError(f"worker {self.number} is not ready: see {self.log}")

    def kill(self):
        """Kills all of the worker's processes, its tasks' included."""
        killed = len(tree(self.process.pid))
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return killed

    def end(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


def tree(root):
    """A process and all its descendants."""
    children = collections.defaultdict(list)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                children[int(stat.read().rsplit(")", 1)[1].split()[1])].append(int(pid))
        except OSError:
            pass  # It has ended.
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def memory(pid):
    """The private dirty memory of a process and its proportional set size, in MiB."""
    sums = collections.Counter()
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as rollup:
            for line in rollup:
                name, _, rest = line.partition(":")
                if name in ("Private_Dirty", "Pss"):
                    sums[name] += int(rest.split()[0])
    except OSError:
        pass
    return sums["Private_Dirty"] / 1024, sums["Pss"] / 1024


def seconds_of(of):
    parse = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (parse(of["end_date"]) - parse(of["start_date"])).total_seconds()


class Trial:
    def __init__(self, url, root):
        self.api, self.root = Api(url), root
        self.workers = [Worker(root, number) for number in (1, 2)]
        self.failed = []

    def check(self, is_so, what):
        print(f"  {'ok' if is_so else 'FAILED'}: {what}", flush=True)
        if not is_so:
            self.failed.append(what)

    def run(self, dag, conf=None, seconds=900):
        run = self.api.trigger(dag, conf)
        ended = self.api.wait(dag, run, seconds)
        return run, ended

    def timed(self, dag, conf=None):
        """How long a run took, how long each of its tasks took, and how long each held its slot."""
        before = [os.path.getsize(worker.log) for worker in self.workers]
        run, ended = self.run(dag, conf)
        tasks = [task for task in self.api.tasks(dag, run) if task["start_date"]]
        self.check(ended["state"] == "success", f"{dag} is a success")
        held, self.split = [], []
        time.sleep(1)
        for worker, begun in zip(self.workers, before):
            with open(worker.log, encoding="utf-8", errors="replace") as log:
                log.seek(begun)
                of_worker = [float(took) for took in re.findall(r"succeeded in ([0-9.]+)s", log.read())]
            held += of_worker
            self.split.append(len(of_worker))
        return seconds_of(ended), statistics.median(map(seconds_of, tasks)), statistics.median(held) if held else None

    # ---- the parts

    def cold(self):
        print("cold start, from the executable's start to its connection:", flush=True)
        bundle = os.path.join(self.root, "bundles", "airflow-pipelines")
        for size in (os.path.getsize(bundle), 60 << 20):
            padded = os.path.join(self.root, "padded")
            shutil.copy(bundle, padded)
            with open(padded, "ab") as file:
                file.write(os.urandom(max(0, size - os.path.getsize(padded))))
            took = sorted(connects_within(padded) for _ in range(40))
            print(f"  {size >> 20} MiB: median {took[20] * 1000:.1f} ms, 38th of 40 {took[37] * 1000:.1f} ms", flush=True)
            self.check(took[20] < 0.03, "at most 30 ms")

    def figures(self):
        for shape, conf in (("chain", {}), ("fan", {"n": 100})):
            of = collections.defaultdict(list)
            # Native and Python runs alternate, so that other load affects both.
            for _ in range(3):
                for dag in (shape, f"python_{shape}"):
                    of[dag].append(self.timed(dag, conf))
            native, python = of[shape], of[f"python_{shape}"]
            print(f"{shape}: runs of {said(native, 0)} s, Python's {said(python, 0)} s; a task {said(native, 1)} s, Python's {said(python, 1)} s; "
                  f"a slot is held for {said(native, 2)} s, by Python {said(python, 2)} s", flush=True)
            ratio = lambda at: statistics.median(p[at] for p in python) / statistics.median(n[at] for n in native)
            # Of a native task's time about 3 ms are its own. The rest is Airflow's server answering two requests, which Python
            # tasks make as well.
            print(f"  {shape}: a task takes {ratio(1):.1f} times less than Python's", flush=True)
            if shape == "fan":
                self.check(ratio(0) >= 2, f"fan: twice as fast as Python's, or faster ({ratio(0):.2f} times)")
            late = statistics.median(n[2] - n[1] for n in native)
            self.check(late < 1, f"{shape}: a slot is free in the second in which the task has ended ({late:.2f} s)")

    def memory(self):
        idle = self.footprint()
        each = {}
        for dag in ("waiting", "python_waiting"):
            run = self.api.trigger(dag, {"seconds": 25})
            self.until(lambda: sum(task["state"] == "running" for task in self.api.tasks(dag, run)) == 8, 120)
            time.sleep(5)
            each[dag] = [(now - before) / 8 for now, before in zip(self.footprint(), idle)]
            if dag == "waiting":
                own = [memory(pid) for worker in self.workers for pid in tree(worker.process.pid) if is_ours(pid)]
                self.check(len(own) == 8, f"eight processes of ours wait ({len(own)})")
                print(f"  our processes: {max(own)[0]:.2f} MiB of its own at most", flush=True)
                self.check(max(own)[0] <= 1, "a waiting sensor has at most 1 MiB of its own")
            self.api.wait(dag, run, 300)
            time.sleep(3)
        native, python = each["waiting"], each["python_waiting"]
        print(f"memory, of both workers with all of their processes: a waiting sensor adds {native[0]:.2f} MiB of its own and {native[1]:.2f} with "
              f"what is shared, one of Python's {python[0]:.2f} and {python[1]:.2f}", flush=True)

    def footprint(self):
        each = [memory(pid) for worker in self.workers for pid in tree(worker.process.pid)]
        return [sum(of) for of in zip(*each)]

    def until(self, is_so, seconds):
        until = time.time() + seconds
        while not is_so():
            if time.time() > until:
                raise RuntimeError(f"not within {seconds} s")
            time.sleep(0.3)

    def thousand(self):
        took, _, _ = self.timed("fan", {"n": 1000})
        print(f"a thousand elements: {took:.0f} s, {' and '.join(map(str, self.split))} tasks by the two workers", flush=True)

    def killed(self):
        ledger = os.path.join(self.root, "ledger")
        of = lambda what: [int(line.split()[1]) for line in lines(ledger) if line.startswith(what)]
        run = self.api.trigger("ledger", {"n": 1000, "seconds": 1, "ledger": ledger})
        self.until(lambda: len(of("ended")) >= 400, 900)
        killed = self.workers[0].kill()
        ended = len(of("ended"))
        print(f"a worker killed with its {killed} processes, after {ended} of 1000 elements", flush=True)
        begun = self.workers[0].start()
        self.workers[0].wait_until_ready(begun)
        state = self.api.wait("ledger", run, 1800)["state"]
        times = collections.Counter(of("ended"))
        twice = sorted(n for n, count in times.items() if count > 1)
        self.check(state == "success", f"the run is a success ({state})")
        self.check(len(times) == 1000, f"all 1000 elements ran ({len(times)})")
        self.check(len(twice) <= 4, f"no more than the worker's 4 slots ran twice ({len(twice)})")
        begun = collections.Counter(of("begun"))
        print(f"  begun more than once: {sum(count > 1 for count in begun.values())}, ended more than once: {len(twice)}", flush=True)
        output = self.api.xcom("ledger", run, "sum")
        self.check(output == sum(range(1000)), f"their sum is right ({output})")

    def archive(self):
        source = os.path.join(self.root, "source")
        many = ["customer_order_event", "product_viewed_event", "customer_new_customer_event"]
        for event in many:
            for hour in range(200):
                self.arrives(source, event, hour, 10)
                self.arrives(source, event, hour, 40)
        self.archived(source, kill=True)
        # Late files in some of the hours.
        for hour in range(0, 200, 7):
            self.arrives(source, many[0], hour, 59)
        self.archived(source, kill=False)

    def arrives(self, source, event, hour, minute):
        day, hour = f"2026-10-{1 + hour // 24:02}", hour % 24
        folder = os.path.join(source, "source", event, day)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"{hour:02}_{minute:02}_file_{minute}.csv"), "w", encoding="utf-8") as file:
            file.write(f"id,event\n{hour * 60 + minute},{event}\n")

    def archived(self, source, kill):
        targets = {of: os.path.join(self.root, f"target-{of}") for of in ("airflow", "ours")}
        for target in targets.values():
            os.makedirs(target, exist_ok=True)
        conf = {"source": f"file://{source}", "target": f"file://{targets['airflow']}"}
        run = self.api.trigger("event_archive", conf)
        if kill:
            is_running = lambda task: task["task_id"] == "archive_hour.each" and task["state"] == "running"
            self.until(lambda: any(is_running(task) for task in self.api.tasks("event_archive", run)), 300)
            self.workers[1].kill()
            print("event archive: a worker killed while hours are archived", flush=True)
            self.workers[1].wait_until_ready(self.workers[1].start())
        ended = self.api.wait("event_archive", run, 900)
        self.check(ended["state"] == "success", f"the run of the event archive is a success, after {seconds_of(ended):.0f} s")
        ours = [os.path.join(self.root, "bundles", "airflow-pipelines"), "--journal", os.path.join(self.root, "archive.db"), "run", "event_archive", "--new",
                "--param", f"source=file://{source}", "--param", f"target=file://{targets['ours']}"]
        subprocess.run(ours, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        here, there = archives(targets["ours"]), archives(targets["airflow"])
        self.check(len(here) == 600, f"600 archives, of 3 events in 200 hours ({len(here)})")
        self.check(here == there, f"all of them as by our own engine, row by row ({sum(map(len, here.values()))} rows)")


def archives(target):
    """Returns the rows of each archive."""
    found = {}
    for folder, _, files in os.walk(target):
        for name in files:
            if name.endswith(".csv.gz"):
                path = os.path.join(folder, name)
                with gzip.open(path, "rt", encoding="utf-8") as rows:
                    found[os.path.relpath(path, target)] = sorted(rows.read().splitlines())
    return found


def is_ours(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "airflow-pipelines"
    except OSError:
        return False


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def said(of, at):
    return ", ".join("-" if one[at] is None else f"{one[at]:.2f}" for one in of)


def connects_within(executable):
    comm, logs = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    address = lambda of: "%s:%s" % of.getsockname()
    begun = time.perf_counter()
    process = subprocess.Popen([executable, f"--comm={address(comm)}", f"--logs={address(logs)}"], stderr=subprocess.DEVNULL)
    connections = [comm.accept()[0], logs.accept()[0]]
    took = time.perf_counter() - begun
    for of in (comm, logs, *connections):
        of.close()
    process.wait()
    return took


def main():
    url, root, *only = sys.argv[1:]
    trial = Trial(url, root)
    begun = [worker.start() for worker in trial.workers]
    try:
        trial.api.wait_until_up(["fan", "chain", "ledger", "waiting", "event_archive", "python_fan", "python_chain", "python_waiting"], 180)
        for worker, at in zip(trial.workers, begun):
            worker.wait_until_ready(at)
        print("Airflow is up, with two workers", flush=True)
        # The first task in each process of a worker imports Airflow.
        for dag in ("fan", "python_fan"):
            trial.run(dag, {"n": 40})
        for part in only or ["cold", "figures", "memory", "thousand", "killed", "archive"]:
            print(f"---- {part}, {time.strftime('%H:%M:%S')}, load {os.getloadavg()[0]:.1f}", flush=True)
            getattr(trial, part)()
    finally:
        for worker in trial.workers:
            worker.end()
    print(f"{len(trial.failed)} failed" + "".join(f"\n  {what}" for what in trial.failed))
    return 1 if trial.failed else 0


if __name__ == "__main__":
    sys.exit(main())
