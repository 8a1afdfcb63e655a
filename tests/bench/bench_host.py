# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a governed host costs beside Portkey's gateway and nginx, which pass through, and beside our own parts without the gate.

    tests/run --suite bench, or: REEVE_BUILD_DIR=build-release python3 tests/bench/bench_host.py [--seconds 3] [--rounds 3]

All servers stand in front of one mock upstream and are measured in turn, round after round. The machine may be busy: only ratios within one round
mean anything, so a goal is judged by the median of the rounds' ratios, and missed only when the best round misses it too. Nothing is asserted.
"""

import argparse
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

import servers

LATE = "mock-l20000"
IDLE = 1000


class Report:
    """Ratios of each round, and what became of each goal."""

    def __init__(self):
        self.rows = {}  # (row, server) -> one dictionary a round

    def add(self, row, server, values):
        self.rows.setdefault((row, server), []).append(values)

    def median(self, row, server, member):
        return statistics.median(values[member] for values in self.rows[row, server])

    def goal(self, number, what, ours, peer, bound, lower=False):
        """ours and peer: (row, server, member) each."""
        pairs = zip(self.rows[ours[0], ours[1]], self.rows[peer[0], peer[1]])
        ratios = [a[ours[2]] / b[peer[2]] for a, b in pairs if a[ours[2]] and b[peer[2]]]
        if not ratios:
            print(f"goal {number:>2}  {what:<58} no figure: somebody answered nothing in time")
            return
        middle, best = statistics.median(ratios), (min if lower else max)(ratios)
        good = (lambda ratio: ratio <= bound) if lower else (lambda ratio: ratio >= bound)
        verdict = "met" if good(middle) else "met in the best round" if good(best) else "MISSED"
        print(f"goal {number:>2}  {what:<58} ours {self.median(*ours):9.1f}  {peer[1]:<7} {self.median(*peer):9.1f}   "
              f"ratio {middle:7.3f} [{min(ratios):.3f} - {max(ratios):.3f}]  (goal {'<=' if lower else '>='} {bound})  {verdict}")

    def absolute(self, number, what, value, unit, bound):
        print(f"goal {number:>2}  {what:<58} ours {value:9.1f} {unit}   (goal <= {bound})  {'met' if value <= bound else 'MISSED'}")

    def floor(self, what, ours, floor):
        """What is left to us above what cannot be had for less; no goal."""
        ratios = [a[ours[2]] / b[floor[2]] for a, b in zip(self.rows[ours[0], ours[1]], self.rows[floor[0], floor[1]]) if a[ours[2]]]
        print(f"         {what:<58} {ours[1]:<6} {self.median(*ours):7.1f}  {floor[1]:<7} {self.median(*floor):9.1f}   "
              f"ratio {statistics.median(ratios):7.3f} [{min(ratios):.3f} - {max(ratios):.3f}]")

    def table(self):
        print(f"\n{'row':<26} {'server':<8} {'a second':>10} {'CPU us':>8} {'p50 us':>9} {'p99 us':>9}   (medians)")
        for (row, server), rounds in sorted(self.rows.items()):
            values = [statistics.median(one.get(member, 0) for one in rounds) for member in ("rate", "cpu", "p50", "p99")]
            print(f"{row:<26} {server:<8} {values[0]:>10.0f} {values[1]:>8.1f} {values[2]:>9.0f} {values[3]:>9.0f}")


@contextlib.contextmanager
def idle_connections(server):
    """Connections that have asked once and stay."""
    sockets = []
    for _ in range(IDLE):
        sock = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        sock.recv(4096)
        sockets.append(sock)
    yield
    for sock in sockets:
        sock.close()


def measure_streams(report, server):
    unpaced, paced = servers.streams(server, 16, 2, "mock"), servers.streams(server, 32, 3, "mock-l10000-d10000")
    for name, found in (("streams, unpaced, 16", unpaced), ("streams, paced, 32", paced)):
        if found["bad"]:
            print(f"{server.name}: {name}: {found['bad']} streams were cut short")
        # 10 ms are the upstream's
        report.add(name, server.name, {"rate": found["streams"], "p50": found["p50"], "p99": found["p99"], "added": max(found["p50"] - 10000, 0)})


def measure_round(report, folder, all_servers, seconds):
    for server in all_servers:
        for connections in {"pass": (64,), "asleep": (1,)}.get(server.name, (1, 16, 64, 256)):
            report.add(f"{connections} connections", server.name, servers.wrk(folder, server, connections, seconds))
        if server.name in ("pass", "asleep"):
            continue
        for connections in (64, 256):
            report.add(f"{connections} at 20 ms", server.name, servers.wrk(folder, server, connections, seconds, LATE))
        measure_streams(report, server)
        if server.name == "nginx":
            # it passes on and records nothing: with one write to the disk in front of that it would take so long
            taken = report.rows["1 connections", "nginx"][-1]["p50"] + servers.durable_write(folder)
            report.add("1 connections", "floor", {"rate": 1e6 / taken, "p50": taken})
            with servers.awake():
                report.add("1 connections", "nginx, awake", servers.wrk(folder, server, 1, seconds))
        if server.name == "ours":
            with idle_connections(server):
                report.add(f"256 beside {IDLE} idle", server.name, servers.wrk(folder, server, 256, seconds))


def measure_open_streams(server):
    """MiB that the host holds while 1,000 streams are open."""
    headers = [f"{k}: {v}" for k, v in server.headers.items()]
    load = subprocess.Popen(["taskset", "-c", "1", servers.program("bench-streams"), str(server.port), "1000", "6", "mock-d2000000", *headers], stdout=subprocess.DEVNULL)
    most = 0
    while load.poll() is None:
        most = max(most, servers.rss(server.pid))
        time.sleep(0.1)
    return most


def judge(report, idle, opened):
    def row(name, server, member="rate"):
        return name, server, member

    report.goal(1, "governed chat, 64 connections, req/s", row("64 connections", "ours"), row("64 connections", "portkey"), 15)
    report.goal(2, "the same at 256", row("256 connections", "ours"), row("256 connections", "portkey"), 12)
    report.goal(2, "at 256 against 16", row("256 connections", "ours"), row("16 connections", "ours"), 0.9)
    report.goal(2, f"at 256 beside {IDLE} idle connections, against without", row(f"256 beside {IDLE} idle", "ours"), row("256 connections", "ours"), 0.8)
    report.goal(3, "CPU us a governed request, 64 connections", row("64 connections", "ours", "cpu"), row("64 connections", "portkey", "cpu"), 0.06, True)
    report.goal(3, "the same", row("64 connections", "ours", "cpu"), row("64 connections", "nginx", "cpu"), 4, True)
    report.goal(4, "1 connection, governed and durable, req/s", row("1 connections", "ours"), row("1 connections", "nginx"), 0.45)
    report.goal(4, "the same", row("1 connections", "ours"), row("1 connections", "portkey"), 6)
    report.floor("against nginx that waits for one durable write", row("1 connections", "ours"), row("1 connections", "floor"))
    report.floor("which itself comes to, of nginx", row("1 connections", "floor"), row("1 connections", "nginx"))
    report.floor("where processors sleep as they like", row("1 connections", "asleep"), row("1 connections", "nginx"))
    report.floor("where they are kept awake for nginx too", row("1 connections", "ours"), row("1 connections", "nginx, awake"))
    report.goal(5, "upstream at 20 ms, 64 connections, req/s", row("64 at 20 ms", "ours"), row("64 at 20 ms", "nginx"), 0.95)
    report.goal(5, "upstream at 20 ms, 256 connections, req/s", row("256 at 20 ms", "ours"), row("256 at 20 ms", "nginx"), 0.8)
    report.goal(6, "governed against our own pass-through, 64 connections", row("64 connections", "ours"), row("64 connections", "pass"), 0.7)
    report.goal(7, "us added to the first event, 32 paced streams", row("streams, paced, 32", "ours", "added"), row("streams, paced, 32", "portkey", "added"), 0.15, True)
    report.goal(8, "streams a second, unpaced, 16", row("streams, unpaced, 16", "ours"), row("streams, unpaced, 16", "portkey"), 3)
    report.absolute(9, "RSS idle, default plugins", idle, "MiB", 18)
    report.absolute(9, "RSS at 1,000 open streams", opened, "MiB", 44)
    report.goal(10, "start to ready, existing state, ms", row("start", "ours", "ms"), row("start", "portkey", "ms"), 0.08, True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    servers.check_build()
    folder = tempfile.mkdtemp(prefix="reeve-bench-")
    os.sched_setaffinity(0, {0})
    mock, upstream = servers.start_mock()
    ours = servers.Ours(upstream)
    # the same host without `audit.stay_awake`
    asleep = servers.Ours(upstream, name="asleep", config="audit:\n  stay_awake: false\n")
    peers = [servers.portkey(upstream), servers.nginx(folder, upstream), servers.PassThrough(upstream), asleep]
    report = Report()
    try:
        ours.start()  # makes the state
        time.sleep(1.5)
        idle = servers.rss(ours.pid)
        for _ in range(5):
            for server in (peers[0], ours):
                server.stop()
                time.sleep(0.5)  # who was started before goes on compiling behind its first answer, on the same core
                report.add("start", server.name, {"ms": server.start() * 1000})
        for server in peers[1:]:
            server.start()
        for server in (*peers, ours):  # so that nobody is measured cold
            servers.wrk(folder, server, 16, 2)
        for _ in range(options.rounds):
            measure_round(report, folder, (*peers, ours), options.seconds)
        ours.stop()
        ours.start()
        opened = measure_open_streams(ours)
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors: the more of it is others', the less a server of one thread gets")
        judge(report, idle, opened)
        report.table()
    finally:
        for server in (*peers, ours):
            server.stop()
        ours.close()
        asleep.close()
        mock.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
