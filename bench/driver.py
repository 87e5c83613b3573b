#!/usr/bin/python3
"""The bars of this project, measured: tables for people, rows {name, ours, theirs, ratio, target, ok} for machines."""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import runners  # noqa: E402

EPILOG = """benches:
  sim              packets per second of wall time in the simulator, real and null crypto
  sim-minute       the same over 60 simulated seconds, compiled by a profile (./dev build pgo)
  perf             payload bytes per CPU second over loopback UDP, ours against ngtcp2 on the same sockets
  multipath-cost   what offering multipath costs where there is one path: throughput and CPU
  flood            100 honest clients while a server gets 100,000 spoofed packets a second, over loopback UDP
  unequal          six unequal links against the sum of their payload capacity
  fifty-plus-one   50 + 1 Mbit/s against the 50 alone: 5, 20 and 50 MB
  silent-death     one of two links dies without a word, at every moment of the transfer
  determinism      every seed twice in release and once in debug: equal trace hashes
  swarm            1,000 random scenarios with faults that heal: violations and time
  swarm-determinism  500 of them: equal hashes across processes, build types and jobs
  engines          every scenario of the library in the simulator and in ns-3; goodput of both over six static WANs
  all              all of these

examples:
  ./dev bench unequal
  ./dev bench silent-death --seeds 1000
  ./dev bench perf --json perf.json
"""


class Rows:
    """Collects rows and prints each as it comes. `target` bounds ratio from below, or from above where `at_most`."""

    def __init__(self):
        self.rows = []
        print("%-34s %16s %16s %8s %8s  %s" % ("name", "ours", "theirs", "ratio", "target", "ok"))

    def add(self, name, ours, theirs, target, at_most=False):
        ratio = ours / theirs if theirs else 0.0
        ok = ratio <= target if at_most else ratio >= target
        self.rows.append({"name": name, "ours": ours, "theirs": theirs, "ratio": round(ratio, 4), "target": target,
                          "ok": ok})
        print("%-34s %16s %16s %8.3f %s%7.3g  %s" % (name, human(ours), human(theirs), ratio, "<" if at_most else ">", target,
                                                   "ok" if ok else "NO"), flush=True)


def human(value):
    if isinstance(value, float) and abs(value) < 1000:
        return "%.3f" % value
    return "{:,.0f}".format(value)


# --- Simulator

def bench_sim(rows, options):
    for crypto, target in (("real", 200_000), ("null", 350_000)):
        best = 0.0
        for repeat in range(options.repeats):
            report = runners.simulate("six-wan-bulk", seed=repeat + 1, crypto=crypto, overrides=["workloads.0.bytes=200MB",
                                      "assert.completion=60s", "duration=120s"])
            best = max(best, report["packets"] / report["wall_s"])
        rows.add("sim packets/s %s crypto" % crypto, best, float(target), 1.0)


def bench_sim_minute(rows, options):
    endless = ["workloads.0.bytes=10GB", "assert.completion=60s", "duration=60s"]
    for crypto, target in (("real", 300_000), ("null", 600_000)):
        reports = [runners.simulate("six-wan-bulk", seed=repeat + 1, crypto=crypto, overrides=endless, check=False,
                                    preset="pgo")
                   for repeat in range(options.repeats)]
        best = max(report["packets"] / report["wall_s"] for report in reports)
        rows.add("sim packets/s %s crypto, 60 s" % crypto, best, float(target), 1.0)


def bench_unequal(rows, options):
    reports = [runners.simulate("unequal-six", seed=seed) for seed in range(1, options.seeds_or(5) + 1)]
    for report in (min(reports, key=lambda r: r["goodput_mbps"]),):
        require(report["completed"], "unequal-six did not complete, seed %d" % report["seed"])
        rows.add("unequal-six goodput Mbit/s (worst)", report["goodput_mbps"], report["sum_of_links_mbps"], 0.9)
    rows.add("unequal-six goodput Mbit/s (median)", statistics.median(r["goodput_mbps"] for r in reports),
             reports[0]["sum_of_links_mbps"], 0.9)


def bench_fifty_plus_one(rows, options):
    for megabytes in (5, 20, 50):
        size = ["workloads.0.bytes=%dMB" % megabytes, "assert.completion=30s", "assert.goodput_of_best=0.1"]
        worst = None
        for seed in range(1, options.seeds_or(5) + 1):
            alone = runners.simulate("fifty-plus-one", seed=seed, overrides=size + ["paths.1.use=off"])
            both = runners.simulate("fifty-plus-one", seed=seed, overrides=size)
            require(alone["completed"] and both["completed"], "fifty-plus-one did not complete, seed %d" % seed)
            pair = (both["completion_s"], alone["completion_s"])
            if worst is None or pair[0] / pair[1] > worst[0] / worst[1]:
                worst = pair
        rows.add("50+1 seconds for %d MB (worst)" % megabytes, worst[0], worst[1], 1.03, at_most=True)


def bench_silent_death(rows, options):
    seeds = options.seeds_or(200)
    span_ms = 7000  # a 30 MB transfer over both links takes about 6.5 s

    def one(seed):
        at = 20 + (seed * 7919) % span_ms
        report = runners.simulate("silent-death", seed=seed, check=False,
                                  overrides=["events.0.at=%dms" % at, "assert.completion=60s", "assert.stall=60s"])
        return seed, at, report["completed"] and not report["violations"], report["completion_s"]

    results = runners.parallel(one, range(1, seeds + 1))
    failures = [(seed, at) for seed, at, good, _ in results if not good]
    for seed, at in failures[:10]:
        print("  FAILED: ./dev replay silent-death --seed %d --set events.0.at=%dms" % (seed, at))
    rows.add("silent-death completed of %d" % seeds, seeds - len(failures), seeds, 1.0)
    rows.add("silent-death slowest seconds", max(r[3] for r in results), 16.0, 1.0, at_most=True)


def bench_determinism(rows, options):
    seeds = options.seeds_or(200)
    scenarios = ("six-wan-bulk", "silent-death", "unequal-six", "fifty-plus-one")

    def one(seed):
        name = scenarios[seed % len(scenarios)]
        size = ["workloads.0.bytes=2MB"]
        if name == "silent-death":
            size.append("events.0.at=300ms")
        hashes = [runners.simulate(name, seed=seed, overrides=size, check=False, preset=preset)["trace_hash"]
                  for preset in ("release", "release", "dev")]
        return seed, name, len(set(hashes)) == 1

    results = runners.parallel(one, range(1, seeds + 1))
    for seed, name, same in results:
        if not same:
            print("  DIFFERS: ./dev replay %s --seed %d --set workloads.0.bytes=2MB" % (name, seed))
    rows.add("determinism: equal hashes of %d" % seeds, sum(same for _, _, same in results), seeds, 1.0)


def bench_swarm(rows, options):
    seeds = options.seeds_or(1000)
    result = runners.swarm(seeds)
    for failure in result["failures"][:10]:
        print("  FAILED: %s" % failure["replay"])
    rows.add("swarm without violation of %d" % seeds, seeds - result["violations"], seeds, 1.0)
    rows.add("swarm seconds", result["wall_s"], 600.0, 1.0, at_most=True)


def bench_swarm_determinism(rows, options):
    seeds = options.seeds_or(500)
    runs = [runners.swarm(seeds, jobs=jobs, preset=preset)["runs"]
            for jobs, preset in ((1, "release"), (2, "release"), (2, "dev"))]
    same = sum(len({run["trace_hash"] for run in each}) == 1 for each in zip(*runs))
    rows.add("swarm: equal hashes of %d" % seeds, same, seeds, 1.0)


def bench_engines(rows, options):
    names = runners.scenarios()
    in_ns3 = runners.parallel(lambda name: runners.holds(name, engine="ns3"), names)
    only_ns3 = [name for name in names if name.startswith("ns3-")]
    native = runners.parallel(runners.holds, [name for name in names if name not in only_ns3])
    for complaint in filter(None, in_ns3 + native):
        print("  FAILED: %s" % complaint)
    rows.add("scenarios that hold in ns-3", in_ns3.count(None), len(names), 1.0)
    rows.add("scenarios that hold in the simulator", native.count(None), len(names) - len(only_ns3), 1.0)

    static = ["ns3.links=ns3", "assert={}"]
    pairs = [[runners.simulate("six-wan-bulk", seed, static, crypto="null", engine=engine)["goodput_mbps"]
              for engine in ("ns3", None)] for seed in range(1, options.seeds_or(5) + 1)]
    theirs, ours = max(pairs, key=lambda pair: abs(pair[0] / pair[1] - 1))
    rows.add("six static WANs: goodput (worst)", min(ours, theirs), max(ours, theirs), 0.98)


# --- Real sockets

def bench_perf(rows, options):
    """Both engines serve and fetch in turn, so that a busy machine hurts both alike."""
    ours, ethernet, theirs = [], [], []
    for _ in range(options.repeats):
        ours.append(runners.transfer(engine="mpquic", extra=["--no-multipath"]))
        theirs.append(runners.transfer(engine="ngtcp2"))
        ethernet.append(runners.transfer(engine="mpquic", extra=["--no-multipath", "--max-datagram", "1452"]))
    # As shipped: both look for the path MTU, ours as far as jumbo frames, ngtcp2 0.12 in its fixed table below 1500.
    rows.add("perf bytes per CPU second", best(ours, "efficiency"), best(theirs, "efficiency"), 1.3)
    rows.add("perf goodput Mbit/s", best(ours, "goodput_mbps"), best(theirs, "goodput_mbps"), 1.0)
    # The same datagrams on both sides: a guard, not a bar.
    rows.add("perf bytes/CPU s, 1452-byte datagrams", best(ethernet, "efficiency"), best(theirs, "efficiency"), 0.85)


def bench_multipath_cost(rows, options):
    with_it, without = [], []
    for _ in range(max(options.repeats, 5)):
        with_it.append(runners.transfer(engine="mpquic"))
        without.append(runners.transfer(engine="mpquic", extra=["--no-multipath"]))
    rows.add("multipath on one path: goodput", best(with_it, "goodput_mbps"), best(without, "goodput_mbps"), 0.98)
    rows.add("multipath on one path: bytes/CPU s", best(with_it, "efficiency"), best(without, "efficiency"), 0.98)


def bench_flood(rows, options):
    for kind in ("none", "shorts", "initials", "garbage", "versions", "all"):
        result = runners.flood(kind)
        print("  %s: %d packets a second were sent, server %.0f %% of a core" %
              (kind, result["sent_per_second"], 100 * result["server_cpu"]))
        rows.add("flood of %s: clients in within 1 s" % kind, result["in_time"], result["clients"], 0.99)


def best(results, key):
    return max(result[key] for result in results)


def require(condition, what):
    if not condition:
        raise runners.BenchError(what)


BENCHES = {
    "sim": bench_sim, "sim-minute": bench_sim_minute, "perf": bench_perf, "multipath-cost": bench_multipath_cost, "flood": bench_flood, "unequal": bench_unequal,
    "fifty-plus-one": bench_fifty_plus_one, "silent-death": bench_silent_death, "determinism": bench_determinism,
    "swarm": bench_swarm, "swarm-determinism": bench_swarm_determinism,
    "engines": bench_engines,
}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME", choices=[*BENCHES, "all"], help="which; see below")
    parser.add_argument("--json", metavar="FILE", help="write the rows to FILE as well")
    parser.add_argument("--seeds", type=int, help="how many seeds, where a bench sweeps them")
    parser.add_argument("--repeats", type=int, default=3, help="runs of a timed bench; the best counts (3)")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)  # the arguments, before a long build
    options = parser.parse_args()
    if options.check:
        return 0
    options.seeds_or = lambda usual: options.seeds or usual

    names = list(BENCHES) if "all" in options.names else options.names
    started = time.monotonic()
    rows = Rows()
    try:
        for name in names:
            BENCHES[name](rows, options)
    except runners.BenchError as error:
        print("bench: %s" % error, file=sys.stderr)
        return 1
    print("%d rows in %.0f s on %d CPUs" % (len(rows.rows), time.monotonic() - started, os.cpu_count()))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows.rows, indent=2) + "\n")
    return 0 if all(row["ok"] for row in rows.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
