"""The pipelines of figures.rs as Python tasks, to be measured beside them."""

import time

from airflow.sdk import DAG, Param, task

# A task's process reads this file when it starts.
BEGUN = time.time()

with DAG("python_chain"):

    @task
    def step(n):
        return n + 1

    last = step(0)
    for _ in range(9):
        last = step(last)

with DAG("python_fan", params={"n": Param(100, type="integer")}):

    @task
    def numbers(params):
        return list(range(params["n"]))

    @task
    def element(n):
        return n + 1

    element.expand(n=numbers())

with DAG("python_waiting", params={"seconds": Param(0, type="integer")}):
    for number in range(1, 9):

        @task.sensor(task_id=f"sensor_{number}", mode="poke", poke_interval=1, timeout=600)
        def sensor(params):
            return time.time() - BEGUN >= params["seconds"]

        sensor()
