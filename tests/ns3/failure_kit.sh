#!/usr/bin/env bash
# usage: failure_kit.sh MPQUIC_NS3 SCENARIO: a failing run in ns-3 leaves what a failing run in the simulator leaves.
readonly NS3=$1 SCENARIO=$2
# shellcheck source=tests/support/program.sh
source "$(dirname "$0")/../support/program.sh"

mkdir "$work/here"
cd "$work/here"
expect 1 "$NS3" run "$SCENARIO" --seed 7 --quiet --set assert.goodput=1Gbit/s
for file in client.sqlog server.sqlog network.sqlog; do
  [[ -s out/short-7/short-$file ]] || fail "no $file"
done
for file in keys.log report.json scenario.yaml; do [[ -s out/short-7/$file ]] || fail "no $file"; done
expect_text err "./dev replay $SCENARIO --seed 7 --engine ns3 --set 'assert.goodput=1Gbit/s'"
