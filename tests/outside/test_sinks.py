# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sinks of the ledger against servers that answer as the real ones do, and fail as they do: refuse, stall, break off, take a part. Nothing is
lost, what comes twice has the same id, a killed host goes on where it was."""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import socket
import struct
import threading
import time
import unittest

from reeve import Host, main

CHANNEL = "0b7f9ac2-6a5e-4d8f-9c1a-4b1f7a9d2e55"
CONFIG = """
audit:
  sinks:
    - {{id: hook, plugin: sink-webhook, tenants: [default], settings: {{url: "{url}/hook", secret: "whsec_c2VjcmV0", timeout_seconds: 2}}}}
    - {{id: hec, plugin: sink-splunk, tenants: [default], format: cef, settings: {{url: "{url}", token: "t-1", channel: "{channel}", index: main}}}}
    - {{id: dog, plugin: sink-datadog, tenants: [default], format: ocsf, settings: {{url: "{url}", api_key: "d-1", tags: "stage:test"}}}}
    - {{id: bulk, plugin: sink-elastic, tenants: [default], settings: {{url: "{url}", index: audit, api_key: "e-1"}}, skip_refused_after: 2}}
    - {{id: blocked, plugin: sink-webhook, settings: {{url: "{url}/blocked"}}, filter: {{outcome: blocked}}}}
"""


class Servers(http.server.ThreadingHTTPServer):
    """All of them, told apart by path; `faults[kind]` are used up one after the other."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.changed = threading.Condition()
        self.got, self.faults, self.acks, self.wrong, self.poison, self.down = {}, {}, {}, [], None, set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Breaking off is what some of it is about."""

    def take(self, kind, records):
        with self.changed:
            self.got.setdefault(kind, []).extend(records)
            self.changed.notify_all()

    def wait(self, what):
        end = time.monotonic() + 60
        with self.changed:
            while not what():
                if time.monotonic() > end:
                    raise AssertionError({kind: len(ids) for kind, ids in self.got.items()})
                self.changed.wait(0.2)

    def ids(self, kind):
        return [record[0] for record in self.got.get(kind, [])]

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, value=None):
        body = json.dumps(value).encode() if value is not None else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = {"/hook": "hook", "/blocked": "blocked", "/services/collector/event": "hec", "/services/collector/ack": "ack", "/api/v2/logs": "dog",
                "/audit/_bulk": "bulk"}[self.path]
        faults = self.server.faults.get(kind, [])
        fault = faults.pop(0) if faults else 503 if kind in self.server.down else None
        if isinstance(fault, int):
            self.answer(fault, {"error": "no"})
        elif fault == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"half")
            self.wfile.flush()
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif fault == "stall":
            time.sleep(3)
            self.close_connection = True
        else:
            getattr(self, kind)(body, fault)

    def hook(self, body, _fault):
        said = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
        wanted = "v1," + base64.b64encode(hmac.new(b"secret", said, hashlib.sha256).digest()).decode()
        if self.headers["webhook-signature"] != wanted:
            self.server.wrong.append("signature")
        self.server.take("hook", [(r["id"], r["record"]) for r in json.loads(body)["records"]])
        self.answer(204)

    def blocked(self, body, _fault):
        self.server.take("blocked", [(r["id"], r["record"]) for r in json.loads(body)["records"]])
        self.answer(200)

    def hec(self, body, _fault):
        if (self.headers["Authorization"], self.headers["X-Splunk-Request-Channel"]) != ("Splunk t-1", CHANNEL):
            self.server.wrong.append("splunk")
        decoder, text, events = json.JSONDecoder(), body.decode(), []
        while text:
            event, end = decoder.raw_decode(text)
            events.append(event)
            text = text[end:]
        number = len(self.server.acks)
        self.server.acks[number] = (time.monotonic() + 0.2, [(e["fields"]["reeve_id"], e["event"]) for e in events])
        self.answer(200, {"text": "Success", "code": 0, "ackId": number})

    def ack(self, body, _fault):
        """The indexer has it a little later, and only then it is there."""
        acks = {}
        for number in json.loads(body)["acks"]:
            due, records = self.server.acks[number]
            acks[str(number)] = time.monotonic() >= due
            if acks[str(number)]:
                self.server.take("hec", records)
        self.answer(200, {"acks": acks})

    def dog(self, body, _fault):
        if self.headers["DD-API-KEY"] != "d-1":
            self.server.wrong.append("datadog")
        self.server.take("dog", [(r["reeve_id"], r["message"]) for r in json.loads(body)])
        self.answer(202, {})

    def bulk(self, body, fault):
        if self.headers["Authorization"] != "ApiKey e-1":
            self.server.wrong.append("elastic")
        lines, items, taken = [json.loads(line) for line in body.decode().splitlines()], [], []
        known = set(self.server.ids("bulk"))
        for number, (create, document) in enumerate(zip(lines[::2], lines[1::2])):
            name, status = create["create"]["_id"], 201
            if name == self.server.poison:
                status = 400
            elif fault == "part" and number == 1:
                status = 429
            elif name in known:
                status = 409
            else:
                taken.append((name, document["record"]))
            items.append({"create": {"_id": name, "status": status, **({"error": {"reason": "mapper"}} if status >= 400 else {})}})
        self.server.take("bulk", taken)
        self.answer(200, {"errors": any(i["create"]["status"] >= 400 for i in items), "items": items})


class Sinks(unittest.TestCase):
    def setUp(self):
        self.servers = Servers()
        self.addCleanup(self.servers.close)
        self.host = Host(config=CONFIG.format(url=self.servers.url, channel=CHANNEL))
        self.addCleanup(self.host.close)

    def states(self):
        return {sink["id"]: sink for sink in self.host.get("/api/v1/admin/audit/sinks", expect=200).json["items"]}

    def settled(self, kinds, skipped=()):
        """Every record up to now is there, in the order of the log but for repetitions; returns its number."""
        size = self.host.get("/api/v1/admin/audit/checkpoint", expect=200).json["size"]
        wanted = [f"default/{seq}" for seq in range(1, size + 1) if f"default/{seq}" not in skipped]
        for kind in kinds:
            self.servers.wait(lambda: set(wanted) <= set(self.servers.ids(kind)))
            first = list(dict.fromkeys(self.servers.ids(kind)))
            if kind == "bulk":  # takes what it can of a batch, and each record once
                self.assertEqual(first, self.servers.ids(kind))
                first.sort(key=lambda name: int(name.split("/")[1]))
            self.assertEqual(wanted, first[:len(wanted)], kind)
        self.assertEqual([], self.servers.wrong)
        return size

    def test_all_arrive(self):
        self.host.start()
        for _ in range(20):
            self.host.get("/api/v1/me", expect=200)
        self.settled(("hook", "hec", "dog", "bulk"))
        for kind in ("hook", "hec", "dog"):  # where nothing failed, nothing comes twice
            self.assertEqual(len(self.servers.ids(kind)), len(set(self.servers.ids(kind))), kind)
        record = next(r for _id, r in self.servers.got["hook"] if r["action"] == "me.get")
        self.assertEqual(record, next(r for _id, r in self.servers.got["bulk"] if r["seq"] == record["seq"]))
        self.assertTrue(all(text.startswith("CEF:0|Reeve|") for _id, text in self.servers.got["hec"]))
        self.assertEqual({6003}, {event["class_uid"] for _id, event in self.servers.got["dog"]})
        # one right for the life of a sink, not a record for each batch
        intents = self.host.records(action="audit.deliver")
        self.assertEqual(sorted(r["resource"]["id"] for r in intents if r["kind"] == "intent"), sorted(set(r["resource"]["id"] for r in intents)))
        # where each sends to, once an hour, and not for each batch; the record itself is sent too, and makes no other
        place = self.servers.url.partition("://")[2]
        self.servers.wait(lambda: len(self.host.records(action="net.http", kind="outcome")) >= 5)
        connections = self.host.records(action="net.http")
        self.assertEqual({"intent": 5, "outcome": 5}, dict(collections.Counter(r["kind"] for r in connections)))
        self.assertEqual({("place", place)}, {(r["resource"]["type"], r["resource"]["id"]) for r in connections})
        self.assertEqual({"sink-webhook", "sink-splunk", "sink-datadog", "sink-elastic"}, {r["plugin_id"] for r in connections})
        self.assertEqual({"system"}, {r["actor"]["type"] for r in connections})
        self.assertTrue(all(r["outcome"] == "succeeded" and r["bytes_sent"] > 0 for r in connections if r["kind"] == "outcome"))
        # what is refused arrives where only that is wanted
        self.host.get("/api/v1/me", key="rv_nobody", expect=401)
        viewer = self.host.user("viewer")
        self.host.get("/api/v1/admin/audit", key=viewer, expect=403)
        self.servers.wait(lambda: any(r["action"] == "audit.list" for _id, r in self.servers.got.get("blocked", [])))
        self.assertEqual({"blocked"}, {r["outcome"] for _id, r in self.servers.got["blocked"]})
        self.host.get("/api/v1/admin/audit/sinks", key=viewer, expect=403)
        self.assertEqual(10, len(self.host.records(action="net.http")))

    def test_faults(self):
        self.servers.faults = {"hook": [503, "cut", "stall", 429, 500], "hec": [503, "cut"], "ack": [500], "dog": [429, "cut"], "bulk": [503, "part", "cut"]}
        self.host.start()
        began = time.monotonic()
        for _ in range(10):
            self.host.get("/api/v1/me", expect=200)
        self.assertLess(time.monotonic() - began, 30)  # nobody waits for a sink
        self.settled(("hook", "hec", "dog", "bulk"))
        self.assertEqual({kind: [] for kind in self.servers.faults}, self.servers.faults)
        self.servers.wait(lambda: self.states()["hook"]["failures"] == 0)
        self.assertIn("last_error", self.states()["hook"])
        self.servers.wait(lambda: [r for r in self.host.records(action="audit.sink_resumed") if r["resource"]["id"] == "hook/default"])
        self.assertTrue([r for r in self.host.records(action="audit.sink_failing") if r["resource"]["id"] == "hook/default"])

    def test_a_killed_host_goes_on(self):
        self.host.start()
        self.settled(("hook", "bulk"))
        self.servers.faults = {kind: [503] * 3 for kind in ("hook", "bulk")}
        for _ in range(5):
            self.host.get("/api/v1/me", expect=200)
        self.host.kill()
        before = set(self.servers.ids("hook"))
        self.servers.faults = {}
        self.host.start()
        self.settled(("hook", "bulk"))
        self.assertTrue(before < set(self.servers.ids("hook")))
        self.host.ctl("audit", "verify")
        self.host.stop()

    def test_one_that_fails_is_seen(self):
        """By health, which stays what it is, by doctor and by who asks; and the same when it is over."""
        doctor = lambda: next(i for i in self.host.get("/api/v1/admin/doctor", expect=200).json["items"] if i["id"] == "audit.sinks")  # noqa: E731
        self.servers.down.add("hook")
        self.host.start()
        self.servers.wait(lambda: self.host.get("/health", expect=200).json["sinks"] == "failing")
        ready = self.host.get("/health/ready", expect=200).json
        self.assertEqual(("healthy", "failing"), (ready["status"], ready["sinks"]))
        state, found = self.states()["hook"], doctor()
        self.assertEqual(("failing", True), (state["state"], state["next_try_seconds"] >= 0))
        self.assertIn("the server answered 503", state["last_error"])
        self.assertEqual("fail", found["state"])
        self.assertIn("hook, log of default: lacks", found["detail"])
        self.host.ctl("doctor", expect=1)
        self.servers.down.clear()
        self.settled(("hook",))
        self.servers.wait(lambda: self.host.get("/health", expect=200).json["sinks"] == "delivering")
        self.servers.wait(lambda: doctor()["state"] == "ok")
        self.assertNotIn("next_try_seconds", self.states()["hook"])

    def test_a_record_that_is_refused(self):
        """Only where it is configured it is left out, and that is on record."""
        self.servers.poison = "default/3"
        self.host.start()
        self.settled(("bulk",), skipped=("default/3",))
        self.servers.wait(lambda: self.states()["bulk"]["skipped"] == 1)
        self.assertTrue(self.host.records(action="audit.sink_skipped"))
        with open(f"{self.host.state}/sinks/bulk/default.skipped", encoding="utf-8") as file:
            self.assertEqual("default/3", json.loads(file.read())["id"])

    def test_settings_that_do_not_fit(self):
        for row, word in (("{id: a, plugin: sink-webhook, settings: {}}", "audit.sinks[0].settings"), ("{id: a, plugin: nothing}", "audit.sinks[0].plugin")):
            host = Host(config=f"audit: {{sinks: [{row}]}}")
            try:
                with self.assertRaises(AssertionError) as caught:
                    host.start()
                self.assertIn(word, str(caught.exception))
            finally:
                host.forget()
                host.folder.cleanup()


if __name__ == "__main__":
    main()
