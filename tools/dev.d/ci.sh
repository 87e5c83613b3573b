help_ci() {
  cat <<'HELP'
usage: ./dev ci

What a change has to pass, from fresh build directories: build, lint, all tests under ASan and UBSan, the fuzz targets for a minute,
and equal trace hashes of the same seeds in debug and release builds.

  ./dev ci
HELP
}

run_ci() {
  rm -rf build/dev build/release build/fuzz
  ./dev test
  ./dev fuzz --seconds 60
  ./dev bench determinism --seeds 8
  say 'ci: passed'
}
