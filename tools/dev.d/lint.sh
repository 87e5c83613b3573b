help_lint() {
  cat <<'HELP'
usage: ./dev lint [--all | --fix] [FILE...]

clang-format (layout), tools/tidy.py (room dependencies, banned calls, limits, nodiscard) and clang-tidy (bugs).
clang-tidy remembers what it has passed, so that only changed files cost time.

  ./dev lint                       every file; clang-tidy only for those not yet passed
  ./dev lint --all                 forget what has passed
  ./dev lint --fix                 let clang-format rewrite the files first
  ./dev lint stack/wire/varint.h   these files only
HELP
}

run_lint() {
  local fix=0 status=0 files=() tidy=(--build build/dev)
  while (($#)); do
    case $1 in
      --fix) fix=1 ;;
      --all) tidy+=(--all) ;;
      -*) die "lint: no option '$1'" ;;
      *)
        [[ -f $1 ]] || die "lint: no file '$1'"
        [[ $1 == *.h || $1 == *.cc ]] || die "lint: '$1' is neither a .h nor a .cc file"
        files+=("$1")
        ;;
    esac
    shift
  done
  need build test lint
  if ((${#files[@]} == 0)); then
    mapfile -t files < <(find stack sim io tunnel tests bench -name '*.h' -o -name '*.cc' | sort)
  fi
  ((fix)) && clang-format-16 -i "${files[@]}"
  clang-format-16 --dry-run --Werror "${files[@]}" >build/format.log 2>&1 ||
    { grep -E 'error' build/format.log | head -n 20 >&2; say 'lint: layout: ./dev lint --fix mends it'; status=1; }
  python3 tools/tidy.py "${files[@]}" || status=1
  # Files that came or went since the last time are in the new build files only.
  cmake --preset dev >build/cmake.log 2>&1 || die 'cmake failed: build/cmake.log'
  python3 tools/clang_tidy.py "${tidy[@]}" "${files[@]}" || status=1
  ((status)) || say "lint: clean (${#files[@]} files)"
  return $status
}
