#!/usr/bin/env bash
# usage: diff.sh MPQUIC_SIM SCENARIO: the subcommands diff and qvis, and their exit codes.
readonly SIM=$1 SCENARIO=$2
# shellcheck source=tests/support/program.sh
source "$(dirname "$0")/../support/program.sh"

"$SIM" run "$SCENARIO" --crypto null --quiet --seed 7 --record "$work/a" --qlog "$work/qlog" --qvis
"$SIM" run "$SCENARIO" --crypto null --quiet --seed 7 --record "$work/b"
"$SIM" run "$SCENARIO" --crypto null --quiet --seed 7 --record "$work/c" --set paths.1.rtt=31ms
expect 0 "$SIM" diff "$work/a" "$work/b"
expect_text out 'equal:'
expect 1 "$SIM" diff "$work/a" "$work/c"
expect_text out 'first difference: event'
expect_text out 'equal in both, just before'
expect_text out 'b up'
head -c 5000 "$work/a" >"$work/cut"
expect 2 "$SIM" diff "$work/a" "$work/cut"
expect_text err 'cut off'
expect 2 "$SIM" diff "$work/a"
expect 2 "$SIM" diff "$work/a" /nowhere
expect 2 "$SIM" diff "$SCENARIO" --against /nowhere
expect 2 "$SIM" diff "$work/a" "$work/b" --against "$SIM"
expect 0 "$SIM" diff "$SCENARIO" --crypto null --seed 7 --against "$SIM"
expect_text out 'equal:'

expect 0 "$SIM" qvis "$work/qlog/short-server.sqlog" --out "$work/qvis"
expect_text out 'short-server-path1.qlog'
cmp "$work/qvis/short-server-path1.qlog" "$work/qlog/short-server-path1.qlog" || fail '--qvis and qvis differ'
expect 2 "$SIM" qvis "$work/a"
expect 2 "$SIM" run "$SCENARIO" --crypto null --pcap "$work/pcap"
expect_text err '--crypto real'
expect 2 "$SIM" run "$SCENARIO" --qvis
expect 2 "$SIM" run "$SCENARIO" --record /nowhere/file
