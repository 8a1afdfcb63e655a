# SPDX-License-Identifier: LGPL-2.1-or-later
"""sink-syslog against a real rsyslogd: over UDP, over TCP and TLS with octet counting; a server that is away loses nothing."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from certificates import Authority
from reeve import Host, main

RSYSLOGD = shutil.which("rsyslogd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
CONFIG = """
global(workDirectory="{folder}" maxMessageSize="64k" defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{cert}"
       defaultNetstreamDriverKeyFile="{key}")
module(load="imudp")
module(load="imtcp")
input(type="imudp" address="127.0.0.1" port="{udp}" ruleset="udp")
input(type="imtcp" address="127.0.0.1" port="{tcp}" ruleset="tcp")
input(type="imtcp" address="127.0.0.1" port="{tls}" ruleset="tls" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="line" type="string" string="%pri%|%app-name%|%msgid%|%hostname%|%structured-data%|%msg%\\n")
ruleset(name="udp") {{ action(type="omfile" file="{folder}/udp" template="line") }}
ruleset(name="tcp") {{ action(type="omfile" file="{folder}/tcp" template="line") }}
ruleset(name="tls") {{ action(type="omfile" file="{folder}/tls" template="line") }}
"""
SINKS = """
audit:
  sinks:
    - {{id: udp, plugin: sink-syslog, tenants: [default], settings: {{host: 127.0.0.1, port: {udp}, transport: udp}}}}
    - {{id: tcp, plugin: sink-syslog, tenants: [default], settings: {{host: 127.0.0.1, port: {tcp}, hostname: press-4}}}}
    - {{id: tls, plugin: sink-syslog, tenants: [default], format: cef, settings: {{host: 127.0.0.1, port: {tls}, transport: tls, ca_file: "{ca}"}}}}
"""
LINE = re.compile(r'(\d+)\|reeve\|audit\|([^|]*)\|\[reeve@32473 id="([^"]*)" scope="default"\]\| ?(.*)')


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Syslog(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="reeve-syslog-")
        self.addCleanup(self.folder.cleanup)
        authority = Authority(self.folder.name)
        authority.sign("server")
        self.ca, cert, key = (os.path.join(self.folder.name, name) for name in ("ca.pem", "server.pem", "server.key"))
        self.ports = {"udp": free_port(socket.SOCK_DGRAM), "tcp": free_port(socket.SOCK_STREAM), "tls": free_port(socket.SOCK_STREAM)}
        self.conf = os.path.join(self.folder.name, "rs.conf")
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=self.folder.name, ca=self.ca, cert=cert, key=key, **self.ports))
        self.server, self.taken = None, {}
        self.addCleanup(self.end)
        self.host = Host(config=SINKS.format(ca=self.ca, **self.ports))
        self.addCleanup(self.host.close)

    def begin(self):
        self.server = subprocess.Popen([RSYSLOGD, "-n", "-f", self.conf, "-i", os.path.join(self.folder.name, "pid")], stderr=subprocess.DEVNULL)
        for name in ("tcp", "tls"):
            self.until(lambda port=self.ports[name]: self.listens(port))

    def end(self):
        if self.server is not None:
            self.server.terminate()
            self.server.wait(60)
            self.server = None

    @staticmethod
    def listens(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def until(self, what):
        end = time.monotonic() + 60
        while not what():
            self.assertLess(time.monotonic(), end, {kind: len(self.read(kind)) for kind in self.ports})
            time.sleep(0.05)

    def read(self, kind):
        path = os.path.join(self.folder.name, kind)
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return [LINE.fullmatch(line.rstrip("\n")).groups() for line in file if line.endswith("\n")]

    def has_all(self, kind, size):
        return {f"default/{seq}" for seq in range(1, size + 1)} <= {line[2] for line in self.read(kind)}

    def size(self):
        return self.host.get("/api/v1/admin/audit/checkpoint", expect=200).json["size"]

    def test_real_rsyslogd(self):
        self.begin()
        self.host.start()
        for _ in range(20):
            self.host.get("/api/v1/me", expect=200)
        size = self.size()
        for kind in self.ports:
            self.until(lambda kind=kind: self.has_all(kind, size))
        for pri, hostname, name, text in self.read("tcp"):
            record = json.loads(text)
            self.assertEqual((f"default/{record['seq']}", "press-4", 13), (name, hostname, int(pri) // 8))
        self.assertTrue(all(line[3].startswith("CEF:0|Reeve|") for line in self.read("tls")))
        self.assertEqual({json.loads(line[3])["scope"] for line in self.read("udp")}, {"default"})
        # each is a place of its own, on record once, however many batches went there
        self.assertEqual(sorted(f"127.0.0.1:{port}" for port in self.ports.values()),
                         sorted(r["resource"]["id"] for r in self.host.records(action="net.stream", kind="intent")))

    def test_a_server_that_is_away(self):
        self.host.start()
        for _ in range(5):
            self.host.get("/api/v1/me", expect=200)
        states = lambda: {s["id"]: s for s in self.host.get("/api/v1/admin/audit/sinks", expect=200).json["items"]}  # noqa: E731
        self.until(lambda: states()["tcp"]["failures"] > 0 and states()["tls"]["failures"] > 0)
        self.begin()
        size = self.size()
        for kind in ("tcp", "tls"):
            self.until(lambda kind=kind: self.has_all(kind, size))
        # and one that goes while records come
        self.end()
        for _ in range(5):
            self.host.get("/api/v1/me", expect=200)
        self.begin()
        size = self.size()
        for kind in ("tcp", "tls"):
            self.until(lambda kind=kind: self.has_all(kind, size))

    def test_a_certificate_that_is_not_the_servers(self):
        """Nothing is sent to it, and who looks is told why."""
        authority = Authority(self.folder.name)
        rows, listeners = "", []
        self.addCleanup(lambda: [listener.close() for listener in listeners])
        for name, how in (("old", {"start": "200101000000Z", "end": "210101000000Z"}), ("early", {"start": "400101000000Z", "end": "410101000000Z"}),
                          ("other", {"host": "DNS:elsewhere.example"}), ("client", {"usage": "clientAuth"}), ("both", {"usage": "clientAuth,serverAuth"})):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*authority.sign(name, **how))
            listeners.append(socket.create_server(("127.0.0.1", 0)))
            threading.Thread(target=self.take, args=(listeners[-1], context, name), daemon=True).start()
            rows += f'    - {{id: {name}, plugin: sink-syslog, tenants: [default], settings: {{host: 127.0.0.1, port: {listeners[-1].getsockname()[1]}, ' \
                    f'transport: tls, ca_file: "{authority.ca}"}}}}\n'
        host = Host(config="audit:\n  sinks:\n" + rows)
        self.addCleanup(host.close)
        host.start()
        states = lambda: {s["id"]: s for s in host.get("/api/v1/admin/audit/sinks", expect=200).json["items"]}  # noqa: E731
        refused = {"old": "it has expired", "early": "it is not valid yet", "other": "it is of another name", "client": "it is not for a server"}
        self.until(lambda: all("last_error" in states()[name] for name in refused) and states()["both"]["delivered"] > 0)
        for name, words in refused.items():
            self.assertRegex(states()[name]["last_error"], f"the certificate of 127.0.0.1 is refused: {words}$")
            self.assertEqual(0, states()[name]["delivered"])
        self.assertEqual({"both"}, set(self.taken))

    def take(self, listener, context, name):
        while True:
            try:
                with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                    while data := connection.recv(65536):
                        self.taken[name] = self.taken.get(name, b"") + data
            except ssl.SSLError:
                continue
            except OSError:
                if listener.fileno() < 0:
                    return


if __name__ == "__main__":
    main()
