"""The agent's own tests in Java (JUnit), and whether they would notice anything."""

import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conftest import require_android

APP = Path(__file__).parents[2] / "android_app"


@pytest.mark.slow
def test_the_java_tests_pass():
    """Golden vectors, the loop on a fake clock and runtime, parsers, a server over pipes."""
    require_android()  # what it is compiled with was got then
    if not shutil.which("mvn"):
        pytest.skip("Maven is not installed: `make android` gets it where it may")
    command = ["mvn", "-q", "-B", "test"]
    done = subprocess.run(command, cwd=APP, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    counts = {"core": 0, "agent": 0}
    for module in counts:
        for report in (APP / module / "target/surefire-reports").glob("TEST-*.xml"):
            counts[module] += int(ElementTree.parse(report).getroot().attrib["tests"])
    written = {
        module: sum(len(re.findall("@Test", path.read_text()))
                    for path in (APP / module / "src/test").rglob("*.java"))
        for module in counts
    }  # fmt: skip
    assert counts == written
    assert counts["core"] > 60
