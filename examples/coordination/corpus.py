"""The input: text files that follow from a seed, some of which arrive damaged.

Everything here is a function of (seed, file index). Two runs with one seed meet the same words, the
same file sizes and the same faults; nothing depends on the clock, the machine or the order of calls.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

VOCABULARY_SIZE = 3000
SYLLABLES = ("ka", "lo", "mi", "ren", "sta", "tu", "ve", "dor", "an", "pel", "qui", "sho", "zi", "bar")
# A fault that comes back for ever would make the run fail for a reason that is not coordination.
MAX_FAULTS_PER_FILE = 5


class Fault(enum.IntEnum):
    """What can be wrong with a file when a worker takes it up."""

    MISSING = 1
    TRUNCATED = 2
    GARBLED = 3


@dataclass(frozen=True)
class Corpus:
    """A directory of generated files."""

    directory: Path
    seed: int
    files: int
    fault_rate: float

    def path(self, index: int) -> Path:
        """Where file `index` lies."""
        return self.directory / f"file-{index:03d}.txt"

    def generate(self) -> Counter[str]:
        """Writes every file, damaged where the seed says so, and returns the true word counts."""
        self.directory.mkdir(parents=True, exist_ok=True)
        truth: Counter[str] = Counter()
        for index in range(self.files):
            words = self.words(index)
            truth.update(words)
            faults = self.faults(index)
            self._deliver(index, encode(words), faults[0] if faults else None)
        return truth

    def repair(self, index: int, attempt: int) -> None:
        """Delivers file `index` again after its attempt number `attempt` (from 1) failed."""
        faults = self.faults(index)
        fault = faults[attempt] if attempt < len(faults) else None
        self._deliver(index, encode(self.words(index)), fault)

    def faults(self, index: int) -> list[Fault]:
        """The faults that file `index` shows, one for each failing attempt, before it is whole."""
        draw = self._random("fault", index)
        faults: list[Fault] = []
        while len(faults) < MAX_FAULTS_PER_FILE and draw.random() < self.fault_rate:
            faults.append(draw.choice(list(Fault)))
        return faults

    def words(self, index: int) -> list[str]:
        """The words of file `index`; sizes are skewed, so that an even split of files is uneven work."""
        draw = self._random("words", index)
        vocabulary, weights = self._vocabulary
        length = max(200, int(draw.lognormvariate(8.8, 0.6)))
        return draw.choices(vocabulary, cum_weights=weights, k=length)

    @functools.cached_property
    def _vocabulary(self) -> tuple[list[str], list[float]]:
        draw = self._random("vocabulary", 0)
        words = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 4))) for _ in range(VOCABULARY_SIZE)]
        total = 0.0
        cumulative = []
        for rank in range(1, VOCABULARY_SIZE + 1):
            total += 1 / rank
            cumulative.append(total)
        return words, cumulative

    def _random(self, purpose: str, index: int) -> random.Random:
        # A text seeds the generator through SHA-512, the same on every machine and version.
        return random.Random(f"{self.seed}/{purpose}/{index}")

    def _deliver(self, index: int, content: bytes, fault: Fault | None) -> None:
        path = self.path(index)
        path.unlink(missing_ok=True)
        if fault is Fault.MISSING:
            return
        if fault is Fault.TRUNCATED:
            content = content[: len(content) * 2 // 3]
        elif fault is Fault.GARBLED:
            middle = len(content) // 2
            content = content[:middle] + b"\xff\xfe\x00" + content[middle + 3 :]
        # Written beside and renamed: a worker must never read a file that is half repaired.
        part = path.with_suffix(".part")
        part.write_bytes(content)
        part.rename(path)


def encode(words: list[str]) -> bytes:
    """A file: the SHA-256 of its body on the first line, then twelve words to a line."""
    lines = (" ".join(words[at : at + 12]) for at in range(0, len(words), 12))
    body = "\n".join(lines).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def decode(content: bytes) -> list[str]:
    """The words of a file; raises ValueError when the body is not what its first line promises."""
    digest, _, body = content.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("checksum of the body differs from the file's first line")
    return body.decode().split()
