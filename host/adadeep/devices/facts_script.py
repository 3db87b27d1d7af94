"""The shell script that asks a device for its facts, in one call."""

from __future__ import annotations

# POSIX shell that dash, busybox and Android's mksh (with toolbox, toybox or busybox) understand.
#
# `section NAME COMMAND` frames what the command prints; stdout goes around the substitution that
# takes stderr, by descriptor 3; its exit code is the last line of stderr. What a command prints
# without end is cut where there is a `head` that can: it must not cost the other facts. `files`
# reads files of one line without starting a process for each; "!" marks those that can't be read,
# with what the shell says: refused is not absent. A tab parts path and content, for paths may hold
# colons.
#
# What hangs costs no facts but its own. $L ends a command after 5 seconds. What still holds the
# pipes then (a child of it, a file that can't be read) is left alone a second later: the readers
# ($K) end, and nothing else is waited for. The shell does not, for commands run in the background;
# nor does adbd, for they have none of its descriptors (`exec` keeps no copy, as `{ } 3>&-` does).
# A section without an exit code gets 124, which is that of `timeout`. After the first that hangs
# others have 3 seconds: services tend to hang together. `limit` stands in for a missing `timeout`;
# what it puts into the background would lose its stdin but for descriptor 4.
_SCRIPT = r"""
T=@TOKEN@
exec 3>&1
section() {
  n=$1; shift
  echo "$T begin $n"
  e=$(
    exec 2>/dev/null </dev/null
    (exec 2>&1 1>&3 3>&-; { { "$@"; echo "$T $?" >&2; } & } | $K) | $K 3>&-
  )
  case $e in *"$T "*) ;; *) e="$e$T 124" ;; esac
  c=${e##*"$T "}
  case $c in 124|137) limits 3 4 ;; esac
  echo; echo "$T errors $c"; echo "${e%"$T "*}"; echo "$T end"
}
limits() {
  L="$X $1"
  K="$X $2 $G"
}
limit() {
  s=$1; shift
  exec 4<&0
  "$@" <&4 & j=$!
  { sleep $s; kill -9 $j; } </dev/null >/dev/null 2>&1 4<&- &
  w=$!
  wait $j; r=$?
  kill -9 $w 2>/dev/null
  return $r
}
files() {
  for f in "$@"; do
    v=
    if { read -r v <"$f"; } 2>/dev/null || [ -n "$v" ]; then echo "$f@TAB@$v"
    else e=$({ read -r v <"$f"; } 2>&1); echo "!$f@TAB@$e"; fi
  done
}
G=cat; echo | head -c 9 >/dev/null 2>&1 && G='head -c 400000'
X='timeout -s KILL'; $X 1 true 2>/dev/null || X=limit
limits 5 6
C=/sys/devices/system/cpu
P=/sys/class/power_supply
Z=/sys/class/thermal
H=/sys/class/hwmon/hwmon
R=/sys/class/powercap/intel-rapl
D=/sys/firmware/devicetree/base
M=/sys/class/dmi/id
clocks() {
  files $C/cpu[0-9]*/cpufreq/$1
  [ -e $C/cpu0/cpufreq ] || files $C/cpufreq/policy*/$1
}
cpu() {
  files $C/present $C/possible $C/online
  for k in cpuinfo_max_freq cpuinfo_min_freq related_cpus; do clocks $k; done
  for k in scaling_cur_freq scaling_governor; do clocks $k; done
  files $C/cpu[0-9]*/topology/physical_package_id
  for k in size level type shared_cpu_list; do files $C/cpu[0-9]*/cache/index*/$k; done
}
power() {
  ls $P >/dev/null
  for f in $P/*/uevent; do
    u=
    [ -e "$f" ] || continue
    while read -r l; do u="$u|$l"; done <"$f" && echo "$f@TAB@$u"
  done
  for k in type scope present status capacity voltage_now current_now temp; do files $P/*/$k; done
  for k in charge_counter charge_now charge_full_design energy_now; do files $P/*/$k; done
}
thermal() {
  ls $Z >/dev/null
  files $Z/thermal_zone[0-9]*/type $Z/thermal_zone[0-9]*/temp
}
energy() {
  files $H*/name $H*/power1_input $H*/curr1_input $H*/in1_input $R*/name $R*/energy_uj
}
linux() {
  for k in model compatible; do
    [ -e $D/$k ] && v=$(tr '\0' ' ' <$D/$k) && echo "$D/$k@TAB@$v"
  done
  files /etc/machine-id $M/product_name $M/sys_vendor /sys/devices/soc0/soc_id
  files /proc/sys/kernel/osrelease
}
pythons() {
  f=
  c='import sys; print(sys.executable + " " + sys.version.split()[0])'
  for p in python3 python /usr/bin/python3 /usr/local/bin/python3 /opt/bin/python3; do
    p=$(command -v $p) || continue
    $L "$p" -c "$c" && return
    f=${f:-$p}
  done
  [ -n "$f" ] && echo "$f"
}
props() {
  $L getprop
  v=$($L getprop ro.serialno)
  echo; echo "[ro.serialno]: [$v]"
}
features() { $L cmd package list features 2>/dev/null || $L pm list features; }
stats() {
  cat $P/*/charge_full_design >/dev/null 2>&1 && return
  $L dumpsys batterystats --charged | grep -i capacity
}
rails() { $L dumpsys android.hardware.power.stats.IPowerStats/default | head -n 40; }
section id id
section uname uname -s -r -m
section cpuinfo cat /proc/cpuinfo
section meminfo cat /proc/meminfo
section cpu cpu
section power power
section thermal thermal
section energy energy
section python pythons
section linux linux
version() {
  $L getprop ro.build.version.release; $L getprop ro.build.version.sdk
  echo .
}
B=/system/build.prop
v=$(exec 2>/dev/null </dev/null 3>&-; { version & } | $K)
[ -n "$v" ] || limits 3 4
case $v in
""|*[0-9A-Za-z]*) section getprop props; [ -n "$v" ] || section build_prop cat $B ;;
*) if [ -r $B ]; then section build_prop cat $B
  else section os_release cat /etc/os-release; echo "$T done"; exit 0; fi ;;
esac
section java command -v app_process
section features features
section battery $L dumpsys battery
section thermalservice $L dumpsys thermalservice
section stats stats
section rails rails
echo "$T done"
"""


def facts_script(token: str) -> str:
    """The script, with `token` at the head of each line that frames a section.

    It stays below 4000 bytes: an old adbd takes no longer command.
    """
    text = "\n".join(line.strip() for line in _SCRIPT.strip().split("\n"))
    return text.replace("@TOKEN@", token).replace("@TAB@", "\t")
