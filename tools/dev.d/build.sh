help_build() {
  cat <<'HELP'
usage: ./dev build [PRESET [TARGET...]]

Configures and builds a preset into build/PRESET: dev (the default), release, pgo, sim, tsan or fuzz.
The release programs land in build/bin.
pgo is release twice over: the first build runs some simulations, the second is compiled for what they did, and both for
this machine's processor. It takes twice as long; large sweeps get it back. The profile is taken once: after larger
changes, delete build/pgo.

  ./dev build                      the dev preset: -O1, ASan, UBSan, expensive checks
  ./dev build release              build/bin/mpquic-sim and build/bin/mpquic-perf
  ./dev build pgo mpquic-sim       build/pgo/bin/mpquic-sim: the fastest simulator
  ./dev build dev unit_wire        one target only
HELP
}

run_build() {
  local preset=${1:-dev}
  shift || true
  case $preset in
    dev | sim | tsan) need build test ;;
    release | pgo) need build ;;
    fuzz) need build lint ;;
    *) die "no preset '$preset': dev, release, pgo, sim, tsan or fuzz" ;;
  esac
  if [[ $preset == pgo ]]; then build_by_profile "$@"; else build_preset "$preset" "$@"; fi
  say "built build/$preset"
}
