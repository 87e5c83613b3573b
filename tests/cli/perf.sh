#!/usr/bin/env bash
# usage: perf.sh MPQUIC_PERF: mpquic-perf over cables of the test's own, two network namespaces with two links: link-local
# addresses, lines that are dead, that come back, that are too small. Skipped (77) where there is no root.
readonly PERF=$1
# shellcheck source=tests/support/program.sh
source "$(dirname "$0")/../support/program.sh"

# A full disk is no success, and no crash where the message cannot be written either.
for arguments in --help --version 'client --help'; do
  code=0
  # shellcheck disable=SC2086 # words
  "$PERF" $arguments >/dev/full 2>"$work/err" || code=$?
  ((code == 1)) || fail "$arguments > /dev/full: exit code $code"
  expect_text err 'standard output cannot be written'
done
code=0
"$PERF" server --listen 127.0.0.1:0 --self-signed >/dev/full 2>"$work/err" || code=$?
((code == 1)) || fail "server > /dev/full: exit code $code"
expect_text err 'standard output cannot be written'
code=0
"$PERF" client 127.0.0.1:9 --bytes 1 --insecure --ca /nosuch 2>/dev/full || code=$?
((code == 2)) || fail "2> /dev/full: exit code $code"

client=mpquic-c$$ server=mpquic-s$$ pids=()
clean() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  ip netns del $client 2>/dev/null || true
  ip netns del $server 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT
if ! ip netns add $client 2>/dev/null || ! ip netns add $server 2>/dev/null; then
  echo 'skipped: network namespaces need root'
  exit 77
fi

# cable N: from w$N of the client to u$N of the server, without the link-local addresses that the kernel would make up and
# first look for duplicates of
cable() {
  ip link add "w$1" netns $client type veth peer name "u$1" netns $server
  ip -n $client link set "w$1" addrgenmode none
  ip -n $server link set "u$1" addrgenmode none
  ip -n $client addr add "10.99.$1.1/24" dev "w$1"
  ip -n $server addr add "10.99.$1.2/24" dev "u$1"
  ip -n $client addr add "fe80::$1:1/64" dev "w$1" nodad
  ip -n $server addr add "fe80::$1:2/64" dev "u$1" nodad
  ip -n $client link set "w$1" up
  ip -n $server link set "u$1" up
}
cable 1
cable 2
ip netns exec $server "$PERF" server --listen 0.0.0.0:4433 --listen '[::]:4433' --self-signed >"$work/server" 2>&1 &
pids+=($!)
for _ in {1..100}; do
  grep -q pin "$work/server" && break
  sleep 0.1
done
run() { expect "$1" timeout 60 ip netns exec $client "$PERF" client "${@:2}" --insecure --no-progress --timeout 30; }
# json EXPRESSION: of the report, as d
json() { python3 -c "import json; d = json.load(open('$work/json')); print($1)"; }

# Link-local addresses, by name of the interface or by that of the path.
run 0 '[fe80::1:2%w1]:4433' --bytes 100K
run 0 '[fe80::1:2]:4433' --bytes 100K --path 'if:w1,server=[fe80::1:2]'
run 0 '[fe80::1:2]:4433' --bytes 100K --path fe80::1:1%w1
expect_text out '%w1]:4433'
# One path of each family.
run 0 10.99.1.2:4433 --bytes 3M --path if:w1 --path 'fe80::2:1%w2,server=[fe80::2:2]' --json "$work/json"
[[ $(json "len(d['paths'])") == 2 ]] || fail "one path: $(cat "$work/json")"

# Too small a line is named at once; a bit larger is enough.
ip -n $client link set w1 mtu 1227
run 1 10.99.1.2:4433 --bytes 1M --json "$work/json"
expect_text err 'too small: QUIC needs 1228'
run 0 10.99.1.2:4433 --bytes 1M --path if:w1 --path if:w2,server=10.99.2.2
expect_text err 'too small: QUIC needs 1228'
run 0 10.99.1.2:4433 --bytes 1M --path if:w2,server=10.99.2.2 --path if:w1
for mtu in 1228 1229 1240 1300; do
  ip -n $client link set w1 mtu $mtu
  run 0 10.99.1.2:4433 --bytes 1M
done
ip -n $client link set w1 mtu 1500

# A dead first line costs a fraction of a second, and is used once it lives.
ip -n $server link set u1 down
run 0 10.99.1.2:4433 --bytes 1M --path if:w1 --path if:w2,server=10.99.2.2 --json "$work/json"
[[ $(json "d['handshake_seconds'] < 3") == True ]] || fail "a slow start: $(cat "$work/json")"
(sleep 4 && ip -n $server link set u1 up) &
run 0 10.99.1.2:4433 --duration 15 --scheduler round_robin --path if:w1 --path if:w2,server=10.99.2.2 --json "$work/json"
[[ $(json "any(p['validated'] and p['local'].startswith('10.99.1.') for p in d['paths'])") == True ]] ||
  fail "the line is up again, its path is not: $(cat "$work/json" "$work/err")"

# An interface that is made anew carries on the connection that was slow before.
tc -n $server qdisc add dev u1 root tbf rate 20mbit burst 20k limit 200k
(
  sleep 1
  ip -n $client link del w1
  sleep 1
  cable 1
) &
run 0 10.99.1.2:4433 --bytes 10M --path if:w1 --json "$work/json"
[[ $(json "d['seconds'] > 1.5 and len(d['paths']) == 1") == True ]] || fail "not interrupted: $(cat "$work/json")"
echo 'all as it should be'
