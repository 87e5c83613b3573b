# shellcheck shell=bash
# For tests that run a program as a user would; sourced. $work is a directory that goes away by itself.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

# expect CODE COMMAND...: runs it, its streams in $work/out and $work/err.
expect() {
  local wanted=$1 code=0
  shift
  "$@" >"$work/out" 2>"$work/err" || code=$?
  ((code == wanted)) || fail "exit code $code instead of $wanted: $* $(cat "$work/out" "$work/err")"
}
# expect_text out|err TEXT
expect_text() { grep -qF -- "$2" "$work/$1" || fail "no '$2' in: $(cat "$work/$1")"; }
