import hashlib

import pytest

from adadeep.core.errors import ConfigError
from adadeep.storage.artifacts import ArtifactStore, write_atomic


def test_a_model_is_kept_by_its_hash(tmp_path):
    store = ArtifactStore(tmp_path / "models")
    sha256 = store.put(b"model")
    assert sha256 == hashlib.sha256(b"model").hexdigest()
    assert store.get(sha256) == b"model"
    assert store.put(b"model") == sha256
    assert [path.name for path in (tmp_path / "models").iterdir()] == [f"{sha256}.tflite"]


def test_a_missing_or_changed_model_is_not_given_out_and_is_written_anew(tmp_path):
    store = ArtifactStore(tmp_path)
    assert store.get("0" * 64) is None
    sha256 = store.put(b"model")
    store.path(sha256).write_bytes(b"mode")
    assert store.get(sha256) is None
    assert store.put(b"model") == sha256
    assert store.get(sha256) == b"model"


def test_a_write_replaces_the_whole_file_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "plan.json"
    write_atomic(path, b"long content")
    write_atomic(path, b"short")
    assert path.read_bytes() == b"short"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unwritable_place_is_an_input_error(tmp_path):
    with pytest.raises(ConfigError, match="can't be written"):
        write_atomic(tmp_path / "missing" / "file", b"")
