#!/usr/bin/python3
"""scenarios/schema.json: a JSON Schema of scenario files, for editors. The loader is the source of its keys.

usage: schema.py --sim build/dev/bin/mpquic-sim [--write]

Asks the loader which keys each map may have (by giving it one that it cannot know), builds the schema, and compares it
with the file, or writes it. Then every scenario must validate, and both must refuse an unknown key everywhere.
"""
import argparse
import copy
import functools
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE = ROOT / "scenarios" / "schema.json"
UNKNOWN = "zzz_unknown"

NUMBER = r"[0-9]+(\.[0-9]+)?"
UNITS = {"time": r"(ns|us|ms|s|min)", "rate": r"(|k|M|G)bit/s", "size": r"([kMG]?B|[KMG]iB)", "probability": "%"}
# The kind of value behind a key, where it is the same everywhere. What is missing here may be any scalar.
KINDS = {
    "time": "duration max_stall idle_timeout handshake_timeout keep_alive max_ack_delay initial_rtt rtt delay open_at start "
            "lifetime playout segment prebuffer buffer at for gap down up completion stall failover p50 p95 p99 startup "
            "rebuffering reorder_delay first every mean_gap length mean mean_good mean_bad deviation step memory target interval "
            "age mean_on mean_off by",
    "rate": "goodput",
    "size": "mtu quantum bytes request response size up_size down_size segment_size initial_datagram_size max_datagram_size certificate_chain "
            "retransmitted duplicated datagram_size",
    "switch": "multipath pacing ecn discover_mtu grease retry use backup rebind completes mtu_signal bleach drops_ect",
}
EVENTS = {"outage": {"for": "1s"}, "flap": {"down": "1s", "up": "1s", "count": 1}, "set_rate": {"value": "1Mbit/s"},
          "set_delay": {"value": "1ms"}, "set_loss": {"value": "1%"}, "set_mtu": {"value": "1400B"}, "path_status": {"value": "backup"},
          "reorder_burst": {"for": "1ms"}, "socket_error": {"value": "refused"}, "clock_jump": {"side": "client", "value": "1s"}}
# ns-3's topologies, at their shortest.
NS3 = {"paths": {}, "shared_bottleneck": {"rate": "1Mbit/s", "tcp": {"flows": 1}}, "wifi": {"tcp": {"flows": 1}},
       "lte": {"tcp": {"flows": 1}}}
PATHLESS = {"heal", "clock_jump", "peer_restart", "key_update", "close", "reset_stream", "stop_sending"}
WORKLOADS = {"bulk": {"bytes": "1MB"}, "requests": {"count": 1}, "datagrams": {"rate": "1Mbit/s", "count": 1},
             "voip": {"for": "1s"}, "game": {"for": "1s"}, "video": {"rate": "1Mbit/s", "for": "4s"},
             "inner_tcp": {"bytes": "1MB"}}
# Maps that links and bottlenecks may have, at their shortest.
LINK_MAPS = {"policer": {"rate": "1Mbit/s", "burst": "9kB"}, "cross_traffic": {"rate": "1Mbit/s"},
             "rate_process": {"spread": 0.1}, "burst_loss": {"mean_good": "1s", "mean_bad": "1s"},
             "jitter": {"deviation": "1ms"}}
# Assertions whose keys are the names of paths.
BY_PATH = {"share_at_least", "share_at_most", "at_least", "at_most"}
OUTAGES = [{"length": "1s"}, {"least": "1s", "most": "1s"}]


class Loader:
    def __init__(self, program):
        self.program = program

    def complaint(self, document):
        """What the loader says about the document, or nothing. It only loads it."""
        with tempfile.TemporaryDirectory() as directory:
            (pathlib.Path(directory) / "wan").symlink_to(ROOT / "scenarios" / "wan")
            (pathlib.Path(directory) / "x.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
            result = subprocess.run([self.program, "list", directory], capture_output=True, text=True, check=False)
        return result.stderr if result.returncode == 2 else ""

    def keys(self, document, where):
        """The keys of the map at `where`, a list of steps."""
        target = document
        for step in where:
            target = target.setdefault(step, {}) if isinstance(target, dict) else target[step]
        target[UNKNOWN] = 1
        match = re.search(r"unknown; expected one of (.*)", self.complaint(document))
        if not match:
            raise SystemExit("schema.py: the loader takes unknown keys at %s: %s" % (where, self.complaint(document)))
        return match.group(1).split(", ")

    def words(self, document):
        match = re.search(r"expected (?:one of )?(.*), got", self.complaint(document))
        return re.split(r", | or ", match.group(1))


def base(**more):
    document = {"name": "x", "paths": [{"name": "a", "rate": "1Mbit/s", "rtt": "1ms"}],
                "workloads": [{"kind": "bulk", "bytes": "1MB"}]}
    document.update(more)
    return document


def scalar(key):
    for kind, keys in KINDS.items():
        if key in keys.split():
            return {"$ref": "#/definitions/%s" % kind}
    return {"$ref": "#/definitions/scalar"}


def closed(keys, special=None, required=()):
    special = special or {}
    return {"type": "object", "additionalProperties": False, "required": list(required),
            "properties": {key: special.get(key, scalar(key)) for key in keys}}


def list_of(items):
    return {"type": "array", "items": items}


def with_outage(outage):
    document = base()
    document["paths"][0]["outages"] = [dict(outage)]
    return document


def link_maps(loader, base_of, where, keys):
    """The schemas of those values that are maps: of a link at `where` in the document that `base_of` makes."""
    def ask(key, example):
        document = copy.deepcopy(base_of())
        target = document
        for step in where:
            target = target.setdefault(step, {}) if isinstance(target, dict) else target[step]
        target[key] = dict(example)
        return document

    out = {key: closed(loader.keys(ask(key, example), [*where, key]), required=example)
           for key, example in LINK_MAPS.items() if key in keys}
    queues = [{"$ref": "#/definitions/scalar"}]
    for kind in loader.words(ask("queue", {"kind": UNKNOWN})):
        queues.append(closed(loader.keys(ask("queue", {"kind": kind}), [*where, "queue"]), {"kind": {"const": kind}}, ["kind"]))
    out["queue"] = {"oneOf": queues}
    return out


def definitions():
    out = {"scalar": {"type": ["string", "number", "boolean", "null"]},
           "switch": {"oneOf": [{"type": "boolean"}, {"enum": ["on", "off", "true", "false", "yes", "no"]}]}}
    for kind, unit in UNITS.items():
        one = "%s ?%s" % (NUMBER, unit)
        out[kind] = {"type": "string", "pattern": "^%s(\\.\\.%s)?$" % (one, one)}
    return out


def ns3_section(loader, topology, example):
    def section():
        return base(ns3={"topology": topology, **copy.deepcopy(example)})

    keys = loader.keys(section(), ["ns3"])
    special = {"topology": {"const": topology}, "through": list_of({"type": "string"})}
    if "tcp" in keys:
        special["tcp"] = closed(loader.keys(section(), ["ns3", "tcp"]), required=["flows"])
    required = [key for key in example if key != "tcp"] + ([] if topology == "paths" else ["topology"])
    return closed(keys, special, required)


def build(loader):
    shares = {"type": "object", "additionalProperties": {"$ref": "#/definitions/scalar"}}
    side = closed(loader.keys(base(), ["endpoints", "client"]))
    endpoints = closed(loader.keys(base(), ["endpoints"]), {"client": side, "server": side})
    link = loader.keys(base(), ["paths", 0, "up"])
    one_way = closed(link, link_maps(loader, base, ["paths", 0, "up"], link))
    special = link_maps(loader, base, ["paths", 0], link)
    special.update({"up": one_way, "down": one_way, "nat": closed(loader.keys(base(), ["paths", 0, "nat"]))})
    special["outages"] = list_of({"oneOf": [closed(loader.keys(with_outage(outage), ["paths", 0, "outages", 0]), required=outage)
                                            for outage in OUTAGES]})
    path = closed(loader.keys(base(), ["paths", 0]), special, ["name"])
    groups = [closed(loader.keys(base(groups=[{"paths": ["a"], **outage}]), ["groups", 0]), {"paths": list_of({"type": "string"})},
                     ["paths", *outage]) for outage in OUTAGES]
    shared = functools.partial(base, bottlenecks=[{"name": "b", "rate": "1Mbit/s"}])
    keys = loader.keys(copy.deepcopy(shared()), ["bottlenecks", 0])
    bottleneck = closed(keys, link_maps(loader, shared, ["bottlenecks", 0], keys), ["name"])
    workloads = []
    for kind in loader.words(base(workloads=[{"kind": UNKNOWN}])):
        example = {"kind": kind, **WORKLOADS[kind]}
        expect = closed(loader.keys(base(workloads=[dict(example)]), ["workloads", 0, "assert"]))
        workloads.append(closed(loader.keys(base(workloads=[dict(example)]), ["workloads", 0]),
                                {"kind": {"const": kind}, "assert": expect}, example))
        if kind == "datagrams":
            workloads[-1]["required"].remove("count")
    events = []
    for verb in loader.words(base(events=[{"at": "0s", "do": UNKNOWN, "path": "a"}])):
        example = {"at": "0s", "do": verb, **({} if verb in PATHLESS else {"path": "a"}), **EVENTS.get(verb, {})}
        keys = loader.keys(base(events=[dict(example)]), ["events", 0])
        special = {"do": {"const": verb}}
        special.update({key: {"$ref": "#/definitions/%s" % kind} for key, kind in (("rate", "rate"), ("loss", "probability"))
                        if key in keys})
        events.append(closed(keys, special, example))
    close = closed(loader.keys(base(), ["assert", "closed"]))
    bounds = {key: {"type": "object", "additionalProperties": closed(loader.keys(base(), ["assert", key, "a"]))}
              for key in ("at_least", "at_most")}
    verdict = closed(loader.keys(base(), ["assert"]),
                     {"closed": close, "share_at_least": shares, "share_at_most": shares, **bounds})
    ns3 = {"oneOf": [ns3_section(loader, topology, example) for topology, example in NS3.items()]}
    top = {"broken_by": list_of({"type": "string"}), "ns3": ns3, "groups": list_of({"oneOf": groups}),
           "bottlenecks": list_of(bottleneck), "endpoints": endpoints, "assert": verdict,
           "paths": {"type": "array", "minItems": 1, "items": path},
           "workloads": {"type": "array", "items": {"oneOf": workloads}}, "events": {"type": "array", "items": {"oneOf": events}}}
    schema = closed(loader.keys(base(), []), top, ["name", "paths", "workloads"])
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "mpquic scenario",
            "description": "Generated by tools/schema.py from the loader's keys; scenarios/SCHEMA.md explains them.",
            "definitions": definitions(), **schema}


def positions(document, where=()):
    """The paths of all maps in the document, but those whose keys are names of paths."""
    if isinstance(document, dict):
        if not where or where[-1] not in BY_PATH:
            yield where
        for key, value in document.items():
            yield from positions(value, (*where, key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from positions(value, (*where, index))


def check_scenario(file, validator, loader):
    document = yaml.safe_load(file.read_text())
    findings = ["%s: %s" % (file.name, error.message[:200]) for error in validator.iter_errors(document)]
    for where in positions(document):
        spoilt = json.loads(json.dumps(document))
        target = spoilt
        for step in where:
            target = target[step]
        target[UNKNOWN] = 1
        if validator.is_valid(spoilt):
            findings.append("%s: the schema takes an unknown key at %s" % (file.name, where))
    # As it is written: `off` is a switch here, and a word there.
    if complaint := loader.complaint(yaml.load(file.read_text(), yaml.BaseLoader)):
        findings.append("%s: the loader refuses it: %s" % (file.name, complaint.strip()))
    return findings


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sim", required=True, type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--write", action="store_true", help="write the file instead of comparing")
    options = parser.parse_args()
    loader = Loader(options.sim)
    schema = build(loader)
    jsonschema.Draft7Validator.check_schema(schema)
    text = json.dumps(schema, indent=1) + "\n"
    findings = []
    if options.write:
        FILE.write_text(text)
    elif not FILE.exists() or FILE.read_text() != text:
        findings.append("scenarios/schema.json is out of date: tools/schema.py --sim %s --write" % options.sim)
    files = sorted((ROOT / "scenarios").glob("*.yaml"))
    validator = jsonschema.Draft7Validator(schema)
    for file in files:
        findings += check_scenario(file, validator, loader)
    print("\n".join(findings) or "schema and loader agree on %d scenarios" % len(files))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
