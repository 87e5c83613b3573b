#!/usr/bin/python3
"""The rules of this project that no compiler checks: room dependencies, banned calls, limits, nodiscard.

usage: tidy.py [FILE...]      every C++ file of the tree unless some are named

One line per finding, `file:line: [rule] what`, and exit code 1. A line, or the signature of a function, may carry
`// tidy: allow(rule) reason`.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("stack", "sim", "io", "tunnel", "tests", "bench")
MAX_SIGNATURE_LINES = 5  # how far below its name a function may carry its exception
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_PARAMETERS = 500, 70, 5

# stack/ rooms: what each may include directly; the closure follows. Keep in step with stack/CMakeLists.txt.
ROOMS = {
    "base": [], "wire": ["base"], "crypto": ["wire"], "packet": ["crypto"],
    "recovery": ["wire"], "cid": ["wire"], "stream": ["wire"], "datagram": ["wire"], "trace": ["wire"],
    "cc": ["recovery"], "path": ["cc"], "sched": ["base"], "redundancy": ["wire"],
    "conn": ["packet", "path", "sched", "redundancy", "cid", "stream", "datagram", "trace"], "endpoint": ["conn"],
}
# The same for the rooms of sim/. All of them may include stack/ and io/; link needs stack/base alone.
SIM_ROOMS = {
    "base": [], "link": [], "network": ["base", "link"], "workload": ["network"], "scenario": ["workload"], "engine": ["scenario"],
    "peers": ["engine"], "checks": ["scenario"], "trace": ["scenario"], "run": ["engine", "checks", "trace"],
    "swarm": ["run"], "cli": ["swarm", "peers"], "ns3": ["cli"],
}
SINGLE_HEADERS = {"sched": {"stack/path/path_view.h"}, "redundancy": {"stack/path/path_view.h"},
                  "sim/link": {"sim/base/random_streams.h"},
                  "sim/scenario": {"sim/peers/ngtcp2_options.h"}}  # plain data that a room may see without its room
OUTER = {  # the other folders: which top folders (or rooms, as stack/<room>) they may include
    "io": {"io", "stack/base"}, "sim": {"sim", "stack", "io"}, "sim/link": {"sim/link", "stack/base"}, "tunnel": {"tunnel", "io", "stack", "sim/peers"},
    "tests": set(FOLDERS), "bench": set(FOLDERS),
}
BANNED_IN_STACK = [
    (r"\b\w*_clock\s*::\s*now\b|\b(clock_gettime|gettimeofday)\b|\btime\s*\(\s*(nullptr|NULL|0)\s*\)",
     "clock", "time is an argument"),
    (r"\bstd::(random_device|mt19937\w*|minstd_rand0?|\w+_distribution)\b|\bs?rand\s*\(",
     "random", "every random byte comes from an Rng&"),
    (r"\b(socket|recvfrom|recvmsg|recvmmsg|sendto|sendmsg|sendmmsg|epoll_\w+|setsockopt)\s*\(", "socket",
     "system calls live in io/"),
    (r"\bstd::(thread|jthread|mutex|atomic\w*|condition_variable|async|future)\b|\bthread_local\b", "thread",
     "one thread per endpoint, which the host owns"),
    (r"\bstd::(cout|cerr|clog|ifstream|ofstream|fstream|filesystem)\b|\b(f?printf|fopen|getenv)\s*\(", "io",
     "the core neither prints nor opens files; trace through a Sink"),
    (r"\bthrow\b|\btry\s*\{", "exception", "errors are values"),
    (r"\bstd::(format|print|println)\b", "library", "GCC 12 has no <format> or <print>"),
]
BANNED_HEADERS_IN_STACK = re.compile(
    r"^(sys/|net/|linux/|unistd\.h|poll\.h|fcntl\.h|iostream|fstream|filesystem|thread|mutex|atomic|"
    r"future|condition_variable|random|format|print|shared_mutex)")
MAY_PRINT = {"stack/base/check.h"}


class Finding(tuple):
    def __new__(cls, path, line, rule, text):
        return super().__new__(cls, (path, line, rule, text))

    def __str__(self):
        return "%s:%d: [%s] %s" % self


def closure(room, rooms):
    seen, todo = set(), [room]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo += rooms.get(current, [])
    return seen


def blank_out(source):
    """The source without comments and literals, same length and lines, so that positions still hold."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'',
        re.S)

    def blank(match):
        text = match.group()
        inner = re.sub(r"[^\n]", " ", text)
        if text[0] in "\"'" and len(text) > 1:
            return text[0] + inner[1:-1] + text[-1]
        return inner

    return pattern.sub(blank, source)


def blank_macros(code):
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group()), code, flags=re.M)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def matching(code, start, opener, closer):
    depth = 0
    for i in range(start, len(code)):
        if code[i] == opener:
            depth += 1
        elif code[i] == closer:
            depth -= 1
            if depth == 0:
                return i
    return len(code)


def count_parameters(text):
    if not text.strip() or text.strip() == "void":
        return 0
    depth = count = 0
    for i, c in enumerate(text):
        if c in "(<[{":
            depth += 1
        elif c in ")]}" or (c == ">" and text[i - 1] != "-"):
            depth -= 1
        elif c == "," and depth == 0:
            count += 1
    return count + 1


FUNCTION_NAME = re.compile(r"(operator\s*(?:\(\s*\)|\[\s*\]|[^\s\w(]+|[\w:<>*& ]+)|~?[A-Za-z_]\w*)\s*\(")
NOT_A_FUNCTION = {"if", "for", "while", "switch", "catch", "return", "sizeof", "decltype", "alignas", "noexcept",
                  "requires", "static_assert", "defined", "explicit", "constexpr"}


def functions(code):
    """(start, name, parameters, end) of every function definition. Heuristic, but it knows this tree's style."""
    scopes, head_start, i = [], 0, 0
    while i < len(code):
        c = code[i]
        if c == "(":
            i = matching(code, i, "(", ")")
        elif c == "{":
            head = code[head_start:i]
            kind = classify(head, scopes)
            if kind == "initialiser":
                i = matching(code, i, "{", "}")
            elif kind == "scope":
                scopes.append(kind)
                head_start = i + 1
            else:
                end = matching(code, i, "{", "}")
                if kind == "function":
                    yield describe(code, head_start, i, end)
                i, head_start = end, end + 1
        elif c == "}":
            if scopes:
                scopes.pop()
            head_start = i + 1
        elif c == ";" or (c == ":" and re.search(r"\b(public|private|protected)\s*$", code[head_start:i])):
            head_start = i + 1
        i += 1


def classify(head, scopes):
    bare = re.sub(r"\[\[.*?\]\]", "", re.sub(r"template\s*<[^{;]*?>\s*(?=[a-z\[A-Z])", "", head, flags=re.S), flags=re.S)
    if re.search(r"\b(namespace|extern)\b[^()]*$", bare) or re.search(r"\b(class|struct|union|enum)\b[^()=]*$", bare):
        return "scope"
    if re.search(r"\)\s*(?:noexcept\s*)?:(?!:).*[\w>]$", bare, re.S):
        return "initialiser"  # a braced member in a constructor's initialiser list
    if "(" in bare and not re.search(r"=\s*$", bare) and not re.search(r"=[^=()]*[\w>]$", bare):
        return "function"
    return "initialiser"


def describe(code, start, brace, end):
    for match in FUNCTION_NAME.finditer(code, start, brace):
        if match.group(1) not in NOT_A_FUNCTION:
            opening = match.end() - 1
            parameters = code[opening + 1:matching(code, opening, "(", ")")]
            return match.start(), match.group(1).strip(), count_parameters(parameters), end
    return brace, "?", 0, end


def check_includes(name, source):
    parts = name.split("/")
    for number, line in enumerate(source.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if not match:
            continue
        quoted, target = match.group(1) == '"', match.group(2)
        if parts[0] == "stack" and not quoted and BANNED_HEADERS_IN_STACK.match(target):
            yield number, "include", "<%s> has no place in stack/" % target
        if not quoted:
            continue
        top = target.split("/")
        if top[0] not in FOLDERS:
            yield number, "include", '"%s" is not relative to the repository root' % target
        elif parts[0] == "stack":
            room = top[1] if top[0] == "stack" and len(top) > 2 else None
            if room not in closure(parts[1], ROOMS) and target not in SINGLE_HEADERS.get(parts[1], ()):
                yield number, "room", "stack/%s may not include %s" % (parts[1], target)
        else:
            room = "/".join(parts[:2]) if "/".join(parts[:2]) in OUTER else parts[0]
            allowed = room not in OUTER or any(target.startswith(a + "/") for a in OUTER[room])
            if parts[0] == top[0] == "sim" and room == "sim" and parts[1] in SIM_ROOMS:
                room = "/".join(parts[:2])
                allowed = top[1] in closure(parts[1], SIM_ROOMS)
            if not allowed and target not in SINGLE_HEADERS.get(room, ()):
                yield number, "room", "%s may not include %s" % (room, target)


def check_banned(name, code):
    if not name.startswith("stack/"):
        return
    for pattern, rule, why in BANNED_IN_STACK:
        if rule == "io" and name in MAY_PRINT:
            continue
        for match in re.finditer(pattern, code):
            yield line_of(code, match.start()), rule, "%s: %s" % (match.group().strip(), why)


def check_unordered(name, code, header_code):
    if not name.startswith(("stack/", "sim/")):
        return
    names = set(re.findall(r"\bstd::unordered_(?:multi)?(?:map|set)\s*<[^;{}()]*>\s*(\w+)\s*[;{=]", code + header_code))
    for variable in sorted(names):
        loops = re.compile(r"for\s*\([^;()]*:\s*(?:\w+(?:\.|->))?%s\s*\)|\b%s\.c?begin\s*\(" % (variable, variable))
        for match in loops.finditer(code):
            yield line_of(code, match.start()), "unordered", "%s: its order differs from run to run" % variable


def anonymous_spans(code):
    for match in re.finditer(r"\bnamespace\s*\{", code):
        yield match.end(), matching(code, match.end() - 1, "{", "}")


def check_nodiscard(name, code):
    """Declarations: everything in a header, and in a .cc what no header can declare. Overriders inherit their base's."""
    if name.startswith("tests/"):
        return
    local = list(anonymous_spans(code)) if name.endswith(".cc") else [(0, len(code))]
    pattern = re.compile(r"(?<![\w:<,(])(Result<|std::expected<)")
    for match in pattern.finditer(code):
        end = matching(code, match.end() - 1, "<", ">")
        after = re.match(r"\s+(\w+)\s*\(", code[end + 1:end + 200])
        if not after:
            continue
        start = max(code.rfind(c, 0, match.start()) for c in ";{}")
        before = code[start + 1:match.start()]
        rest = code[end:min(x for x in (code.find(";", end), code.find("{", end), len(code)) if x >= 0)]
        if not any(a <= match.start() < b for a, b in local) or re.search(r"\boverride\b", rest):
            continue
        if "nodiscard" not in before and not re.search(r"[=(,]|\breturn\b|\busing\b", before):
            yield line_of(code, match.start()), "nodiscard", "%s() returns an error that callers may ignore" % after.group(1)


def check_shape(name, source, code):
    lines = source.splitlines()
    if len(lines) > MAX_FILE_LINES:
        yield len(lines), "file-length", "%d lines, at most %d" % (len(lines), MAX_FILE_LINES)
    for number, line in enumerate(lines, 1):
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
            yield number, "todo", "finish it, or open an issue"
    if name.endswith(".h") and not re.match(r"\s*#pragma once\b", code):
        yield 1, "pragma-once", "a header starts with #pragma once"
    if re.search(r"^using\s+namespace\b", code, re.M) and name.endswith(".h"):
        yield 1, "using", "no using namespace in a header"


def check_functions(name, code):
    for start, function, parameters, end in functions(code):
        first, last = line_of(code, start), line_of(code, end)
        if last - first + 1 > MAX_FUNCTION_LINES:
            yield first, "function-length", "%s is %d lines, at most %d" % (function, last - first + 1, MAX_FUNCTION_LINES)
        if parameters > MAX_PARAMETERS and not name.startswith("tests/"):
            yield first, "parameters", "%s has %d parameters, at most %d: pass a struct" % (
                function, parameters, MAX_PARAMETERS)


def check_source(name, source, header=""):
    """Every finding in one file; `header` is the text of the .h beside a .cc, for the members declared there."""
    lines = source.splitlines()
    code = blank_out(source)
    plain = blank_macros(code)
    found = list(check_includes(name, source))
    found += check_banned(name, code)
    found += check_unordered(name, code, blank_out(header))
    found += check_nodiscard(name, plain)
    found += check_shape(name, source, code)
    found += check_functions(name, plain)
    for line, rule, text in sorted(found):
        if "tidy: allow(%s)" % rule not in "\n".join(lines[line - 1:line + MAX_SIGNATURE_LINES - 1]):
            yield Finding(name, line, rule, text)


def check_file(path):
    name = path.resolve().relative_to(ROOT).as_posix()
    sibling = path.with_suffix(".h")
    header = sibling.read_text() if path.suffix == ".cc" and sibling.exists() else ""
    return list(check_source(name, path.read_text(), header))


def main(arguments):
    if arguments and arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0
    if arguments:
        files = [pathlib.Path(a) for a in arguments]
    else:
        files = sorted(p for f in FOLDERS for p in (ROOT / f).rglob("*") if p.suffix in (".h", ".cc"))
    findings = [finding for path in files if path.suffix in (".h", ".cc") for finding in check_file(path)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
