import dataclasses
import hashlib
import os

import pytest

from adadeep.core.errors import ConfigError
from adadeep.storage.artifacts import ArtifactStore, Stored, remove_leftovers


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


def left(folder, model=b"model", network=b"network"):
    """What a worker leaves: a model, and its network unless that is None."""
    paths = folder / ".part.0.tflite", folder / ".part.0.keras"
    paths[0].write_bytes(model)
    if network is None:
        return paths[0], None
    paths[1].write_bytes(network)
    return paths


def test_what_the_worker_left_is_taken_over_and_nothing_stays_beside_it(tmp_path):
    store = ArtifactStore(tmp_path)
    stored = store.adopt(*left(tmp_path))
    sha256, size = stored.model_sha256, stored.file_bytes
    assert (sha256, size) == (hashlib.sha256(b"model").hexdigest(), 5)
    assert store.get(sha256) == b"model"
    assert store.path(sha256, "keras").read_bytes() == b"network"
    assert {path.name for path in tmp_path.iterdir()} == {f"{sha256}.tflite", f"{sha256}.keras"}


def test_a_model_that_is_there_already_is_replaced_and_its_network_kept(tmp_path):
    store = ArtifactStore(tmp_path)
    sha256 = store.adopt(*left(tmp_path)).model_sha256
    store.path(sha256).write_bytes(b"damaged")
    assert store.adopt(*left(tmp_path, network=None)) == Stored(sha256, 5)
    assert store.get(sha256) == b"model"
    assert store.path(sha256, "keras").read_bytes() == b"network"


def test_what_has_a_model_has_its_network_too(tmp_path):
    """Its network can't be taken over: then the model is not, either."""
    store = ArtifactStore(tmp_path)
    model, network = left(tmp_path)
    network.unlink()
    with pytest.raises(ConfigError, match=r"can't be written .*free some space"):
        store.adopt(model, network)
    assert store.get(hashlib.sha256(b"model").hexdigest()) is None


def test_a_model_that_has_gone_or_a_folder_that_can_not_be_made_is_an_input_error(tmp_path):
    with pytest.raises(ConfigError, match="can't be read"):
        ArtifactStore(tmp_path).adopt(tmp_path / "none", None)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"file.models can't be written .*another folder"):
        ArtifactStore(tmp_path / "file" / "models").make()


def test_a_network_is_copied_whole_by_its_hashes_or_not_at_all(tmp_path):
    there, here = ArtifactStore(tmp_path / "there"), ArtifactStore(tmp_path / "here")
    stored = there.adopt(*left(there.make()))
    keras = there.path(stored.model_sha256, "keras")
    for wrong in (
        dataclasses.replace(stored, model_sha256="0" * 64),
        dataclasses.replace(stored, file_bytes=6),
        dataclasses.replace(stored, network_sha256="0" * 64),
    ):
        assert not here.copy(there, wrong)
    assert not here.has(stored.model_sha256)
    assert here.copy(there, stored)
    assert here.get(stored.model_sha256) == b"model"
    assert here.path(stored.model_sha256, "keras").read_bytes() == b"network"
    keras.unlink()
    assert not ArtifactStore(tmp_path / "third").copy(there, stored)
    assert not (tmp_path / "third").exists()


def test_a_disk_that_is_full_while_copying_leaves_no_model(tmp_path, monkeypatch):
    there, here = ArtifactStore(tmp_path / "there"), ArtifactStore(tmp_path / "here")
    stored = there.adopt(*left(there.make()))

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="free some space"):
        here.copy(there, stored)
    assert list(here.folder.iterdir()) == []


def test_what_a_killed_host_was_writing_is_removed_and_nothing_else(tmp_path):
    (tmp_path / "models").mkdir()
    kept = [".lock", "plan.json", ".gitignore", ".notes.json", ".part", "models/a.tflite"]
    torn = [".part.initial.keras", ".part.k3x_9a1q.plan.json", ".best.tflite.k3x_9a1q",
            ".plan.json.abcdefgh", ".samples.npz.12345678",
            f"models/.{'a' * 64}.tflite.abcd_123"]  # fmt: skip
    for name in [*kept, *torn]:
        (tmp_path / name).write_bytes(b"x")
    remove_leftovers(tmp_path)
    assert not [name for name in torn if (tmp_path / name).exists()]
    assert all((tmp_path / name).exists() for name in kept)
