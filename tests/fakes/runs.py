"""Folders of searches: of now, made by a whole search of stand-ins, and of version 0.1."""

import json

import numpy as np

from fakes.run_folder import write_run_of_0_1
from unit.study.test_outcome import finished, write

JOURNAL_OF_0_1 = (
    {"kind": "header", "schema_version": 1, "adadeep_version": "0.1.0", "study": {"task": "toy"}},
    {"kind": "trial", "plan": {}},
)


def of_now(folder, devices=1):
    """A finished search of eight plans; returns its outcome."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    outcome, store = finished(folder, devices)
    write(outcome, store)
    return outcome


def of_version_0_1(folder):
    """A finished search of then, with what is left of its journal; returns its folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    write_run_of_0_1(folder, b"best", b"initial", np.zeros((2, 3, 1, 1), np.float32))
    lines = "".join(json.dumps(record) + "\n" for record in JOURNAL_OF_0_1)
    (folder / "journal.jsonl").write_text(lines)
    return folder
