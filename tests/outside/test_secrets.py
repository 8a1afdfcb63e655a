#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slots of plugins: an administrator fills one, the host attaches what is in it, and the plugin never has it. A plugin that is confined and one in
the host's process, which asks for what it is told to: tests/broken-plugins/asker.c."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import threading
import time
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main, size
from test_broken_plugins import OWN, BrokenHost, folder

CANARY = "zq7canary-"
CONFIG = """
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{model}", api_key: "sk-test"}}}}
plugins:
  settings:
    asker: {{url: "{site}", token: "{canary}settings"}}
{more}
"""
SLOTS = "/api/v1/admin/plugins/asker/secrets"
GRANTS = "/api/v1/admin/plugins/asker/grants"


class Site(http.server.ThreadingHTTPServer):
    """Keeps what it was sent; /echo says it, /slow takes its time, /away leads to another place."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), SiteHandler)
        self.seen, self.away = [], ""
        self.asked, self.status, self.more, self.expired = [], 200, {}, set()
        self.arrived = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Who is cut off in the middle is what some of it is about."""

    def close(self):
        self.shutdown()
        self.server_close()


class SiteHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one piece

    def log_message(self, *arguments):
        pass

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/token":
            self.give_token(body.decode())
        else:
            self.do_GET()

    def give_token(self, body):
        """As RFC 6749 has it."""
        time.sleep(0.2)
        self.server.asked.append((self.headers["Authorization"], body))
        answer = {"access_token": f"{CANARY}token-{len(self.server.asked)}", "token_type": "Bearer", **self.server.more}
        text = json.dumps(answer).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):  # noqa: N802
        headers = dict(self.headers.items())
        self.server.seen.append((self.path, headers))
        self.server.arrived.set()
        body = json.dumps(headers if self.path == "/echo" else "ok").encode()
        if self.path == "/slow":
            time.sleep(30)
        self.send_response(302 if self.path == "/away" else 401 if headers.get("Authorization") in self.server.expired else 200)
        if self.path == "/away":
            self.send_header("Location", self.server.away)
        if self.path == "/echo":
            self.send_header("X-Echo", headers.get("Authorization", "none"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def wanted_signature(key, headers, path, query, host):
    """AWS Signature Version 4 of an empty GET to S3, written once more."""
    made = {name.lower(): value for name, value in headers.items() if name.lower().startswith("x-amz-")} | {"host": host}
    names = ";".join(sorted(made))
    canonical = "\n".join(["GET", path, query, *(f"{name}:{made[name]}" for name in sorted(made)), "", names, hashlib.sha256(b"").hexdigest()])
    stamp = made["x-amz-date"]
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    digest = ("AWS4" + key).encode()
    for part in (stamp[:8], "us-east-1", "s3", "aws4_request", f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"):
        digest = hmac.new(digest, part.encode(), hashlib.sha256).digest()
    return f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, Signature={digest.hex()}"


class AskerCase(unittest.TestCase):
    """One host and two sites; the plugin may reach both of them."""

    more = ""

    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI(api_key="sk-test").start()
        cls.addClassCleanup(cls.mock.stop)
        cls.site, cls.other = Site(), Site()
        for site in (cls.site, cls.other):
            cls.addClassCleanup(site.close)
        cls.site.away = cls.other.url + "/echo"
        cls.host = BrokenHost(CONFIG.format(model=cls.mock.base_url, site=cls.site.url, canary=CANARY, more=cls.more.replace("URL", cls.site.url)),
                              arguments=[*folder("asker"), "--plugin-dir", OWN]).start()
        cls.addClassCleanup(cls.host.close)
        cls.agent = cls.host.agent(tools=("ask", "fetch", "settings"))
        allowed = {"tools": [{"tool_name": name, "effect": "allow"} for name in ("ask", "fetch", "settings")]}
        cls.host.put("/api/v1/admin/policies/org", allowed, expect=200)
        cls.grant("net.http", origins=[cls.site.url, cls.other.url])

    def setUp(self):
        for capability in ("secret.use", "secret.read"):
            self.revoke_all(capability)
        for row in self.host.get(SLOTS, expect=200).json["items"]:
            query = f"?tenant_id={row['tenant_id']}" if row["tenant_id"] else ""
            self.host.delete(f"{SLOTS}/{row['slot']}{query}", expect=204)

    @classmethod
    def grant(cls, capability, tenant=None, **parameters):
        body = {"capability": capability, "reason": "test", "parameters": parameters}
        if tenant:
            body["tenant_id"] = tenant
        return cls.host.post(GRANTS, body, expect=201).json["grant_id"]

    def revoke_all(self, capability):
        for row in self.host.get(GRANTS.removesuffix("/grants"), expect=200).json["grants"]:
            for grant in row["granted"] if row["capability"] == capability else []:
                if grant["status"] == "active":
                    self.host.delete(f"{GRANTS}/{grant['grant_id']}", expect=204)

    def fill(self, slot="crm", value=CANARY + "stored", scheme="bearer", expect=200, **more):
        body = {"scheme": scheme, "value": value, "origins": [self.site.url], **more}
        return self.host.put(f"{SLOTS}/{slot}", body, expect=expect).json

    def call(self, tool, **arguments):
        """What the tool said."""
        self.mock.script([{"tool_calls": [{"name": tool, "arguments": arguments}]}, {"content": "done"}])
        answer = self.host.run(self.agent, "go")
        self.assertEqual("done", answer["answer"], answer)
        return [m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"][-1]

    def fetch(self, path="/x", site=None, **more):
        return self.call("fetch", url=(site or self.site).url + path, **more)


class Slots(AskerCase):
    def test_a_secret_of_the_settings_is_attached_and_never_handed_out(self):
        self.assertTrue(self.fetch(slots=["token"]).startswith("200"))
        self.assertEqual(f"Bearer {CANARY}settings", self.site.seen[-1][1]["Authorization"])
        self.assertEqual({"url": self.site.url, "token": "token"}, json.loads(self.call("settings")))
        before = len(self.other.seen)
        self.assertIn("for the places that its settings name", self.fetch(site=self.other, slots=["token"]))
        self.assertEqual(before, len(self.other.seen))

    def test_a_stored_secret_needs_its_grant_and_is_for_its_places(self):
        self.fill()
        self.assertRegex(self.fetch(slots=["crm"]), "(is not granted|no more has) capability secret.use")
        self.grant("secret.use", slots=["another"])
        self.assertIn("slot crm is not granted", self.fetch(slots=["crm"]))
        self.assertNotIn(CANARY + "stored", json.dumps(self.site.seen))
        self.grant("secret.use", slots=["crm"], purpose="to be known")
        self.assertTrue(self.fetch(slots=["crm"], headers={"Authorization": "Bearer own"}).startswith("200"))
        self.assertEqual(f"Bearer {CANARY}stored", self.site.seen[-1][1]["Authorization"])
        self.assertEqual({"scheme": "bearer", "origins": [self.site.url]}, json.loads(self.call("ask", capability="secret.use", params={"slot": "crm"})))
        before = len(self.other.seen)
        self.assertIn("for the places that an administrator named", self.fetch(site=self.other, slots=["crm"]))
        # the plugin follows a redirect by itself, and what it asks for then is another place
        self.assertIn(f"Location: {self.other.url}/echo", self.fetch("/away", slots=["crm"]))
        self.assertEqual(before, len(self.other.seen))

    def test_what_a_server_sends_back_is_stars(self):
        self.fill()
        self.grant("secret.use")
        said = self.fetch("/echo", slots=["crm", "token"])
        self.assertNotIn(CANARY, said)
        self.assertIn("X-Echo: Bearer ****", said)
        self.assertIn("Bearer ****", said.partition("\n{")[2])

    def test_schemes(self):
        self.grant("secret.use")
        self.fill("key", scheme="header", header="X-Key", prefix="K ")
        self.fill("user", scheme="basic", username="u")
        self.fetch(slots=["key", "user"])
        self.assertEqual(("K zq7canary-stored", "Basic dTp6cTdjYW5hcnktc3RvcmVk"), (self.site.seen[-1][1]["X-Key"], self.site.seen[-1][1]["Authorization"]))

    def fill_client(self, **more):
        self.site.asked.clear()
        self.site.status, self.site.more = 200, {}
        self.fill("api", scheme="oauth2", client_id="the client", token_url=self.site.url + "/token", scope="read write", **more)

    def test_client_credentials_are_exchanged_once_for_all(self):
        self.grant("secret.use")
        self.fill_client()
        self.fetch(slots=["api"], times=3)
        self.assertIn("\n\"ok\"", self.fetch(slots=["api"]))
        self.assertEqual([("Basic dGhlJTIwY2xpZW50OnpxN2NhbmFyeS1zdG9yZWQ=", "grant_type=client_credentials&scope=read%20write")], self.site.asked)
        self.assertEqual(f"Bearer {CANARY}token-1", self.site.seen[-1][1]["Authorization"])
        self.assertNotIn(CANARY, self.fetch("/echo", slots=["api"]))
        # one that the server does not take any more is fetched anew by the next call
        self.site.expired.add(f"Bearer {CANARY}token-1")
        self.assertTrue(self.fetch(slots=["api"]).startswith("401"))
        self.assertTrue(self.fetch(slots=["api"]).startswith("200"))
        self.assertEqual(2, len(self.site.asked))
        # another secret in the slot is another client
        self.site.expired.clear()
        self.fill("api", scheme="oauth2", value=CANARY + "other", client_id="c", client_auth="post", token_url=self.site.url + "/token")
        self.fetch(slots=["api"])
        self.assertEqual((None, f"grant_type=client_credentials&client_id=c&client_secret={CANARY}other"), self.site.asked[-1])

    def test_a_token_is_of_what_is_in_the_slot_now(self):
        self.grant("secret.use")

        def asked_by():
            self.assertTrue(self.fetch(slots=["api"]).startswith("200"))
            self.assertEqual(f"Bearer {CANARY}token-{len(self.site.asked)}", self.site.seen[-1][1]["Authorization"])
            return base64.b64decode(self.site.asked[-1][0].split()[1]).decode().partition(":")[2]

        self.fill_client()
        self.assertEqual(CANARY + "stored", asked_by())
        # a tenant's own is another client from its first use on; without it, that of all again
        self.fill("api", scheme="oauth2", value=CANARY + "own", client_id="c", token_url=self.site.url + "/token", tenant_id="default")
        self.assertEqual(CANARY + "own", asked_by())
        # emptied and filled with another
        self.host.delete(f"{SLOTS}/api?tenant_id=default", expect=204)
        self.fill("api", scheme="oauth2", value=CANARY + "next", client_id="c", token_url=self.site.url + "/token", tenant_id="default")
        self.assertEqual(CANARY + "next", asked_by())

    def test_a_token_that_ends_is_fetched_anew(self):
        self.grant("secret.use")
        self.fill_client()
        self.site.more = {"expires_in": 1}
        self.fetch(slots=["api"])
        time.sleep(1.1)
        self.fetch(slots=["api"])
        self.assertEqual(2, len(self.site.asked))

    def test_a_token_endpoint_that_gives_none_is_told(self):
        self.grant("secret.use")
        for status, more, said in ((400, {"error": "invalid_client", "error_description": CANARY + "stored"}, "answered 400: invalid_client"),
                                   (500, {"error": "<b>"}, "answered 500"), (200, {"token_type": "mac"}, "without a bearer token"),
                                   (200, {"access_token": "a b"}, "without a bearer token"), (200, {"access_token": 7}, "without a bearer token")):
            self.fill_client()
            self.site.status, self.site.more = status, more
            before = len(self.site.seen)
            answer = self.fetch(slots=["api"])
            self.assertIn(said, answer)
            self.assertNotIn(CANARY, answer)
            self.assertEqual(before, len(self.site.seen), "nothing is sent without a token")

    def test_requests_are_signed(self):
        self.grant("secret.use")
        self.fill("aws", scheme="aws-sigv4", access_key_id="AKIDEXAMPLE", region="us-east-1", service="s3", session_token="of a session")
        self.assertTrue(self.fetch("/a%20b?x=1", slots=["aws"], headers={"X-Amz-Meta-A": "1", "Authorization": "own"}).startswith("200"))
        headers = self.site.seen[-1][1]
        self.assertEqual("of a session", headers["x-amz-security-token"])
        self.assertEqual(wanted_signature(CANARY + "stored", headers, "/a%20b", "x=1", self.site.url[7:]), headers["Authorization"])

    def test_it_is_shown_without_itself_and_recorded_without_itself(self):
        shown = self.fill(purpose="to be known")
        self.assertEqual(("crm", None, "bearer", [self.site.url], "to be known"),
                         tuple(shown[k] for k in ("slot", "tenant_id", "scheme", "origins", "purpose")))
        self.assertEqual([shown], self.host.get(SLOTS, expect=200).json["items"])
        record = self.host.records(action="plugins.set_secret")
        self.assertTrue(record)
        self.assertNotIn(CANARY, json.dumps([shown, record]) + self.host.read_log())
        self.host.delete(f"{SLOTS}/crm", expect=204)
        self.assertIn("plugin asker has no secret in slot crm", self.host.delete(f"{SLOTS}/crm", expect=404).json["detail"])
        self.assertIn("--value FILE", self.host.ctl("plugins", "set-secret", "--help").stdout)
        self.grant("secret.use")
        self.assertIn("slot crm of plugin asker is empty", self.fetch(slots=["crm"]))

    def test_wrong_ones_are_refused_with_the_member(self):
        for wrong, pointer in (({"scheme": "basic"}, "/username"), ({"scheme": "header"}, "/header"), ({"scheme": "magic"}, "/scheme"), ({"value": "short"}, "/value"),
                               ({"value": "with a\nline break"}, "/value"), ({"origins": ["https://u:p@host"]}, "/origins/0"), ({"origins": []}, "/origins"),
                               ({"tenant_id": "nobody"}, "/tenant_id"), ({"scheme": "oauth2", "client_id": "c"}, "/token_url"),
                               ({"scheme": "oauth2", "client_id": "c", "token_url": "https://u:p@host/token"}, "/token_url"),
                               ({"scheme": "aws-sigv4", "access_key_id": "AKIDEXAMPLE", "region": "us-east-1"}, "/service"), ({"session_token": "a"}, "/session_token"), ({"colour": "red"}, "/colour"), ({"header": "X Y", "scheme": "header"}, "/header"),
                               *(({"header": name, "scheme": "header"}, "/header") for name in ("Host", "content-length", "Connection", "Transfer-Encoding", "TE"))):
            problem = self.host.put(f"{SLOTS}/crm", {"scheme": "bearer", "value": CANARY, "origins": [self.site.url], **wrong}, expect=400)
            self.assertIn(pointer, [fault["pointer"] for fault in problem.json["errors"]], problem.text)
            self.assertNotIn("line break", problem.text)
        self.host.put(f"{SLOTS}/a%2Fb", {"scheme": "bearer", "value": CANARY, "origins": [self.site.url]}, expect=400)
        self.host.put("/api/v1/admin/plugins/nobody/secrets/crm", {"scheme": "bearer", "value": CANARY, "origins": [self.site.url]}, expect=404)
        self.assertEqual([], self.host.get(SLOTS, expect=200).json["items"])

    def test_a_tenants_secret_is_for_its_calls_and_goes_with_it(self):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "elsewhere", "name": "E"}, expect=201)
        self.grant("secret.use")
        self.fill(tenant_id="elsewhere", value=CANARY + "elsewhere")
        self.assertIn("is empty", self.fetch(slots=["crm"]))
        self.fill(tenant_id="default", value=CANARY + "default")
        self.fill(value=CANARY + "all")
        self.fetch(slots=["crm"])
        self.assertEqual(f"Bearer {CANARY}default", self.site.seen[-1][1]["Authorization"])
        self.host.delete(f"{SLOTS}/crm?tenant_id=default", expect=204)
        self.fetch(slots=["crm"])
        self.assertEqual(f"Bearer {CANARY}all", self.site.seen[-1][1]["Authorization"])
        self.host.delete("/api/v1/admin/tenants/elsewhere", expect=204)
        self.assertEqual([None], [row["tenant_id"] for row in self.host.get(SLOTS, expect=200).json["items"]])

    def test_taken_back_is_taken_back_at_once(self):
        self.fill()
        grant_id = self.grant("secret.use", slots=["crm"])
        self.site.arrived.clear()
        said = []
        caller = threading.Thread(target=lambda: said.append(self.fetch("/slow", slots=["crm"])))
        caller.start()
        self.assertTrue(self.site.arrived.wait(30))
        began = time.monotonic()
        self.host.delete(f"{GRANTS}/{grant_id}", expect=204)
        caller.join(25)
        self.assertLess(time.monotonic() - began, 20, "it was waited for to its end")
        self.assertIn("capability secret.use of plugin asker was taken back while it was used", said[0])
        self.assertIn("no more has capability secret.use", self.fetch(slots=["crm"]))

    def test_reading_is_another_grant_that_warns(self):
        self.fill()
        self.grant("secret.use")
        self.assertRegex(self.call("ask", capability="secret.read", params={"slot": "crm"}), "(is not granted|no more has) capability secret.read")
        row = next(r for r in self.host.get(GRANTS.removesuffix("/grants"), expect=200).json["grants"] if r["capability"] == "secret.read")
        self.assertIn("the plugin holds the secret itself", row["risk"])
        self.assertTrue(row["offered"])
        self.grant("secret.read", slots=["crm"])
        self.assertEqual({"scheme": "bearer", "value": CANARY + "stored", "origins": [self.site.url]},
                         json.loads(self.call("ask", capability="secret.read", params={"slot": "crm"})))
        self.assertIn("slot token is not granted", self.call("ask", capability="secret.read", params={"slot": "token"}))
        self.revoke_all("secret.read")
        self.assertIn("no more has capability secret.read", self.call("ask", capability="secret.read", params={"slot": "crm"}))

    def test_it_is_kept_and_lies_nowhere_as_it_is(self):
        self.fill()
        self.host.stop()
        for folder_name, _, names in os.walk(self.host.state):
            for name in names:
                with open(os.path.join(folder_name, name), "rb") as file:
                    self.assertNotIn(CANARY.encode() + b"stored", file.read(), name)
        self.host.start()
        self.grant("secret.use")
        self.fetch(slots=["crm"])
        self.assertEqual(f"Bearer {CANARY}stored", self.site.seen[-1][1]["Authorization"])


class Rates(AskerCase):
    """How often a plugin may send requests is counted in the host."""

    more = "  ceiling: {max_per_minute: 50}"

    def setUp(self):
        super().setUp()
        self.revoke_all("net.http")

    def test_a_grants_rate_is_kept_and_says_when(self):
        self.grant("net.http", origins=[self.site.url], max_per_minute=3)
        self.assertTrue(self.fetch(times=3).startswith("200"))
        before = len(self.site.seen)
        said = self.fetch()
        self.assertIn("this plugin may make 3 requests in 60 s (max_per_minute of its grant); the next one in ", said)
        self.assertEqual(before, len(self.site.seen))
        # another grant adds to it
        self.grant("net.http", origins=[self.site.url], max_per_second=2)
        # two at once, and as many more as half seconds have gone by
        self.assertRegex(self.fetch(times=40), r"\d+ of them were answered: this plugin may make 2 requests in 1 s \(max_per_second of its grant\)")
        time.sleep(1.1)
        self.assertTrue(self.fetch(times=2).startswith("200"))

    def test_the_ceiling_is_above_all_grants(self):
        problem = self.host.post(GRANTS, {"capability": "net.http", "reason": "x", "parameters": {"max_per_minute": 51}}, expect=403)
        self.assertIn("plugins.ceiling.max_per_minute", problem.json["detail"])
        self.host.post(GRANTS, {"capability": "net.http", "reason": "x", "parameters": {"max_per_minute": 0}}, expect=400)
        self.host.post(GRANTS, {"capability": "secret.use", "reason": "x", "parameters": {"max_per_minute": 1}}, expect=400)
        self.grant("net.http", origins=[self.site.url])
        self.assertIn("this plugin may make 50 requests in 60 s (plugins.ceiling.max_per_minute)", self.fetch(times=300))


class SlotsInTheHost(Slots):
    """The same of a plugin in the host's own process: there it is no protection, and the same answers."""

    more = "  trusted: [asker]"


def read_all(file, length):
    """As much of it as can be read: a page that is mapped behind the end of its file cannot."""
    data, left = b"", length
    while left > 0:
        try:
            part = file.read(left)
        except OSError:
            file.seek(min(left, 4096), os.SEEK_CUR)
            left -= min(left, 4096)
            continue
        if not part:
            break
        data += part
        left -= len(part)
    return data


def scan(pid, words):
    """Where in a process the words are: its memory, its environment, what its descriptors lead to; and how many bytes that were."""
    places = []
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            begin, end = (int(x, 16) for x in line.split()[0].split("-"))
            # a sanitizer's shadow is of terabytes, and holds marks, not what the program keeps
            if "r" not in line.split()[1] or "[v" in line or end - begin >= 1 << 40:
                continue
            memory.seek(begin)
            places.append(("memory", read_all(memory, end - begin)))
    with open(f"/proc/{pid}/environ", "rb") as file:
        places.append(("environment", file.read()))
    for fd in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{fd}").startswith(("/memfd:", "/")):
            with open(f"/proc/{pid}/fd/{fd}", "rb") as file:
                places.append(("descriptor", read_all(file, 1 << 26)))
    return {(place, word) for place, data in places for word in words if word in data}, sum(len(data) for _, data in places)


class Canaries(AskerCase):
    """No process of a plugin ever holds a secret that the host uses for it. Reading another's memory takes root."""

    more = """
audit:
  sinks:
    - {{id: hook, plugin: sink-webhook, tenants: [default], settings: {{url: "URL/hook", secret: "zq7canary-hook", headers: {{X-More: "zq7canary-more"}}}}}}
    - {{id: hec, plugin: sink-splunk, tenants: [default], settings: {{url: "URL", token: "zq7canary-hec"}}}}
    - {{id: dog, plugin: sink-datadog, tenants: [default], settings: {{url: "URL", api_key: "zq7canary-dog"}}}}
    - {{id: bulk, plugin: sink-elastic, tenants: [default], settings: {{url: "URL", index: audit, username: u, password: "zq7canary-bulk"}}}}
""".replace("{{", "{").replace("}}", "}")

    def runners(self):
        rows = self.host.get("/api/v1/admin/plugins", expect=200).json["items"]
        return {row["plugin_id"]: row["pid"] for row in rows if row.get("pid")}

    def test_none_is_found_and_one_that_was_read_is(self):
        calls = size(300, 10000)
        words = [(CANARY + name).encode() for name in ("settings", "stored")] + [b"zq7canary-" + n for n in (b"hook", b"more", b"hec", b"dog", b"bulk")] + [b"dTp6cTdjYW5hcnktYnVsaw"]
        self.fill()
        self.grant("secret.use")
        for _ in range(0, calls, 100):
            self.assertTrue(self.fetch("/echo", slots=["crm", "token"], times=100).startswith("200"))
        self.assertEqual({f"Bearer {CANARY}settings"}, {h["Authorization"] for path, h in self.site.seen if path == "/echo"})
        self.assertLessEqual(calls, len(self.site.seen))
        runners = self.runners()
        sent = json.dumps([headers for path, headers in self.site.seen if path not in ("/x", "/echo")])
        for used in ("Splunk zq7canary-hec", "zq7canary-dog", "zq7canary-more", "Basic dTp6cTdjYW5hcnktYnVsaw==", "v1,"):
            self.assertIn(used, sent)
        self.assertLessEqual({"asker", "sink-webhook", "sink-splunk", "sink-datadog", "sink-elastic"}, set(runners))
        for name, pid in runners.items():
            found, searched = scan(pid, words)
            self.assertEqual(set(), found, name)
            self.assertGreater(searched, 1 << 20)
        # the control: the same search finds what a plugin holds
        self.grant("secret.read")
        self.call("ask", capability="secret.read", params={"slot": "crm"}, keep=True)
        self.assertIn(("memory", words[1]), scan(self.runners()["asker"], words)[0])


if __name__ == "__main__":
    main()
