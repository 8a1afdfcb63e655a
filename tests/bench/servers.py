# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the benchmarks compare: an upstream, the host and its peers in front of it, and the load. The server under test has core 0; upstream and load
have core 1."""

import contextlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "outside"))

from reeve import BUILD, Host  # noqa: E402 pylint: disable=wrong-import-position

CONFIG = """
server: {{threads: 1, keep_alive: 1h}}
limits: {{requests_per_minute: 10000000}}
llm:
  default: up/mock
  providers:
    - {{id: up, plugin: llm-openai, settings: {{base_url: "http://127.0.0.1:{port}/v1", api_key: "sk-x"}}}}
"""
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_buffer_size 64k; {temporary}
upstream up {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000000; }}
server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_buffering off; }} }} }}
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
        time.sleep(0.002)
    raise SystemExit(f"nothing listens on {port}")


def check_build():
    """A host that was not optimised is not to be measured beside programs that were."""
    with open(os.path.join(BUILD, "meson-info", "intro-buildoptions.json"), encoding="utf-8") as file:
        level = next(option["value"] for option in json.load(file) if option["name"] == "optimization")
    if level not in ("2", "3"):
        print(f"{BUILD} is built with -O{level}: no ratio below says anything of what is shipped; use a folder with buildtype=release")


def program(name):
    return os.path.join(BUILD, "tests", "bench", name)


def tree(pid):
    """A process and its children, as many as there are now."""
    found = [pid]
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            for child in file.read().split():
                found += tree(int(child))
    except OSError:
        pass
    return found


def cpu_seconds(pid):
    total = 0
    for one in tree(pid):
        try:
            with open(f"/proc/{one}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return total / os.sysconf("SC_CLK_TCK")


def rss(pid):
    total = 0
    for one in tree(pid):
        with open(f"/proc/{one}/status", encoding="ascii") as file:
            total += int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
    return total / 1024


def body(model="mock"):
    return json.dumps({"model": model, "messages": [{"role": "system", "content": "You are a helpful assistant."},
                                                    {"role": "user", "content": "Summarise the quarterly report."}]}).replace('": ', '":')


def ask(port, headers):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", body().encode(), {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status


class Server:
    """A process that listens on a port; start_times: seconds to its first answer."""

    def __init__(self, name, port, headers=None, command=None, environment=None):
        self.name, self.port, self.headers, self.command, self.environment = name, port, headers or {}, command, environment
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        began = time.monotonic()
        self.process = subprocess.Popen(["taskset", "-c", "0", *self.command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment)
        while True:
            try:
                if ask(self.port, self.headers) == 200:
                    return time.monotonic() - began
            except OSError:
                time.sleep(0.002)
            if self.process.poll() is not None or time.monotonic() - began > 30:
                raise SystemExit(f"{self.name} does not start")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None


class Ours(Server):
    def __init__(self, upstream, environment=None, name="ours", config=""):
        super().__init__(name, 0)
        self.host = Host(config=CONFIG.format(port=upstream) + config, environment=environment)

    def start(self):
        began = time.monotonic()
        self.host.start()
        taken = time.monotonic() - began
        self.process, self.port = self.host.process, int(self.host.url.rsplit(":", 1)[1])
        self.headers = {"Authorization": "Bearer " + self.host.key}
        return taken

    def stop(self):
        if self.process is not None:
            self.host.stop()
            self.process = None

    def close(self):
        self.stop()
        self.host.folder.cleanup()


def start_mock():
    mock = subprocess.Popen(["taskset", "-c", "1", program("bench-mock")], stdout=subprocess.PIPE, text=True)
    return mock, int(mock.stdout.readline())


def nginx(folder, upstream):
    port, path = free_port(), os.path.join(folder, "nginx.conf")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(path, "w", encoding="utf-8") as file:
        file.write(NGINX.format(folder=folder, temporary=temporary, upstream=upstream, port=port))
    return Server("nginx", port, command=[shutil.which("nginx") or "/usr/sbin/nginx", "-p", folder, "-c", path])


def portkey(upstream):
    peers = os.path.join(HERE, "peers")
    if not os.path.isdir(os.path.join(peers, "node_modules")):
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=peers, check=True)
    port = free_port()
    headers = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{upstream}/v1", "Authorization": "Bearer sk-x"}
    script = os.path.join(peers, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js")
    return Server("portkey", port, headers, ["node", script, f"--port={port}", "--headless"], dict(os.environ, NODE_ENV="production"))


class PassThrough(Server):
    """Our own parts without the gate: it picks its port by itself."""

    def __init__(self, upstream):
        super().__init__("pass", 0, command=[program("bench-pass"), str(upstream)])

    def start(self):
        self.process = subprocess.Popen(["taskset", "-c", "0", *self.command], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        return 0.0


# ---- load ----

def wrk(folder, server, connections, seconds, model="mock"):
    """Requests a second, CPU µs a request, p50 and p99 in µs."""
    script = os.path.join(folder, f"{server.name}-{model}.lua")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f'wrk.method="POST"\nwrk.body=[[{body(model)}]]\nwrk.headers["Content-Type"]="application/json"\n'
                   + "".join(f'wrk.headers["{k}"]="{v}"\n' for k, v in server.headers.items())
                   + 'done=function(s,l,r) io.write(string.format("RESULT %d %d %d %d %d\\n", s.requests, s.duration, '
                   's.errors.status+s.errors.connect+s.errors.read+s.errors.write+s.errors.timeout, l:percentile(50), l:percentile(99))) end\n')
    before = cpu_seconds(server.pid)
    out = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script,
                          f"http://127.0.0.1:{server.port}/v1/chat/completions"], capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    requests, duration, errors, p50, p99 = map(int, re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", out).groups())
    if errors:
        print(f"{server.name}, {connections} connections: {errors} errors beside {requests} answers")
    requests = max(requests, 1)  # a peer may answer nothing in time
    return {"rate": requests / (duration / 1e6), "cpu": (cpu_seconds(server.pid) - before) * 1e6 / requests, "p50": p50, "p99": p99}


def durable_write(folder):
    """Median µs in which the bytes of one chat's two records are durable, where nothing has to grow: on core 0 as the servers, and the same disk."""
    path, taken = os.path.join(folder, "durable"), []
    os.sched_setaffinity(0, {0})
    with open(path, "wb+", buffering=0) as file:
        file.write(bytes(1 << 20))
        os.fsync(file.fileno())
        for i in range(300):
            began = time.monotonic()
            os.pwrite(file.fileno(), b"x" * 767, i * 767)
            os.fdatasync(file.fileno())
            taken.append((time.monotonic() - began) * 1e6)
    os.unlink(path)
    return sorted(taken)[len(taken) // 2]


@contextlib.contextmanager
def awake():
    """No idle processor sleeps, as where the host has `audit.stay_awake` and somebody waits."""
    try:
        device = os.open("/dev/cpu_dma_latency", os.O_WRONLY)
    except OSError as error:
        print(f"processors sleep as they like, with and without audit.stay_awake: {error}")
        yield
        return
    try:
        os.write(device, struct.pack("=i", 0))
        yield
    finally:
        os.close(device)


def streams(server, connections, seconds, model):
    headers = [f"{k}: {v}" for k, v in server.headers.items()]
    out = subprocess.run(["taskset", "-c", "1", program("bench-streams"), str(server.port), str(connections), str(seconds), model, *headers],
                         capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    return json.loads(out)
