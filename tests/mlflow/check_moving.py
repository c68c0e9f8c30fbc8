"""Stores of the client come in and go out again: what it says of them is the same before and after."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

from mlflow.entities import Metric, Param, ViewType
from mlflow.tracking import MlflowClient
from serving import VERSION, Server, end_runs, use


def told(client: MlflowClient) -> dict[str, Any]:
    """What a client says of everything, without where files are."""
    found: dict[str, Any] = {}
    for experiment in client.search_experiments(view_type=ViewType.ALL):
        runs = client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL)
        found[experiment.name] = {
            "tags": experiment.tags,
            "stage": experiment.lifecycle_stage,
            "runs": {run.info.run_id: run_told(client, run) for run in runs},
        }
    return found


def number(value: float) -> Any:
    # Databases and wires of MLflow have no infinities.
    return str(value) if math.isnan(value) else max(min(value, 1.7976931348623157e308), -1.7976931348623157e308)


def run_told(client: MlflowClient, run: Any) -> dict[str, Any]:
    info, data = run.info, run.data
    return {
        "name": info.run_name,
        "status": info.status,
        "stage": info.lifecycle_stage,
        "times": [info.start_time, info.end_time],
        "user": info.user_id,
        "params": data.params,
        "tags": data.tags,
        "metrics": {
            key: sorted({(point.step, point.timestamp, number(point.value)) for point in client.get_metric_history(info.run_id, key)}, key=str)
            for key in data.metrics
        },
        "files": sorted(files(client, info.run_id)),
        "datasets": sorted(one.dataset.digest for one in run.inputs.dataset_inputs) if VERSION >= (2, 4) else [],
    }  # fmt: skip


def files(client: MlflowClient, run: str, folder: str | None = None) -> list[tuple[str, int]]:
    found = []
    for entry in client.list_artifacts(run, folder):
        found += files(client, run, entry.path) if entry.is_dir else [(entry.path, entry.file_size)]
    return found


def fill(client: MlflowClient, place: Path) -> None:
    experiment = client.create_experiment("räder", tags={"team": "x", "mlflow.note.content": "about"})
    for number in range(3):
        run = client.create_run(experiment, start_time=1_700_000_000_000 + number, tags={"mlflow.user": "ada", "n": str(number)})
        run_id = run.info.run_id
        values = [0.5, math.nan, math.inf, -math.inf, 1e-300, 1 / 3]
        metrics = [Metric("train/loss", value, 1_700_000_000_500 + step, step) for step, value in enumerate(values)]
        client.log_batch(run_id, metrics=metrics, params=[Param("lr", "0.10"), Param("a/b", "x\ny")])
        (place / "some file.txt").write_text(f"content {number}")
        client.log_artifact(run_id, str(place / "some file.txt"), "deep/er")
        client.set_terminated(run_id, ["FINISHED", "FAILED", "KILLED"][number], end_time=1_700_000_009_000)
    client.delete_run(run_id)
    client.create_run(client.create_experiment("gone"))
    client.delete_experiment(client.get_experiment_by_name("gone").experiment_id)


class Moving(unittest.TestCase):
    def setUp(self) -> None:
        end_runs()
        self.place = Path(tempfile.mkdtemp(prefix="moving-"))
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        home = os.getcwd()
        os.chdir(self.place)
        self.addCleanup(os.chdir, home)

    def say(self, *words: str) -> dict[str, Any]:
        program = os.environ["TRIALBOOK_PROGRAM"]
        done = subprocess.run([program, *words, "--book", "book", "--json"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def check(self, uri: str, store: str) -> None:
        client = MlflowClient(uri, uri)
        fill(client, self.place)
        before = told(client)
        brought = self.say("import", "mlflow", store)
        self.assertEqual((brought["runs"], brought["artifacts"], brought["damaged"]), (4, 3, []))
        again = self.say("import", "mlflow", store)
        self.assertEqual((again["runs"], again["continued_runs"], again["same_runs"]), (0, 0, 4))
        written = self.say("export", "--format", "mlflow", "written", "--artifacts")
        self.assertEqual(written["runs"], 4)
        out = (self.place / "written").as_uri()
        self.assertEqual(told(MlflowClient(out, out)), before)
        # The server says the same of what came in.
        server = Server(self.place / "book")
        self.addCleanup(server.stop)
        use(server.url)
        served = told(MlflowClient(server.url))
        self.assertEqual(served, before)

    def test_a_folder(self) -> None:
        self.check((self.place / "mlruns").as_uri(), "mlruns")

    def test_a_database(self) -> None:
        try:
            import alembic  # noqa: F401
        except ImportError:
            self.skipTest("this client has no database")
        self.check(f"sqlite:///{self.place}/mlflow.db", "sqlite:///mlflow.db")


if __name__ == "__main__":
    unittest.main()
