"""The work itself, equal for all three ways of coordinating: count the words of many files.

Map reads one input file and writes its counts, split into partitions by the word's CRC-32. Reduce adds
up one partition over all files. Both touch only files of their own, so any worker may do any task.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from corpus import Corpus, decode


@dataclass(frozen=True)
class Job:
    """One map-reduce over a corpus; results lie in `output`."""

    corpus: Corpus
    output: Path
    partitions: int

    @property
    def tasks(self) -> int:
        """Number of tasks: maps come first, then reduces."""
        return self.corpus.files + self.partitions

    def is_map(self, task: int) -> bool:
        """Whether task number `task` is a map."""
        return task < self.corpus.files

    def execute(self, task: int) -> None:
        """Does task number `task`; raises OSError or ValueError when its input is damaged."""
        if self.is_map(task):
            self._map(task)
        else:
            self._reduce(task - self.corpus.files)

    def counts(self) -> Counter[str]:
        """What the reduces found, all partitions together."""
        total: Counter[str] = Counter()
        for partition in range(self.partitions):
            total.update(json.loads(self._reduced(partition).read_text()))
        return total

    def _map(self, index: int) -> None:
        counts = Counter(decode(self.corpus.path(index).read_bytes()))
        parts: list[dict[str, int]] = [{} for _ in range(self.partitions)]
        for word, count in counts.items():
            parts[zlib.crc32(word.encode()) % self.partitions][word] = count
        for partition, part in enumerate(parts):
            self._mapped(index, partition).write_text(json.dumps(part))

    def _reduce(self, partition: int) -> None:
        total: Counter[str] = Counter()
        for index in range(self.corpus.files):
            total.update(json.loads(self._mapped(index, partition).read_text()))
        self._reduced(partition).write_text(json.dumps(total))

    def _mapped(self, index: int, partition: int) -> Path:
        return self.output / f"map-{index:03d}-{partition}.json"

    def _reduced(self, partition: int) -> Path:
        return self.output / f"reduce-{partition}.json"
