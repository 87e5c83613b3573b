help_bench() {
  need build
  python3 bench/driver.py --help
}

run_bench() {
  need build
  python3 bench/driver.py --check "$@"
  [[ " $* " != *" engines "* && " $* " != *" all "* ]] || build_ns3 release
  build_preset release
  [[ " $* " != *" flood "* && " $* " != *" all "* ]] || build_preset release mpquic-flood
  [[ " $* " != *" sim-minute "* && " $* " != *" all "* ]] || build_by_profile mpquic-sim
  if [[ " $* " == *" determinism "* || " $* " == *" swarm-determinism "* || " $* " == *" all "* ]]; then
    need build test
    build_preset dev mpquic-sim
  fi
  exec python3 bench/driver.py "$@"
}
