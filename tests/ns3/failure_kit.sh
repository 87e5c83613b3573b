#!/usr/bin/env bash
# usage: failure_kit.sh MPQUIC_NS3 SCENARIO: a failing run in ns-3 leaves what a failing run in the simulator leaves.
set -euo pipefail
readonly NS3=$1 SCENARIO=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

cd "$work"
code=0
"$NS3" run "$SCENARIO" --seed 7 --quiet --set assert.goodput=1Gbit/s 2>err || code=$?
((code == 1)) || fail "exit code $code instead of 1: $(cat err)"
for file in client.sqlog server.sqlog network.sqlog; do
  [[ -s out/short-7/short-$file ]] || fail "no $file"
done
for file in keys.log report.json scenario.yaml; do [[ -s out/short-7/$file ]] || fail "no $file"; done
grep -qF "./dev replay $SCENARIO --seed 7 --engine ns3 --set 'assert.goodput=1Gbit/s'" err || fail "no replay: $(cat err)"
