"""`make android`: the Android agent's jar and the runtime's libraries, into android_app/dist.

Gets the JDK and Maven by apt-get where it may, TensorFlow Lite and dx from Maven Central, checked
against android_app/pins.sha256. Does nothing where what is there was built from the same.

Usage: build_android.py [--again] [--runtime FILE.aar[,FILE.aar...]]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adadeep.core.errors import AdaDeepError
from adadeep.devices.parse.elf import parse_elf
from adadeep_agent import wire

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "android_app"
DIST, TARGET = APP / "dist", APP / "target"
PINS = APP / "pins.sha256"
PACKAGES = {"javac": "openjdk-17-jdk-headless", "mvn": "maven"}
ABIS = ("arm64-v8a", "armeabi-v7a", "x86", "x86_64")
ARTIFACT = "org.tensorflow:tensorflow-lite"
LIBRARY = "libtensorflowlite_jni.so"
MIN_SDK = 24
OLDEST = (1980, 1, 1, 0, 0, 0)  # of a file in a zip
MANIFEST, BUILT = "manifest.json", "built"


class BuildError(Exception):
    """One sentence that says what is wrong, and what to do."""


@dataclass(frozen=True)
class Runtime:
    """TensorFlow Lite.

    Attributes:
        archives: AARs; the first one has the libraries.
        artifact: where they come from.
        version: of it.
    """

    archives: tuple[Path, ...]
    artifact: str
    version: str


def run(*command: object, timeout_s: float = 900) -> str:
    """Runs a command and returns its stdout; what it printed is told where it fails."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout_s, cwd=APP)
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{words[0]} did not end within {timeout_s:.0f} s; try again.") from error
    if done.returncode:
        print((done.stdout + done.stderr)[-4000:], file=sys.stderr)
        raise BuildError(f"{words[0]} failed; the lines above say why (no network, no space?).")
    return done.stdout


def get_tools() -> None:
    """Sees that there is a JDK and Maven."""
    missing = [package for tool, package in PACKAGES.items() if not shutil.which(tool)]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        names = " ".join(missing)
        raise BuildError(f"a JDK and Maven are needed; install them (apt-get install {names}).")
    print(f"installing by apt-get: {' '.join(missing)}", file=sys.stderr)
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run("apt-get", "-qq", "update")
    run("apt-get", "-qq", "-y", "install", "--no-install-recommends", *missing)


def sha256(data: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def pins() -> dict[str, str]:
    """Name of a file that is downloaded -> its SHA-256."""
    lines = PINS.read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def artefacts() -> dict[str, Path]:
    """What comes from Maven Central, checked."""
    folder = TARGET / "artefacts"
    wanted = pins()
    if not all((folder / name).exists() for name in wanted):
        options = ["-q", "-B", "-C", "-f", APP / "artefacts.xml", f"-DoutputDirectory={folder}"]
        run("mvn", *options, "dependency:copy-dependencies")
    for name, digest in wanted.items():
        found = sha256((folder / name).read_bytes())
        if found != digest:
            (folder / name).unlink()
            raise BuildError(
                f"{name} was downloaded damaged, or is another (its SHA-256 begins with"
                f" {found[:8]}, and {digest[:8]} was expected); remove it from ~/.m2/repository"
                " and run `make android` again."
            )
    return {name: folder / name for name in wanted}


def runtime_of(named: str | None, got: dict[str, Path]) -> Runtime:
    """The pinned one, or the archives that somebody named."""
    if named:
        paths = tuple(Path(name).resolve() for name in named.split(","))
        for path in paths:
            if not path.is_file():
                raise BuildError(f"there is no {path}; RUNTIME names an .aar of TensorFlow Lite.")
        found = re.search(r"-(\d[\w.]*)\.aar$", paths[0].name)
        return Runtime(paths, paths[0].name, found[1] if found else "unknown")
    archives = sorted((path for path in got.values() if path.suffix == ".aar"),
                      key=lambda path: "-api-" in path.name)  # fmt: skip
    version = re.sub(r".*-(.*)\.aar", r"\1", archives[0].name)
    return Runtime(tuple(archives), f"{ARTIFACT}:{version}", version)


def unpack(runtime: Runtime) -> tuple[Path, dict[str, bytes]]:
    """A jar with the classes of the archives, and the libraries by ABI."""
    jar, classes, libraries = TARGET / "runtime" / "classes.jar", {}, {}
    for path in runtime.archives:
        try:
            with zipfile.ZipFile(path) as aar:
                for name in aar.namelist():
                    if found := re.fullmatch(r"jni/([^/]+)/([^/]+\.so)", name):
                        libraries.setdefault((found[1], found[2]), aar.read(name))
                with zipfile.ZipFile(io.BytesIO(aar.read("classes.jar"))) as inner:
                    classes.update((name, inner.read(name)) for name in inner.namelist()
                                   if name.endswith(".class"))  # fmt: skip
        except (zipfile.BadZipFile, KeyError) as error:
            raise BuildError(f"{path} is no archive of Android (AAR): {error}.") from error
    jar.parent.mkdir(parents=True, exist_ok=True)
    write_zip(jar, classes)
    usual = {abi: data for (abi, name), data in libraries.items() if name == LIBRARY}
    others = {abi: data for (abi, _), data in libraries.items()}
    return jar, {abi: (usual or others)[abi] for abi in ABIS if abi in (usual or others)}


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    """A zip that is the same each time: sorted, without dates, not compressed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, OLDEST), data)


def compile_java() -> list[Path]:
    """The folders of the classes of core and agent."""
    for module in ("core", "agent"):
        shutil.rmtree(APP / module / "target", ignore_errors=True)
    run("mvn", "-q", "-B", "-C", "process-classes", f"-Dadadeep.version={wire.VERSION}")
    return [APP / module / "target" / "classes" for module in ("core", "agent")]


def dex(dx: Path, inputs: list[Path]) -> bytes:
    """The dex code of classes."""
    out = TARGET / "classes.dex"
    main = "com.android.dx.command.Main"
    options = ["--dex", f"--min-sdk-version={MIN_SDK}", "--no-locals", f"--output={out}"]
    run("java", "-cp", dx, main, *options, *inputs)
    return out.read_bytes()


def calls_of(jar: Path) -> list[str]:
    """The functions that a runtime's classes expect of its library, by their names for C."""
    with zipfile.ZipFile(jar) as archive:
        names = [name.removesuffix(".class").replace("/", ".") for name in archive.namelist()]
    text = run("javap", "-p", "-cp", jar, *names)
    return sorted(_native(text))


def _native(javap: str) -> Iterator[str]:
    owner = ""
    for line in javap.splitlines():
        if found := re.match(r"(?:\w.* )?(?:class|interface|enum) ([\w.$]+)", line):
            owner = found[1]
        elif found := re.match(r"\s.*\bnative\b.* (\w+)\(", line):
            yield "_".join(["Java", *map(_mangled, owner.split(".")), _mangled(found[1])])


def _mangled(name: str) -> str:
    return name.replace("_", "_1").replace("$", "_00024")


def libraries_told(libraries: dict[str, bytes], calls: list[str]) -> dict[str, dict[str, object]]:
    """The manifest's part about the libraries, each seen to have what is called."""
    told = {}
    for abi, data in libraries.items():
        elf = parse_elf(data, f"the library for {abi}")
        lacking = [call for call in calls if call not in elf.functions]
        if elf.abi != abi or lacking:
            what = f"lacks {lacking[0]}" if lacking else f"is for {elf.abi}"
            raise BuildError(f"the archive's library for {abi} {what}: it is no whole runtime.")
        told[abi] = {
            "file": f"jni/{abi}/{LIBRARY}", "sha256": sha256(data), "bytes": len(data),
            "align": elf.align_bytes,
        }  # fmt: skip
    return told


def state(named: str | None) -> str:
    """A hash of all that is built from; what was built from the same need not be built again."""
    digest = hashlib.sha256(f"{wire.VERSION} {wire.PROTOCOL} {named}".encode())
    sources = [PINS, Path(__file__), *APP.glob("*.xml"), *APP.glob("*/pom.xml")]
    sources += [*APP.glob("*/src/main/**/*.java"), *map(Path, (named or "").split(","))]
    for path in sorted(sources):
        if path.is_file():
            digest.update(f"{path.name} {sha256(path.read_bytes())}\n".encode())
    return digest.hexdigest()


def is_built(now: str) -> bool:
    """Whether all that the manifest names is there as it was built, from the same."""
    try:
        told = json.loads((DIST / MANIFEST).read_text())
        files = [told["agent"], *told["libraries"].values()]
        return (TARGET / BUILT).read_text() == now and all(
            sha256((DIST / one["file"]).read_bytes()) == one["sha256"] for one in files
        )
    except (OSError, ValueError, KeyError):
        return False


def build(named: str | None) -> dict[str, bytes]:
    """Builds all of it: path in the folder of what is built -> content; the manifest is last."""
    get_tools()
    got = artefacts()
    runtime = runtime_of(named, got)
    jar, libraries = unpack(runtime)
    calls = calls_of(jar)
    library_files = libraries_told(libraries, calls)
    classes = compile_java()
    code = dex(next(path for name, path in got.items() if "-dx-" in name), [*classes, jar])
    write_zip(TARGET / "agent.jar", {"classes.dex": code})
    agent, archive = (TARGET / "agent.jar").read_bytes(), runtime.archives[0]
    files = {f"jni/{abi}/{LIBRARY}": data for abi, data in libraries.items()}
    with zipfile.ZipFile(archive) as aar:
        if "LICENSE" in aar.namelist():
            files["LICENSE.tensorflow-lite"] = aar.read("LICENSE")
    told = {
        "agent": {
            "file": "agent.jar", "sha256": sha256(agent), "bytes": len(agent),
            "version": wire.VERSION, "protocol": wire.PROTOCOL, "min_sdk": MIN_SDK,
        },
        "runtime": {
            "artifact": runtime.artifact, "version": runtime.version,
            "aar_sha256": sha256(archive.read_bytes()),
        },
        "libraries": library_files,
        "calls": calls,
    }  # fmt: skip
    manifest = (json.dumps(told, indent=2) + "\n").encode()
    return {**files, "agent.jar": agent, MANIFEST: manifest}


def put(files: dict[str, bytes]) -> None:
    """Puts files in the place of the old ones; what has not changed is left alone."""
    for old in DIST.glob("jni/*/*"):
        if str(old.relative_to(DIST)) not in files:
            old.unlink()
    for name, data in files.items():
        path = DIST / name
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            passing = path.with_name(f".{path.name}")
            passing.write_bytes(data)
            passing.replace(path)


def main() -> int:
    """Builds if need be; says what there is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--again", action="store_true", help="even if nothing has changed")
    parser.add_argument("--runtime", help="archives of another TensorFlow Lite, with commas")
    asked = parser.parse_args()
    now = state(asked.runtime)
    try:
        if asked.again or not is_built(now):
            TARGET.mkdir(exist_ok=True)
            (TARGET / BUILT).unlink(missing_ok=True)
            put(build(asked.runtime))
            (TARGET / BUILT).write_text(now)
    except (BuildError, AdaDeepError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    told = json.loads((DIST / MANIFEST).read_text())
    print(f"android_app/dist: agent.jar {told['agent']['bytes'] / 1000:.0f} kB,"
          f" {told['runtime']['artifact']} for {', '.join(told['libraries'])}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
