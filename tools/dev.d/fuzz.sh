help_fuzz() {
  cat <<'HELP'
usage: ./dev fuzz [--seconds N] [TARGET...]

Builds the libFuzzer targets of tests/fuzz (clang++, ASan, UBSan) and runs them, sharing N seconds (60) among them.
A finding is left in out/fuzz/ with the command that repeats it.

  ./dev fuzz                       every target, a minute in all
  ./dev fuzz --seconds 600 frames  ten minutes of fuzz_frames
HELP
}

run_fuzz() {
  local seconds=60 targets=() seeds=() target name corpus share status=0
  while (($#)); do
    case $1 in
      --seconds) seconds=${2:?--seconds needs a number}; shift ;;
      -*) die "fuzz: no option '$1'" ;;
      *) targets+=("$1") ;;
    esac
    shift
  done
  need build lint
  if ((${#targets[@]} == 0)); then
    mapfile -t targets < <(find tests/fuzz -maxdepth 1 -name '*.cc' -printf '%f\n' | sed 's/\.cc$//' | sort)
  fi
  ((${#targets[@]})) || die 'fuzz: no targets in tests/fuzz'
  build_preset fuzz "${targets[@]/#/fuzz_}"
  share=$((seconds / ${#targets[@]}))
  ((share > 0)) || share=1
  for name in "${targets[@]}"; do
    target=build/fuzz/bin/fuzz_$name
    corpus=out/fuzz/$name
    mkdir -p "$corpus"
    say "fuzz: $name for $share s"
    seeds=()
    [[ -d tests/fuzz/corpus/$name ]] && seeds=("tests/fuzz/corpus/$name")
    if ! "$target" -max_total_time="$share" -print_final_stats=1 -artifact_prefix="$corpus-" "$corpus" \
      "${seeds[@]}" >"$corpus.log" 2>&1; then
      tail -n 30 "$corpus.log" >&2
      say "fuzz: $name FAILED; repeat it with: $target $corpus-<crash file>"
      status=1
    else
      grep -E 'stat::(number_of_executed_units|average_exec_per_sec)' "$corpus.log" >&2 || true
    fi
  done
  return $status
}
