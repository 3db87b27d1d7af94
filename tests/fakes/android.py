"""What the Android agent is made of, in small: libraries, archives, a build, an `app_process`."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import struct
import sys
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from adadeep_agent import wire

CALLS = (
    "Java_org_tensorflow_lite_NativeInterpreterWrapper_run",
    "Java_org_tensorflow_lite_TensorImpl_shape",
)
MACHINES = {"arm64-v8a": (64, 183), "armeabi-v7a": (32, 40), "x86_64": (64, 62), "x86": (32, 3)}
JAR = b"PK dex of a test"


def elf(abi: str, functions: Iterable[str] = CALLS, align: int = 4096, salt: bytes = b"") -> bytes:
    """A shared library with a loaded part and a table of symbols.

    Args:
        abi: that it is for.
        functions: that it defines; one that is only used, a variable and a private one come along.
        align: of the loaded part.
        salt: that makes its hash another.
    """
    bits, machine = MACHINES[abi]
    texts, symbols = bytearray(b"\0"), []
    for name, info, section in [
        ("", 0, 0), *((name, 0x12, 1) for name in functions),
        ("used_only", 0x12, 0), ("a_variable", 0x11, 1), ("private", 0x02, 1),
    ]:  # fmt: skip
        place = len(texts) if name else 0
        texts += name.encode() + b"\0" if name else b""
        symbols.append(
            struct.pack("<IBBHQQ", place, info, 0, section, 64, 8)
            if bits == 64
            else struct.pack("<IIIBBH", place, 64, 8, info, 0, section)
        )
    table = b"".join(symbols)
    header, segment, section_size = (64, 56, 64) if bits == 64 else (52, 32, 40)
    texts_at = header + 2 * segment
    table_at = texts_at + len(texts)
    sections_at = table_at + len(table)
    word = "Q" if bits == 64 else "I"

    def part(kind: int, at: int, size: int, link: int, entry: int) -> bytes:
        return struct.pack(f"<II4{word}II2{word}", 0, kind, 0, 0, at, size, link, 0, 8, entry)

    def loaded(align: int) -> bytes:
        if bits == 64:
            return struct.pack("<II6Q", 1, 5, 0, 0, 0, sections_at, sections_at, align)
        return struct.pack("<8I", 1, 0, 0, 0, sections_at, sections_at, 5, align)

    head = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1, 1]) + bytes(9)
    head += struct.pack(
        f"<HHI3{word}I6H", 3, machine, 1, 0, header, sections_at, 0, header, segment, 2,
        section_size, 3, 0,
    )  # fmt: skip
    sections = part(0, 0, 0, 0, 0) + part(3, texts_at, len(texts), 0, 0)
    sections += part(11, table_at, len(table), 1, len(symbols[0]))
    return head + loaded(1 << 16) + loaded(align) + bytes(texts) + table + sections + salt


def aar(path: Path, libraries: Mapping[str, bytes]) -> Path:
    """An archive of libraries, by their paths below jni."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("classes.jar", b"PK")
        for name, data in libraries.items():
            archive.writestr(f"jni/{name}", data)
    path.write_bytes(buffer.getvalue())
    return path


def dist(
    folder: Path, abis: Iterable[str] = tuple(MACHINES), align: int = 4096, **agent: Any
) -> Path:
    """What `make android` leaves, with a jar that is none.

    Args:
        folder: to be made.
        abis: that there are libraries for.
        align: of their loaded parts.
        agent: what the manifest says otherwise of the jar.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "agent.jar").write_bytes(JAR)
    libraries = {}
    for abi in abis:
        data = elf(abi, align=align)
        file = folder / "jni" / abi / "libtensorflowlite_jni.so"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        libraries[abi] = {**described(f"jni/{abi}/{file.name}", data), "align": align}
    manifest = {
        "agent": {
            **described("agent.jar", JAR), "version": wire.VERSION, "protocol": wire.PROTOCOL,
            "min_sdk": 24, **agent,
        },
        "runtime": {
            "artifact": "org.tensorflow:tensorflow-lite:2.16.1", "version": "2.16.1",
            "aar_sha256": "0" * 64,
        },
        "libraries": libraries,
        "calls": CALLS,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def described(file: str, data: bytes) -> dict[str, Any]:
    """A file as the manifest has it."""
    return {"file": file, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


# Runs the Python agent under the name of the Android one. Its lock is held by the descriptor that
# the shell left it.
_APP_PROCESS = """#!{python}
import contextlib, hashlib, os, sys
sys.path.insert(0, {agent!r})
jar = os.environ["CLASSPATH"]
said = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("-D"))
words = [word for word in sys.argv[1:] if not word.startswith("-D")]
folder, main, verb, workdir = words
assert main == "org.adadeep.agent.Main" and verb == "serve" and folder == workdir
assert open(jar, "rb").read() == {jar!r}
library = said["adadeep.library"]
try:
    data = open(library, "rb").read()
except OSError:
    data = b""
whole = hashlib.sha256(data).hexdigest() == said["adadeep.library.sha256"]
if not whole or data[18] != {machine}:
    print("adadeep: the agent is not here: library {abi}")
    sys.exit(44)
from adadeep_agent import serve
serve.AGENT_NAME = "android-java"
@contextlib.contextmanager
def held(path, *_):
    assert os.path.samestat(os.fstat(9), os.stat(path))
    yield
if {locks}:
    serve.device_lock = held
sys.exit(serve.main([verb, workdir]))
"""


def app_process(folder: Path, abi: str = "x86_64", locks: bool = True) -> Path:
    """A program of that name.

    Args:
        folder: for it; to be put into PATH.
        abi: that it says it runs.
        locks: whether the shell has taken the device's lock for it.
    """
    file = folder / "app_process"
    folder.mkdir(parents=True, exist_ok=True)
    agent = str(Path(sys.modules["adadeep_agent"].__file__ or "").parents[1])
    file.write_text(
        _APP_PROCESS.format(
            python=sys.executable, agent=agent, jar=JAR, machine=MACHINES[abi][1], abi=abi,
            locks=locks,
        )
    )  # fmt: skip
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file
