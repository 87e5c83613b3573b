help_test() {
  cat <<'HELP'
usage: ./dev test [--quick] [--no-lint] [CTEST ARGS]

Builds the dev preset (ASan, UBSan, expensive checks), lints, and runs every test. Ends with ctest's closing line;
fails if a test or the lint fails. A failing simulation prints its seed and the command that replays it.

  ./dev test                       everything: what CI runs
  ./dev test --quick               unit and pair tests, no lint: seconds
  ./dev test -R interop            the tests whose name matches, with ctest's own options
HELP
}

run_test() {
  local quick=0 lint=1 status=0 args=()
  while (($#)); do
    case $1 in
      --quick) quick=1 lint=0 ;;
      --no-lint) lint=0 ;;
      *) args+=("$1") ;;
    esac
    shift
  done
  need build test ns3
  if ((lint && ${#args[@]} == 0)); then
    source tools/dev.d/lint.sh
    # shellcheck disable=SC2119
    (run_lint) || status=1
  fi
  build_preset dev
  ((quick)) && args+=(-L 'unit|pair')
  [[ -t 1 ]] && args+=(--progress)
  ctest --preset dev --parallel "$(jobs_wanted)" --no-label-summary "${args[@]}" || status=1
  ((status == 0)) || say 'dev test: FAILED (see above)'
  return $status
}
