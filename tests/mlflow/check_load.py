"""Many writers at once, connections that break, a server that is killed: nothing is lost, nothing is there twice."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import threading
import time
import unittest
from typing import Any
from urllib.parse import urlsplit

from mlflow.tracking import MlflowClient
from serving import Case, Server, use


class Asking:
    """A connection that is kept, without the client's own cost."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def post(self, route: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        text = json.dumps(body)
        self.connection.request("POST", f"/api/2.0/mlflow/{route}", text, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")


def together(count: int, work: Any) -> list[BaseException]:
    """Runs work in threads; gives what went wrong."""
    wrong: list[BaseException] = []

    def one(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


class Contention(Case):
    def contend(self, writers: int, calls: int) -> None:
        experiment = self.experiment(f"{writers} writers")
        took: list[float] = []

        def write(number: int) -> None:
            asking = Asking(self.server.url)

            def post(route: str, body: dict[str, Any]) -> dict[str, Any]:
                begin = time.perf_counter()
                status, answer = asking.post(route, body)
                took.append(time.perf_counter() - begin)
                assert status == 200, (route, status, answer)
                return answer

            post("experiments/create", {"name": f"of {writers} {number}"})
            run = post("runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"]
            for call in range(calls):
                post("runs/log-metric", {"run_id": run, "key": "x", "value": call, "timestamp": call, "step": call})
                params = [{"key": f"p{call}.{n}", "value": str(n)} for n in range(3)]
                metrics = [{"key": f"m{n}", "value": n, "timestamp": call, "step": call} for n in range(5)]
                post("runs/log-batch", {"run_id": run, "params": params, "metrics": metrics})
            post("runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1})

        self.assertEqual(together(writers, write), [])
        runs = self.client.search_runs([experiment])
        self.assertEqual(len(runs), writers)
        for run in runs:
            self.assertEqual((run.data.metrics["x"], len(run.data.params)), (calls - 1, 3 * calls))
        took.sort()
        # Shown, not judged: times belong to benches.
        half, most = took[len(took) // 2], took[len(took) * 99 // 100]
        print(f"{writers} writers: {len(took)} calls, p50 {half * 1e3:.1f} ms, p99 {most * 1e3:.1f} ms")

    def test_8_writers(self) -> None:
        self.contend(8, 25)

    def test_64_writers(self) -> None:
        self.contend(64, 5)

    def test_one_new_param_by_many(self) -> None:
        """The same param with other values: one writer wins, the others are told."""
        run = self.client.create_run(self.experiment()).info.run_id
        codes: list[int] = []

        def write(number: int) -> None:
            codes.append(Asking(self.server.url).post("runs/log-parameter", {"run_id": run, "key": "p", "value": str(number)})[0])

        self.assertEqual(together(8, write), [])
        self.assertEqual(sorted(codes), [200] + [400] * 7)


class Cutting:
    """Passes bytes on, and cuts every so many connections after the server has answered."""

    def __init__(self, url: str, every: int) -> None:
        parts = urlsplit(url)
        self.target = (parts.hostname or "", parts.port or 0)
        self.every = every
        self.answers = 0
        self.cut = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._answer(near)

    def _answer(self, near: socket.socket) -> None:
        with near, socket.create_connection(self.target) as far:
            threading.Thread(target=self._pass, args=(near, far), daemon=True).start()
            while data := far.recv(1 << 16):
                self.answers += 1
                if self.answers % self.every == 0:
                    # The server has done its work, and the client does not know.
                    self.cut += 1
                    break
                near.sendall(data)
            for side in (near, far):
                # The other thread waits on both; closing alone would not end the connection.
                side.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _pass(near: socket.socket, far: socket.socket) -> None:
        try:
            while data := near.recv(1 << 16):
                far.sendall(data)
        except OSError:
            pass

    def stop(self) -> None:
        self.listener.close()


class Retries(Case):
    def test_what_is_said_again_is_there_once(self) -> None:
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "6"
        self.addCleanup(os.environ.__setitem__, "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        proxy = Cutting(self.server.url, 7)
        self.addCleanup(proxy.stop)
        use(proxy.url)
        self.addCleanup(use, self.server.url)
        client = MlflowClient()
        run = client.create_run("0").info.run_id
        for step in range(60):
            client.log_metric(run, "x", step * 0.5, timestamp=step, step=step)
            client.log_param(run, f"p{step}", step)
        self.assertGreater(proxy.cut, 5)
        straight = MlflowClient(self.server.url)
        history = straight.get_metric_history(run, "x")
        self.assertEqual([point.step for point in history], list(range(60)))
        self.assertEqual(len(straight.get_run(run).data.params), 60)


class Crashes(Case):
    def test_what_was_acknowledged_is_there_once_after_a_kill(self) -> None:
        server = Server(self.place / "killed")
        client = MlflowClient(server.url)
        runs = [client.create_run("0").info.run_id for _ in range(16)]
        done = [0] * 16
        halt = threading.Event()

        def write(number: int) -> None:
            asking = Asking(server.url)
            for step in range(100_000):
                body = {"run_id": runs[number], "key": "x", "value": step, "timestamp": step, "step": step}
                try:
                    status, _ = asking.post("runs/log-metric", body)
                except (OSError, http.client.HTTPException):
                    return
                assert status == 200, status
                done[number] = step + 1
                if sum(done) > 400:
                    halt.set()

        threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        self.assertTrue(halt.wait(120))
        server.kill()
        for thread in threads:
            thread.join()
        again = Server(self.place / "killed")
        self.addCleanup(again.stop)
        client = MlflowClient(again.url)
        for number, run in enumerate(runs):
            steps = [point.step for point in client.get_metric_history(run, "x")]
            self.assertEqual(steps, list(range(len(steps))))
            self.assertGreaterEqual(len(steps), done[number])


if __name__ == "__main__":
    unittest.main()
