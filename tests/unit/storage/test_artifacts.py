import hashlib

from adadeep.storage.artifacts import ArtifactStore, remove_leftovers


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
