#!/usr/bin/env bash
# usage: places.sh MPQUIC_SIM BUILD CMAKE: scenarios and profiles are found by their names from any folder.
readonly SIM=$1 BUILD=$2 CMAKE=$3
# shellcheck source=tests/support/program.sh
source "$(dirname "$0")/../support/program.sh"

cd "$work"
# The build tree knows where its sources are, profiles included.
expect 0 "$SIM" list
expect_text out 'six-wan-weather'
expect 0 "$SIM" run single-path --crypto null --quiet
expect 0 "$SIM" profile starlink --duration 1s
expect_text out 'starlink'
expect 2 "$SIM" run six-wan-blk
expect_text err "no scenario 'six-wan-blk'; did you mean six-wan-bulk?"
expect 2 "$SIM" run frob
expect_text err 'mpquic-sim list'
expect 2 "$SIM" compare ./six-wan-bulk
expect_text err 'no such file'
expect 2 "$SIM" profile starlnk
expect_text err 'starlink'

# An installation finds its own, wherever it was moved to.
mkdir -p moved/bin
"$CMAKE" --install "$BUILD" --prefix "$work/moved" --component scenarios >/dev/null
cp "$SIM" moved/bin/
here=moved/share/mpquic/scenarios
[[ -s $here/six-wan-bulk.yaml && -s $here/wan/starlink.yaml && -s $here/SCHEMA.md ]] || fail "installed: $(ls -R moved)"
sed 's/^name: .*/name: only-there/' "$here/single-path.yaml" >"$here/only-there.yaml"
cp "$here/wan/starlink.yaml" "$here/wan/only-there.yaml"
cat >with-profile.yaml <<'YAML'
name: with-profile
crypto: null
duration: 20s
paths:
  - {name: a, profile: only-there}
workloads:
  - {kind: bulk, bytes: 10kB}
YAML
expect 2 "$SIM" run only-there
expect 0 moved/bin/mpquic-sim run only-there --crypto null --quiet
expect 0 moved/bin/mpquic-sim run with-profile.yaml --quiet
expect 0 moved/bin/mpquic-sim list
expect_text out 'only-there'

# Whoever wants others names a directory: those come first, profiles included.
expect 0 "$SIM" run only-there --crypto null --quiet --scenario-dir "$here"
expect 0 env MPQUIC_SCENARIOS="$here" "$SIM" run with-profile.yaml --quiet
mkdir scenarios
sed 's/^name: .*/name: mine/' "$here/single-path.yaml" >scenarios/single-path.yaml
expect 0 "$SIM" run single-path --crypto null
expect_text out 'mine  seed 1'
expect 0 "$SIM" run single-path --crypto null --scenario-dir "$here"
expect_text out 'single-path  seed 1'
echo 'all as it should be'
