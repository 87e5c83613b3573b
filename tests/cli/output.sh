#!/usr/bin/env bash
# usage: output.sh MPQUIC_SIM SCENARIO: where output goes, and what is refused instead of being done by halves.
readonly SIM=$1 SCENARIO=$2
# shellcheck source=tests/support/program.sh
source "$(dirname "$0")/../support/program.sh"

expect_one_error() {
  expect_text err "$1"
  [[ $(wc -l <"$work/err") == 1 && ! -s $work/out ]] || fail "more than one line: $(cat "$work/out" "$work/err")"
}

cd "$work"
run=(run "$SCENARIO" --crypto null)

# "-" is standard output, and the table stays away from JSON.
for command in run compare; do
  expect 0 "$SIM" "$command" "$SCENARIO" --json -
  python3 -m json.tool <out >/dev/null || fail "$command --json - is not JSON: $(head -3 out)"
done
[[ ! -e ./- ]] || fail "there is a file named -"

# A full disk is no success.
for command in "${run[*]}" "${run[*]} --json -" "compare $SCENARIO" list --help; do
  code=0
  # shellcheck disable=SC2086 # words
  (cd "${SCENARIO%/*}/../.." && "$SIM" $command) >/dev/full 2>err || code=$?
  ((code == 1)) || fail "$command > /dev/full: exit code $code"
  expect_text err 'standard output cannot be written'
done

# compare
expect 0 "$SIM" compare "$SCENARIO"
expect_text out 'best: a'
expect_text out 'per path: only '
expect_text out 'no invariant is violated'
expect 2 "$SIM" compare "$SCENARIO" --set ns3.topology=wifi --set ns3.through=[a]
expect_one_error 'only ns-3 has this one'
expect 2 "$SIM" run "$SCENARIO" --set ns3.topology=wifi --set ns3.through=[a]
expect_one_error 'only ns-3 has this one'

# --baseline best_path: the faster path loses too much here.
expect 0 "$SIM" "${run[@]}" --baseline best_path --set paths.0.loss=30%
expect_text out 'baseline best_path (b)'

# ngtcp2: what it cannot do is said.
with_ngtcp2=0
"$SIM" run "$SCENARIO" --engine ngtcp2 --quiet 2>err || with_ngtcp2=$?
if ((with_ngtcp2 != 2)) || ! grep -q 'this build has no ngtcp2' err; then
  expect 2 "$SIM" "${run[@]}" --engine ngtcp2
  expect_one_error '--crypto null'
  expect 2 "$SIM" compare "$SCENARIO" --crypto null
  expect_one_error '--crypto null'
  expect 2 "$SIM" run "$SCENARIO" --engine ngtcp2 --qlog qlog --qvis
  expect_one_error '--qlog'
  expect 0 "$SIM" run "$SCENARIO" --engine ngtcp2 --keylog keys --pcap packets.pcapng
  expect_text keys 'CLIENT_TRAFFIC_SECRET_0 '
  expect_text keys 'SERVER_TRAFFIC_SECRET_0 '
  [[ -s packets.pcapng ]] || fail 'no capture'
  [[ $(awk '$1 == "a" { print $NF }' out) == - ]] || fail "retransmissions that nobody counts: $(cat out)"
fi
if [[ -x $(dirname "$SIM")/mpquic-ns3 ]]; then
  expect 2 "$SIM" run "$SCENARIO" --engine ns3 --set endpoints.engine=ngtcp2
  expect_one_error 'ns-3 carries our own engine only'
fi
echo 'all as it should be'
