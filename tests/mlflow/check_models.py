"""Logged models, the registry with aliases and stages, prompts, webhooks, autologging."""

from __future__ import annotations

import unittest
import warnings

import mlflow
from serving import VERSION, Case, since

warnings.filterwarnings("ignore")


class Registry(Case):
    def made(self, name: str) -> str:
        self.client.create_registered_model(name, tags={"a": "b"}, description="about")
        return name

    def version(self, name: str) -> str:
        run = self.client.create_run(self.experiment(f"{name} {self.id()}") if name not in self.known else self.known[name])
        self.known.setdefault(name, run.info.experiment_id)
        source = f"{run.info.artifact_uri}/model"
        return self.client.create_model_version(name, source, run.info.run_id, tags={"v": "t"}).version

    def setUp(self) -> None:
        super().setUp()
        self.known: dict[str, str] = {}

    def test_a_model_lives(self) -> None:
        self.made("life")
        self.refused("RESOURCE_ALREADY_EXISTS", "life", self.client.create_registered_model, "life")
        self.client.update_registered_model("life", "more")
        self.client.set_registered_model_tag("life", "c", "d")
        self.client.delete_registered_model_tag("life", "a")
        found = self.client.get_registered_model("life")
        self.assertEqual((found.description, found.tags), ("more", {"c": "d"}))
        self.client.rename_registered_model("life", "second life")
        self.refused("RESOURCE_DOES_NOT_EXIST", "life", self.client.get_registered_model, "life")
        self.client.delete_registered_model("second life")
        self.refused("RESOURCE_DOES_NOT_EXIST", "life", self.client.get_registered_model, "second life")
        self.made("second life")

    def test_versions_count_from_one(self) -> None:
        self.made("counted")
        self.assertEqual([str(self.version("counted")) for _ in range(3)], ["1", "2", "3"])
        self.client.update_model_version("counted", "2", "the second")
        self.client.set_model_version_tag("counted", "2", "x", "y")
        found = self.client.get_model_version("counted", "2")
        self.assertEqual((found.description, found.tags, found.status), ("the second", {"v": "t", "x": "y"}, "READY"))
        self.client.delete_model_version_tag("counted", "2", "x")
        self.client.delete_model_version("counted", "3")
        # The number of a deleted version is not given again.
        self.assertEqual(str(self.version("counted")), "4")
        found = self.client.search_model_versions("name = 'counted'")
        self.assertEqual(sorted(str(one.version) for one in found), ["1", "2", "4"])
        self.assertTrue(self.client.get_model_version_download_uri("counted", "1").endswith("/model"))

    @since(2, 3)
    def test_aliases_lead_to_versions(self) -> None:
        self.made("named")
        for _ in range(2):
            self.version("named")
        self.client.set_registered_model_alias("named", "champion", "1")
        self.client.set_registered_model_alias("named", "champion", "2")
        self.assertEqual(str(self.client.get_model_version_by_alias("named", "champion").version), "2")
        self.assertEqual(self.client.get_registered_model("named").aliases, {"champion": "2"})
        self.client.delete_registered_model_alias("named", "champion")
        self.refused("INVALID_PARAMETER_VALUE", "champion", self.client.get_model_version_by_alias, "named", "champion")

    def test_stages_change(self) -> None:
        self.made("staged")
        for _ in range(2):
            self.version("staged")
        self.client.transition_model_version_stage("staged", "1", "Production")
        self.client.transition_model_version_stage("staged", "2", "production", archive_existing_versions=True)
        stages = [self.client.get_model_version("staged", n).current_stage for n in ("1", "2")]
        self.assertEqual(stages, ["Archived", "Production"])
        latest = self.client.get_latest_versions("staged", ["Production"])
        self.assertEqual([str(one.version) for one in latest], ["2"])

    def test_models_are_searched_in_pages(self) -> None:
        for number in range(5):
            self.made(f"page-{number}")
        seen: list[str] = []
        token = None
        while True:
            page = self.client.search_registered_models("name LIKE 'page-%'", max_results=2, page_token=token)
            seen += [one.name for one in page]
            token = page.token
            if not token:
                break
        self.assertEqual(seen, [f"page-{number}" for number in range(5)])
        found = self.client.search_registered_models("tags.a = 'b' AND name ILIKE 'PAGE-3'")
        self.assertEqual([one.name for one in found], ["page-3"])


class Autologging(Case):
    def test_what_sklearn_fits_is_recorded(self) -> None:
        import numpy
        from sklearn.linear_model import LinearRegression

        mlflow.set_experiment("autolog")
        mlflow.sklearn.autolog(silent=True)
        self.addCleanup(mlflow.sklearn.autolog, disable=True)
        rows = numpy.arange(20.0).reshape(10, 2)
        with mlflow.start_run() as run:
            LinearRegression().fit(rows, rows.sum(axis=1))
        found = mlflow.get_run(run.info.run_id)
        self.assertEqual(found.data.params["fit_intercept"], "True")
        self.assertIn("training_score", found.data.metrics)
        if VERSION >= (3, 0):
            self.assertEqual(len(found.outputs.model_outputs), 1)
            uri = f"models:/{found.outputs.model_outputs[0].model_id}"
        else:
            uri = f"runs:/{run.info.run_id}/model"
        again = mlflow.sklearn.load_model(uri)
        self.assertAlmostEqual(float(again.predict(rows[:1])[0]), 1.0)
        registered = mlflow.register_model(uri, "from autolog")
        self.assertEqual(str(registered.version), "1")
        loaded = mlflow.pyfunc.load_model("models:/from autolog/1") if VERSION >= (3, 0) else again
        self.assertAlmostEqual(float(loaded.predict(rows[:1])[0]), 1.0)


@unittest.skipIf(VERSION < (3, 0), "needs MLflow 3")
class Logged(Case):
    def test_a_logged_model_lives(self) -> None:
        experiment = self.experiment()
        run = self.client.create_run(experiment).info.run_id
        model = self.client.create_logged_model(
            experiment, name="tree", source_run_id=run, tags={"a": "b"}, params={"depth": "3"}, model_type="kind"
        )
        self.assertEqual(str(model.status), "PENDING")
        self.client.log_metric(run, "f1", 0.5, step=1, model_id=model.model_id, dataset_name="d", dataset_digest="1")
        self.client.set_logged_model_tags(model.model_id, {"c": "d"})
        self.client.delete_logged_model_tag(model.model_id, "a")
        self.client.finalize_logged_model(model.model_id, "READY")
        found = self.client.get_logged_model(model.model_id)
        self.assertEqual((str(found.status), found.tags, found.params), ("READY", {"c": "d"}, {"depth": "3"}))
        self.assertEqual((found.name, found.model_type, found.source_run_id), ("tree", "kind", run))
        metric = found.metrics[0]
        self.assertEqual((metric.key, metric.value, metric.step, metric.dataset_name), ("f1", 0.5, 1, "d"))
        searched = self.client.search_logged_models([experiment], "metrics.f1 > 0.4 AND params.depth = '3'")
        self.assertEqual([one.model_id for one in searched], [model.model_id])
        self.client.delete_logged_model(model.model_id)
        self.assertEqual(self.client.search_logged_models([experiment]), [])

    def test_models_are_inputs_and_outputs_of_runs(self) -> None:
        from mlflow.entities import LoggedModelInput, LoggedModelOutput

        experiment = self.experiment()
        run = self.client.create_run(experiment).info.run_id
        model = self.client.create_logged_model(experiment).model_id
        self.client.log_outputs(run, [LoggedModelOutput(model, 7)])
        self.client.log_inputs(run, models=[LoggedModelInput(model)])
        found = self.client.get_run(run)
        self.assertEqual([(one.model_id, one.step) for one in found.outputs.model_outputs], [(model, 7)])
        self.assertEqual([one.model_id for one in found.inputs.model_inputs], [model])


@unittest.skipIf(VERSION < (3, 0), "needs MLflow 3")
class Prompts(Case):
    def test_prompts_have_versions_and_aliases(self) -> None:
        first = mlflow.genai.register_prompt("greet", "Hello {{name}}", tags={"tone": "kind"})
        second = mlflow.genai.register_prompt("greet", "Hi {{name}}", commit_message="shorter")
        self.assertEqual((first.version, second.version), (1, 2))
        mlflow.genai.set_prompt_alias("greet", "live", 1)
        found = mlflow.genai.load_prompt("prompts:/greet@live")
        self.assertEqual(found.format(name="Ada"), "Hello Ada")
        self.assertEqual([one.name for one in mlflow.genai.search_prompts("name = 'greet'")], ["greet"])
        self.assertEqual([one.name for one in self.client.search_registered_models("name = 'greet'")], [])
        mlflow.genai.delete_prompt_alias("greet", "live")


@unittest.skipIf(VERSION < (3, 3), "needs MLflow 3.3")
class Webhooks(Case):
    def test_webhooks_are_kept(self) -> None:
        from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent

        event = WebhookEvent(WebhookEntity.REGISTERED_MODEL, WebhookAction.CREATED)
        hook = self.client.create_webhook(
            "told", "https://93.184.216.34/hook", [event], description="why", secret="pssst"
        )
        found = self.client.get_webhook(hook.webhook_id)
        self.assertEqual((found.name, found.url, str(found.status)), ("told", "https://93.184.216.34/hook", "ACTIVE"))
        self.assertEqual([str(one) for one in found.events], [str(event)])
        self.client.update_webhook(hook.webhook_id, description="because")
        self.assertEqual([one.description for one in self.client.list_webhooks()], ["because"])
        self.client.delete_webhook(hook.webhook_id)
        self.assertEqual(list(self.client.list_webhooks()), [])


if __name__ == "__main__":
    unittest.main()
