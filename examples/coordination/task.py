"""One trial: runs the map-reduce with one way of coordinating and measures what it took.

Stands alone (`python3 task.py --model polling --seed 1` prints its metrics as `name=value`) and takes
part in Trialbook's task protocol when the environment variables of a run are set: metrics go to the
result file, events to the metrics file.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from channels import MODELS, CoordinatorEnd, Outcome, WorkerEnd
from corpus import Corpus
from mapreduce import Job


@dataclass
class Tally:
    """What was counted and measured in one trial."""

    attempts: int = 0
    errors: int = 0
    messages: int = 0
    idle_seconds: float = 0.0
    alive_seconds: float = 0.0
    completion_seconds: float = 0.0

    def metrics(self) -> dict[str, float]:
        """The experiment's metrics."""
        return {
            "completion_time_ms": round(self.completion_seconds * 1000, 3),
            "message_count": self.messages,
            "error_rate": self.errors / self.attempts,
            "idle_time_percent": round(100 * self.idle_seconds / self.alive_seconds, 3),
        }


@dataclass
class EventLog:
    """Appends typed events, one JSON object a line; without a file they go nowhere."""

    file: TextIO | None
    written: int = field(default=0)

    def write(self, event: str, **fields: Any) -> None:
        """Appends one event with the present time."""
        if self.file is None:
            return
        line = {"event": event, "timestamp": time.time(), **fields}
        # One write for a line: whoever reads along never sees half of it.
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()
        self.written += 1


def work(end: WorkerEnd, job: Job, start: Any, totals: Any) -> None:
    """A worker's life: take a task, do it, report, until there are no more."""
    start.wait()
    born = time.perf_counter()
    idle = 0.0
    while True:
        waiting = time.perf_counter()
        task = end.take()
        idle += time.perf_counter() - waiting
        if task is None:
            break
        try:
            job.execute(task)
        except (OSError, ValueError):
            end.report(task, Outcome.FAILED)
        else:
            end.report(task, Outcome.DONE)
    totals.put((end.messages, idle, time.perf_counter() - born))


def coordinate(hub: CoordinatorEnd, job: Job, log: EventLog, tally: Tally) -> None:
    """Offers all maps, then all reduces. A damaged file stops only itself: it is repaired and offered again."""
    for phase in ("map", "reduce"):
        tasks = [task for task in range(job.tasks) if job.is_map(task) == (phase == "map")]
        attempts = dict.fromkeys(tasks, 0)
        for task in tasks:
            hub.offer(task)
        missing = len(tasks)
        while missing:
            task, outcome = hub.collect()
            attempts[task] += 1
            tally.attempts += 1
            if outcome is Outcome.DONE:
                missing -= 1
                continue
            tally.errors += 1
            log.write(
                "error",
                error_type="damaged_input",
                error_category="validation",
                error_message=f"{phase} task failed at attempt {attempts[task]}",
                task_id=f"{phase}-{task:03d}",
            )
            if phase == "reduce":
                raise RuntimeError(f"reduce task {task} could not read what the maps wrote")
            job.corpus.repair(task, attempts[task])
            hub.offer(task)
        log.write("phase_end", phase=phase, tasks=len(tasks), attempts=sum(attempts.values()))


def run_trial(job: Job, model: str, workers: int, poll_interval: float, log: EventLog) -> Tally:
    """Starts the workers, coordinates them through one channel and measures."""
    context = multiprocessing.get_context()
    hub = MODELS[model](context, workers, job.tasks, poll_interval)
    start = context.Barrier(workers + 1)
    totals = context.SimpleQueue()
    processes = [
        context.Process(target=work, args=(hub.worker_end(worker), job, start, totals), daemon=True)
        for worker in range(workers)
    ]
    tally = Tally()
    for process in processes:
        process.start()
    start.wait()
    begun = time.perf_counter()
    coordinate(hub, job, log, tally)
    tally.completion_seconds = time.perf_counter() - begun
    hub.stop()
    for _ in processes:
        messages, idle, alive = totals.get()
        tally.messages += messages
        tally.idle_seconds += idle
        tally.alive_seconds += alive
    tally.messages += hub.messages
    deque((process.join() for process in processes), maxlen=0)
    return tally


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=sorted(MODELS), required=True)
    parser.add_argument("--agents", type=int, default=5, help="number of worker processes")
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--partitions", type=int, default=5)
    parser.add_argument("--fault-rate", type=float, default=0.03, help="share of deliveries that are damaged")
    parser.add_argument("--poll-interval-ms", type=float, default=5.0)
    parser.add_argument("--seed", type=int, required=True)
    return parser.parse_args(arguments)


def trial(options: argparse.Namespace, directory: Path, log: EventLog) -> dict[str, float]:
    """Generates the input, runs one trial in `directory`, checks the outcome, returns the metrics."""
    corpus = Corpus(directory / "input", options.seed, options.files, options.fault_rate)
    truth = corpus.generate()
    output = directory / "output"
    output.mkdir()
    job = Job(corpus, output, options.partitions)
    log.write("task_start", task_id="map_reduce", agent_type=options.model, words=truth.total())
    begun = time.perf_counter()
    tally = run_trial(job, options.model, options.agents, options.poll_interval_ms / 1000, log)
    if job.counts() != truth:
        raise RuntimeError("the word counts differ from those of the generated text")
    milliseconds = round((time.perf_counter() - begun) * 1000, 3)
    log.write("task_end", task_id="map_reduce", status="success", duration_ms=milliseconds)
    return tally.metrics()


def main(arguments: list[str]) -> int:
    """Runs one trial and hands its metrics over."""
    options = parse(arguments)
    metrics_file = os.environ.get("TRIALBOOK_METRICS_FILE")
    result_file = os.environ.get("TRIALBOOK_RESULT_FILE")
    with tempfile.TemporaryDirectory(prefix="coordination-") as directory:
        if metrics_file:
            with open(metrics_file, "a", encoding="utf-8") as file:
                metrics = trial(options, Path(directory), EventLog(file))
        else:
            metrics = trial(options, Path(directory), EventLog(None))
    if result_file:
        Path(result_file).write_text(json.dumps({"metrics": metrics}), encoding="utf-8")
    else:
        print("\n".join(f"{name}={value}" for name, value in metrics.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
