"""Makes the stores that the tests of the import read, with the real client of the MLflow that is installed.

    python make.py

writes `folder-VERSION.json` and `database-VERSION.json` beside itself, each with the store's content and with what
the client says of it. Run it with MLflow 1.30, 2.9, 2.22 and 3.17; a newer version of the same line replaces the
older files by hand. Folders are written as `{path: text}`, bytes that are no text as `{path: {"hex": …}}`, databases as SQL.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.tracking import MlflowClient

HERE = Path(__file__).parent
VERSION = tuple(int(part) for part in mlflow.__version__.split(".")[:2])
BEGIN = 1_700_000_000_000

# What imports read; the others would only make the files long.
TABLES = """
alembic_version experiments experiment_tags runs metrics latest_metrics params tags datasets inputs input_tags
logged_models logged_model_metrics logged_model_params logged_model_tags registered_models registered_model_tags
registered_model_aliases model_versions model_version_tags trace_info trace_tags trace_request_metadata spans
assessments webhooks webhook_events
""".split()


def fill(client: MlflowClient, place: Path) -> None:
    """Records a little of everything that this version knows."""
    plain = client.create_run("0", start_time=BEGIN)
    client.log_metric(plain.info.run_id, "loss", 0.5, timestamp=BEGIN + 5)
    client.set_terminated(plain.info.run_id, end_time=BEGIN + 10)
    tuning = client.create_experiment("tuning of räder", tags={"team": "vision", "mlflow.note.content": "Wheels"})
    root = rich(client, tuning, place)
    for number, status in enumerate(["FAILED", "KILLED", "SCHEDULED", "RUNNING"]):
        tags = {"mlflow.parentRunId": root, "mlflow.runName": f"child {number}"}
        child = client.create_run(tuning, start_time=BEGIN + 1_000 + number, tags=tags)
        client.log_param(child.info.run_id, "number", number)
        if status in ("FAILED", "KILLED"):
            client.set_terminated(child.info.run_id, status=status, end_time=BEGIN + 2_000)
        elif status == "SCHEDULED":
            store(client).update_run_info(child.info.run_id, run_status(status), None, *run_name())
    removed = client.create_run(tuning, start_time=BEGIN + 3_000)
    client.log_metric(removed.info.run_id, "loss", 3.0, timestamp=BEGIN + 3_001)
    client.delete_run(removed.info.run_id)
    old = client.create_experiment("given up")
    client.create_run(old, start_time=BEGIN + 4_000)
    client.delete_experiment(old)
    registry(client, root)
    if VERSION >= (2, 4):
        mlflow.set_experiment(experiment_id=tuning)
        inputs(root)
    if VERSION >= (3, 0):
        models(client, tuning, root)


def run_status(word: str) -> Any:
    from mlflow.entities import RunStatus

    return RunStatus.from_string(word)


def run_name() -> tuple[Any, ...]:
    return (None,) if VERSION >= (1, 30) else ()


def store(client: MlflowClient) -> Any:
    return client._tracking_client.store


def rich(client: MlflowClient, experiment: str, place: Path) -> str:
    """A run with odd names and values."""
    tags = {"mlflow.runName": "root", "mlflow.user": "ada", "mlflow.source.name": "train.py", "kind": "first\nlast "}
    run = client.create_run(experiment, start_time=BEGIN + 100, tags=tags).info.run_id
    params = {"lr": "0.10", "layers/first": "64", "note": "zwei\nZeilen", "odd name-1.x": "None", "flag": "True"}
    client.log_batch(run, params=[Param(key, value) for key, value in params.items()])
    metrics = [Metric("train/loss", 1.0 / (step + 1), BEGIN + 200 + step, step) for step in range(5)]
    metrics += [Metric("train/loss", 0.25, BEGIN + 300, 4), Metric("train/loss", 0.3, BEGIN + 250, -2)]
    odd = [math.nan, math.inf, -math.inf, 1e-320, -0.0, 1.7976931348623157e308, 0.1 + 0.2]
    metrics += [Metric("odd", value, BEGIN + 400 + step, step) for step, value in enumerate(odd)]
    metrics += [Metric("same", 2.0, BEGIN + 500, 1)] * 3
    client.log_batch(run, metrics=metrics, tags=[RunTag("empty", "")])
    (place / "model.txt").write_text("weights\n", encoding="utf-8")
    (place / "plot.bin").write_bytes(bytes(range(256)))
    client.log_artifact(run, str(place / "model.txt"))
    client.log_artifact(run, str(place / "plot.bin"), "plots/first one")
    client.set_terminated(run, end_time=BEGIN + 900)
    return run


def registry(client: MlflowClient, run: str) -> None:
    """A registered model with two versions."""
    try:
        client.create_registered_model("wheel", tags={"owner": "ada"}, description="Finds wheels")
    except mlflow.exceptions.MlflowException as error:  # file stores of 1.x have no registry
        print(f"no registry: {error}", file=sys.stderr)
        return
    for number in ("1", "2"):
        path = client.get_run(run).info.artifact_uri + "/model"
        client.create_model_version("wheel", path, run_id=run, tags={"n": number}, description=f"try {number}")
    client.transition_model_version_stage("wheel", "1", "Production")
    if VERSION >= (2, 3):
        client.set_registered_model_alias("wheel", "champion", "2")


def inputs(run: str) -> None:
    """A dataset that a run used."""
    import numpy

    rows = numpy.arange(6.0).reshape(3, 2)
    dataset = mlflow.data.from_numpy(rows, name="räder", source="https://example.org/rows.npy")
    with mlflow.start_run(run_id=run):
        mlflow.log_input(dataset, context="training")
    mlflow.MlflowClient().set_terminated(run, end_time=BEGIN + 900)


def models(client: MlflowClient, experiment: str, run: str) -> None:
    """A logged model with a metric on a dataset, a prompt, a trace."""
    from mlflow.entities import LoggedModelInput, LoggedModelOutput

    model = client.create_logged_model(
        experiment, name="wheel", source_run_id=run, tags={"a": "b"}, params={"depth": "3"}, model_type="tree"
    )
    client.log_metric(
        run, "accuracy", 0.875, timestamp=BEGIN + 700, step=2, model_id=model.model_id,
        dataset_name="räder", dataset_digest="d1",
    )  # fmt: skip
    client.log_outputs(run, [LoggedModelOutput(model.model_id, 3)])
    client.log_inputs(run, models=[LoggedModelInput(model.model_id)])
    client.finalize_logged_model(model.model_id, "READY")
    other = client.create_logged_model(experiment, name="lost")
    client.delete_logged_model(other.model_id)
    mlflow.genai.register_prompt("greeting", "Hello {{name}}", tags={"tone": "kind"})
    with mlflow.start_span("step") as span:
        span.set_inputs({"x": 1})
    mlflow.flush_trace_async_logging()


def told(client: MlflowClient) -> dict[str, Any]:
    """What the client says of the store."""
    experiments = []
    for experiment in client.search_experiments(view_type=ViewType.ALL):
        ids = [experiment.experiment_id]
        runs = client.search_runs(ids, run_view_type=ViewType.ALL)
        experiments.append({
            "experiment_id": experiment.experiment_id,
            "name": experiment.name,
            "lifecycle_stage": experiment.lifecycle_stage,
            "artifact_location": experiment.artifact_location,
            "creation_time": experiment.creation_time,
            "last_update_time": experiment.last_update_time,
            "tags": dict(sorted(experiment.tags.items())),
            "runs": sorted((run_told(client, run) for run in runs), key=lambda run: run["run_id"]),
        })  # fmt: skip
    experiments.sort(key=lambda experiment: experiment["experiment_id"])
    return {"version": mlflow.__version__, "experiments": experiments}


def number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def run_told(client: MlflowClient, run: Any) -> dict[str, Any]:
    info, data = run.info, run.data
    history = {
        key: [[point.step, point.timestamp, number(point.value)] for point in client.get_metric_history(info.run_id, key)]
        for key in sorted(data.metrics)
    }
    answer = {
        "run_id": info.run_id,
        "run_name": info.run_name if VERSION >= (1, 30) else data.tags.get("mlflow.runName"),
        "status": info.status,
        "start_time": info.start_time,
        "end_time": info.end_time,
        "lifecycle_stage": info.lifecycle_stage,
        "user_id": info.user_id,
        "artifact_uri": info.artifact_uri,
        "params": dict(sorted(data.params.items())),
        "tags": dict(sorted(data.tags.items())),
        "metrics": history,
        "latest": {key: number(value) for key, value in sorted(data.metrics.items())},
        "artifacts": sorted(artifacts(client, info.run_id)),
    }
    if VERSION >= (2, 4):
        answer["datasets"] = [
            {
                "name": one.dataset.name,
                "digest": one.dataset.digest,
                "source_type": one.dataset.source_type,
                "source": one.dataset.source,
                "schema": one.dataset.schema,
                "profile": one.dataset.profile,
                "tags": {tag.key: tag.value for tag in one.tags},
            }
            for one in run.inputs.dataset_inputs
        ]
    return answer


def artifacts(client: MlflowClient, run: str, folder: str | None = None) -> list[list[Any]]:
    found = []
    for entry in client.list_artifacts(run, folder):
        if entry.is_dir:
            found += artifacts(client, run, entry.path)
        else:
            found.append([entry.path, entry.file_size])
    return found


def files(folder: Path, renamed: Callable[[str], str]) -> dict[str, Any]:
    """The files of a folder by path."""
    content: dict[str, Any] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        try:
            content[str(path.relative_to(folder))] = renamed(data.decode())
        except UnicodeDecodeError:
            content[str(path.relative_to(folder))] = {"hex": data.hex()}
    return content


def dump(database: Path, renamed: Callable[[str], str]) -> list[str]:
    """The tables of a database as SQL."""
    with sqlite3.connect(database) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in there - set(TABLES):
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute(f'DROP TABLE "{table}"')
        for (index,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall():
            connection.execute(f'DROP INDEX "{index}"')
        return [renamed(line) for line in connection.iterdump()]


def make(kind: str, place: Path) -> None:
    root = place / "mlruns"
    uri = root.as_uri() if kind == "folder" else f"sqlite:///{place}/mlflow.db"
    os.chdir(place)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    client = MlflowClient(uri, uri)
    fill(client, place)
    # Where the stores are said to have been; nothing of the machine that made them stays.
    renamed = lambda text: text.replace(str(place), "/srv/ml")  # noqa: E731
    document: dict[str, Any] = {"told": json.loads(renamed(json.dumps(told(client))))}
    document["files"] = files(root, renamed)
    if kind == "database":
        document["sql"] = dump(place / "mlflow.db", renamed)
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
    version = ".".join(str(part) for part in VERSION)
    (HERE / f"{kind}-{version}.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    for kind in ("folder", "database"):
        place = Path(tempfile.mkdtemp(prefix="made-"))
        try:
            make(kind, place)
        finally:
            os.chdir(HERE)
            shutil.rmtree(place)


if __name__ == "__main__":
    main()
