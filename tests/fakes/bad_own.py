"""Networks, data and modules of the user's own that can't be used; the sound ones they are of."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fakes.bad_inputs import Bad, Prepare, bad, file
from fakes.sandbox import Sandbox

SIDE, CLASSES, COUNT = 6, 3, 90
PLAN = "--plan fc1=W1f"


def samples(count: int = COUNT) -> tuple[np.ndarray, np.ndarray]:
    """Images whose mean tells the class, of as many each."""
    y = np.arange(count) % CLASSES
    x = np.random.default_rng(0).random((count, SIDE, SIDE, 1)) + y.reshape(-1, 1, 1, 1)
    return x.astype(np.float32), y


def small() -> Any:
    """A network that techniques apply to; its last layer gives classes."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((SIDE, SIDE, 1), name="image")
    x = layers.Conv2D(4, 3, activation="relu", name="conv1")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(24, activation="relu", name="fc1")(x)
    return keras.Model(inputs, layers.Dense(CLASSES, "softmax", name="fc2")(x))


def _of_one(make: Callable[[Any], Any], shape: tuple[int | None, ...] = (SIDE, SIDE, 1)) -> Any:
    import keras

    inputs = keras.Input(shape)
    return keras.Model(inputs, make(keras.layers)(inputs))


def with_lambda() -> Any:
    return _of_one(lambda layers: layers.Lambda(lambda x: x + 1, name="mine"))


def with_custom_layer() -> Any:
    import keras

    class Mine(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    return _of_one(lambda _: Mine(name="mine"))


def with_open_size() -> Any:
    return _of_one(lambda layers: layers.Conv2D(4, 3, name="fc1"), (None, None, 3))


def with_open_steps() -> Any:
    return _of_one(lambda layers: layers.Dense(4, name="fc1"), (None, 5))


def with_text() -> Any:
    return _of_one(lambda layers: layers.StringLookup(vocabulary=["a"]), (1,))


def without_weights() -> Any:
    return _of_one(lambda layers: layers.Flatten(name="fc1"))


@cache
def saved(make: Callable[[], Any], suffix: str = ".keras") -> bytes:
    """A network as a file, made once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"net{suffix}"
        make().save(path)
        return path.read_bytes()


def network(name: str, make: Callable[[], Any]) -> Prepare:
    return lambda sandbox: sandbox.file(name, saved(make))


def data(**changes: Any) -> Prepare:
    """The sound data in which members are others, or gone (None)."""
    x, y = samples()

    def prepare(sandbox: Sandbox) -> None:
        members = {"x": x, "y": y, **changes}
        kept = {name: array for name, array in members.items() if array is not None}
        np.savez(sandbox.work / "bad.npz", **kept)

    return prepare


def sound(sandbox: Sandbox) -> None:
    """`net.keras` and `data.npz`, which a plan can be carried out with."""
    sandbox.file("net.keras", saved(small))
    x, y = samples()
    out = io.BytesIO()
    np.savez(out, x=x, y=y)
    sandbox.file("data.npz", out.getvalue())


def module(name: str, text: str) -> Prepare:
    return file(f"{name}.py", text)


def nan() -> np.ndarray:
    x, _ = samples()
    x[7, 0, 0] = np.nan
    return x


def folder_of_text(sandbox: Sandbox) -> None:
    for name in ("a", "b"):
        sandbox.file(f"images/{name}/x.txt", "no image")


def damaged(sandbox: Sandbox) -> None:
    whole = saved(small)
    sandbox.file("m.keras", whole[: len(whole) // 2])


def as_other(sandbox: Sandbox) -> None:
    sandbox.file("net.onnx", saved(small))


X, Y = samples()
MODELS: list[Bad] = [
    bad(f"compress m.keras {PLAN}"),
    bad(f"compress m.keras {PLAN}", file("m.keras", b"")),
    bad(f"compress m.keras {PLAN}", file("m.keras", b"junk" * 1000)),
    bad(f"compress m.keras {PLAN}", damaged),
    bad(f"compress m.keras {PLAN}", lambda s: (s.work / "m.keras").mkdir()),
    bad(f"compress m.h5 {PLAN}", file("m.h5", b"\x89HDF\r\n\x1a\n junk")),
    bad(f"compress net.onnx {PLAN}", as_other),
    bad(f"compress m.keras {PLAN}", network("m.keras", with_lambda)),
    bad(f"compress m.keras {PLAN}", network("m.keras", with_custom_layer)),
    bad(f"compress m.keras {PLAN}", network("m.keras", with_open_size)),
    bad(f"compress m.keras {PLAN}", network("m.keras", with_open_steps)),
    bad(f"compress m.keras {PLAN}", network("m.keras", with_text)),
    bad(f"compress m.keras {PLAN}", network("m.keras", without_weights)),
    bad("techniques m.keras", file("m.keras", b"junk")),
    bad("techniques m.keras", network("m.keras", with_lambda)),
    bad("techniques m.keras", network("m.keras", with_open_size)),
    bad("techniques nothing.keras"),
]  # fmt: skip

BARE = f"compress net.keras {PLAN}"
DATA: list[Bad] = [
    bad(f"{BARE} --data bad.npz"),
    bad(f"{BARE} --data bad.npz", file("bad.npz", b"junk")),
    bad(f"{BARE} --data bad.npz", file("bad.npz", b"")),
    bad(f"{BARE} --data bad.npz", data(x=None)),
    bad(f"{BARE} --data bad.npz", data(x=nan())),
    bad(f"{BARE} --data bad.npz", data(x=X[:, :5])),
    bad(f"{BARE} --data bad.npz", data(x=X[:50])),
    bad(f"{BARE} --data bad.npz", data(x=X[:0], y=Y[:0])),
    bad(f"{BARE} --data bad.npz", data(x=X[:20], y=Y[:20])),
    bad(f"{BARE} --data bad.npz", data(x=X.astype(str))),
    bad(f"{BARE} --data bad.npz", data(x=np.array([{}] * COUNT, dtype=object))),
    bad(f"{BARE} --data bad.npz", data(y=Y * 0)),
    bad(f"{BARE} --data bad.npz", data(y=Y + 1)),
    bad(f"{BARE} --data bad.npz", data(y=Y - 1)),
    bad(f"{BARE} --data bad.npz", data(y=Y + 0.5)),
    bad(f"{BARE} --data bad.npz", data(y=np.where(Y, 1.0, np.nan))),
    bad(f"{BARE} --data bad.npz", data(y=Y.astype(str))),
    bad(f"{BARE} --data bad.npz", data(y=np.zeros((COUNT, 7)))),
    bad(f"{BARE} --data bad.npz", data(weight=-np.ones(COUNT))),
    bad(f"{BARE} --data bad.npz", data(group=np.zeros(COUNT))),
    bad(f"{BARE} --data bad.npz", data(x_val=X[:30], y_val=Y[:30])),
    bad(f"{BARE} --data bad.npz --untrained", data(y=None)),
    bad(f"{BARE} --data data.npz --metric mean_error"),
    bad(f"{BARE} --data images", lambda s: (s.work / "images").mkdir()),
    bad(f"{BARE} --data images", folder_of_text),
]  # fmt: skip

PLANS: list[Bad] = [
    bad("compress net.keras --plan fc9=W1f"),
    bad("compress net.keras --plan fc1=W9"),
    bad("compress net.keras --plan fc1=W3:1.5"),
    bad("compress net.keras --plan 'fc1=W1f(rank_divisor=0)'"),
    bad("compress net.keras --plan fc1=W1f:many"),
    bad("compress net.keras --plan fc1=C2"),
    bad("compress net.keras --plan flat=W1f"),
    bad("compress net.keras --plan fc1=W1f,fc1=W3"),
    bad("compress net.keras --plan int9"),
    bad("compress net.keras --plan int8"),
    bad("compress net.keras --plan ''"),
    bad("compress net.keras --plan '\x1b[2J=W1f'"),
    bad("compress net.keras --plan fc9=W1f --data data.npz"),
]  # fmt: skip

WITH = f"{BARE} --data data.npz"
# Each module has a name of its own, for Python imports one once.
MODULES: list[Bad] = [
    bad(f"{WITH} --train gone_m:f"),
    bad(f"{WITH} --train m1"),
    bad(f"{WITH} --train m2:f", module("m2", "raise RuntimeError('no GPU\\n\\x1b[2J')")),
    bad(f"{WITH} --train m3:f", module("m3", "print('hello')\nimport sys\nsys.exit(0)")),
    bad(f"{WITH} --train m4:f", module("m4", "def f(:")),
    bad(f"{WITH} --train m5:f", module("m5", "f = 3")),
    bad(f"{WITH} --train m6:f", module("m6", "def f(x): return {}")),
    bad(f"{WITH} --train m7:f", module("m7", "def f():\n    print('x')\n    exit('bye')")),
    bad(f"{WITH} --train m8:f", module("m8", "def f(): return [1]")),
    bad(f"{WITH} --train m9:f", module("m9", "def f(): return {'rate': 1}")),
    bad(f"{WITH} --train m10:f", module("m10", "def f(): return {'learning_rate': -1}")),
    bad(f"{WITH} --train m11:f", module("m11", "def f(): return {'loss': 'no_such_loss'}")),
    bad(f"{WITH} --train m12:f", module("m12", "def f(): return {'steps': 0}")),
    bad(f"{WITH} --train m13:f", module("m13", "def f(): return {'optimizer': 'best'}")),
    bad(f"{WITH} --train m14:f",
        module("m14", "def f(): return {'class_weight': {0: float('nan')}}")),
    bad(f"{WITH} --train m15:f",
        module("m15", "def f(): return {'loss': lambda y, p: 1 / 0}")),
    bad(f"{WITH} --train m16:f", module("m16", "def f(): return {'augment': 3}")),
    bad(f"{BARE} --data m17:f", module("m17", "def f(): return None")),
    bad(f"{BARE} --data m18:f", module("m18", "def f(): raise SystemExit(3)")),
    bad(f"{BARE} --data m19:f", module("m19", "print('training ...')\nimport no_such_module")),
    bad(f"{BARE} --data m20:f", module("m20", "def f(): return (1, 2, 3, 4)")),
    bad(f"{BARE} --data m21:f", module("m21", "def f(): return {'x': [[1], [2, 3]]}")),
    bad(f"{BARE} --data m22:f", module(
        "m22", "import tensorflow as tf\nimport numpy as np\ndef f():\n    return"
        " tf.data.Dataset.from_tensor_slices((np.zeros((9, 6, 6, 1)), np.zeros(9))).repeat()")),
    bad(f"{BARE} --data m23:", file("m23.py", "")),
]  # fmt: skip

BAD_OWN = [*MODELS, *DATA, *PLANS, *MODULES]
