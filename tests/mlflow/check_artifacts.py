"""Artifacts: files, folders, pictures, tables; large ones without filling the server's memory."""

from __future__ import annotations

import hashlib
import os
import unittest
import urllib.request
from pathlib import Path

import mlflow
from serving import Case, since

# One of 1 GB is for those who ask for it; half of it shows as well whether memory stays flat.
LARGE = int(os.environ.get("TRIALBOOK_LARGE_MB", "512")) << 20


class Artifacts(Case):
    def run_id(self) -> str:
        return self.client.create_run(self.experiment()).info.run_id

    def paths(self, run: str, folder: str | None = None) -> list[tuple[str, bool, int | None]]:
        return [(one.path, one.is_dir, one.file_size) for one in self.client.list_artifacts(run, folder)]

    def test_files_and_folders_come_back(self) -> None:
        run = self.run_id()
        folder = self.place / "things"
        (folder / "below" / "räder x").mkdir(parents=True)
        (folder / "a.txt").write_text("one")
        (folder / "below" / "räder x" / "b 1.bin").write_bytes(bytes(range(256)))
        (folder / "empty").write_bytes(b"")
        self.client.log_artifacts(run, str(folder), "put")
        self.client.log_artifact(run, str(folder / "a.txt"))
        self.assertEqual(self.paths(run), [("a.txt", False, 3), ("put", True, None)])
        expected = [("put/a.txt", False, 3), ("put/below", True, None), ("put/empty", False, 0)]
        self.assertEqual(self.paths(run, "put"), expected)
        self.assertEqual(self.paths(run, "put/below/räder x"), [("put/below/räder x/b 1.bin", False, 256)])
        back = Path(self.client.download_artifacts(run, "put", str(self.place)))
        self.assertEqual((back / "below" / "räder x" / "b 1.bin").read_bytes(), bytes(range(256)))
        self.assertEqual((back / "empty").read_bytes(), b"")

    def test_a_file_is_replaced(self) -> None:
        run = self.run_id()
        self.client.log_text(run, "old", "notes.txt")
        self.client.log_text(run, "newer", "notes.txt")
        self.assertEqual(self.paths(run), [("notes.txt", False, 5)])
        self.assertEqual(mlflow.artifacts.load_text(f"runs:/{run}/notes.txt"), "newer")

    def test_texts_and_documents(self) -> None:
        run = self.run_id()
        self.client.log_dict(run, {"a": [1, None]}, "deep/er/data.json")
        self.client.log_dict(run, {"a": "b"}, "data.yaml")
        self.assertEqual(mlflow.artifacts.load_dict(f"runs:/{run}/deep/er/data.json"), {"a": [1, None]})
        self.assertEqual(mlflow.artifacts.load_text(f"runs:/{run}/data.yaml"), "a: b\n")

    def test_pictures(self) -> None:
        import numpy
        from matplotlib.figure import Figure

        run = self.run_id()
        figure = Figure()
        figure.subplots().plot([1, 2])
        self.client.log_figure(run, figure, "plots/one.png")
        self.client.log_image(run, numpy.zeros((4, 4, 3), dtype=numpy.uint8), "black.png")
        self.assertEqual(mlflow.artifacts.load_image(f"runs:/{run}/black.png").size, (4, 4))
        self.assertGreater(mlflow.artifacts.load_image(f"runs:/{run}/plots/one.png").size[0], 10)

    @since(2, 13)
    def test_pictures_by_step(self) -> None:
        import numpy

        mlflow.set_experiment("pictures")
        with mlflow.start_run() as run:
            for step in range(2):
                mlflow.log_image(numpy.zeros((4, 4), dtype=numpy.uint8), key="seen", step=step)
        if hasattr(mlflow, "flush_artifact_async_logging"):
            mlflow.flush_artifact_async_logging()
        self.assertEqual(len(self.client.list_artifacts(run.info.run_id, "images")), 4)

    @since(2, 4)
    def test_tables_grow(self) -> None:
        run = self.run_id()
        self.client.log_table(run, {"a": [1, 2], "b": ["x", "y"]}, "table.json")
        self.client.log_table(run, {"a": [3], "b": ["z"]}, "table.json")
        mlflow.set_experiment(experiment_id=self.client.get_run(run).info.experiment_id)
        table = mlflow.load_table("table.json", run_ids=[run])
        self.assertEqual(list(table["a"]), [1, 2, 3])

    def test_a_large_file_passes_through(self) -> None:
        run = self.run_id()
        large = self.place / "large.bin"
        block = os.urandom(1 << 20)
        with large.open("wb") as file:
            for number in range(LARGE >> 20):
                file.write(number.to_bytes(8, "big") + block[8:])
        self.client.log_text(run, "warm", "warm.txt")
        before = self.server.resident()
        self.client.log_artifact(run, str(large))
        after_upload = self.server.resident()
        back = Path(self.client.download_artifacts(run, "large.bin", str(self.place)))
        after_download = self.server.resident()
        for path in (large, back):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else ""
            if path == large:
                expected = digest
        self.assertEqual(digest, expected)
        self.assertEqual(back.stat().st_size, LARGE)
        grown = [(after - before) >> 20 for after in (after_upload, after_download)]
        self.assertLess(max(grown), 192, f"the server held the file in memory: {grown} MB")

    def test_a_part_of_a_file(self) -> None:
        run = self.client.get_run(self.run_id())
        self.client.log_text(run.info.run_id, "0123456789", "digits.txt")
        path = run.info.artifact_uri.split("mlflow-artifacts:/", 1)[1].lstrip("/")
        url = f"{self.server.url}/api/2.0/mlflow-artifacts/artifacts/{path}/digits.txt"
        request = urllib.request.Request(url, headers={"Range": "bytes=2-4"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.assertEqual((answer.status, answer.read()), (206, b"234"))

    def test_what_is_not_there_and_what_leads_out(self) -> None:
        run = self.run_id()
        with self.assertRaises(Exception):
            self.client.download_artifacts(run, "nothing.txt", str(self.place))
        self.assertEqual(self.client.list_artifacts(run, "nothing"), [])
        for path in ("/api/2.0/mlflow-artifacts/artifacts/..%2f..%2fetc%2fpasswd", "/get-artifact?path=../x&run_id=" + run):
            self.assertIn(self.server.get(path)[0], (400, 404), path)

    def test_artifacts_are_deleted(self) -> None:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        run = self.client.get_run(self.run_id())
        self.client.log_text(run.info.run_id, "x", "folder/x.txt")
        self.client.log_text(run.info.run_id, "y", "y.txt")
        repository = get_artifact_repository(run.info.artifact_uri)
        repository.delete_artifacts("folder")
        self.assertEqual(self.paths(run.info.run_id), [("y.txt", False, 1)])


if __name__ == "__main__":
    unittest.main()
