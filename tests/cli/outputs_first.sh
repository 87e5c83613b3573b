#!/usr/bin/env bash
# usage: outputs_first.sh MPQUIC_SIM SCENARIO: an output that cannot be written is refused before anything runs, files
# appear whole or not at all, and a full disk is an error.
readonly SIM=$1 SCENARIO=$2
# shellcheck source=tests/support/program.sh
source "$(dirname "$0")/../support/program.sh"

cd "$work"
mkdir here
# Nothing may be printed, nor left, beside the one error.
refused() {
  expect 2 "$SIM" "$@"
  [[ ! -s out && $(wc -l <err) == 1 ]] || fail "more than one line for $*: $(cat out err)"
  [[ -z $(ls -A here) ]] || fail "left by $*: $(ls -A here)"
}

run=(run "$SCENARIO" --crypto null)
for option in --json --record --plot; do
  refused "${run[@]}" "$option" missing/file.svg
  expect_text err 'missing/file.svg'
  refused "${run[@]}" --record here/record "$option" missing/file.svg
done
for option in --pcap --keylog; do refused run "$SCENARIO" "$option" missing/file; done
refused "${run[@]}" --qlog "$SCENARIO/qlogs"
refused "${run[@]}" --plot here/picture.png
expect_text err '.svg'
refused run "$SCENARIO" --crypto null --seeds 2 --csv missing/file
refused compare "$SCENARIO" --crypto null --json missing/file
refused profile starlink --duration 1s --json missing/file
refused profile starlink --duration 1s --plot missing/file.svg
refused swarm --seeds 1 --json missing/file
refused swarm --seeds 1 --out "$SCENARIO/shrunk"

# Of several traces, none is begun where one cannot be read.
expect 0 "$SIM" "${run[@]}" --quiet --qlog qlog
echo 'no trace' >other.sqlog
refused qvis qlog/short-client.sqlog other.sqlog --out here
expect 0 "$SIM" qvis qlog/short-client.sqlog qlog/short-server.sqlog --out split
[[ $(find split -name '*.qlog' | wc -l) == 4 ]] || fail "of two traces with two paths: $(ls split)"

# A full disk. The table is there all the same: it took long enough.
for option in --json --record; do
  expect 2 "$SIM" "${run[@]}" "$option" /dev/full
  expect_text err '/dev/full'
  expect_text out 'trace hash'
done
for option in --pcap --keylog; do
  expect 2 "$SIM" run "$SCENARIO" "$option" /dev/full
  expect_text err '/dev/full'
done
expect 2 "$SIM" run "$SCENARIO" --crypto null --seeds 1 --csv /dev/full
expect 2 "$SIM" compare "$SCENARIO" --set workloads.0.bytes=1kB --json /dev/full
expect 2 "$SIM" profile starlink --duration 1s --json /dev/full
expect 2 "$SIM" swarm --seeds 1 --json /dev/full

# What is there already stays until the new one is complete, and no temporary file stays behind.
echo old >here/report
code=0
(trap '' XFSZ && ulimit -f 1 && "$SIM" "${run[@]}" --quiet --record here/report) 2>err || code=$?
((code == 2)) || fail "a file that may not grow beyond 1 kB: exit code $code"
expect_text err here/report
[[ $(ls here) == report && $(cat here/report) == old ]] || fail 'a part of a file took the place of the old one'
expect 0 "$SIM" "${run[@]}" --quiet --json here/report
python3 -m json.tool here/report >/dev/null || fail 'the report is not whole'

# Claims after a failure are about what is there.
mkdir fails && cd fails
expect 1 "$SIM" "${run[@]}" --set assert.goodput=1Gbit/s
expect_text err 'FAILED. qlogs, report and scenario in out/short-1'
rm -r out && echo 'in the way' >out
expect 1 "$SIM" "${run[@]}" --set assert.goodput=1Gbit/s
expect_text err 'FAILED. Nothing of it could be kept'
grep -q qlogs "$work/err" && fail "claims qlogs: $(cat "$work/err")"
echo 'all as it should be'
