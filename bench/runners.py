"""Runs mpquic-sim and mpquic-perf and reads their JSON."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARIES = {"release": ROOT / "build" / "bin", "pgo": ROOT / "build" / "pgo" / "bin", "dev": ROOT / "build" / "dev" / "bin"}
TRANSFER_BYTES = 512 << 20
TIMEOUT_S = 300
SWARM_TIMEOUT_S = 3600


class BenchError(Exception):
    pass


def simulate(scenario, seed, overrides=(), crypto=None, check=True, preset="release", engine=None):
    """One simulation's JSON report. A violated run raises BenchError unless `check` is off."""
    with tempfile.TemporaryDirectory() as work:
        report = pathlib.Path(work) / "report.json"
        command = [BINARIES[preset] / "mpquic-sim", "run", ROOT / "scenarios" / (scenario + ".yaml"), "--seed", str(seed),
                   "--json", report, "--quiet"]
        for override in overrides:
            command += ["--set", override]
        if crypto:
            command += ["--crypto", crypto]
        if engine:
            command += ["--engine", engine]
        result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd=work)
        if result.returncode == 2 or (check and result.returncode != 0) or not report.exists():
            raise BenchError("%s seed %d: %s" % (scenario, seed, result.stderr.strip() or "exit %d" % result.returncode))
        return json.loads(report.read_text())


def flood(kind, rate=100_000):
    """What one run of mpquic-flood tells."""
    command = [BINARIES["release"] / "mpquic-flood", kind, str(rate)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if result.returncode != 0:
        raise BenchError("flood: %s" % result.stderr.strip())
    return json.loads(result.stdout)


def scenarios():
    """The names of the library."""
    return sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))


def holds(scenario, engine=None):
    """Nothing if the scenario holds in `engine`, or what it complains about."""
    try:
        simulate(scenario, seed=1, crypto="null", engine=engine)
    except BenchError as error:
        return str(error)
    return None


def swarm(seeds, jobs=2, preset="release"):
    """The JSON of a swarm. Violations are in it, and raise nothing."""
    with tempfile.TemporaryDirectory() as work:
        report = pathlib.Path(work) / "swarm.json"
        command = [BINARIES[preset] / "mpquic-sim", "swarm", "--seeds", str(seeds), "--jobs", str(jobs), "--no-shrink", "--json",
                   report]
        result = subprocess.run(command, capture_output=True, text=True, timeout=SWARM_TIMEOUT_S, check=False, cwd=work)
        if not report.exists():
            raise BenchError("swarm: %s" % (result.stderr.strip() or "exit %d" % result.returncode))
        return json.loads(report.read_text())


def parallel(function, items):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))


def transfer(engine, extra=(), size=TRANSFER_BYTES):
    """A download over loopback with `engine` at both ends. `efficiency`: payload bytes per CPU second of both processes.

    Without SHA-256 of what arrives, which costs a client more than the transport and is the same for both engines."""
    perf = BINARIES["release"] / "mpquic-perf"
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        server_report, client_report = work / "server.json", work / "client.json"
        common = ["--engine", engine, "--log-level", "warn", *extra]
        with open(work / "server.out", "w") as out, open(work / "server.err", "w") as err:
            server = subprocess.Popen([perf, "server", "--listen", "127.0.0.1:0", "--self-signed", "--once", "--json",
                                       server_report, *common], stdout=out, stderr=err)
        try:
            address = wait_for_address(server, work)
            result = subprocess.run([perf, "client", address, "--bytes", str(size), "--insecure", "--no-progress", "--no-digest", "--json",
                                     client_report, *common], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
            if result.returncode != 0:
                raise BenchError("%s client: %s" % (engine, result.stderr.strip()))
            server.wait(timeout=30)
        except subprocess.TimeoutExpired as error:
            raise BenchError("%s: %s" % (engine, error)) from error
        finally:
            if server.poll() is None:
                server.terminate()
                server.wait()
        client = json.loads(client_report.read_text())
        served = json.loads(server_report.read_text())
        if client["bytes"] != size:
            raise BenchError("%s: %d of %d bytes" % (engine, client["bytes"], size))
        client["efficiency"] = size / (client["cpu_s"] + served["cpu_s"])
        return client


def wait_for_address(server, work):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for line in (work / "server.out").read_text().splitlines():
            if line.startswith("listening "):
                return line.split()[1]
        if server.poll() is not None:
            break
        time.sleep(0.02)
    raise BenchError("the server did not start: " + (work / "server.err").read_text().strip())
