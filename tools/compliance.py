#!/usr/bin/python3
"""Checks docs/compliance/multipath-21.md: all requirements are there once, and every test that it names exists.

usage: compliance.py      one line per finding and exit code 1, else a summary

A row is `| number | level | requirement | status | tests or reason |`; tests are written `binary: Suite.Test`.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/compliance/multipath-21.md"
REQUIREMENTS = 63
STATUSES = ("tested", "partly", "not covered", "not applicable")
BINARIES = {"pair": "tests/pair", "property": "tests/property", "regress": "tests/regress", "sim_tests": "tests/sim",
            "interop": "tests/interop"}
TEST = re.compile(r"^(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\(\s*(\w+),\s*(\w+)", re.MULTILINE)
ROW = re.compile(r"^\| *(\d+) *\| *([^|]*?) *\| *([^|]*?) *\| *([^|]*?) *\| *([^|]*?) *\|$")
NAME = re.compile(r"`(\w+): (\w+)\.(\w+)`")


def tests_of(binary: str) -> set[tuple[str, str]]:
    folder = BINARIES.get(binary, f"tests/unit/{binary.removeprefix('unit_')}")
    found = set()
    for source in sorted((ROOT / folder).glob("*.cc")):
        found.update(TEST.findall(source.read_text()))
    return found


def main() -> int:
    findings, known, seen, counts, names = [], {}, {}, dict.fromkeys(STATUSES, 0), 0
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        row = ROW.match(line)
        if not row:
            continue
        where = f"{PAGE.relative_to(ROOT)}:{number}"
        requirement, level, _, status, evidence = row.groups()
        if int(requirement) in seen:
            findings.append(f"{where}: requirement {requirement} is listed twice")
        seen[int(requirement)] = line
        if level not in ("M", "S", "D"):
            findings.append(f"{where}: unknown level '{level}'")
        if status not in STATUSES:
            findings.append(f"{where}: unknown status '{status}'")
            continue
        counts[status] += 1
        tests = NAME.findall(evidence)
        names += len(tests)
        if status in ("tested", "partly") and not tests:
            findings.append(f"{where}: '{status}' without a test")
        if status != "tested" and not re.search(r"[a-z]{3,} [a-z]{2,}", NAME.sub("", evidence)):
            findings.append(f"{where}: '{status}' without a reason")
        for binary, suite, test in tests:
            if (suite, test) not in known.setdefault(binary, tests_of(binary)):
                findings.append(f"{where}: no test {suite}.{test} in {binary}")
    for requirement in range(1, REQUIREMENTS + 1):
        if requirement not in seen:
            findings.append(f"{PAGE.relative_to(ROOT)}: requirement {requirement} is missing")
    for requirement in seen:
        if not 1 <= requirement <= REQUIREMENTS:
            findings.append(f"{PAGE.relative_to(ROOT)}: there is no requirement {requirement}")
    print("\n".join(findings) if findings else
          f"{len(seen)} requirements, {names} tests named: " + ", ".join(f"{n} {s}" for s, n in counts.items()))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
