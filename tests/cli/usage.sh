#!/usr/bin/env bash
# usage: usage.sh MPQUIC_SIM DEV: what is wrong with a command line is named, in one line; help is for people.
readonly SIM=$1 DEV=$2
# shellcheck source=tests/support/program.sh
source "$(dirname "$0")/../support/program.sh"

cd "$work"
# wrong TEXT ARGS...: one line that holds TEXT.
wrong() {
  local text=$1
  shift
  expect 2 "$SIM" "$@"
  expect_text err "$text"
  [[ ! -s out && $(wc -l <err) == 1 ]] || fail "more than one line for $*: $(cat out err)"
}

wrong 'which command? One of run, replay, compare, list, swarm, profile, diff, qvis'
wrong "no command 'frob'" frob
grep -q 'did you mean' err && fail "frob is near to nothing: $(cat err)"
wrong "no command 'swram'; did you mean swarm?" swram
wrong "no command 'comapre'; did you mean compare?" comapre --seeds 5
wrong "no option '--verison'; did you mean --version?" --verison
wrong "run: no option '--sed'; did you mean --seed?" run six-wan-bulk --sed 3
wrong "run: no option '--qlogs'; did you mean --qlog?" run six-wan-bulk --qlogs=out
wrong "run: 'frob' is one word too many" run six-wan-bulk frob
wrong 'swarm: ' swarm --seeds none
wrong 'run: scenario is required' run
wrong 'nowhere is no directory' run x --scenario-dir nowhere
wrong '--vantage' run six-wan-bulk --pcap p --vantage router
wrong '{client,server}' run six-wan-bulk --pcap p --vantage router
wrong '--qlog' run six-wan-bulk --seeds 3 --qlog out
wrong '--seeds' run six-wan-bulk --csv file

for command in '' run replay compare list swarm profile diff qvis; do
  expect 0 "$SIM" $command --help
  expect_text out 'Example'
  grep -nE '\{false\}|->' out && fail "help of '$command' shows the program's insides"
done

# ./dev lint says what it does not lint, before it sets anything up.
for file in nosuch.h README.md sim; do
  expect 2 "$DEV" lint "$file"
  expect_text err "$file"
  [[ ! -s out && $(wc -l <err) == 1 ]] || fail "more than one line for $file: $(cat out err)"
done
echo 'all as it should be'
