# SPDX-License-Identifier: LGPL-2.1-or-later
"""Client certificates: which are taken in the handshake, whom they stand for, and that nothing else looks like one."""

import hashlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from certificates import Authority
from reeve import HOST, Host, main

CONFIG = """
server: {{listen: ["127.0.0.1:0"], threads: 1, keep_alive: 30s}}
tls: {{certificate: {certificate}, key: {key}, client_ca: {ca}{more}}}
authentication:
  providers:
    - {{id: keys, plugin: auth-api-key}}
    - id: machines
      plugin: auth-mtls
      settings:
        rules:
          - {{match: {{common_name: press-4, uri: "spiffe://plant/never"}}, user_id: never, roles: [admin]}}
          - {{match: {{common_name: press-4}}, user_id: press-4, roles: [operator]}}
          - {{match: {{uri: "spiffe://plant/line/7"}}, user_id: line-7, roles: [viewer]}}
          - {{match: {{email: "mira@plant.example"}}, user_id: {mira}, roles: [viewer, operator]}}
          - {{match: {{fingerprint: "{fingerprint}"}}, user_id: by-fingerprint, roles: [auditor]}}
          - {{match: {{common_name: elsewhere}}, tenant_id: nowhere, user_id: x, roles: [admin]}}
          - {{match: {{common_name: two-rules, issuer: "CN=Another authority"}}, user_id: other, roles: [viewer]}}
          - {{match: {{common_name: two-rules, issuer: "CN=Reeve test authority"}}, user_id: this, roles: [viewer]}}
"""


def fingerprint(path):
    with open(path, encoding="ascii") as file:
        der = ssl.PEM_cert_to_DER_cert(file.read())
    digest = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digest[i:i + 2] for i in range(0, 64, 2))


class Certificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="reeve-")
        cls.addClassCleanup(folder.cleanup)
        for name in ("one", "two"):
            os.mkdir(os.path.join(folder.name, name))
        cls.authority = Authority(os.path.join(folder.name, "one"))
        cls.stranger = Authority(os.path.join(folder.name, "two"), "Another authority")
        cls.certificate, cls.key = cls.authority.sign("host")
        cls.client("press-4")
        cls.client("printed")

    @classmethod
    def client(cls, name, authority=None, usage="clientAuth", host="DNS:x", **options):
        return (authority or cls.authority).sign(name, host=host, usage=usage, **options)

    @classmethod
    def open(cls, more="", mira="nobody", ca=None, **options):
        config = CONFIG.format(certificate=cls.certificate, key=cls.key, ca=ca or cls.authority.ca, more=more, mira=mira,
                               fingerprint=fingerprint(cls.authority.path("printed.pem")))
        host = Host(config=config, ca=cls.authority.ca, **options)
        cls.addClassCleanup(host.close)
        return host.start()

    def connect(self, host, pair=None, minimum=None):
        where = urllib.parse.urlsplit(host.url)
        context = ssl.create_default_context(cafile=self.authority.ca)
        if minimum:
            context.maximum_version = minimum
        if pair:
            context.load_cert_chain(*pair)
        return http.client.HTTPSConnection(where.hostname, where.port, timeout=30, context=context)

    def ask(self, connection, path="/api/v1/me", headers=None):
        """(status, JSON)"""
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        body = response.read()
        return response.status, json.loads(body) if body else None

    def me(self, host, pair=None, headers=None, minimum=None):
        connection = self.connect(host, pair, minimum)
        try:
            return self.ask(connection, headers=headers)
        finally:
            connection.close()

    def assert_sent_away(self, host, pair, minimum=None):
        """The handshake fails; in TLS 1.3 the client sees it when it first reads."""
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            self.me(host, pair, minimum=minimum)


class Optional(Certificates):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.host = cls.open(more=', min_version: "1.2"')

    def test_right(self):
        for minimum in (None, ssl.TLSVersion.TLSv1_2):
            status, me = self.me(self.host, self.client("press-4"), minimum=minimum)
            self.assertEqual((200, "press-4", "default", ["operator"], "certificate", False),
                             (status, me["user_id"], me["tenant_id"], me["roles"], me["authenticated_by"], me["platform_admin"]))
        connection = self.connect(self.host, self.client("press-4"))
        self.assertEqual(403, self.ask(connection, "/api/v1/admin/users")[0])
        self.assertEqual(200, self.ask(connection, "/api/v1/admin/agents")[0])
        connection.close()

    def test_whom_it_stands_for(self):
        for name, host, user in (("a", "URI:spiffe://plant/line/7,DNS:a", "line-7"), ("two-rules", "DNS:b", "this")):
            status, me = self.me(self.host, self.client(name, host=host))
            self.assertEqual((200, user), (status, me.get("user_id")), name)
        printed = (self.authority.path("printed.pem"), self.authority.path("printed.key"))
        self.assertEqual("by-fingerprint", self.me(self.host, printed)[1]["user_id"])
        # another of the same name is another
        self.assertEqual(401, self.me(self.host, self.client("printed-again", subject="/CN=printed"))[0])

    def test_nobody(self):
        for name, host, subject in (("unmapped", "DNS:press-4", None), ("near", "URI:spiffe://plant/line/70", None), ("case", "DNS:x", "/CN=PRESS-4"),
                                    ("space", "DNS:x", "/CN=press-4 "), ("twice", "DNS:x", "/CN=press-4/CN=press-4"), ("org", "DNS:x", "/O=press-4"),
                                    ("mail", "DNS:mira@plant.example", None)):
            status, problem = self.me(self.host, self.client(name, host=host, subject=subject))
            self.assertEqual(401, status, (name, problem))
        self.assertEqual(401, self.me(self.host, self.client("elsewhere"))[0])

    def test_none(self):
        self.assertEqual(401, self.me(self.host)[0])
        connection = self.connect(self.host)
        self.assertEqual(200, self.ask(connection, "/health/live")[0])
        connection.close()
        self.assertEqual(200, self.host.get("/api/v1/me").status)

    def test_not_good(self):
        for name, options in (("past", {"start": "200101000000Z", "end": "210101000000Z"}), ("future", {"start": "400101000000Z", "end": "410101000000Z"}),
                              ("server", {"usage": "serverAuth"}), ("weak", {"kind": "weak"}), ("foreign", {"authority": self.stranger}), ("code", {"usage": "codeSigning"})):
            pair = self.client(name, subject="/CN=press-4", **options)
            for minimum in (None, ssl.TLSVersion.TLSv1_2):
                self.assert_sent_away(self.host, pair, minimum)
        self.assertEqual(200, self.me(self.host, self.client("press-4"))[0])

    def test_a_certificate_without_usage_is_for_all(self):
        self.assertEqual(200, self.me(self.host, self.client("press-4", usage=None))[0])

    def test_another_credential_goes_first(self):
        pair = self.client("press-4")
        self.assertEqual("api_key", self.me(self.host, pair, {"Authorization": "Bearer " + self.host.key})[1]["authenticated_by"])
        for headers in ({"Authorization": "Bearer nonsense"}, {"X-API-Key": "rv_a_b"}, {"Authorization": "Basic YTpi"}, {"Authorization": "Digest x"}, {"Authorization": ""}):
            self.assertEqual(401, self.me(self.host, pair, headers)[0], headers)

    def test_headers_are_no_certificate(self):
        with open(self.client("press-4")[0], encoding="ascii") as file:
            pem = urllib.parse.quote(file.read())
        for name in ("X-Client-Cert", "X-SSL-Client-Cert", "X-SSL-Client-S-DN", "X-SSL-Client-Verify", "X-Forwarded-Client-Cert", "Client-Cert", "X-SSL-CERT", "Ssl-Client-Subject-Dn"):
            for value in (pem, "CN=press-4", "SUCCESS"):
                self.assertEqual(401, self.me(self.host, None, {name: value})[0], name)
        for scheme in ("certificate", "Certificate"):
            self.assertEqual(401, self.me(self.host, None, {"Authorization": scheme + ' {"common_name":"press-4","expires_at":9000000000000000}'})[0])
        self.assertEqual(401, self.me(self.host, None, {"Authorization": 'Bearer {"common_name":"press-4","expires_at":9000000000000000}'})[0])

    def test_no_session_is_resumed(self):
        pair, where = self.client("press-4"), urllib.parse.urlsplit(self.host.url)
        context = ssl.create_default_context(cafile=self.authority.ca)
        context.load_cert_chain(*pair)
        for minimum in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
            context.maximum_version = minimum
            session = None
            for _ in range(2):
                with socket.create_connection((where.hostname, where.port), timeout=30) as sock, context.wrap_socket(sock, server_hostname="localhost", session=session) as tls:
                    tls.sendall(b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n\r\n")
                    self.assertIn(b"200 OK", tls.recv(65536))
                    self.assertFalse(tls.session_reused)
                    session = tls.session

    def test_a_user_with_a_record(self):
        mira = self.host.post("/api/v1/admin/users", {"username": "mira", "roles": ["operator"]}, expect=201).json["user_id"]
        host = self.host
        host.stop()
        with open(host.config, encoding="utf-8") as file:
            text = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write(text.replace("user_id: nobody", f"user_id: {mira}"))
        host.start()
        pair = self.client("person", host="email:mira@plant.example")
        connection = self.connect(host, pair)
        self.assertEqual((200, "mira"), (lambda s, m: (s, m["username"]))(*self.ask(connection)))
        # felt in the connection that is open
        host.call("PATCH", f"/api/v1/admin/users/{mira}", {"status": "disabled"}, expect=200)
        self.assertEqual(401, self.ask(connection)[0])
        connection.close()


class Required(Certificates):
    def test_without_one_nobody_comes_in(self):
        host = Host(config=CONFIG.format(certificate=self.certificate, key=self.key, ca=self.authority.ca, more=', client_auth: required, min_version: "1.2"', mira="nobody",
                                         fingerprint="00" * 32), ca=self.authority.ca)
        self.addCleanup(host.close)
        host.context.load_cert_chain(*self.client("press-4"))
        host.start()
        for minimum in (None, ssl.TLSVersion.TLSv1_2):
            self.assert_sent_away(host, None, minimum)
            self.assert_sent_away(host, self.client("foreign", authority=self.stranger, subject="/CN=press-4"), minimum)
            self.assertEqual(200, self.me(host, self.client("press-4"), minimum=minimum)[0])

    def test_none_asked(self):
        host = self.open(more=", client_auth: none")
        self.assertEqual(401, self.me(host, self.client("press-4"))[0])


class Changes(Certificates):
    def wait_until_sent_away(self, host, pair):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if self.me(host, pair)[0] != 200:
                    return
            except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
                return
            time.sleep(0.05)
        raise AssertionError("is let in for ever")

    def test_revoked(self):
        crl = self.authority.list_revoked()
        host = self.open(more=f", client_crl: {crl}")
        good, bad = self.client("press-4"), self.client("lost", subject="/CN=press-4")
        self.assertEqual((200, 200), (self.me(host, good)[0], self.me(host, bad)[0]))
        self.authority.list_revoked("lost")
        self.wait_until_sent_away(host, bad)
        self.assertEqual(200, self.me(host, good)[0])

    def test_authorities_are_replaced(self):
        file = self.authority.path("clients.pem")
        shutil.copy(self.authority.ca, file)
        host = self.open(ca=file)
        mine, theirs = self.client("press-4"), self.client("press-4", authority=self.stranger)
        self.assertEqual(200, self.me(host, mine)[0])
        self.assert_sent_away(host, theirs)
        shutil.copy(self.stranger.ca, file + ".new")
        os.replace(file + ".new", file)
        self.wait_until_sent_away(host, mine)
        self.assertEqual(200, self.me(host, theirs)[0])

    def refuse(self, text, reason):
        with tempfile.TemporaryDirectory(prefix="reeve-") as folder:
            file = os.path.join(folder, "reeve.yaml")
            with open(file, "w", encoding="utf-8") as out:
                out.write(text + "\n")
            command = [HOST, "--config", file, "--state-dir", os.path.join(folder, "state"), "--listen", "127.0.0.1:0", "--bus", "none"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual((78, ""), (done.returncode, done.stdout), done)
        self.assertIn(reason, done.stderr)

    def test_files_that_are_wrong(self):
        empty = self.authority.path("empty.pem")
        with open(empty, "w", encoding="ascii"):
            pass
        tls = f"tls: {{certificate: {self.certificate}, key: {self.key}, "
        for rest, reason in ((f"client_ca: {empty}}}", f"tls.client_ca: {empty}: holds no certificate"), ("client_ca: /nonexistent.pem}", "tls.client_ca: /nonexistent.pem: "),
                             (f"client_ca: {self.authority.ca}, client_crl: {self.authority.ca}}}", "tls.client_crl: "),
                             (f"client_ca: {self.authority.ca}, client_auth: sometimes}}", "tls.client_auth: "),
                             ("client_auth: required}", "needs tls.client_ca"), (f"client_crl: {empty}}}", "needs tls.client_ca")):
            self.refuse(tls + rest, reason)
        self.refuse(f"tls: {{client_ca: {self.authority.ca}}}", "tls.client_ca: ")

    def test_rules_that_are_wrong(self):
        provider = "authentication: {{providers: [{{id: m, plugin: auth-mtls, settings: {}}}]}}"
        for settings, reason in (("{}", "rules"), ("{rules: []}", "rules"), ("{rules: [{match: {}, user_id: a, roles: []}]}", "match"),
                                 ("{rules: [{match: {issuer: x}, user_id: a, roles: []}]}", "all certificates of an authority"),
                                 ("{rules: [{match: {serial: x}, user_id: a, roles: []}]}", "needs issuer"),
                                 ("{rules: [{match: {fingerprint: xyz}, user_id: a, roles: []}]}", "SHA-256"),
                                 ("{rules: [{match: {common_name: x}, user_id: a, roles: []}, {match: {common_name: x}, tenant_id: other, user_id: b, roles: []}]}", "rules[1].match"),
                                 ("{rules: [{match: {uri: u}, user_id: a, roles: []}, {match: {uri: v}, user_id: b, roles: []}, {match: {uri: u, issuer: i}, user_id: c, roles: []}]}", "rules[2].match"),
                                 ("{rules: [{match: {common_name: x}, roles: []}]}", "user_id"), ("{rules: [{match: {commonname: x}, user_id: a, roles: []}]}", "commonname")):
            self.refuse(provider.format(settings), reason)


if __name__ == "__main__":
    main()
