"""Bad inputs to commands: what is typed, what is prepared, and the exit codes that may follow."""

from __future__ import annotations

import io
import os
import shlex
import socket
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fakes import good_files
from fakes.sandbox import Sandbox
from fakes.tflite_models import Input, add, gather, relu

Prepare = Callable[[Sandbox], object]


@dataclass(frozen=True)
class Bad:
    """One bad input.

    Attributes:
        words: as typed; {model} is a sound model's path, {long} 300 letters.
        codes: exit codes that may follow.
        prepare: makes files beforehand.
        variables: of the environment.
    """

    words: str
    codes: frozenset[int] = frozenset({2})
    prepare: Prepare = lambda _: None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> list[str]:
        """As a shell would pass them on; \\0 is a null byte."""
        filled = self.words.replace("{model}", "good.tflite").replace("{long}", "x" * 300)
        return [word.replace("\\0", "\0") for word in shlex.split(filled)]


def bad(
    words: str, prepare: Prepare = lambda _: None, codes: set[int] | None = None, **variables: str
) -> Bad:
    return Bad(words, frozenset(codes or {2}), prepare, variables)


def file(name: str, content: bytes | str) -> Prepare:
    return lambda sandbox: sandbox.file(name, content)


def pipe(name: str) -> Prepare:
    return lambda sandbox: os.mkfifo(sandbox.work / name)


def npz(**arrays: np.ndarray) -> Prepare:
    return lambda sandbox: np.savez(sandbox.work / "x.npz", **arrays)


def loop(name: str) -> Prepare:
    return lambda sandbox: (sandbox.work / name).symlink_to(name)


def listens(name: str) -> Prepare:
    def prepare(sandbox: Sandbox) -> None:
        with socket.socket(socket.AF_UNIX) as door:
            here = os.open(sandbox.work, os.O_RDONLY)  # the whole path is too long for a socket
            door.bind(f"/proc/self/fd/{here}/{name}")
            os.close(here)

    return prepare


def bomb(sandbox: Sandbox) -> None:
    """200 MB of zeros in 200 kB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(200_000_000))
    sandbox.file("x.npz", out.getvalue())


def profile(change: Callable[[str], str], which: int = 0) -> Prepare:
    """A profile whose TOML (0) or table (1) is changed."""

    def prepare(_: Sandbox) -> None:
        path = good_files.write_profile()[which]
        before = path.read_text()
        path.write_text(change(before), errors="surrogateescape")
        assert path.read_bytes() != before.encode()

    return prepare


def run_folder(
    name: str,
    content: bytes | Callable[[bytes], bytes],
    write: Callable[[Path], Path] = good_files.write_run,
) -> Prepare:
    """A finished run in which one file is other, or gone (empty bytes)."""

    def prepare(sandbox: Sandbox) -> None:
        path = write(sandbox.work / "run") / name
        new = content if isinstance(content, bytes) else content(path.read_bytes())
        assert not path.exists() or new != path.read_bytes()
        if new:
            path.write_bytes(new)
        else:
            path.unlink()

    return prepare


def run_of_0_1(name: str, content: bytes | Callable[[bytes], bytes]) -> Prepare:
    return run_folder(name, content, good_files.write_run_of_0_1)


def journal(change: Callable[[bytes], bytes]) -> Prepare:
    """A run's journal that is other, below `runs`, where a search may leave its lock."""

    def prepare(sandbox: Sandbox) -> None:
        folder = sandbox.work / "runs" / "x"
        folder.mkdir(parents=True)
        path = good_files.write_journal(folder)
        path.write_bytes(change(path.read_bytes()))

    return prepare


def _plan(old: str, new: str) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert old.encode() in data
        return data.replace(old.encode(), new.encode())

    return change


def _samples(array: np.ndarray, name: str = "inputs") -> bytes:
    out = io.BytesIO()
    np.savez(out, **{name: array})
    return out.getvalue()


WORDS = relu(Input("words", "STRING", (1,)))
OPEN = relu(Input("image", "FLOAT32", (1, 1, 1, 3), (-1, -1, -1, 3)))
TWO = add(Input("a", "FLOAT32", (1, 2)), Input("b", "FLOAT32", (1, 2)))
NO_UTF_8 = gather(Input("XYZW")).replace(b"XYZW", b"\xff\xfeZW")
HUGE = relu(Input("x", "FLOAT32", (1, 100_000, 100_000, 3)))
QUICK = "-d local --max-seconds 0.02 --launches 1"

MEASURE = [
    bad("measure"),
    bad("measure nothing.tflite"),
    bad("measure ."),
    bad("measure empty", file("empty", b"")),
    bad("measure junk", file("junk", b"junk" * 1000)),
    bad("measure pipe", pipe("pipe")),
    bad("measure loop", loop("loop")),
    bad("measure door", listens("door")),
    bad("measure {long}"),
    bad("measure 'a\\0b'"),
    bad("measure '\x1b[31mred\nerror: fake'"),
    bad("measure '[/]'"),
    bad("measure {model} more.tflite"),
    bad("measure --no-such-option {model}"),
    bad("measure {model} --launches 0"),
    bad("measure {model} --launches 101"),
    bad("measure {model} --launches 1e3"),
    bad("measure {model} --max-seconds 0"),
    bad("measure {model} --max-seconds nan"),
    bad("measure {model} --max-seconds inf"),
    bad("measure {model} --max-seconds -1"),
    bad("measure {model} --threads 0"),
    bad("measure {model} --threads 1000"),
    bad("measure {model} -d local --cores zz"),
    bad("measure {model} -d local --cores ''"),
    bad("measure {model} -d local --cores -1"),
    bad(f"measure {{model}} {QUICK} --cores {'f' * 300}"),
    bad("measure {model} -d ''", codes={2, 3}),
    bad("measure {model} -d NOBODY", codes={3}),
    bad("measure {model} -d ../../../etc", codes={2, 3}),
    bad("measure {model} -d '[/]\x1b[2J'", codes={2, 3}),
    bad("measure {model} -d {long}", codes={2, 3}),
    bad("measure {model} -d local -d NOBODY", codes={3}),
    bad("measure {model} --input-range 5"),
    bad("measure {model} --input-range nan..nan"),
    bad("measure {model} --input-range 0..1 --input-range 0..2"),
    bad(f"measure {{model}} {QUICK} --input-range nobody=0..1"),
    bad(f"measure {{model}} {QUICK} --input-shape 1,63"),
    bad("measure {model} --input-shape 0"),
    bad("measure {model} --input-shape 99999999999999999999"),
    bad("measure {model} --inputs nothing.npz"),
    bad("measure {model} --inputs x.npz", file("x.npz", b"PK\x03\x04 no archive")),
    bad("measure {model} --inputs x.npz", npz(x=np.zeros((1, 63), "f4"))),
    bad("measure {model} --inputs x.npz", npz(x=np.full((1, 64), np.inf, "f4"))),
    bad("measure {model} --inputs x.npz", npz(x=np.array([{}], dtype=object))),
    bad("measure {model} --inputs x.npz", bomb),
    bad("measure {model} --inputs pipe", pipe("pipe")),
    bad(f"measure cut.tflite {QUICK}", file("cut.tflite", good_files.MODEL[:900])),
    bad(f"measure words.tflite {QUICK}", file("words.tflite", WORDS)),
    bad(f"measure open.tflite {QUICK}", file("open.tflite", OPEN)),
    bad(f"measure utf.tflite {QUICK}", file("utf.tflite", NO_UTF_8)),
    bad(f"measure huge.tflite {QUICK}", file("huge.tflite", HUGE), codes={2, 3}),
    bad(f"measure i.tflite {QUICK} --input-range 10..99", file("i.tflite", gather())),
    bad("measure two.tflite --inputs x.npz", lambda s: (file("two.tflite", TWO)(s),
                                                        npz(a=np.zeros((1, 2), "f4"))(s))),
]  # fmt: skip

PROFILES = [
    bad("profiles no-such-command"),
    bad("profiles show"),
    bad("profiles show nobody"),
    bad("profiles show ''"),
    bad("profiles show ../../../../etc/passwd"),
    bad("profiles show .", codes={2}),
    bad("profiles show '[/]\x1b[2J\nerror: fake'"),
    bad("profiles show {long}"),
    bad("profiles show 'a\\0b'"),
    bad("profiles show pipe.toml", pipe("pipe.toml")),
    bad("profiles show ./x.toml", file("x.toml", b"\xff\xfe\x00")),
    bad("profiles show ./x.toml", file("x.toml", "a = " + "[" * 100_000)),
    bad("profiles show box", profile(lambda text: text.replace("schema_version", "version"))),
    bad("profiles show box", profile(lambda text: "schema_version = 99\n")),
    bad("profiles show box", profile(lambda text: text.replace('"Maker"', "3"))),
    bad("profiles show box", profile(lambda text: text + "\n[[")),
    bad("profiles show box", profile(lambda text: "[" * 100_000 + "\n", 1)),
    bad("profiles show box", profile(lambda text: text.replace('"first_ns":', '"first_ns":-'), 1)),
    bad("profiles show box", profile(lambda text: text.replace('"first_ns":', '"x":NaN,"y":'), 1)),
    bad("profiles show box", profile(lambda text: text[: len(text) // 3], 1)),
    bad("profiles diff box"),
    bad("profiles diff nobody nobody"),
    bad("measure {model} -d box", lambda _: good_files.write_profile(), codes={2, 3}),
    bad("profile --name 'Bad Name!' -d local"),
    bad("profile --name ../../../../x -d local"),
    bad("profile --name a -d local -d NOBODY", codes={2, 3}),
    bad("profile -d NOBODY", codes={3}),
]

SEARCH = [
    bad("search"),
    bad("search no-such-task"),
    bad("search digits more"),
    bad("search digits --episodes 0"),
    bad("search digits --episodes -1"),
    bad("search digits --episodes many"),
    bad("search digits --seed -1"),
    bad("search digits --seed 100000000000000000000000000"),
    bad("search digits --sampler best"),
    bad("search digits --preset best"),
    bad("search digits --sampler sweep --preset last"),
    bad("search digits --max-latency fast"),
    bad("search digits --max-latency nan"),
    bad("search digits --max-latency -1ms"),
    bad("search digits --max-storage 1e400kB"),
    bad("search digits --max-energy 3kg"),
    bad("search digits --max-accuracy-loss 200%"),
    bad("search digits -d NOBODY", codes={3}),
    bad("search digits -d local -o a-file", file("a-file", b"")),
    bad("search digits -d local -o {long}"),
    bad("search digits -d local -o 'a\\0b'"),
    bad("search digits -d local -o /proc/nowhere"),
    bad(
        "search digits -d local -o runs/x",
        journal(_plan('"schema_version":3', '"schema_version":1')),
    ),
    bad(
        "search digits -d local -o runs/x",
        journal(_plan('"schema_version":3', '"schema_version":9')),
    ),
    bad("search digits -d local -o runs/x", journal(lambda data: data[1:])),
    bad("search digits -d local -o runs/x", journal(_plan('"kind":"ask"', '"kind":"tell"'))),
    bad("search digits -d local -o runs/x", journal(_plan('"weights":', '"weights":-'))),
    bad("search digits -d local -o runs/x", journal(lambda data: data)),  # of another task
    bad("search digits --look-ahead 0"),
    bad("search digits --max-time soon"),
    bad("search digits --max-latency 1ms --max-latency 2ms"),
    bad("search digits --max-latency =1ms"),
    bad("search digits -d local --max-latency NOBODY=1ms", codes={3}),
    bad("search digits -d local --max-latency '[/]\x1b[2J=fast'"),
    bad("search digits -d local -d NOBODY", codes={3}),
    bad("search digits --try ''"),
    bad("search digits --try fc1="),
    bad("search digits --try fc1=W9"),
    bad("search digits --try int9"),
    bad("search digits --try '\x1b[2J=W1f=2'"),
    bad("search digits --keep ''"),
    bad("search digits --only W1f,"),
    bad("search digits --only W9"),
    bad("search --from ."),
    bad("search --from {long}"),
    bad("search --from run digits", run_folder("extra", b"x")),
    bad("search --from run --episodes 3", run_folder("extra", b"x")),
    bad("search --from run -d NOBODY", run_folder("extra", b"x")),
    bad("search --from run --max-latency fast", run_folder("extra", b"x")),
    bad("search --from run", run_of_0_1("extra", b"x")),
    bad("search digits --threads 65"),
    bad("search digits --cores zz"),
]

DEPLOY = [
    bad("deploy"),
    bad("deploy nothing"),
    bad("deploy a-file", file("a-file", b"")),
    bad("deploy . -d local"),
    bad("deploy run -d NOBODY", run_folder("extra", b"x"), codes={3}),
    bad("deploy 'a\\0b'"),
    bad("deploy {long}"),
    bad("deploy run -d local", run_folder("plan.json", b"")),
    bad("deploy run -d local", run_folder("plan.json", b"{")),
    bad("deploy run -d local", run_folder("plan.json", b"[" * 100_000)),
    bad("deploy run -d local", run_folder("plan.json", b"\xff")),
    bad("deploy run -d local", run_folder("plan.json", _plan('version": 2', 'version": 99'))),
    bad("deploy run -d local", run_folder("plan.json", _plan('"targets": ', '"others": '))),
    bad("deploy run -d local", run_folder("plan.json", _plan("best.tflite", "../../../../x"))),
    bad("deploy run -d local", run_folder("plan.json", _plan('"toy"', '"../../../../x"'))),
    bad("deploy run -d local", run_folder("plan.json", _plan('"key": "', '"key": "../../../../'))),
    bad("deploy run -d local", run_folder("plan.json", _plan('"toy"', '"$(touch x)"'))),
    bad("deploy run -d local", run_folder("plan.json", _plan('"toy"', "7"))),
    bad("deploy run -d local", run_folder("plan.json", _plan('"float32"', '"int5"'))),
    bad("deploy run -d local", run_of_0_1("plan.json", _plan('version": 1', 'version": 0'))),
    bad("deploy run -d local", run_of_0_1("plan.json", _plan('"toy"', '"../../../../x"'))),
    bad("deploy run -d local", run_of_0_1("plan.json", _plan('"limits": ', '"bounds": '))),
    bad("deploy run -d local", run_of_0_1("best.tflite", good_files.OTHER_MODEL)),
    bad("deploy run -d local", run_folder("best.tflite", b"")),
    bad("deploy run -d local", run_folder("best.tflite", good_files.OTHER_MODEL)),
    bad("deploy run -d local", run_folder("samples.npz", b"")),
    bad("deploy run -d local", run_folder("samples.npz", lambda data: data[:200])),
    bad("deploy run -d local", run_folder("samples.npz", _samples(np.zeros((0, 64), "f4")))),
    bad("deploy run -d local", run_folder("samples.npz", _samples(np.zeros((4, 63), "f4")))),
    bad(
        "deploy run -d local", run_folder("samples.npz", _samples(np.full((4, 64), np.nan, "f4")))
    ),
    bad("deploy run -d local", run_folder("samples.npz", _samples(np.zeros(3, "f4"), "others"))),
]

OTHERS = [
    bad("no-such-command"),
    bad("--no-such-option"),
    bad("devices more"),
    bad("devices --jsom"),
    bad("doctor --provision --clean"),
    bad("doctor -d local --agent nobody"),
    bad("measure {model} -d local --agent linux-pyton"),
    bad("profile -d local --quick --agent ../x", ADADEEP_LIBRARY="lib"),
    bad("devices", ANDROID_ADB_SERVER_PORT="many"),
    bad("devices", ANDROID_ADB_SERVER_PORT="99999"),
    bad("devices", ADB_SERVER_SOCKET="local:nothing"),
    bad("measure {model}", codes={3}, ANDROID_SERIAL="NOBODY"),
    bad("measure {model}", codes={2, 3}, ANDROID_SERIAL="\x1b[2J"),
    bad("measure {model} -d local", codes={3}, XDG_CACHE_HOME="/proc/nowhere"),
    bad("measure {model} -d local", XDG_CACHE_HOME="~nobody-there"),
    bad("profile -d local --name box", file("lib", b""), ADADEEP_LIBRARY="lib"),
    bad("profiles show nobody", COLUMNS="0"),
    bad("profiles show nobody", COLUMNS="many", LINES="-1"),
    bad("measure nothing.tflite", LC_ALL="xx_YY.klingon", LANG="C"),
    bad("search mnist -d local", ADADEEP_DATA="/proc/nowhere"),
    bad("search mnist -d local", file("mnist.npz", b"junk"), ADADEEP_DATA="."),
]

RUNS = [
    bad("runs"),
    bad("runs list nothing"),
    bad("runs list a-file", file("a-file", b"")),
    bad("runs list . more"),
    bad("runs show"),
    bad("runs show ."),
    bad("runs show a-file", file("a-file", b"")),
    bad("runs show {long}"),
    bad("runs show 'a\\0b'"),
    bad("runs show run --top 0", run_folder("extra", b"x")),
    bad("runs prune"),
    bad("runs prune . --yes"),
    bad("runs prune run", run_folder("extra", b"x")),
    bad("runs prune run --dry-run", run_folder("plan.json", b"{")),
    bad("runs prune run . --dry-run", run_folder("extra", b"x")),
]

BAD_INPUTS = [*MEASURE, *PROFILES, *SEARCH, *DEPLOY, *RUNS, *OTHERS]
