"""The same requests to a server of MLflow and to ours: the answers are the same, field by field.

What differs on purpose is listed in `ALLOWED`, with the reason. Runs only with the client that brings a server.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from serving import VERSION, Server

# (step, path in the answer) as a pattern, and why ours is another.
ALLOWED: list[tuple[str, str]] = [
    (r".* /(sqlstate|error_class)", "for their own service; optional for clients"),
    (r".* /message", "the words are ours; codes and statuses are compared"),
    (r".* /experiments?/.*/(creation_time|last_update_time)", "when it was made"),
    (r".* /experiments?/(.*/)?workspace", "no workspaces here: projects are not MLflow's"),
    (r"finish oddly /.*", "a state that does not exist is refused rather than passed over"),
    (r"no route /(text|error_code)", "their page is for people; ours is what clients fall back on"),
    (r".* /next_page_token", "tokens are each server's own"),
]

TRACKING = "/api/2.0/mlflow"


class Asked:
    """A server, with the names that stand for its ids."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.names: dict[str, str] = {}

    def ask(self, method: str, route: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        body = json.loads(self.filled(json.dumps(body or {})))
        url = self.url + (route if route.startswith("/") else f"{TRACKING}/{route}")
        data = None
        if method == "GET":
            url += "?" + urlencode(body, doseq=True) if body else ""
        else:
            data = json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                return error.code, json.loads(text)
            except ValueError:
                return error.code, {"text": text.decode(errors="replace")}

    def filled(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(f"<{name}>", value)
        return text

    def named(self, value: Any) -> Any:
        """An answer with names in the place of ids."""
        text = json.dumps(value)
        for name, own in sorted(self.names.items(), key=lambda pair: -len(pair[1])):
            if len(own) > 3:
                text = text.replace(own, f"<{name}>")
        text = re.sub(r'"mlflow-artifacts:/[^"]*?/artifacts"', '"(artifacts)"', text)
        return json.loads(text)


# A step: what to call it, method, route, body, and what of the answer to remember by which name.
Step = tuple[str, str, str, dict[str, Any], dict[str, str]]


def steps() -> list[Step]:
    """The script."""
    run = {"run_id": "<run>"}
    found: list[Step] = [
        ("create", "POST", "experiments/create", {"name": "first", "tags": [{"key": "a", "value": "b"}]}, {"e": "experiment_id"}),
        ("create again", "POST", "experiments/create", {"name": "first"}, {}),
        ("create without a name", "POST", "experiments/create", {}, {}),
        ("create with another type", "POST", "experiments/create", {"name": 3}, {}),
        ("get", "GET", "experiments/get", {"experiment_id": "<e>"}, {}),
        ("get by name", "GET", "experiments/get-by-name", {"experiment_name": "first"}, {}),
        ("get by no name", "GET", "experiments/get-by-name", {"experiment_name": "none"}, {}),
        ("get none", "GET", "experiments/get", {"experiment_id": "777"}, {}),
        ("search experiments", "POST", "experiments/search", {"max_results": 5, "filter": "name = 'first'"}, {}),
        ("search without a limit", "POST", "experiments/search", {}, {}),
        ("tag", "POST", "experiments/set-experiment-tag", {"experiment_id": "<e>", "key": "c", "value": "d"}, {}),
        ("run", "POST", "runs/create", {
            "experiment_id": "<e>", "user_id": "ada", "start_time": 1000, "run_name": "one",
            "tags": [{"key": "mlflow.user", "value": "ada"}],
        }, {"run": "run/info/run_id"}),
        ("run of none", "POST", "runs/create", {"experiment_id": "777"}, {}),
        ("other name", "POST", "runs/create", {
            "experiment_id": "<e>", "run_name": "x", "tags": [{"key": "mlflow.runName", "value": "y"}],
        }, {}),
        ("metric", "POST", "runs/log-metric", {**run, "key": "x", "value": 1.5, "timestamp": 5, "step": 1}, {}),
        ("metric as text", "POST", "runs/log-metric", {**run, "key": "x", "value": "2.5", "timestamp": "6", "step": "2"}, {}),
        ("NaN", "POST", "runs/log-metric", {**run, "key": "nan", "value": "NaN", "timestamp": 7}, {}),
        ("infinity", "POST", "runs/log-metric", {**run, "key": "inf", "value": "-Infinity", "timestamp": 7}, {}),
        ("metric without a value", "POST", "runs/log-metric", {**run, "key": "x", "timestamp": 5}, {}),
        ("metric without a key", "POST", "runs/log-metric", {**run, "value": 1, "timestamp": 5}, {}),
        ("metric with an odd name", "POST", "runs/log-metric", {**run, "key": "a@b", "value": 1, "timestamp": 5}, {}),
        ("metric of none", "POST", "runs/log-metric", {"run_id": "0" * 32, "key": "x", "value": 1, "timestamp": 5}, {}),
        ("param", "POST", "runs/log-parameter", {**run, "key": "p", "value": "1"}, {}),
        ("param again", "POST", "runs/log-parameter", {**run, "key": "p", "value": "1"}, {}),
        ("param changed", "POST", "runs/log-parameter", {**run, "key": "p", "value": "2"}, {}),
        ("tag a run", "POST", "runs/set-tag", {**run, "key": "t", "value": "u"}, {}),
        ("remove no tag", "POST", "runs/delete-tag", {**run, "key": "none"}, {}),
        ("batch", "POST", "runs/log-batch", {
            **run, "metrics": [{"key": "y", "value": n, "timestamp": n, "step": n} for n in range(5)],
            "params": [{"key": "q", "value": "r"}], "tags": [{"key": "v", "value": "w"}],
        }, {}),
        ("doubled params", "POST", "runs/log-batch", {**run, "params": [{"key": "z", "value": "1"}] * 2}, {}),
        ("too many metrics", "POST", "runs/log-batch", {**run, "metrics": [{"key": "y", "value": 1, "timestamp": 1}] * 1001}, {}),
        ("get run", "GET", "runs/get", run, {}),
        ("get no run", "GET", "runs/get", {"run_id": "0" * 32}, {}),
        ("get without an id", "GET", "runs/get", {}, {}),
        ("history", "GET", "metrics/get-history", {**run, "metric_key": "x"}, {}),
        ("history page", "GET", "metrics/get-history", {**run, "metric_key": "y", "max_results": 2}, {}),
        ("history of nothing", "GET", "metrics/get-history", {**run, "metric_key": "none"}, {}),
        ("input", "POST", "runs/log-inputs", {**run, "datasets": [{
            "dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "{}"},
            "tags": [{"key": "mlflow.data.context", "value": "training"}],
        }]}, {}),
        ("finish", "POST", "runs/update", {**run, "status": "FINISHED", "end_time": 2000}, {}),
        ("finish oddly", "POST", "runs/update", {**run, "status": "DONE"}, {}),
        ("run with inputs", "GET", "runs/get", run, {}),
    ]  # fmt: skip
    for where in ["metrics.x > 2", "params.p = '1' and tags.t LIKE 'u%'", "attributes.status = 'FINISHED'", "metrics.nan != 3",
                  "datasets.name = 'd'", "metrics.x = 'a'", "nothing", "status IN ('FINISHED')", ""]:  # fmt: skip
        body = {"experiment_ids": ["<e>"], "filter": where}
        found.append((f"search {where!r}", "POST", "runs/search", body, {}))
    found += [
        ("search in order", "POST", "runs/search", {"experiment_ids": ["<e>"], "order_by": ["metrics.x DESC"]}, {}),
        ("search in no order", "POST", "runs/search", {"experiment_ids": ["<e>"], "order_by": ["metrics.x UP"]}, {}),
        ("search too many", "POST", "runs/search", {"experiment_ids": ["<e>"], "max_results": 50001}, {}),
        ("delete run", "POST", "runs/delete", run, {}),
        ("write to a deleted run", "POST", "runs/log-metric", {**run, "key": "x", "value": 1, "timestamp": 5}, {}),
        ("restore run", "POST", "runs/restore", run, {}),
        ("model", "POST", "registered-models/create", {"name": "m", "description": "d", "tags": [{"key": "a", "value": "b"}]}, {}),
        ("model again", "POST", "registered-models/create", {"name": "m"}, {}),
        ("version", "POST", "model-versions/create", {"name": "m", "source": "s3://bucket/model", "run_id": "<run>"}, {}),
        ("alias", "POST", "registered-models/alias", {"name": "m", "alias": "best", "version": "1"}, {}),
        ("get model", "GET", "registered-models/get", {"name": "m"}, {}),
        ("get no model", "GET", "registered-models/get", {"name": "none"}, {}),
        ("get version", "GET", "model-versions/get", {"name": "m", "version": "1"}, {}),
        ("get no version", "GET", "model-versions/get", {"name": "m", "version": "9"}, {}),
        ("by alias", "GET", "registered-models/alias", {"name": "m", "alias": "best"}, {}),
        ("stage", "POST", "model-versions/transition-stage", {
            "name": "m", "version": "1", "stage": "Staging", "archive_existing_versions": False,
        }, {}),
        ("search versions", "GET", "model-versions/search", {"filter": "name = 'm'"}, {}),
        ("logged model", "POST", "logged-models", {"experiment_id": "<e>", "name": "l", "source_run_id": "<run>"}, {
            "model": "model/info/model_id",
        }),
        ("finalize", "PATCH", "logged-models/<model>", {"model_id": "<model>", "status": "LOGGED_MODEL_READY"}, {}),
        ("get logged model", "GET", "logged-models/<model>", {}, {}),
        ("delete", "POST", "experiments/delete", {"experiment_id": "<e>"}, {}),
        ("run in a deleted one", "POST", "runs/create", {"experiment_id": "<e>"}, {}),
        ("no route", "POST", "nothing/here", {}, {}),
    ]  # fmt: skip
    return found


def differences(one: Any, other: Any, path: str) -> list[str]:
    """Paths at which two answers differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [found for key in keys for found in differences(one.get(key), other.get(key), f"{path}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        key = lambda item: json.dumps(item, sort_keys=True)  # noqa: E731
        if path.endswith(("/tags", "/params", "/metrics")):
            one, other = sorted(one, key=key), sorted(other, key=key)
        pairs = enumerate(zip(one, other, strict=True))
        return [found for at, pair in pairs for found in differences(*pair, f"{path}/{at}")]
    # Times of the servers' own clocks are as good as each other.
    if isinstance(one, int) and isinstance(other, int) and min(one, other) > 1_700_000_000_000:
        return []
    return [] if one == other else [f"{path}: MLflow {one!r}, ours {other!r}"]


@unittest.skipIf(VERSION < (3, 0) or importlib.util.find_spec("fastapi") is None, "this client brings no server")
class Differences(unittest.TestCase):
    def setUp(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="twice-"))
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)

    def theirs(self) -> str:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        words = ["-m", "mlflow", "server", "--workers", "1", "--port", str(port), "--backend-store-uri", "sqlite:///m.db"]
        env = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        log = tempfile.TemporaryFile()
        server = subprocess.Popen([sys.executable, *words], cwd=self.place, stdout=log, stderr=log, env=env, start_new_session=True)
        self.addCleanup(server.wait, 30)
        self.addCleanup(os.killpg, server.pid, 15)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and server.poll() is None:
            try:
                urllib.request.urlopen(f"{url}/health", timeout=5).close()
                return url
            except OSError:
                time.sleep(0.2)
        log.seek(0)
        raise RuntimeError(log.read().decode(errors="replace")[-2000:])

    def test_answers_are_the_same(self) -> None:
        ours = Server(self.place / "book")
        self.addCleanup(ours.stop)
        asked = [Asked(self.theirs()), Asked(ours.url)]
        wrong: list[str] = []
        for name, method, route, body, remembered in steps():
            answers = []
            for server in asked:
                status, answer = server.ask(method, server.filled(route), body)
                for key, path in remembered.items():
                    value = answer
                    for part in path.split("/"):
                        value = value.get(part, {}) if isinstance(value, dict) else {}
                    server.names[key] = str(value)
                answers.append({"status": status, **server.named(answer)})
            for found in differences(*answers, name + " "):
                path = found.split(": ", 1)[0]
                if not any(re.fullmatch(pattern, path) for pattern, _ in ALLOWED):
                    wrong.append(found)
        self.assertEqual(wrong, [], "\n".join(["", *wrong]))


if __name__ == "__main__":
    unittest.main()
