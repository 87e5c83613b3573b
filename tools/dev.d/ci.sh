# What has threads or sockets, and its ctest names.
readonly TSAN_TARGETS=(unit_io unit_perf interop)
readonly TSAN_TESTS='^(unit_io|unit_perf)\.|^interop\..*udp'

help_ci() {
  cat <<'HELP'
usage: ./dev ci

What a change has to pass, from fresh build directories: build, lint, all tests under ASan and UBSan; the crypto room
without libipsec-mb; under ThreadSanitizer the tests that have threads or sockets (unit_io, unit_perf, and interop over
UDP); the fuzz targets for a minute; 1,000 seeds of the swarm, and 300 with real cryptography; equal trace hashes of
scenarios and of 500 seeds in debug and release builds; and every scenario in the simulator and in ns-3.

  ./dev ci
  ./dev build tsan unit_io         one target under ThreadSanitizer, by hand; then:
  ctest --test-dir build/tsan -R '^unit_io\.'
HELP
}

# The packet protection of machines that have OpenSSL alone.
without_ipsec_mb() {
  local dir=build/openssl-only
  cmake --preset dev -B "$dir" -DMPQUIC_WITH_IPSEC_MB=OFF >"$dir.log" 2>&1 &&
    cmake --build "$dir" --parallel "$(jobs_wanted)" --target unit_crypto >>"$dir.log" 2>&1 ||
    { tail -n 30 "$dir.log" >&2; die 'the build without libipsec-mb failed'; }
  "$dir/tests/unit_crypto" --gtest_brief=1
}

run_ci() {
  (($# == 0)) || die "ci: takes no arguments, not '$1'"
  need build test ns3
  rm -rf build/dev build/release build/fuzz build/tsan build/openssl-only
  ./dev test
  without_ipsec_mb
  ./dev build tsan "${TSAN_TARGETS[@]}"
  ctest --test-dir build/tsan --parallel "$(jobs_wanted)" --output-on-failure --no-tests=error -R "$TSAN_TESTS" |
    tail -n 20
  ./dev fuzz --seconds 60
  ./dev bench determinism --seeds 8
  ./dev sim swarm --seeds 300 --crypto real
  ./dev bench swarm swarm-determinism
  ./dev bench engines
  say 'ci: passed'
}
