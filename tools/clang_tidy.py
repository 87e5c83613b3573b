#!/usr/bin/python3
"""clang-tidy over the tree, remembering what has passed.

usage: clang_tidy.py --build DIR [--all] [FILE...]

What passes once is a source as the compiler sees it, in the dev preset a batch of them (CMake's unity builds): its key is the text of the file,
of every project file that it includes, its compile command and .clang-tidy.
Passed keys are kept in DIR/clang-tidy.passed.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
# libstdc++ 12 needs help with Clang 16, and GCC's compile commands carry warnings that only GCC knows.
CLANG_ARGUMENTS = ["--extra-arg=" + a for a in (
    "-include", str(ROOT / "cmake" / "clang_concepts.h"), "-std=c++2b", "-Wno-error", "-Wno-everything")]


def reachable(path, seen):
    if path not in seen and path.exists():
        seen.add(path)
        for name in INCLUDE.findall(path.read_text()):
            reachable(ROOT / name, seen)
    return seen


def key_of(entry):
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    digest.update(entry["command"].encode())
    for path in sorted(reachable(pathlib.Path(entry["file"]), set())):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sources_of(entry):
    """The file itself, or the sources that a batch consists of."""
    return {entry["file"], *(str(ROOT / name) for name in INCLUDE.findall(pathlib.Path(entry["file"]).read_text()))}


def check(entry, build):
    command = ["clang-tidy-16", "--quiet", "-p", build, *CLANG_ARGUMENTS, entry["file"]]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return entry, result.returncode == 0, result.stdout.strip() or result.stderr.strip()


def main():
    parser = argparse.ArgumentParser(description="clang-tidy over the tree, remembering what has passed")
    parser.add_argument("--build", required=True, help="a configured build directory")
    parser.add_argument("--all", action="store_true", help="forget what has passed")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()

    database = pathlib.Path(options.build) / "compile_commands.json"
    wanted = {str(pathlib.Path(f).resolve()) for f in options.files}
    entries = {e["file"]: e for e in json.loads(database.read_text())}
    entries = [e for e in entries.values() if "/tests/" not in e["file"] and (not wanted or wanted & sources_of(e))]

    memory = pathlib.Path(options.build) / "clang-tidy.passed"
    passed = set(memory.read_text().split()) if memory.exists() and not options.all else set()
    keys = {e["file"]: key_of(e) for e in entries}
    todo = [e for e in entries if keys[e["file"]] not in passed]
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for entry, good, output in pool.map(lambda e: check(e, options.build), todo):
            if good:
                passed.add(keys[entry["file"]])
                memory.write_text("\n".join(sorted(passed)) + "\n")  # an interrupted run keeps what it learnt
            else:
                failures += 1
                print(output)
    print("clang-tidy: %d checked, %d unchanged, %d with findings" % (len(todo), len(entries) - len(todo), failures),
          file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
