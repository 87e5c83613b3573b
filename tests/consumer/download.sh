#!/usr/bin/env bash
# usage: download.sh MPQUIC_PERF CLIENT: the client fetches a file over two loopback addresses, and both were used.
readonly PERF=$1 CLIENT=$2
# shellcheck source=tests/support/program.sh
source "$(dirname "$0")/../support/program.sh"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout "$work/key.pem" -out "$work/cert.pem" \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
mkdir "$work/root"
head -c 20000000 /dev/urandom >"$work/root/file"

"$PERF" server --listen 127.0.0.1:0 --root "$work/root" --cert "$work/cert.pem" --key "$work/key.pem" --once \
  --json "$work/report.json" >"$work/server" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in {1..100}; do
  address=$(grep -oE '127\.0\.0\.1:[1-9][0-9]*' "$work/server" | head -n 1) && [[ -n $address ]] && break
  sleep 0.1
done
[[ -n ${address:-} ]] || fail "no server: $(cat "$work/server")"

expect 0 timeout 60 "$CLIENT" "$address" "$work/cert.pem" /file 127.0.0.1 127.0.0.2
cmp "$work/out" "$work/root/file" || fail 'the file arrived damaged'
wait "$server" || fail "the server: $(cat "$work/server")"
python3 - "$work/report.json" <<'PY' || fail "not both paths were used: $(cat "$work/report.json")"
import json, sys
paths = json.load(open(sys.argv[1]))["connections"][0]["paths"]
sys.exit(0 if sum(path["validated"] and path["packets_received"] > 1 for path in paths) == 2 else 1)
PY
