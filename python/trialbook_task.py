"""Runs ``tasks.<type>.execute(params, data_path, metrics_file)`` as one run of an experiment.

Called as ``python3 trialbook_task.py TYPE FOLDER``. The module ``tasks.TYPE`` is looked for in FOLDER and in
the folders above it. What ``execute`` returns, ``{"metrics": {...}}``, becomes the result file; an exception
becomes the run's error. Only the standard library is used, and nothing but the environment variables of the
task protocol is read.
"""

import importlib
import json
import os
import pathlib
import random
import sys
import traceback


def find_root(task, folder):
    """The nearest folder, upwards from ``folder``, that holds the module ``tasks.<task>``."""
    inner = pathlib.Path("tasks", *task.split("."))
    for root in [folder, *folder.parents]:
        if (root / inner).with_suffix(".py").is_file() or (root / inner / "__init__.py").is_file():
            return root
    raise ModuleNotFoundError(
        f"no file {inner.with_suffix('.py')} in {folder} or in a folder above it"
    )


def set_seed(seed):
    """Seeds the generators that are there, as far as they take the seed."""
    random.seed(seed)
    # NumPy is seeded only when it is installed and the task is about to use it anyway.
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)


def plain(value):
    """A number or text for a value of a library's own type, such as ``numpy.float64``."""
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"a result of type {type(value).__name__} has no JSON form")


def write_result(result):
    path = pathlib.Path(os.environ["TRIALBOOK_RESULT_FILE"])
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(result, default=plain), encoding="utf-8")
    os.replace(beside, path)


def run(task, folder):
    root = find_root(task, folder)
    sys.path.insert(0, str(root))
    module = importlib.import_module(f"tasks.{task}")
    set_seed(int(os.environ["TRIALBOOK_SEED"]))
    result = module.execute(
        params=json.loads(os.environ["TRIALBOOK_PARAMS"]),
        data_path=os.environ.get("TRIALBOOK_DATA_PATH"),
        metrics_file=pathlib.Path(os.environ["TRIALBOOK_METRICS_FILE"]),
    )
    if result is None:
        result = {"metrics": {}}
    if not isinstance(result, dict):
        raise TypeError(f"execute returned {type(result).__name__}, expected a dict with `metrics`")
    write_result(result)


def main():
    task, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    try:
        run(task, folder)
    except Exception as error:  # Whatever the task raises is the run's error.
        traceback.print_exc()
        last = traceback.format_exception_only(type(error), error)[-1].strip()
        write_result({"error": {"kind": type(error).__name__, "message": last}})
        sys.exit(1)


if __name__ == "__main__":
    main()
