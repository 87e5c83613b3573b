help_build() {
  cat <<'HELP'
usage: ./dev build [PRESET [TARGET...]]

Configures and builds a preset into build/PRESET: dev (the default), release, sim, tsan or fuzz.
The release programs land in build/bin.

  ./dev build                      the dev preset: -O1, ASan, UBSan, expensive checks
  ./dev build release              build/bin/mpquic-sim and build/bin/mpquic-perf
  ./dev build dev unit_wire        one target only
HELP
}

run_build() {
  local preset=${1:-dev}
  shift || true
  case $preset in
    dev | sim | tsan) need build test ;;
    release) need build ;;
    fuzz) need build lint ;;
    *) die "no preset '$preset': dev, release, sim, tsan or fuzz" ;;
  esac
  build_preset "$preset" "$@"
  say "built build/$preset"
}
