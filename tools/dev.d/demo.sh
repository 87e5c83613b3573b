readonly DEMO_PATHS=(127.0.0.1 127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5 127.0.0.6)
readonly DEMO_BYTES=$((64 * 1024 * 1024))
readonly DEMO_TIMEOUT=60

help_demo() {
  cat <<'HELP'
usage: ./dev demo

One screen: a simulated 50 MB download over six WANs, then a real file over six UDP paths on loopback
(127.0.0.1 .. 127.0.0.6) in one multipath QUIC connection, with the file's sha256 compared at both ends.
The first run installs packages and builds: minutes. Later runs take seconds.

  ./dev demo
HELP
}

run_demo() {
  local started=$SECONDS
  (($# == 0)) || die "demo: takes no arguments, not '$1'"
  need build
  say 'building the release programs ...'
  build_preset release mpquic-sim mpquic-perf
  demo_work=$(mktemp -d)
  demo_server=''
  trap demo_clean_up EXIT
  trap 'exit 130' INT TERM

  heading '1  Simulator: 50 MB down over six WANs, one QUIC connection, virtual time'
  build/bin/mpquic-sim run scenarios/six-wan-bulk.yaml --seed 7 || die 'the simulation failed'
  heading '2  Real UDP: a file over six loopback paths, one QUIC connection'
  demo_transfer
  printf '\n%s\n' "Done in $((SECONDS - started)) s. Next: ./dev sim run scenarios/unequal-six.yaml --seed 1"
}

heading() {
  local bold='' plain=''
  [[ -t 1 ]] && bold=$'\033[1m' plain=$'\033[0m'
  printf '\n%s%s%s\n\n' "$bold" "$1" "$plain"
}

# Ends the server that demo_transfer started, and nothing else.
demo_clean_up() {
  if [[ -n $demo_server ]]; then
    kill "$demo_server" 2>/dev/null || true
    wait "$demo_server" 2>/dev/null || true
  fi
  rm -rf "$demo_work"
}

demo_transfer() {
  local pin address arguments=() path
  mkdir "$demo_work/served"
  head -c "$DEMO_BYTES" /dev/urandom >"$demo_work/served/file"
  build/bin/mpquic-perf server --listen 127.0.0.1:0 --self-signed --root "$demo_work/served" --log-level warn \
    >"$demo_work/server.out" 2>"$demo_work/server.err" &
  demo_server=$!
  for _ in {1..100}; do
    pin=$(awk '$1 == "pin" { print $2 }' "$demo_work/server.out")
    address=$(awk '$1 == "listening" { print $2 }' "$demo_work/server.out")
    [[ -n $pin && -n $address ]] && break
    kill -0 "$demo_server" 2>/dev/null || { cat "$demo_work/server.err" >&2; die 'the server did not start'; }
    sleep 0.05
  done
  for path in "${DEMO_PATHS[@]}"; do arguments+=(--path "$path"); done
  build/bin/mpquic-perf client "$address" /file --pin "$pin" "${arguments[@]}" --timeout "$DEMO_TIMEOUT" --no-progress \
    --log-level warn --out "$demo_work/received" --json "$demo_work/client.json" >"$demo_work/client.out" 2>&1 ||
    { cat "$demo_work/client.out" "$demo_work/server.err" >&2; die 'the transfer failed'; }
  python3 tools/dev.d/demo_report.py "$demo_work/client.json" "$demo_work/served/file" "$demo_work/received" "${#DEMO_PATHS[@]}"
}
