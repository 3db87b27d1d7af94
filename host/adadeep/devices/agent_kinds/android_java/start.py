"""The shell commands that start the Android agent and keep its folder small."""

from __future__ import annotations

import shlex

from adadeep.core.agent_kind import MISSING_LINE, PROCESS_LINE
from adadeep.devices.agent_kinds.android_java.built import BuiltAgent
from adadeep.devices.agent_kinds.android_java.device import AndroidDevice
from adadeep.devices.agent_kinds.android_java.runtimes import RuntimeLibrary

MAIN = "org.adadeep.agent.Main"
_KEPT = 4  # of each kind of file: a few versions, a library for each ABI

_WHOLE = 'case "$(sha256sum {jar} 2>/dev/null)" in {sha256}*) ;; *) {missing}; esac'
_SIZED = 'set -- $(wc -c <{jar}); [ "${{1:-0}}" = {bytes} ] || {{ {missing}; }}'

# Java's own lock is of another kind than flock's, which the Python agent takes: so the shell takes
# it, and the program that it becomes holds it by the descriptor. A hang-up ends the wait for it:
# nobody is there any more. Redirected this way, and not by `exec 9>>`, mksh hands it on.
_LOCKED = """{{
u=$(($(date +%s)+{wait_s}))
until flock -n 9; do
[ $(date +%s) -lt $u ] || {{
read -r h <{lock}; case $h in ""|*[!0-9]*) h=unknown;; esac
echo '{busy}'; exit 3
}}
sleep 0.1 2>/dev/null || sleep 1
done
echo $$ >{lock}
{run}
}} 9>>{lock}"""
_BUSY = (
    '{"code":"busy","id":null,"message":"another agent is measuring on this device (process '
    "'$h'"
    ')","model":null,"type":"error"}'
)

_RUN = (
    "trap '' HUP\nexport CLASSPATH={jar}\nexec app_process -Dadadeep.library={library}"
    " -Dadadeep.library.sha256={sha256} {folder} {main} serve {folder} 2>{folder}/agent.log"
)


def start_command(
    folder: str,
    agent: BuiltAgent,
    library: RuntimeLibrary,
    device: AndroidDevice,
    wait_s: int,
) -> str:
    """What starts the agent.

    Args:
        folder: ours on the device.
        agent: its jar, which lies there.
        library: likewise, of the runtime.
        device: what its shell has.
        wait_s: for another agent to leave the device.
    """
    jar, lock = (shlex.quote(f"{folder}/{name}") for name in (agent.name, "lock"))
    missing = f"echo {shlex.quote(MISSING_LINE.decode())}; exit 44"
    whole = _WHOLE if device.has_sha256sum else _SIZED
    check = whole.format(jar=jar, sha256=agent.sha256, bytes=agent.bytes, missing=missing)
    run = _RUN.format(
        jar=jar,
        library=shlex.quote(f"{folder}/{library.name}"),
        sha256=library.sha256,
        folder=shlex.quote(folder),
        main=MAIN,
    )
    if device.has_flock:
        run = _LOCKED.format(wait_s=wait_s, lock=lock, busy=_BUSY, run=run)
    said = f"echo {shlex.quote(PROCESS_LINE.decode())}$$"
    return "\n".join(["trap - HUP", said, f"cd {shlex.quote(folder)} || exit 1", check, run])


def keep_newest(folder: str, name: str) -> str:
    """What removes the oldest of our files of the same kind, but never the one of that name."""
    pattern = "agent-*.jar" if name.endswith(".jar") else "libtensorflowlite_jni-*.so"
    return (
        f"cd {shlex.quote(folder)} && for f in $(ls -t {pattern} | tail -n +{_KEPT + 1});"
        f' do [ "$f" = {shlex.quote(name)} ] || rm -f "$f"; done; true'
    )
