#!/usr/bin/env bash
# usage: readme.sh MPQUIC_SIM README: the run that README shows is what its command prints, but for the wall time.
readonly SIM=$1 README=$2
# shellcheck source=tests/support/program.sh
source "$(dirname "$0")/../support/program.sh"

cd "$(dirname "$README")"
read -r -a command < <(sed -n 's/.*(`\.\/dev sim \(run [^`]*\)`):$/\1/p' "$README")
[[ ${#command[@]} -gt 1 ]] || fail "README has no run of the simulator"
awk '/\(`\.\/dev sim run / { found = 1; next } found && /^```/ { if (inside) exit; inside = 1; next } inside { print }' \
  "$README" >"$work/shown"
expect 0 "$SIM" "${command[@]}"
sed -e '/^  speed /d' -e 's/, [0-9.]* s of wall time$//' "$work/out" >"$work/run"
diff "$work/shown" "$work/run" >&2 || fail "README shows another run than '${command[*]}' (>)"
