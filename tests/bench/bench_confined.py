#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What processes of their own cost: the quickstart's mission with its plugins confined, and with all of them pinned in the host.

Both hosts run at once and are asked in turns, so that whatever else the machine does happens to both. Prints the medians and their ratio,
the first mission (which starts the processes), and the memory of the host and of its plugins, by shares of pages (PSS).

    bench_confined.py [MISSIONS]
"""

import glob
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "outside"))

from reeve import SOURCE, Host  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "data"))

from quickstart_mission import DEFINITION, MISSION  # noqa: E402

PLUGINS = ("tool-search", "tool-calculate", "tool-http", "extractor-text", "llm-extractive")


def pss(pid):
    """MiB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024


class Side:
    def __init__(self, name, config):
        self.name, self.times = name, []
        self.host = Host(config=config)
        begun = time.monotonic()
        self.host.start()
        self.start = time.monotonic() - begun
        self.idle = pss(self.host.process.pid)
        for path in sorted(glob.glob(os.path.join(SOURCE, "data", "samples", "*.md"))):
            with open(path, encoding="utf-8") as file:
                self.host.upload(os.path.basename(path), file.read())
        self.agent = self.host.post("/api/v1/admin/agents", {"name": "guide", "initial_definition": DEFINITION}, expect=201).json["agent_id"]

    def run(self):
        begun = time.perf_counter()
        answer = self.host.run(self.agent, MISSION)
        self.times.append(time.perf_counter() - begun)
        assert answer["success"] and answer["citations"], answer

    def processes(self):
        return [p for p in self.host.get("/api/v1/admin/plugins", expect=200).json["items"] if p.get("pid")]

    def report(self):
        rest = sorted(self.times[1:])
        runners = self.processes()
        print(f"{self.name:9} start {self.start * 1000:6.1f} ms  first {self.times[0] * 1000:6.2f} ms  median {statistics.median(rest) * 1000:6.2f} ms"
              f"  90 % {rest[len(rest) * 9 // 10] * 1000:6.2f} ms  idle {self.idle:5.1f} MiB  now {pss(self.host.process.pid):5.1f} MiB"
              f" + {sum(pss(p['pid']) for p in runners):4.1f} MiB in {len(runners)} processes")
        return statistics.median(rest)


def main():
    missions = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    sides = [Side("confined", ""), Side("in host", f"plugins: {{trusted: [{', '.join(PLUGINS)}]}}\n")]
    try:
        for i in range(missions):
            for side in sides if i % 2 else sides[::-1]:
                side.run()
        confined, pinned = (side.report() for side in sides)
        print(f"ratio {confined / pinned:.3f} (goal: 1.10 at most)")
    finally:
        for side in sides:
            side.host.close()


if __name__ == "__main__":
    main()
