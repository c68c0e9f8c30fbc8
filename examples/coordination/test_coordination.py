"""Tests of the example: same input from the same seed, true counts and honest counters in every model."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from channels import MODELS  # noqa: E402
from corpus import Corpus, Fault, decode, encode  # noqa: E402
from mapreduce import Job  # noqa: E402
from task import EventLog, parse, trial  # noqa: E402

FILES = 12


class CorpusTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def corpus(self, name: str, seed: int = 7, fault_rate: float = 0.4) -> Corpus:
        return Corpus(self.directory / name, seed, FILES, fault_rate)

    def test_one_seed_gives_the_same_bytes_and_another_seed_others(self) -> None:
        first, second, other = self.corpus("a"), self.corpus("b"), self.corpus("c", seed=8)
        self.assertEqual(first.generate(), second.generate())
        self.assertNotEqual(first.words(0), other.words(0))
        for index in range(FILES):
            paths = first.path(index), second.path(index)
            self.assertEqual(paths[0].exists(), paths[1].exists())
            if paths[0].exists():
                self.assertEqual(paths[0].read_bytes(), paths[1].read_bytes())

    def test_the_seed_fixes_text_and_faults_for_ever(self) -> None:
        corpus = Corpus(self.directory, 42, 100, 0.03)
        self.assertEqual(corpus.words(0)[:4], WORDS_OF_SEED_42)
        self.assertEqual({i: corpus.faults(i) for i in range(100) if corpus.faults(i)}, FAULTS_OF_SEED_42)

    def test_a_damaged_file_is_noticed_and_repaired_after_its_last_fault(self) -> None:
        corpus = self.corpus("a")
        corpus.generate()
        damaged = [index for index in range(FILES) if corpus.faults(index)]
        self.assertTrue(damaged)
        for index in damaged:
            for attempt in range(1, len(corpus.faults(index)) + 1):
                with self.assertRaises((OSError, ValueError)):
                    decode(corpus.path(index).read_bytes())
                corpus.repair(index, attempt)
            self.assertEqual(decode(corpus.path(index).read_bytes()), corpus.words(index))

    def test_every_kind_of_fault_is_noticed(self) -> None:
        corpus = self.corpus("a")
        corpus.directory.mkdir()
        for fault in Fault:
            corpus._deliver(0, encode(["one", "two"] * 20), fault)
            with self.assertRaises((OSError, ValueError), msg=fault.name):
                decode(corpus.path(0).read_bytes())


class TrialTest(unittest.TestCase):
    def options(self, model: str, *more: str):
        return parse(["--model", model, "--seed", "3", "--files", str(FILES), "--agents", "3", *more])

    def run_one(self, model: str, *more: str) -> tuple[dict[str, float], list[dict]]:
        lines = io.StringIO()
        with tempfile.TemporaryDirectory() as directory:
            metrics = trial(self.options(model, *more), Path(directory), EventLog(lines))
        return metrics, [json.loads(line) for line in lines.getvalue().splitlines()]

    def test_every_model_counts_the_words_and_measures(self) -> None:
        for model in MODELS:
            with self.subTest(model):
                metrics, events = self.run_one(model)
                self.assertGreater(metrics["completion_time_ms"], 0)
                self.assertTrue(0 <= metrics["idle_time_percent"] <= 100)
                self.assertEqual(events[-1]["event"], "task_end")

    def test_the_error_rate_is_the_share_of_attempts_that_met_a_fault(self) -> None:
        for model in MODELS:
            with self.subTest(model):
                metrics, events = self.run_one(model, "--fault-rate", "0.3")
                corpus = Corpus(Path("unused"), 3, FILES, 0.3)
                faults = sum(len(corpus.faults(index)) for index in range(FILES))
                self.assertGreater(faults, 0)
                self.assertAlmostEqual(metrics["error_rate"], faults / (FILES + 5 + faults))
                self.assertEqual(sum(event["event"] == "error" for event in events), faults)

    def test_without_faults_messages_are_as_many_as_the_protocol_needs(self) -> None:
        tasks, workers = FILES + 5, 3
        expected = {
            # one cue and one report a task, one announcement and one stop a worker
            "cue_based": 2 * tasks + 2 * workers,
            "event_driven": 2 * tasks + workers,
        }
        for model, count in expected.items():
            with self.subTest(model):
                metrics, _ = self.run_one(model, "--fault-rate", "0")
                self.assertEqual(metrics["message_count"], count)
        metrics, _ = self.run_one("polling", "--fault-rate", "0")
        # at least: offer, take, report a task; one last look a worker; the end; a look of the coordinator
        self.assertGreaterEqual(metrics["message_count"], 3 * tasks + workers + 2)

    def test_a_wrong_count_fails_the_trial(self) -> None:
        class Forgetful(Job):
            def counts(self):
                counts = super().counts()
                counts.popitem()
                return counts

        import task

        original, task.Job = task.Job, Forgetful
        self.addCleanup(setattr, task, "Job", original)
        with self.assertRaisesRegex(RuntimeError, "word counts differ"):
            self.run_one("event_driven")


class ProtocolTest(unittest.TestCase):
    def call(self, directory: str, environment: dict[str, str]) -> subprocess.CompletedProcess:
        arguments = ["--model", "cue_based", "--seed", "1", "--files", "5", "--agents", "2"]
        return subprocess.run(
            [sys.executable, str(HERE / "task.py"), *arguments],
            cwd=directory,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )

    def test_alone_it_prints_its_metrics(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            environment = {"TRIALBOOK_RESULT_FILE": "", "TRIALBOOK_METRICS_FILE": ""}
            lines = self.call(directory, environment).stdout.splitlines()
        names = [line.split("=")[0] for line in lines]
        self.assertEqual(names, ["completion_time_ms", "message_count", "error_rate", "idle_time_percent"])

    def test_in_a_run_it_writes_result_and_events(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            result, events = Path(directory, "result.json"), Path(directory, "metrics.jsonl")
            environment = {"TRIALBOOK_RESULT_FILE": str(result), "TRIALBOOK_METRICS_FILE": str(events)}
            answer = self.call(directory, environment)
            self.assertEqual(answer.stdout, "")
            self.assertEqual(len(json.loads(result.read_text())["metrics"]), 4)
            kinds = [json.loads(line)["event"] for line in events.read_text().splitlines()]
            self.assertEqual((kinds[0], kinds[-1]), ("task_start", "task_end"))
            self.assertEqual(kinds.count("phase_end"), 2)


# Written down once: they must not change with the version of Python or the machine.
WORDS_OF_SEED_42 = ["shoren", "peldor", "pelquistazi", "lo"]
FAULTS_OF_SEED_42 = {
    8: [Fault.GARBLED],
    11: [Fault.GARBLED],
    14: [Fault.MISSING],
    86: [Fault.GARBLED],
    99: [Fault.MISSING],
}

if __name__ == "__main__":
    unittest.main()
