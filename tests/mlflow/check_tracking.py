"""Experiments, runs, params, metrics, tags, datasets: through the fluent API and the client."""

from __future__ import annotations

import math
import os
import time
import unittest

import mlflow
from mlflow.entities import Metric, Param, RunTag, ViewType
from serving import VERSION, Case, python, since

GREATEST = 1.7976931348623157e308


class Fluent(Case):
    def test_a_script_is_recorded(self) -> None:
        mlflow.set_experiment("fluent")
        with mlflow.start_run(run_name="first", tags={"kind": "test"}) as run:
            mlflow.log_param("lr", 0.1)
            mlflow.log_params({"layers": [1, 2], "name": "x" * 400})
            for step in range(5):
                mlflow.log_metric("loss", 1 / (step + 1), step=step)
            mlflow.log_metrics({"accuracy": 0.5, "f1": 0.25}, step=7)
            mlflow.set_tag("more", "yes")
            mlflow.set_tags({"one": 1, "two": 2})
        found = mlflow.get_run(run.info.run_id)
        self.assertEqual(found.info.status, "FINISHED")
        self.assertEqual(found.info.run_name, "first")
        self.assertEqual(found.data.params, {"lr": "0.1", "layers": "[1, 2]", "name": "x" * 400})
        self.assertEqual(found.data.metrics, {"loss": 0.2, "accuracy": 0.5, "f1": 0.25})
        tags = found.data.tags
        self.assertEqual((tags["kind"], tags["more"], tags["one"]), ("test", "yes", "1"))
        self.assertEqual(tags["mlflow.runName"], "first")
        self.assertGreaterEqual(found.info.end_time, found.info.start_time)

    def test_nested_runs_know_their_parent(self) -> None:
        mlflow.set_experiment("nested")
        with mlflow.start_run() as parent:
            with mlflow.start_run(nested=True) as child:
                mlflow.log_metric("x", 1)
        self.assertEqual(mlflow.get_run(child.info.run_id).data.tags["mlflow.parentRunId"], parent.info.run_id)
        where = f"tags.mlflow.parentRunId = '{parent.info.run_id}'"
        found = mlflow.search_runs(experiment_names=["nested"], filter_string=where, output_format="list")
        self.assertEqual([run.info.run_id for run in found], [child.info.run_id])

    def test_an_exception_is_a_failure(self) -> None:
        mlflow.set_experiment("failing")
        with self.assertRaises(ZeroDivisionError), mlflow.start_run() as run:
            raise ZeroDivisionError
        self.assertEqual(mlflow.get_run(run.info.run_id).info.status, "FAILED")

    def test_a_finished_run_is_opened_again(self) -> None:
        mlflow.set_experiment("again")
        with mlflow.start_run() as run:
            mlflow.log_metric("x", 1, step=1)
        with mlflow.start_run(run_id=run.info.run_id):
            self.assertEqual(mlflow.get_run(run.info.run_id).info.status, "RUNNING")
            mlflow.log_metric("x", 2, step=2)
        found = mlflow.get_run(run.info.run_id)
        self.assertEqual((found.info.status, found.data.metrics["x"]), ("FINISHED", 2))

    def test_a_run_of_the_environment_is_joined(self) -> None:
        mlflow.set_experiment("joined")
        with mlflow.start_run() as run:
            pass
        os.environ["MLFLOW_RUN_ID"] = run.info.run_id
        self.addCleanup(os.environ.pop, "MLFLOW_RUN_ID", None)
        with mlflow.start_run() as joined:
            self.assertEqual(joined.info.run_id, run.info.run_id)

    def test_several_processes_record_at_once(self) -> None:
        code = """
import mlflow, sys
mlflow.set_experiment("processes")
with mlflow.start_run(run_name=sys.argv[1]):
    for step in range(20):
        mlflow.log_metric("x", step, step=step)
"""
        # Old clients fail where another makes the experiment at the same time.
        self.client.create_experiment("processes")
        children = [python(code, str(number)) for number in range(3)]
        for child in children:
            child.communicate(timeout=180)
            self.assertEqual(child.returncode, 0)
        runs = mlflow.search_runs(experiment_names=["processes"], output_format="list")
        self.assertEqual(sorted(run.info.run_name for run in runs), ["0", "1", "2"])
        for run in runs:
            self.assertEqual(len(self.client.get_metric_history(run.info.run_id, "x")), 20)

    @since(2, 10)
    def test_what_is_logged_asynchronously_arrives(self) -> None:
        mlflow.set_experiment("async")
        with mlflow.start_run() as run:
            for step in range(50):
                mlflow.log_metric("x", step, step=step, synchronous=False)
            mlflow.log_param("p", 1, synchronous=False)
            mlflow.set_tag("t", "u", synchronous=False)
        if hasattr(mlflow, "flush_async_logging"):
            mlflow.flush_async_logging()
        found = mlflow.get_run(run.info.run_id)
        self.assertEqual((found.data.params["p"], found.data.tags["t"]), ("1", "u"))
        self.assertEqual(len(self.client.get_metric_history(run.info.run_id, "x")), 50)

    @since(2, 8)
    def test_system_metrics_are_recorded(self) -> None:
        mlflow.set_experiment("system")
        mlflow.set_system_metrics_sampling_interval(0.2)
        mlflow.set_system_metrics_samples_before_logging(1)
        with mlflow.start_run(log_system_metrics=True) as run:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                if "system/cpu_utilization_percentage" in mlflow.get_run(run.info.run_id).data.metrics:
                    break
                time.sleep(0.1)
        self.assertIn("system/cpu_utilization_percentage", mlflow.get_run(run.info.run_id).data.metrics)

    @since(2, 4)
    def test_datasets_are_inputs_of_runs(self) -> None:
        import numpy

        mlflow.set_experiment("datasets")
        dataset = mlflow.data.from_numpy(numpy.arange(6.0), name="numbers", source="https://example.org/x")
        with mlflow.start_run() as run:
            mlflow.log_input(dataset, context="training")
            mlflow.log_input(dataset, context="training")
        inputs = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
        self.assertEqual(len(inputs), 1)
        self.assertEqual((inputs[0].dataset.name, inputs[0].dataset.digest), ("numbers", dataset.digest))
        self.assertEqual([(tag.key, tag.value) for tag in inputs[0].tags], [("mlflow.data.context", "training")])
        found = mlflow.search_runs(
            experiment_names=["datasets"], filter_string="datasets.name = 'numbers'", output_format="list"
        )
        self.assertEqual([one.info.run_id for one in found], [run.info.run_id])


class Experiments(Case):
    def test_an_experiment_lives_and_is_put_away(self) -> None:
        made = self.client.create_experiment("life", tags={"a": "b"})
        found = self.client.get_experiment(made)
        self.assertEqual((found.name, found.tags, found.lifecycle_stage), ("life", {"a": "b"}, "active"))
        self.assertTrue(found.artifact_location.endswith(f"/{made}"))
        run = self.client.create_run(made).info.run_id
        self.client.rename_experiment(made, "life 2")
        self.client.set_experiment_tag(made, "c", "d")
        self.assertEqual(self.client.get_experiment_by_name("life 2").tags, {"a": "b", "c": "d"})
        self.assertIsNone(self.client.get_experiment_by_name("life"))
        self.client.delete_experiment(made)
        self.assertEqual(self.client.get_experiment(made).lifecycle_stage, "deleted")
        self.assertEqual(self.client.get_run(run).info.lifecycle_stage, "deleted")
        self.refused("RESOURCE_ALREADY_EXISTS", "life 2", self.client.create_experiment, "life 2")
        self.refused("INVALID_PARAMETER_VALUE", "active", self.client.create_run, made)
        self.client.restore_experiment(made)
        self.assertEqual(self.client.get_run(run).info.lifecycle_stage, "active")

    def test_the_default_experiment_is_there(self) -> None:
        found = self.client.get_experiment("0")
        self.assertEqual((found.name, found.lifecycle_stage), ("Default", "active"))

    def test_what_is_not_there_is_named(self) -> None:
        self.refused("RESOURCE_DOES_NOT_EXIST", "12345", self.client.get_experiment, "12345")
        self.refused("RESOURCE_DOES_NOT_EXIST", "0" * 32, self.client.get_run, "0" * 32)
        self.refused("RESOURCE_DOES_NOT_EXIST", "", self.client.log_metric, "0" * 32, "x", 1.0)

    def test_experiments_are_searched_in_pages(self) -> None:
        made = [self.client.create_experiment(f"page {n}", tags={"n": str(n)}) for n in range(7)]
        seen: list[str] = []
        token = None
        while True:
            page = self.client.search_experiments(
                filter_string="name LIKE 'page %'", order_by=["name ASC"], max_results=3, page_token=token
            )
            seen += [one.experiment_id for one in page]
            token = page.token
            if not token:
                break
        self.assertEqual(seen, made)
        found = self.client.search_experiments(filter_string="tags.n = '3'")
        self.assertEqual([one.experiment_id for one in found], [made[3]])
        self.client.delete_experiment(made[0])
        for view, count in [(ViewType.ACTIVE_ONLY, 6), (ViewType.DELETED_ONLY, 1), (ViewType.ALL, 7)]:
            found = self.client.search_experiments(view_type=view, filter_string="name ILIKE 'PAGE %'")
            self.assertEqual(len(found), count)


class Runs(Case):
    def test_numbers_of_all_kinds_come_back(self) -> None:
        run = self.client.create_run(self.experiment()).info.run_id
        values = {
            "nan": math.nan,
            "infinite": math.inf,
            "negative": -math.inf,
            "tiny": 5e-324,
            "greatest": GREATEST,
            "third": 1 / 3,
            "zero": 0.0,
            "large": 1e22,
        }
        for key, value in values.items():
            self.client.log_metric(run, key, value, step=-3)
        found = self.client.get_run(run).data.metrics
        self.assertTrue(math.isnan(found.pop("nan")))
        expected = {key: max(min(value, GREATEST), -GREATEST) for key, value in values.items() if key != "nan"}
        self.assertEqual(found, expected)
        self.assertEqual(self.client.get_metric_history(run, "third")[0].step, -3)

    def test_the_last_value_is_the_one_of_the_greatest_step(self) -> None:
        run = self.client.create_run(self.experiment()).info.run_id
        points = [(3.0, 50, 2), (1.0, 90, 1), (7.0, 40, 2), (2.0, 50, 2), (2.0, 50, 2)]
        for value, timestamp, step in points:
            self.client.log_metric(run, "x", value, timestamp=timestamp, step=step)
        self.assertEqual(self.client.get_run(run).data.metrics["x"], 3.0)
        history = [(one.timestamp, one.step, one.value) for one in self.client.get_metric_history(run, "x")]
        self.assertEqual(sorted(history), [(40, 2, 7.0), (50, 2, 2.0), (50, 2, 3.0), (90, 1, 1.0)])

    def test_a_batch_is_taken_in_whole(self) -> None:
        run = self.client.create_run(self.experiment()).info.run_id
        metrics = [Metric(f"m{n % 10}", n / 7, n, n) for n in range(800)]
        params = [Param(f"p{n}", str(n)) for n in range(100)]
        tags = [RunTag(f"t{n}", str(n)) for n in range(100)]
        self.client.log_batch(run, metrics=metrics, params=params, tags=tags)
        found = self.client.get_run(run).data
        self.assertEqual(len(found.params), 100)
        self.assertEqual(found.metrics["m9"], 799 / 7)
        self.assertEqual({key: found.tags[key] for key in ("t0", "t99")}, {"t0": "0", "t99": "99"})

    def test_long_histories_come_back_in_pages(self) -> None:
        run = self.client.create_run(self.experiment()).info.run_id
        for begin in range(0, 30_000, 1_000):
            self.client.log_batch(run, metrics=[Metric("x", n, n, n) for n in range(begin, begin + 1_000)])
        history = self.client.get_metric_history(run, "x")
        self.assertEqual([point.step for point in history], list(range(30_000)))

    def test_params_are_written_once(self) -> None:
        run = self.client.create_run(self.experiment()).info.run_id
        self.client.log_param(run, "lr", "0.10")
        self.client.log_param(run, "lr", "0.10")
        self.refused("INVALID_PARAMETER_VALUE", "lr", self.client.log_param, run, "lr", "0.1")
        doubled = [Param("a", "1"), Param("a", "2")]
        self.refused("INVALID_PARAMETER_VALUE", "a", self.client.log_batch, run, params=doubled)
        self.assertEqual(self.client.get_run(run).data.params, {"lr": "0.10"})

    def test_names_with_odd_letters(self) -> None:
        run = self.client.create_run(self.experiment()).info.run_id
        keys = ["a b", "a/b/c", "a.b-c_d", "räder"]
        if VERSION >= (2, 20):
            keys.append("a:b")
        for key in keys:
            self.client.log_metric(run, key, 1.0)
            self.client.log_param(run, key, "1")
            self.client.set_tag(run, key, "1")
        data = self.client.get_run(run).data
        for found in (data.metrics, data.params, data.tags):
            self.assertLessEqual(set(keys), set(found))

    def test_what_is_too_long_is_refused(self) -> None:
        run = self.client.create_run(self.experiment()).info.run_id
        # As a client of another language asks, which checks nothing by itself.
        ask = self.client._tracking_client.store
        self.refused("INVALID_PARAMETER_VALUE", "250|length", ask.set_tag, run, RunTag("x" * 251, "y"))

    def test_a_run_is_renamed_by_its_name_and_its_tag(self) -> None:
        run = self.client.create_run(self.experiment(), run_name="one").info.run_id
        self.client.set_tag(run, "mlflow.runName", "two")
        self.assertEqual(self.client.get_run(run).info.run_name, "two")
        self.client.update_run(run, name="three")
        found = self.client.get_run(run)
        self.assertEqual((found.info.run_name, found.data.tags["mlflow.runName"]), ("three", "three"))

    def test_a_run_without_a_name_gets_one(self) -> None:
        run = self.client.create_run(self.experiment())
        self.assertRegex(run.info.run_name, r"^[a-z]+-[a-z]+-\d+$")

    def test_notes_and_users_are_tags(self) -> None:
        tags = {"mlflow.user": "ada", "mlflow.note.content": "why"}
        run = self.client.create_run(self.experiment(), tags=tags)
        found = self.client.get_run(run.info.run_id)
        self.assertEqual({key: found.data.tags[key] for key in tags}, tags)
        self.client.set_tag(run.info.run_id, "mlflow.note.content", "because")
        self.assertEqual(self.client.get_run(run.info.run_id).data.tags["mlflow.note.content"], "because")

    def test_a_tag_is_removed(self) -> None:
        run = self.client.create_run(self.experiment()).info.run_id
        self.client.set_tag(run, "a", "b")
        self.client.delete_tag(run, "a")
        self.assertNotIn("a", self.client.get_run(run).data.tags)
        self.refused("RESOURCE_DOES_NOT_EXIST", "a", self.client.delete_tag, run, "a")

    def test_a_run_is_deleted_and_restored(self) -> None:
        experiment = self.experiment()
        run = self.client.create_run(experiment).info.run_id
        self.client.delete_run(run)
        self.assertEqual(self.client.search_runs([experiment]), [])
        found = self.client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)
        self.assertEqual([one.info.run_id for one in found], [run])
        self.refused("INVALID_PARAMETER_VALUE", "active", self.client.log_metric, run, "x", 1.0)
        self.client.restore_run(run)
        self.assertEqual(len(self.client.search_runs([experiment])), 1)

    def test_every_state_may_follow_every_other(self) -> None:
        run = self.client.create_run(self.experiment()).info.run_id
        for status in ["FINISHED", "RUNNING", "FAILED", "SCHEDULED", "KILLED", "RUNNING", "FINISHED"]:
            self.client.update_run(run, status=status)
            self.assertEqual(self.client.get_run(run).info.status, status)
            self.client.log_metric(run, "x", 1.0)

    def test_times_are_kept_as_given(self) -> None:
        run = self.client.create_run(self.experiment(), start_time=1_700_000_000_123)
        self.client.set_terminated(run.info.run_id, end_time=1_700_000_001_456)
        info = self.client.get_run(run.info.run_id).info
        self.assertEqual((info.start_time, info.end_time), (1_700_000_000_123, 1_700_000_001_456))


if __name__ == "__main__":
    unittest.main()
