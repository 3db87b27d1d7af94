"""What libraries write to descriptors 1 and 2 goes to the run's log, wherever this runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# As TensorFlow does on some processors: C++ lines at import, a handler of its own, a warning.
NOISY = """
import logging, os, warnings
os.write(1, b"I0000 oneDNN custom operations are on\\n")
os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called\\n")
if not logging.getLogger().handlers:
    logging.getLogger("noisy").addHandler(logging.StreamHandler())
logging.getLogger("noisy").warning("words of its logger")
warnings.warn("words of a warning")
"""
PROGRAM = """
import os, sys
from pathlib import Path
from adadeep.core.errors import AdaDeepError
from adadeep.storage.native_log import native_log
print("before")
try:
    with native_log(Path(sys.argv[1]) if len(sys.argv) > 1 else None):
        print("result")
        import noisy
        print("progress", file=sys.stderr)
        os.system("echo words of a child")
        raise AdaDeepError("it broke")
except AdaDeepError as error:
    print(*getattr(error, "__notes__", []))
os.write(1, b"after\\n")
"""
WORDS = ("oneDNN", "InitializeLog", "its logger", "a warning", "a child")


def run(tmp_path: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "noisy.py").write_text(NOISY)
    path = os.pathsep.join([str(tmp_path), *(p for p in sys.path if p)])
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": path, **variables}, check=True,
    )  # fmt: skip


def test_nothing_of_a_library_stands_between_our_lines_and_all_is_in_the_log(tmp_path):
    done = run(tmp_path, str(tmp_path))
    log = tmp_path / "native.log"
    assert done.stderr == "progress\n"
    said = f"What TensorFlow said meanwhile is in {log}."
    assert done.stdout.splitlines() == ["before", "result", said, "after"]
    assert [word for word in WORDS if word not in log.read_text()] == []
    run(tmp_path, str(tmp_path))
    assert log.read_text().count("oneDNN") == 2


def test_without_a_folder_it_is_kept_nowhere(tmp_path):
    done = run(tmp_path)
    assert (done.stdout.splitlines(), done.stderr) == (
        ["before", "result", "", "after"],
        "progress\n",
    )
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["noisy.py"]


def test_for_debugging_it_stays_on_the_terminal(tmp_path):
    done = run(tmp_path, str(tmp_path), ADADEEP_DEBUG="1")
    assert [word for word in WORDS if word not in done.stdout + done.stderr] == []
    assert not (tmp_path / "native.log").exists()


def test_a_log_that_stayed_empty_is_removed_and_one_too_large_begun_anew(tmp_path, monkeypatch):
    from adadeep.storage import native_log

    monkeypatch.setattr(native_log, "_MOST_BYTES", 10)
    with native_log.native_log(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "native.log").write_text("x" * 11)
    with native_log.native_log(tmp_path):
        os.write(2, b"new")
    assert (tmp_path / "native.log").read_text() == "new"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_descriptors_are_closed_again(tmp_path, closed):
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from adadeep.storage.native_log import native_log\n"
        "with native_log(Path(sys.argv[1])):\n    os.write(2, b'words')\n"
        "open_ = []\n"
        "for n in (1, 2):\n"
        "    try: os.fstat(n); open_.append(n)\n"
        "    except OSError: pass\n"
        "Path(sys.argv[1], 'open').write_text(str(open_))\n"
    )
    path = os.pathsep.join(p for p in sys.path if p)
    subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" "$2" {closed}', sys.executable, code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path}, check=True, timeout=60, capture_output=True,
    )  # fmt: skip
    expected = [n for n, mark in ((1, " >&-"), (2, " 2>&-")) if mark not in f" {closed}"]
    assert (tmp_path / "open").read_text() == str(expected)
    assert (tmp_path / "native.log").read_text() == "words"
