#!/usr/bin/python3
"""The second half of ./dev demo's screen: what each real path carried, and whether the file is the same at both ends.

usage: demo_report.py CLIENT.JSON SENT RECEIVED PATHS
"""
import hashlib
import json
import pathlib
import sys


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def main(report_file, sent, received, wanted_paths):
    report = json.loads(pathlib.Path(report_file).read_text())
    received = pathlib.Path(received)
    if received.is_dir():
        received = next(received.iterdir())
    total = sum(path["bytes_received"] for path in report["paths"]) or 1
    print("  %-4s %-22s %-22s %7s %12s %10s" % ("path", "local", "remote", "share", "received", "RTT"))
    for path in report["paths"]:
        print("  %-4d %-22s %-22s %6.1f%% %9.1f MB %7.2f ms" % (
            path["id"], path["local"], path["remote"], 100 * path["bytes_received"] / total,
            path["bytes_received"] / 1e6, path["rtt_ms"]))
    there, here = sha256(sent), sha256(received)
    print("\n  %.1f MB in %.2f s: %.0f Mbit/s of goodput, %.2f s of the client's CPU" % (
        report["bytes"] / 1e6, report["seconds"], report["goodput_mbps"], report["cpu_s"]))
    print("  sha256 sent      %s\n  sha256 received  %s" % (there, here))

    problems = []
    if there != here:
        problems.append("the file arrived damaged")
    busy = sum(path.get("stream_bytes_received", path["bytes_received"]) > 0 for path in report["paths"])
    if busy != int(wanted_paths):
        problems.append("%d of %s paths carried data" % (busy, wanted_paths))
    print("  " + ("FAILED: " + "; ".join(problems) if problems else "identical, and all %d paths carried data" % busy))
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
