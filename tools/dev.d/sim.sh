help_sim() {
  cat <<'HELP'
usage: ./dev sim [--preset PRESET] ARGS...

Builds mpquic-sim and runs it with ARGS. The release preset unless told otherwise; `--preset sim` keeps the expensive checks on.

  ./dev sim run scenarios/six-wan-bulk.yaml --seed 7
  ./dev sim run scenarios/six-wan-bulk.yaml --seed 7 --json out.json --qlog out/
  ./dev sim --preset sim run scenarios/silent-death.yaml --seed 41
  ./dev sim --help
HELP
  say ''
  say 'mpquic-sim itself: ./dev sim run --help'
}

run_sim() {
  local preset=release binary
  if [[ ${1:-} == --preset ]]; then
    preset=${2:?--preset needs a name}
    shift 2
  fi
  need build
  [[ $preset == release ]] || need build test
  binary=$(program "$preset" mpquic-sim)
  exec "$binary" "$@"
}
