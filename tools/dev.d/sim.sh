help_sim() {
  cat <<'HELP'
usage: ./dev sim [--preset PRESET] ARGS...

Builds mpquic-sim and runs it with ARGS. The release preset unless told otherwise; `--preset sim` keeps the expensive checks on,
and is what --inject means too: a release build has no bugs to inject.

  ./dev sim run scenarios/six-wan-bulk.yaml --seed 7
  ./dev sim run scenarios/six-wan-bulk.yaml --seed 7 --json out.json --qlog out/
  ./dev sim run lossy-lines --seeds 100 --csv lossy.csv
  ./dev sim run silent-death --plot silent-death.svg --explain
  ./dev sim run six-wan-bulk --engine ns3          installs libns3-dev (60 MB)
  ./dev sim --preset sim run scenarios/silent-death.yaml --seed 41
  ./dev sim swarm --seeds 1000 --inject nonce-without-path
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
  elif [[ " $*" == *' --inject'* ]]; then
    preset=sim
  fi
  need build
  [[ $preset == release ]] || need build test
  build_ns3_if_asked "$preset" "$@"
  binary=$(program "$preset" mpquic-sim)
  exec "$binary" "$@"
}
