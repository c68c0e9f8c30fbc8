"""Three ways for a coordinator and its workers to talk. The work is the same; only the talk differs.

- cue_based: every worker has its own inbox. It says that it is free and waits; the coordinator picks one
  task for one worker and cues it.
- event_driven: one shared queue. The coordinator publishes tasks when they become possible; whichever
  worker wakes first takes one; outcomes come back as events.
- polling: nobody is told anything. Workers and coordinator look at a shared table at fixed intervals.

A message is anything sent (a queue's item) or one look at shared state. Each side counts what it does
itself; the totals are added up at the end, so that nothing is counted twice or estimated.
"""

from __future__ import annotations

import enum
import time
from typing import Any, Protocol

STOP = -1


class Outcome(enum.IntEnum):
    """How a task ended."""

    DONE = 0
    FAILED = 1


class WorkerEnd(Protocol):
    """What a worker sees of a channel."""

    messages: int

    def take(self) -> int | None:
        """Waits for a task; None means that there will be no more."""

    def report(self, task: int, outcome: Outcome) -> None:
        """Tells how the task taken last ended."""


class CoordinatorEnd(Protocol):
    """What the coordinator sees of a channel."""

    messages: int

    def offer(self, task: int) -> None:
        """Makes a task available to the workers."""

    def collect(self) -> tuple[int, Outcome]:
        """Waits for a task to end."""

    def stop(self) -> None:
        """Lets every worker end once it is free."""

    def worker_end(self, worker: int) -> WorkerEnd:
        """The end for worker number `worker`, to be used in its process."""


class CueBased:
    """One inbox for each worker, one for the coordinator."""

    def __init__(self, context: Any, workers: int, tasks: int, poll_interval: float) -> None:
        self.messages = 0
        self._hub = context.SimpleQueue()
        self._inboxes = [context.SimpleQueue() for _ in range(workers)]
        self._pending: list[int] = []
        self._free: list[int] = []

    def offer(self, task: int) -> None:
        self._pending.append(task)
        self._cue()

    def collect(self) -> tuple[int, Outcome]:
        while True:
            worker, task, outcome = self._hub.get()
            self._free.append(worker)
            self._cue()
            if task != STOP:
                return task, Outcome(outcome)

    def stop(self) -> None:
        # A worker that has not announced itself yet finds the message when it does.
        for inbox in self._inboxes:
            inbox.put(STOP)
            self.messages += 1

    def worker_end(self, worker: int) -> WorkerEnd:
        return _CueWorker(worker, self._hub, self._inboxes[worker])

    def _cue(self) -> None:
        while self._pending and self._free:
            # First come, first served on both sides.
            self._inboxes[self._free.pop(0)].put(self._pending.pop(0))
            self.messages += 1


class _CueWorker:
    def __init__(self, worker: int, hub: Any, inbox: Any) -> None:
        self.messages = 0
        self._worker = worker
        self._hub = hub
        self._inbox = inbox
        self._announced = False

    def take(self) -> int | None:
        if not self._announced:
            self._announced = True
            self._send(STOP, Outcome.DONE)
        task = self._inbox.get()
        return None if task == STOP else task

    def report(self, task: int, outcome: Outcome) -> None:
        # The report also says that this worker is free again.
        self._send(task, outcome)

    def _send(self, task: int, outcome: Outcome) -> None:
        self._hub.put((self._worker, task, int(outcome)))
        self.messages += 1


class EventDriven:
    """One queue of tasks for all workers, one queue of outcomes back."""

    def __init__(self, context: Any, workers: int, tasks: int, poll_interval: float) -> None:
        self.messages = 0
        self._workers = workers
        self._tasks = context.SimpleQueue()
        self._outcomes = context.SimpleQueue()

    def offer(self, task: int) -> None:
        self._tasks.put(task)
        self.messages += 1

    def collect(self) -> tuple[int, Outcome]:
        task, outcome = self._outcomes.get()
        return task, Outcome(outcome)

    def stop(self) -> None:
        for _ in range(self._workers):
            self.offer(STOP)

    def worker_end(self, worker: int) -> WorkerEnd:
        return _EventWorker(self._tasks, self._outcomes)


class _EventWorker:
    def __init__(self, tasks: Any, outcomes: Any) -> None:
        self.messages = 0
        self._tasks = tasks
        self._outcomes = outcomes

    def take(self) -> int | None:
        task = self._tasks.get()
        return None if task == STOP else task

    def report(self, task: int, outcome: Outcome) -> None:
        self._outcomes.put((task, int(outcome)))
        self.messages += 1


class _State(enum.IntEnum):
    ABSENT = 0
    READY = 1
    TAKEN = 2
    DONE = 3
    FAILED = 4
    SEEN = 5


class Polling:
    """A shared table with one state for each task; the last slot says that all is over."""

    def __init__(self, context: Any, workers: int, tasks: int, poll_interval: float) -> None:
        self.messages = 0
        self._interval = poll_interval
        self._table = context.Array("b", tasks + 1)
        self._ended: list[tuple[int, Outcome]] = []

    def offer(self, task: int) -> None:
        self._write(task, _State.READY)

    def collect(self) -> tuple[int, Outcome]:
        while not self._ended:
            self._look()
            if not self._ended:
                time.sleep(self._interval)
        return self._ended.pop(0)

    def stop(self) -> None:
        self._write(len(self._table) - 1, _State.DONE)

    def worker_end(self, worker: int) -> WorkerEnd:
        return _PollingWorker(self._table, self._interval)

    def _look(self) -> None:
        self.messages += 1
        with self._table.get_lock():
            for task in range(len(self._table) - 1):
                state = self._table[task]
                if state == _State.DONE:
                    self._ended.append((task, Outcome.DONE))
                elif state == _State.FAILED:
                    self._ended.append((task, Outcome.FAILED))
                else:
                    continue
                self._table[task] = _State.SEEN

    def _write(self, slot: int, state: _State) -> None:
        with self._table.get_lock():
            self._table[slot] = state
        self.messages += 1


class _PollingWorker:
    def __init__(self, table: Any, poll_interval: float) -> None:
        self.messages = 0
        self._table = table
        self._interval = poll_interval

    def take(self) -> int | None:
        while True:
            self.messages += 1
            with self._table.get_lock():
                states = self._table[:]
                if _State.READY in states[:-1]:
                    task = states.index(_State.READY)
                    self._table[task] = _State.TAKEN
                    return task
                if states[-1]:
                    return None
            time.sleep(self._interval)

    def report(self, task: int, outcome: Outcome) -> None:
        with self._table.get_lock():
            self._table[task] = _State.DONE if outcome is Outcome.DONE else _State.FAILED
        self.messages += 1


MODELS = {"cue_based": CueBased, "event_driven": EventDriven, "polling": Polling}
