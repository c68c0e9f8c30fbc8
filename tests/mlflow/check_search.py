"""Searching runs: every comparator, order, pages."""

from __future__ import annotations

import math
import unittest

from mlflow.entities import Metric, Param, RunTag
from serving import Case, since


class Search(Case):
    experiment_id: str
    runs: dict[str, str]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        from mlflow.tracking import MlflowClient

        client = MlflowClient()
        cls.experiment_id = client.create_experiment("searched")
        cls.runs = {}
        rows = [
            ("a", 0.1, "0.1", "one", "FINISHED", 1_000),
            ("b", 0.2, "0.20", "Two", "FAILED", 2_000),
            ("c", 0.3, "1e-1", "three", "RUNNING", 3_000),
            ("d", math.nan, "x", "100% sure", "KILLED", 4_000),
            ("e", None, None, None, "FINISHED", 5_000),
        ]
        for name, metric, param, tag, status, start in rows:
            run = client.create_run(cls.experiment_id, start_time=start, run_name=name, tags={"mlflow.user": name})
            cls.runs[name] = run.info.run_id
            client.log_batch(
                run.info.run_id,
                metrics=[] if metric is None else [Metric("val loss", metric, 1, 0), Metric("x", metric, 1, 0)],
                params=[] if param is None else [Param("lr", param)],
                tags=[] if tag is None else [RunTag("kind", tag), RunTag("a b", tag)],
            )
            if status != "RUNNING":
                client.set_terminated(run.info.run_id, status, end_time=start + 500)

    def found(self, where: str, order: list[str] | None = None) -> str:
        runs = self.client.search_runs([self.experiment_id], where, order_by=order)
        return "".join(run.info.run_name for run in runs)

    def check(self, expected: dict[str, str]) -> None:
        for where, names in expected.items():
            with self.subTest(where):
                self.assertEqual("".join(sorted(self.found(where))), names)

    def test_metrics_are_compared_as_numbers(self) -> None:
        self.check({
            "metrics.x = 0.2": "b",
            "metrics.x != 0.2": "acd",
            "metrics.x > 0.1": "bc",
            "metrics.x >= 0.1": "abc",
            "metric.x < 0.3": "ab",
            "metrics.x <= 0.3": "abc",
            "metrics.`val loss` > 0.25": "c",
            'metrics."val loss" > 0.25': "c",
            "metrics.x > 1e-1 and metrics.x < 3e-1": "b",
            "metrics.nothing > 0": "",
        })  # fmt: skip

    def test_params_and_tags_are_compared_as_texts(self) -> None:
        self.check({
            "params.lr = '0.1'": "a",
            "params.lr = '0.2'": "",
            "params.lr != '0.1'": "bcd",
            "param.lr LIKE '0.%'": "ab",
            "params.lr ILIKE '1E%'": "c",
            "tags.kind = 'Two'": "b",
            "tag.kind != 'Two'": "acd",
            "tags.kind LIKE 't%'": "c",
            "tags.kind ILIKE 't%'": "bc",
            "tags.`a b` = 'one'": "a",
            "tags.kind LIKE '100%'": "d",
            "params.lr = '0.1' AND tags.kind = 'one'": "a",
        })  # fmt: skip

    @since(3, 11)
    def test_what_is_missing_is_found(self) -> None:
        self.check({"params.lr IS NULL": "e", "tags.kind IS NOT NULL": "abcd"})

    def test_attributes_are_compared(self) -> None:
        a, b = self.runs["a"], self.runs["b"]
        self.check({
            "attributes.status = 'FINISHED'": "ae",
            "status != 'FINISHED'": "bcd",
            "attribute.run_name = 'a'": "a",
            "run_name LIKE '%b%'": "b",
            "`Run name` = 'c'": "c",
            f"attributes.run_id IN ('{a}', '{b}')": "ab",
            f"run_id NOT IN ('{a}', '{b}')": "cde",
            f"run_id = '{a}'": "a",
            "attributes.user_id = 'd'": "d",
            "start_time > 3000": "de",
            "attributes.start_time <= 2000": "ab",
            "attributes.end_time = 1500": "a",
            "created >= 4000": "de",
        })  # fmt: skip

    def test_what_is_no_filter_is_refused(self) -> None:
        for where in [
            "metrics.x = 'a'",
            "params.lr > '1'",
            "metrics.x LIKE '1'",
            "attributes.nothing = 'x'",
            "metrics.x = 1 OR metrics.x = 2",
            "start_time = 'x'",
            "params.lr = 1",
            "foo.bar = 'x'",
            "metrics.x >",
        ]:
            with self.subTest(where):
                self.refused("INVALID_PARAMETER_VALUE", "", self.client.search_runs, [self.experiment_id], where)

    def test_orders(self) -> None:
        for order, names in [
            (["metrics.x ASC"], "abcde"),
            (["metrics.x DESC"], "cbade"),
            (["params.lr"], "abcde"),
            (["params.lr DESC"], "dcbae"),
            (["attributes.start_time"], "abcde"),
            (["start_time DESC"], "edcba"),
            (["status ASC", "start_time ASC"], "baedc"),
            (["tags.kind ASC"], "dbace"),
            ([], "edcba"),
        ]:
            with self.subTest(order):
                self.assertEqual(self.found("", order), names)

    def test_orders_that_mean_nothing_are_refused(self) -> None:
        for order in [["metrics.x UP"], ["nothing"], ["start_time", "start_time"]]:
            with self.subTest(order):
                call = self.client.search_runs
                self.refused("INVALID_PARAMETER_VALUE", "", call, [self.experiment_id], order_by=order)

    def test_pages_hold_every_run_once(self) -> None:
        experiment = self.experiment()
        made = {self.client.create_run(experiment, start_time=n // 3).info.run_id for n in range(25)}
        for order in ([], ["metrics.none DESC"], ["start_time ASC"]):
            seen: list[str] = []
            token = None
            while True:
                page = self.client.search_runs([experiment], order_by=order, max_results=4, page_token=token)
                self.assertLessEqual(len(page), 4)
                seen += [run.info.run_id for run in page]
                token = page.token
                if not token:
                    break
            self.assertEqual((len(seen), set(seen)), (25, made))
        self.refused("INVALID_PARAMETER_VALUE", "", self.client.search_runs, [experiment], page_token="no token")
        self.refused("INVALID_PARAMETER_VALUE", "50,?000", self.client.search_runs, [experiment], max_results=60_000)

    def test_nothing_found_is_an_empty_list(self) -> None:
        self.assertEqual(self.client.search_runs([self.experiment()]), [])
        self.assertEqual(self.client.search_runs([]), [])


if __name__ == "__main__":
    unittest.main()
