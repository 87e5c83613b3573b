#!/usr/bin/env bash
# usage: tshark.sh MPQUIC_SIM SCENARIO: a stranger's dissector decrypts our captures with the keys inside them.
# tshark 4.0 knows RFC 9001 but not the multipath nonce: packets of path 0 decrypt, those of other paths cannot.
readonly SIM=$1 SCENARIO=$2 SKIPPED=77
command -v tshark >/dev/null || { echo 'tshark is not installed'; exit "$SKIPPED"; }
# shellcheck source=tests/support/program.sh
source "$(dirname "$0")/../support/program.sh"

# fields FILE FILTER FIELD...: one line for each datagram that matches.
fields() {
  local file=$1 filter=$2 args=()
  shift 2
  for field in "$@"; do args+=(-e "$field"); done
  tshark -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -r "$work/$file" -Y "$filter" -T fields "${args[@]}" 2>"$work/errors" || fail "$(cat "$work/errors")"
}

# expect_all_decrypted FILE FILTER WHAT
expect_all_decrypted() {
  local seen decrypted
  seen=$(fields "$1" "quic && $2" frame.number | wc -l)
  decrypted=$(fields "$1" "quic.frame_type && $2" frame.number | wc -l)
  ((seen > 20)) || fail "$3: only $seen QUIC datagrams"
  ((seen == decrypted)) || fail "$3: $decrypted of $seen datagrams were decrypted"
  [[ -n $(fields "$1" "quic.frame_type == 6 && $2" frame.number) ]] || fail "$3: no CRYPTO frame"
  [[ -n $(fields "$1" "quic.stream.stream_id && $2" frame.number) ]] || fail "$3: no STREAM frame"
  echo "$3: $seen datagrams, all decrypted"
}

for vantage in client server; do
  "$SIM" run "$SCENARIO" --quiet --set endpoints.multipath=off --pcap "$work/one-$vantage.pcapng" --vantage "$vantage"
  expect_all_decrypted "one-$vantage.pcapng" 'ip' "single path, $vantage"
  [[ -z $(fields "one-$vantage.pcapng" 'ip.checksum.status == "Bad" || udp.checksum.status == "Bad"' frame.number) ]] ||
    fail 'a checksum is wrong'
done

"$SIM" run "$SCENARIO" --quiet --pcap "$work/two.pcapng" --keylog "$work/keys"
expect_all_decrypted two.pcapng 'frame.interface_name == "a"' 'two paths, path 0'
(($(fields two.pcapng 'frame.interface_name == "b"' frame.number | wc -l) > 20)) || fail 'nothing on path 1'
grep -q '^CLIENT_TRAFFIC_SECRET_0 ' "$work/keys" || fail 'no application secrets in the key log'
[[ $(sort "$work/keys" | uniq -d | wc -l) == 0 ]] || fail 'a secret is twice in the key log'

# The keys of the other engine. Without it in this build there is nothing to see.
with_ngtcp2=0
"$SIM" run "$SCENARIO" --quiet --engine ngtcp2 --pcap "$work/ngtcp2.pcapng" 2>"$work/errors" || with_ngtcp2=$?
if ((with_ngtcp2 != 2)) || ! grep -q 'this build has no ngtcp2' "$work/errors"; then
  ((with_ngtcp2 == 0)) || fail "$(cat "$work/errors")"
  expect_all_decrypted ngtcp2.pcapng 'ip' 'ngtcp2'
fi

# The time stamps are the simulation's own, to the nanosecond: the answer takes half an RTT there and half back.
first=$(fields two.pcapng 'frame.number == 1' frame.time_epoch)
[[ $first == 0.000000000 ]] || fail "the first datagram left at $first"
