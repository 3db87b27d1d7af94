"""The shell script that asks a device for its facts, in one call."""

from __future__ import annotations

# POSIX shell that dash, busybox and Android's mksh (with toolbox, toybox or busybox) understand.
#
# `section NAME COMMAND` frames what the command prints; stdout goes around the substitution that
# takes stderr, by descriptor 3; its exit code is the last line of stderr. What a command prints
# without end is cut where there is a `head` that can: it must not cost the other facts. `files`
# reads files of one line without starting a process for each; "!" marks those that can't be read,
# with what the shell says: refused is not absent. A tab parts path and content, for paths may hold
# colons. Commands that may hang get 5 seconds.
_SCRIPT = r"""
T=@TOKEN@
exec 3>&1
section() {
  n=$1; shift
  echo "$T begin $n"
  e=$({ { "$@"; echo "$T $?" >&2; } | $K; } 2>&1 1>&3 </dev/null | $K)
  echo; echo "$T errors ${e##*"$T "}"; echo "${e%"$T "*}"; echo "$T end"
}
files() {
  for f in "$@"; do
    v=
    if { read -r v <"$f"; } 2>/dev/null || [ -n "$v" ]; then echo "$f@TAB@$v"
    else e=$({ read -r v <"$f"; } 2>&1); echo "!$f@TAB@$e"; fi
  done
}
K=cat; echo | head -c 9 >/dev/null 2>&1 && K='head -c 400000'
L=; timeout 1 true 2>/dev/null && L='timeout 5'
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
    "$p" -c "$c" 2>/dev/null && return
    f=${f:-$p}
  done
  [ -n "$f" ] && echo "$f"
}
props() {
  getprop
  v=$(getprop ro.serialno)
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
v=$(getprop ro.build.version.release 2>/dev/null)$(getprop ro.build.version.sdk 2>/dev/null)
if [ -n "$v" ]; then section getprop props
elif [ -r /system/build.prop ]; then section build_prop cat /system/build.prop
else section os_release cat /etc/os-release; echo "$T done"; exit 0; fi
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
