help_replay() {
  cat <<'HELP'
usage: ./dev replay SCENARIO --seed N [MPQUIC-SIM ARGS]

Runs one simulation again with every check on (preset sim) and leaves its report and qlogs in out/<scenario>-<seed>/.
SCENARIO is a file, or the name of one in scenarios/.

  ./dev replay silent-death --seed 41
  ./dev replay scenarios/six-wan-bulk.yaml --seed 7 --set endpoints.scheduler=round_robin
HELP
}

run_replay() {
  local scenario=${1:-} status=0 seed='' previous='' argument out binary
  [[ -n $scenario && $scenario != -* ]] || die 'replay: which scenario? ./dev replay SCENARIO --seed N'
  shift
  [[ -e $scenario ]] || scenario="scenarios/$scenario.yaml"
  [[ -e $scenario ]] || die "replay: no scenario '$scenario'"
  for argument in "$@"; do
    [[ $previous == --seed ]] && seed=$argument
    [[ $argument == --seed=* ]] && seed=${argument#--seed=}
    previous=$argument
  done
  [[ -n $seed ]] || die 'replay: which seed? ./dev replay SCENARIO --seed N'
  need build test
  build_ns3_if_asked sim "$@"
  out="out/$(basename "$scenario" .yaml)-$seed"
  mkdir -p "$out" || die "replay: '$out' cannot be made"
  binary=$(program sim mpquic-sim)
  "$binary" run "$scenario" --json "$out/report.json" --qlog "$out" "$@" || status=$?
  # 2: refused, or something could not be written.
  ((status == 2)) || say "replay: report and qlogs in $out"
  return "$status"
}
