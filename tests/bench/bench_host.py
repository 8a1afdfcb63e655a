# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a host costs, against a peer in the same run: start, idle memory, governed requests a second.

    tests/run --suite bench, or: REEVE_BUILD_DIR=build python3 tests/bench/bench_host.py [--seconds 4] [--rounds 3]

The peer is Portkey's gateway, passing through; the host authenticates, authorises and records each call durably. Upstream is nginx with a
constant answer. The server under test has core 0, upstream and load (wrk) have core 1; rounds are interleaved. Only ratios of one run count.
"""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "outside"))

from reeve import Host  # noqa: E402 pylint: disable=wrong-import-position

BODY = {"model": "gpt-test", "messages": [{"role": "system", "content": "You are a helpful assistant."},
                                          {"role": "user", "content": "Summarise the quarterly report."}]}
ANSWER = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "gpt-test",
          "choices": [{"index": 0, "message": {"role": "assistant", "content": "All went well. " * 16}, "finish_reason": "stop"}],
          "usage": {"prompt_tokens": 42, "completion_tokens": 64, "total_tokens": 106}}
CONFIG = """
server: {{threads: 1}}
limits: {{requests_per_minute: 10000000}}
llm:
  default: up/gpt-test
  providers:
    - {{id: up, plugin: llm-openai, settings: {{base_url: "http://127.0.0.1:{port}/v1", api_key: "sk-x"}}}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_port(port, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.005)
    raise SystemExit(f"nothing listens on {port}")


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024


def post(url, headers):
    request = urllib.request.Request(url, json.dumps(BODY).encode(), {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status


class Upstream:
    def __init__(self, folder):
        self.port = free_port()
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
                       "events { worker_connections 4096; }\nhttp { access_log off; keepalive_requests 1000000000;\n"
                       + "".join(f"{k}_temp_path {folder}/{k};\n" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                       + f"server {{ listen 127.0.0.1:{self.port}; default_type application/json;\n"
                       f"location / {{ return 200 '{json.dumps(ANSWER)}'; }} }} }}\n")
        self.process = subprocess.Popen(["taskset", "-c", "1", "nginx", "-p", folder, "-c", path], stderr=subprocess.DEVNULL)
        wait_port(self.port)


def start_portkey(port):
    server = os.path.join(HERE, "peers", "node_modules", "@portkey-ai", "gateway", "build", "start-server.js")
    return subprocess.Popen(["taskset", "-c", "0", "node", server, f"--port={port}", "--headless"], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, env=dict(os.environ, NODE_ENV="production"))


def start_times_of_portkey(headers):
    times = []
    for _ in range(5):
        port = free_port()
        began = time.monotonic()
        process = start_portkey(port)
        wait_port(port)
        while True:
            try:
                if post(f"http://127.0.0.1:{port}/v1/chat/completions", headers) == 200:
                    break
            except OSError:
                time.sleep(0.002)
        times.append(time.monotonic() - began)
        process.kill()
        process.wait()
    return statistics.median(times)


def start_times_of_host(config, state):
    times = []
    for _ in range(5):
        began = time.monotonic()
        host = Host(config=config, state=state).start()
        times.append(time.monotonic() - began)
        host.close()
    return statistics.median(times)


def wrk(folder, url, headers, connections, seconds):
    script = os.path.join(folder, f"{abs(hash(url))}.lua")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f'wrk.method="POST"\nwrk.body=[[{json.dumps(BODY)}]]\nwrk.headers["Content-Type"]="application/json"\n'
                   + "".join(f'wrk.headers["{k}"]="{v}"\n' for k, v in headers.items())
                   + 'done=function(s,l,r) io.write(string.format("RESULT %d %d %d\\n", s.requests, s.duration, '
                   's.errors.status+s.errors.connect+s.errors.read+s.errors.write+s.errors.timeout)) end\n')
    out = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script, url],
                         capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    requests, duration, errors = map(int, re.search(r"RESULT (\d+) (\d+) (\d+)", out).groups())
    if errors:
        raise SystemExit(f"{errors} errors of {requests} requests at {url}\n{out}")
    return requests / (duration / 1e6)


def show(goal, what, ours, peer, unit, lower_is_better, target):
    ratio = ours / peer
    met = ratio <= target if lower_is_better else ratio >= target
    print(f"goal {goal:>2}  {what:<44} ours {ours:8.1f} {unit:<5} peer {peer:8.1f}   ratio {ratio:6.3f} "
          f"(goal {'<=' if lower_is_better else '>='} {target}) {'met' if met else 'MISSED'}")


def compare(folder, servers, seconds, rounds):
    found = {}
    for _ in range(rounds):
        for connections in (1, 64, 256):
            for name, (url, headers) in servers.items():
                found.setdefault((name, connections), []).append(wrk(folder, url, headers, connections, seconds))
    return {key: statistics.median(values) for key, values in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not os.path.isdir(os.path.join(HERE, "peers", "node_modules")):
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=os.path.join(HERE, "peers"), check=True)
    folder = tempfile.mkdtemp(prefix="reeve-bench-")
    os.sched_setaffinity(0, {0})
    upstream = Upstream(folder)
    config = CONFIG.format(port=upstream.port)
    peer_headers = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{upstream.port}/v1", "Authorization": "Bearer sk-x"}
    portkey_port = free_port()
    portkey = host = None
    try:
        portkey_start = start_times_of_portkey(peer_headers)
        portkey = start_portkey(portkey_port)
        wait_port(portkey_port)
        host = Host(config=config).start()
        time.sleep(1)
        idle, peer_idle = rss(host.process.pid), rss(portkey.pid)
        servers = {"ours": (host.url + "/v1/chat/completions", {"Authorization": "Bearer " + host.key}),
                   "peer": (f"http://127.0.0.1:{portkey_port}/v1/chat/completions", peer_headers)}
        medians = compare(folder, servers, options.seconds, options.rounds)
        host.stop()
        ours_start = start_times_of_host(config, host.state)
        print(f"goal  9  {'RSS idle, default plugins':<44} ours {idle:8.1f} MiB   peer {peer_idle:8.1f}   (goal <= 18) {'met' if idle <= 18 else 'MISSED'}")
        show(10, "start to ready, existing state", ours_start * 1000, portkey_start * 1000, "ms", True, 0.08)
        for goal, connections, target in ((4, 1, 6), (1, 64, 15), (2, 256, 12)):
            show(goal, f"governed chat, {connections} connections", medians["ours", connections], medians["peer", connections], "req/s", False, target)
    finally:
        for process in (upstream.process, portkey):
            if process is not None:
                process.terminate()
        if host is not None and host.process is not None:
            host.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
