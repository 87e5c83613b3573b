#!/usr/bin/env bash
# usage: seeds.sh MPQUIC_SIM SCENARIO: many seeds of one scenario are the runs that each of them is alone; and what one
# run shows of itself.
readonly SIM=$1 SCENARIO=$2
# shellcheck source=tests/support/program.sh
source "$(dirname "$0")/../support/program.sh"

cd "$work"
run=(run "$SCENARIO" --crypto null --set paths.1.loss=2%)
expect 0 "$SIM" "${run[@]}" --seed 5 --seeds 4 --jobs 2 --csv figures.csv
expect_text out 'short  seeds 5 to 8  crypto null'
expect_text out 'p95'
expect_text out 'passed         4 of 4 seeds'
expect_text out 'bulk up: longest stall ms'
for seed in 5 6 7 8; do
  expect 0 "$SIM" "${run[@]}" --seed "$seed" --json "$seed.json" --quiet
done
python3 - figures.csv <<'PY' || fail 'seeds differ from the runs that they are alone'
import csv, json, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
assert [row["seed"] for row in rows] == ["5", "6", "7", "8"], rows
assert len({row["trace_hash"] for row in rows}) == 4, rows
for row in rows:
    alone = json.load(open(row["seed"] + ".json"))
    assert row["trace_hash"] == alone["trace_hash"] and row["passed"] == "yes", row
    assert float(row["goodput Mbit/s"]) == alone["goodput_mbps"], row
    assert float(row["completed in s"]) == alone["completion_s"], row
PY
expect 0 "$SIM" "${run[@]}" --seed 5 --seeds 4 --jobs 1 --csv -
cmp out figures.csv || fail 'the number of jobs changes the figures'

# A seed that fails is named, with the way to repeat it.
worst=$(python3 -c 'import csv
print(min(csv.DictReader(open("figures.csv", newline="")), key=lambda row: float(row["goodput Mbit/s"]))["seed"])')
limit=$(python3 -c 'import csv
print(sorted(float(row["goodput Mbit/s"]) for row in csv.DictReader(open("figures.csv", newline="")))[1])')
expect 1 "$SIM" "${run[@]}" --seed 5 --seeds 4 --set "assert.goodput=${limit:0:5}Mbit/s" --csv failed.csv
expect_text out "passed         3 of 4 seeds; failed: $worst"
expect_text out "FAILED seed $worst: "
expect_text out "./dev replay $SCENARIO --seed $worst"
[[ $(grep -c ',no,' failed.csv) == 1 ]] || fail "not one failure: $(cat failed.csv)"
expect 2 "$SIM" run nowhere --seeds 3
[[ $(wc -l <err) == 1 ]] || fail "said for every seed: $(cat err)"

# Workloads have names of their own, in the table and in violations.
calls=(--set 'workloads=[{kind: voip, for: 1s}, {kind: voip, for: 1s}, {name: call, kind: voip, for: 1s}, {name: mine, kind: bulk, bytes: 1kB, assert: {completion: 1ms}}]')
expect 1 "$SIM" run "$SCENARIO" --crypto null "${calls[@]}"
for label in 'voip up ' 'voip down ' 'voip up 2 ' 'voip down 2 ' 'call up ' 'call down ' 'mine '; do expect_text out "  $label"; done
expect_text out 'workload mine took'

# A picture of a run, which it does not change; and what the figures mean.
expect 0 "$SIM" "${run[@]}" --set 'events=[{at: 20ms, do: set_rate, path: a, value: 5Mbit/s}]' --plot run.svg --json plotted.json --explain
expect 0 "$SIM" "${run[@]}" --set 'events=[{at: 20ms, do: set_rate, path: a, value: 5Mbit/s}]' --json plain.json --quiet
grep -h trace_hash plotted.json plain.json | uniq | wc -l | grep -qx 1 || fail 'the picture changes the run'
python3 - run.svg <<'PY' || fail 'the picture is not what it should be'
import sys, xml.dom.minidom
svg = xml.dom.minidom.parse(sys.argv[1])
text = [node.firstChild.data for node in svg.getElementsByTagName("text")]
for title in ("Goodput, Mbit/s", "Congestion window of the sender, kB", "a", "b", "1: 0.020 s, set_rate on path a: value 5Mbit/s"):
    assert title in text, (title, text)
assert any(t.startswith("Smoothed round trip time") and t.endswith("ms") for t in text), text
assert len(svg.getElementsByTagName("polyline")) >= 8, "four panels of two paths"
PY
expect 0 "$SIM" "${run[@]}" --explain
for term in 'goodput' 'lower bound' 'completed in' 'speed' 'trace hash' 'share' 'RTT' 'lost' 'longest stall' 'of the links'; do
  sed -n '/^Each path/,$p' out | grep -q "^  $term  *[a-z]" || fail "nothing explains '$term'"
done
echo 'all as it should be'
