#!/bin/sh
# The main job from end to end: what is attached, profile it, search for it, deploy to it.
# DEVICE: what `-d` takes (default local, this computer). EPISODES: plans that the search tries. RUN: its folder.
# BIN: the folder of the commands (default .venv/bin).
set -eu

cd "$(dirname "$0")/.."
device=${DEVICE:-local}
episodes=${EPISODES:-12}
run=${RUN:-runs/demo-$(printf %s "$device" | tr -c 'A-Za-z0-9.-' '-')}
# A demo leaves nothing behind outside the checkout.
export ADADEEP_LIBRARY="${ADADEEP_LIBRARY:-$PWD/runs/library}"

step() { printf '\n==> %s\n' "$*"; }
call() { printf '$ %s\n' "$*"; "${BIN:-$PWD/.venv/bin}/$@"; }

step "What is attached?"
call adadeep devices

step "Profile $device: facts, what it lets us read, and the latency of real layers (quick set)"
call adadeep-profile -d "$device" --quick

step "Search: compress LeNet on scikit-learn's digits, every latency measured on $device"
[ ! -e "$run" ] || echo "$run is there: the search takes up where it ended and measures nothing twice."
status=0
call adadeep search digits -d "$device" --max-accuracy-loss 3% --episodes "$episodes" --out "$run" || status=$?
[ "$status" -eq 0 ] || [ "$status" -eq 4 ] || exit "$status" # 4: no plan met the demand, the best one is there

step "Deploy: push the winner, compare its outputs, measure it against the initial network"
call adadeep deploy "$run" -d "$device"

step "Done. $run holds best.tflite, plan.json and the journal; ADADEEP_LIBRARY=$ADADEEP_LIBRARY the profile."
