#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goal 9 with its plugins: what the host and the processes of its plugins hold together, by shares of pages (PSS).

A page that several processes map counts in each by its share, so the sum is what the machine would get back. Beside it in the same run: the same plugins
pinned in the host's process (what confining them costs), a bare process with GIO for each of them (what no process of GLib can go below), and Portkey's
gateway, where npm has it. Three moments: nobody has called a plugin; each of them is running; nobody has called them for `plugins.idle_timeout`, and they
are gone. Then the same with 1,000 streams open. Nothing is asserted.

    tests/run --suite bench, or: REEVE_BUILD_DIR=build-release python3 tests/bench/bench_memory.py
"""

import os
import subprocess
import time

import servers
from servers import Host

from mock_openai import MockOpenAI  # of tests/outside, as servers made it be found

IDLE_SECONDS = 4
STREAMS = 1000
CONFIG = servers.CONFIG + """    - {{id: tools, plugin: llm-openai, settings: {{base_url: "{tools}", api_key: "sk-x"}}}}
    - {{id: here, plugin: llm-extractive}}
plugins: {{idle_timeout: {idle}, trusted: [{trusted}]}}
"""
PLUGINS = ("tool-search", "tool-calculate", "tool-http", "extractor-text", "llm-extractive")
CALLS = [("calculate", {"expression": "6*7"}), ("semantic_search", {"query": "oil"}), ("http_request", {"url": "https://127.0.0.1:1/"})]


def measure(pid):
    """MiB: by shares, and resident."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        rows = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in file if line.startswith(("Pss:", "Rss:"))}
    return rows["Pss"], rows["Rss"]


class Side:
    """A host of ours, with its plugins where they are by default, or all of them in its own process."""

    def __init__(self, name, upstream, mock, trusted=""):
        self.name, self.mock, self.headers = name, mock, {}
        self.host = Host(config=CONFIG.format(port=upstream, tools=mock.base_url, idle=IDLE_SECONDS, trusted=trusted))
        self.host.start()
        self.headers = {"Authorization": "Bearer " + self.host.key}
        self.port = int(self.host.url.rsplit(":", 1)[1])
        self.agent = self.host.agent(tools=[name for name, _ in CALLS], model="tools/x")

    @property
    def pid(self):
        return self.host.process.pid

    def runners(self):
        return {p["plugin_id"]: p["pid"] for p in self.host.get("/api/v1/admin/plugins", expect=200).json["items"] if p.get("pid")}

    def call_each(self):
        """Each plugin once: what a tool is refused does not matter, it was asked."""
        self.host.upload("a.txt", "The gearbox oil is changed every 4,000 hours.", "text/plain", expect=None)
        self.host.post("/v1/chat/completions", {"model": "here/default", "messages": [{"role": "user", "content": "How often?"}]}, expect=200)
        self.mock.script([*({"tool_calls": [{"name": name, "arguments": arguments}]} for name, arguments in CALLS), {"content": "done"}])
        self.host.run(self.agent, "all of them")

    def show(self, moment):
        """MiB of the host, resident; and of all together, by shares."""
        runners = self.runners()
        own, resident = measure(self.pid)
        theirs = sum(measure(pid)[0] for pid in runners.values())
        print(f"{self.name:9} {moment:28} host: RSS {resident:5.1f} PSS {own:5.1f}   {len(runners)} processes: PSS {theirs:5.1f}   together {own + theirs:5.1f} MiB")
        return resident, own + theirs, theirs, len(runners)

    def show_streams(self):
        """The most while streams are open, with every plugin running."""
        headers = [f"{k}: {v}" for k, v in self.headers.items()]
        self.call_each()
        command = ["taskset", "-c", "1", servers.program("bench-streams"), str(self.port), str(STREAMS), "6", "mock-d2000000", *headers]
        most = (0, 0)
        runners = self.runners()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as load:
            while load.poll() is None:
                own, resident = measure(self.pid)
                # who was idle long enough is gone within the load
                alive = [pid for pid in runners.values() if os.path.exists(f"/proc/{pid}")]
                most = max(most, (resident, own + sum(measure(pid)[0] for pid in alive)))
                time.sleep(0.2)
        print(f"{self.name:9} {f'{STREAMS} open streams':28} host: RSS {most[0]:5.1f}   together {most[1]:5.1f} MiB")
        return most


def bare(count):
    """PSS of so many processes that do nothing."""
    processes = [subprocess.Popen([servers.program("bench-bare")], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(count)]
    try:
        for process in processes:
            process.stdout.readline()
        return sum(measure(process.pid)[0] for process in processes)
    finally:
        for process in processes:
            process.stdin.close()
            process.wait(10)


def peer(upstream):
    """RSS of Portkey's gateway, idle; 0 where npm has none."""
    try:
        server = servers.portkey(upstream)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no Portkey beside it: {error}")
        return 0
    try:
        server.start()
        time.sleep(2)
        return servers.rss(server.pid)
    finally:
        server.stop()


def goal(what, value, bound):
    print(f"goal  9  {what:<64} {value:6.1f} MiB   (goal <= {bound})  {'met' if value <= bound else 'MISSED'}")


def measure_side(side):
    """Nobody has called, each has been called, idle again, streams."""
    try:
        time.sleep(IDLE_SECONDS + 2)
        found = [side.show("nobody has called a plugin")]
        side.call_each()
        found.append(side.show("each has been called"))
        end = time.monotonic() + 3 * IDLE_SECONDS + 10
        while side.runners() and time.monotonic() < end:
            time.sleep(0.2)
        found.append(side.show(f"idle for more than {IDLE_SECONDS} s"))
        found.append(side.show_streams())
        return found
    finally:
        side.host.close()


def main():
    servers.check_build()
    upstream, port = servers.start_mock()
    mock = MockOpenAI().start()
    try:
        # one behind the other: two hosts would share the pages of one program
        before, running, after, opened = measure_side(Side("confined", port, mock))
        pinned = measure_side(Side("in host", port, mock, ", ".join(PLUGINS)))
        floor, gateway = bare(running[3]), peer(port)
        print(f"{running[3]} processes against as many bare ones with GIO: {running[2]:.1f} / {floor:.1f} MiB = {running[2] / floor:.2f}")
        print(f"confined against in the host, each called: {running[1]:.1f} / {pinned[1][1]:.1f} MiB = {running[1] / pinned[1][1]:.2f}")
        if gateway:
            print(f"host and processes, each called, against Portkey idle (RSS): {running[1]:.1f} / {gateway:.1f} MiB = {running[1] / gateway:.2f}")
        goal("RSS of the host, nobody has called a plugin", before[0], 18)
        goal("RSS of the host, idle again", after[0], 18)
        goal("PSS of host and processes together, each has been called", running[1], 18)
        goal("PSS of host and processes together, idle again", after[1], 18)
        goal(f"RSS of the host, {STREAMS} open streams, each running", opened[0], 44)
        goal(f"PSS of host and processes together, {STREAMS} open streams", opened[1], 44)
    finally:
        mock.stop()
        upstream.kill()


if __name__ == "__main__":
    main()
