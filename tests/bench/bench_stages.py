# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the time of one governed chat goes.

First by the clock, one request at a time: what the upstream and the disk take of it, and what is left for the host. Then by instructions, which count
the same on a busy machine: callgrind runs the host, and each stage is the inclusive cost of the functions that do it. Hashing counts several times
what it takes where the processor has instructions for it, because valgrind has not.

    REEVE_BUILD_DIR=build-release python3 tests/bench/bench_stages.py [--seconds 8]
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

import servers  # finds the next one
import reeve

# none of them calls one of another row
STAGES = (
    ("read and judge the head", ("reeve_rest_intake_add",)),
    ("find the operation, make the call", ("reeve_rest_request_judge_head", "reeve_call_new")),
    ("authenticate", ("reeve_authentication_lookup",)),
    ("authorise, check parameters", ("reeve_gate_authorise", "reeve_gate_prepare")),
    ("admit, hand over the intent, encode", ("reeve_admission_begin_async",)),
    ("ask upstream", ("reeve_model_call_start",)),
    ("read what upstream answers", ("reeve_http_reader_feed", "reeve_llm_decoder_finish")),
    ("settle, hand over the outcome", ("reeve_admission_settle_async",)),
    ("ledger: write both records", ("reeve_ledger_log_add",)),
    ("make the answer", ("reeve_rest_response_send",)),
)
WRAPPER = """#!/bin/bash
exec valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file={out} {host} --plugin-dir {plugins} "$@"
"""
SYNCS = 100


def measure_sync(folder):
    """µs that this disk takes for a record of 450 bytes."""
    times = []
    with open(os.path.join(folder, "sync"), "wb", buffering=0) as file:
        for _ in range(SYNCS):
            began = time.monotonic()
            file.write(b"x" * 450)
            os.fdatasync(file.fileno())
            times.append((time.monotonic() - began) * 1e6)
    return statistics.median(times)


def show_clock(folder, mock, upstream):
    ours, direct = servers.Ours(upstream), servers.Server("direct", upstream)
    direct.process = mock
    rounds = []
    try:
        ours.start()
        servers.wrk(folder, ours, 1, 1)
        for _ in range(4):
            rounds.append((servers.wrk(folder, ours, 1, 1), measure_sync(ours.host.state), servers.wrk(folder, direct, 1, 1)))
    finally:
        ours.close()
    # the round in which the machine was least in the way
    whole, sync, bare = min(rounds, key=lambda one: one[0]["p50"])
    rest = whole["p50"] - bare["p50"] - sync - whole["cpu"]
    print(f"one governed chat, one at a time, p50: {whole['p50']:.0f} us")
    for what, value in (("upstream, asked without the host", bare["p50"]), ("durable intent: one fdatasync() on this disk", sync), ("processor of the host", whole["cpu"]),
                        ("waking threads, waiting for a processor; overlap is negative", rest)):
        print(f"  {what:<62} {value:8.0f} us  {100 * value / whole['p50']:6.1f} %")


def run_under_callgrind(folder, upstream, seconds):
    """Path of the profile, and how many requests it is of."""
    out, program = os.path.join(folder, "callgrind.out"), os.path.join(folder, "reeve-host")
    with open(program, "w", encoding="utf-8") as file:
        file.write(WRAPPER.format(out=out, host=reeve.HOST, plugins=os.path.join(os.path.abspath(reeve.BUILD), "plugins")))
    os.chmod(program, 0o755)
    plain, reeve.Host.program = reeve.Host.program, program
    ours = servers.Ours(upstream)
    try:
        ours.start()
        servers.wrk(folder, ours, 16, 2)
        subprocess.run(["callgrind_control", "--instr=on", str(ours.pid)], check=True, capture_output=True, timeout=60)
        found = servers.wrk(folder, ours, 16, seconds)
        subprocess.run(["callgrind_control", "--instr=off", str(ours.pid)], check=True, capture_output=True, timeout=60)
    finally:
        reeve.Host.program = plain
        ours.close()
    return out, found["rate"] * seconds


def read_profile(path, inclusive):
    """(instructions, function, library) of each line."""
    command = ["callgrind_annotate", "--threshold=100", "--auto=no", f"--inclusive={'yes' if inclusive else 'no'}", path]
    for line in subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.splitlines():
        match = re.match(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+(?:\S*?:)?(\S+)(?: \[(.*)\])?", line)
        if match:
            yield int(match[1].replace(",", "")), match[2], os.path.basename(match[3] or "")


def show_stages(path, requests):
    costs, libraries, total = {}, {}, 0
    for count, name, _library in read_profile(path, True):
        costs[name] = max(costs.get(name, 0), count)
    for count, name, library in read_profile(path, False):
        if name == "PROGRAM":
            total = count
        elif library:
            libraries[library] = libraries.get(library, 0) + count
    print(f"\ninstructions of one governed chat, all threads: {total / requests / 1000:.0f} thousand, over {requests:.0f} chats")
    known = 0
    for what, functions in STAGES:
        count = sum(costs.get(name, 0) for name in functions)
        known += count
        print(f"  {what:<44} {count / requests / 1000:8.1f} k  {100 * count / total:6.1f} %   {', '.join(functions)}")
    print(f"  {'the rest: libsoup, the loop, sockets, wakes':<44} {(total - known) / requests / 1000:8.1f} k  {100 * (total - known) / total:6.1f} %")
    print("\nthe same by library, each without what it calls:")
    for library, count in sorted(libraries.items(), key=lambda pair: -pair[1])[:10]:
        print(f"  {library:<44} {count / requests / 1000:8.1f} k  {100 * count / total:6.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=8)
    options = parser.parse_args()
    servers.check_build()
    folder = tempfile.mkdtemp(prefix="reeve-bench-")
    os.sched_setaffinity(0, {0})
    mock, upstream = servers.start_mock()
    try:
        show_clock(folder, mock, upstream)
        show_stages(*run_under_callgrind(folder, upstream, options.seconds))
    finally:
        mock.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
