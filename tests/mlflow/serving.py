"""A real server on an empty book, for the real and unmodified client of MLflow.

`TRIALBOOK_PROGRAM` names the binary. Invariant: a server is stopped by its own pid, whatever becomes of a test.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path
from typing import Any

# A server that fails is to fail a test, not to be asked again for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import mlflow
from mlflow.tracking import MlflowClient

VERSION = tuple(int(part) for part in mlflow.__version__.split(".")[:2])


class Server:
    """A process that serves a book."""

    def __init__(self, book: Path, *options: str) -> None:
        self.book = book
        program = os.environ["TRIALBOOK_PROGRAM"]
        self.log = tempfile.TemporaryFile()
        words = [program, "serve", "--book", str(book), "--port", "0", *options]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=self.log, cwd=book.parent, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://[\w.:\[\]]+", line)
        if found is None:
            self.stop()
            raise RuntimeError(f"no address in {line!r}: {self.said()}")
        self.url = found.group(0).rstrip("/")

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    @property
    def pid(self) -> int:
        return self.process.pid

    def resident(self) -> int:
        """Bytes of its own in memory; pages of files are the system's."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        return 0

    def get(self, path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def kill(self) -> None:
        self.process.kill()
        self._end()

    def stop(self) -> None:
        self.process.terminate()
        self._end()

    def _end(self) -> None:
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class Case(unittest.TestCase):
    """Tests of one server."""

    OPTIONS: tuple[str, ...] = ()
    server: Server
    place: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.place = Path(tempfile.mkdtemp(prefix="served-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        cls.server = Server(cls.place / "book", *cls.OPTIONS)
        cls.addClassCleanup(lambda: cls.server.stop())
        use(cls.server.url)

    def setUp(self) -> None:
        end_runs()
        self.client = MlflowClient()

    def tearDown(self) -> None:
        end_runs()

    def experiment(self, name: str | None = None) -> str:
        """A new experiment of this test."""
        return self.client.create_experiment(name or f"{self.id()}")

    def refused(self, code: str, words: str, call: Any, *args: Any, **named: Any) -> None:
        """Asserts that a call is refused with an error code, and words where some are named."""
        with self.assertRaises(mlflow.exceptions.MlflowException) as caught:
            call(*args, **named)
        self.assertEqual(caught.exception.error_code, code, caught.exception)
        self.assertRegex(str(caught.exception), words or ".")


def use(url: str) -> None:
    """Points the client to a server, as the environment does."""
    os.environ["MLFLOW_TRACKING_URI"] = url
    mlflow.set_tracking_uri(url)
    mlflow.set_registry_uri(url)


def end_runs() -> None:
    while mlflow.active_run() is not None:
        mlflow.end_run()


def since(*version: int) -> Any:
    """A test that older clients cannot run."""
    wanted = ".".join(str(part) for part in version)
    return unittest.skipIf(VERSION < version, f"needs MLflow {wanted}")


def python(code: str, *words: str, **env: str) -> subprocess.Popen[str]:
    """Another process with the same client."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *words], env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
    )
