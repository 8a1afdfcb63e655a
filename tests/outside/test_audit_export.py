# SPDX-License-Identifier: LGPL-2.1-or-later
"""Filters of the audit query, and exports: in every format, from every door, for whoever may read the ledger, verified offline."""

import contextlib
import csv
import io
import json
import os
import re
import socket
import subprocess
import tempfile
import unittest
import urllib.parse
import uuid

from reeve import CTL, Host, main

EXPORT = "/api/v1/admin/audit/export"


class AuditExport(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host().start()
        cls.agent = cls.host.agent()
        for _ in range(3):
            cls.host.get("/api/v1/admin/agents/" + cls.agent, expect=200)
        cls.auditor, cls.viewer = cls.host.user("auditor"), cls.host.user("viewer")
        cls.place = tempfile.TemporaryDirectory(prefix="reeve-export-")

    @classmethod
    def tearDownClass(cls):
        cls.host.close()
        cls.place.cleanup()

    def export(self, expect=200, key="admin", **query):
        """The body, as it came."""
        connection, response = self.host.request("GET", EXPORT + "?" + urllib.parse.urlencode(query), key=key)
        body = response.read()
        connection.close()
        self.assertEqual(expect, response.status, body)
        self.type = response.headers["Content-Type"]
        self.name = response.headers.get("Content-Disposition")
        return body.decode()

    def keep(self, text):
        path = os.path.join(self.place.name, "export.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def verify(self, path, expect=0):
        key = os.path.join(self.host.state, "keys", "ledger.pub")
        # no host, no state folder
        command = [CTL, "--json", "audit", "verify", "--export", path, "--public-key", key]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REEVE_")}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={**environment, "HOME": self.place.name})
        self.assertEqual(expect, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_filters(self):
        agent = self.host.agent()
        self.host.get("/api/v1/admin/agents/" + agent, expect=200)
        self.assertEqual(1, len(self.host.records(action="agents.get", resource=agent, kind="read")))
        self.assertEqual([], self.host.records(action="agents.get", kind="intent"))
        self.assertEqual([], self.host.records(tool_name="nothing"))
        self.assertEqual([], self.host.records(delegated_user_id="nobody"))
        found = self.host.records(kind="intent", resource=self.agent) + self.host.records(kind="refusal")
        self.assertNotIn("read", [record["kind"] for record in found])
        self.host.get("/api/v1/admin/audit?kind=anything", expect=400)

    def test_json(self):
        text = self.export()
        self.assertEqual(("application/json", 'attachment; filename="reeve-audit.json"'), (self.type, self.name))
        document = json.loads(text)
        numbers = [entry["record"]["seq"] for entry in document["entries"]]
        self.assertEqual(list(range(1, document["size"] + 1)), numbers)
        verdict = self.verify(self.keep(text))
        self.assertEqual((True, "default", document["size"]), (verdict["valid"], verdict["scope"], verdict["records"]))

    def test_names_of_other_schemas(self):
        """Every answer with records has them beside the ledger's own; the export has them by themselves."""
        self.host.run(self.agent, "What is 6 times 7?")
        entries = [entry for entry in json.loads(self.export())["entries"] if "event" in entry]
        events = {entry["record"]["seq"]: entry["event"] for entry in entries}
        shown = [record for record in self.host.records() if record["seq"] in events]
        self.assertIn("tool.call" if any(r["action"] == "tool.call" for r in shown) else "model.call", {r["action"] for r in shown})
        for record in shown:
            event = events[record["seq"]]
            self.assertEqual({name: value for name, value in event.items() if name != "outcome"}, {name: record[name] for name in event if name != "outcome"})
            self.assertEqual(8, uuid.UUID(record["event_id"]).version)
            self.assertEqual((record["event_id"], record["time"], record["scope"]), (record["entry_id"], record["timestamp"], record["org_id"]))
            self.assertEqual({"required": False, "approved_by": None, "policy": None}, record["approval"])
            self.assertEqual(record.get("run_id"), record.get("execution_id"))
            self.assertEqual(record.get("tool_name"), record["details"].get("tool"))
            self.assertEqual(record.get("input_digest") and "sha256:" + record["input_digest"], record["details"].get("input"))
            self.assertEqual(record.get("output_digest") and "sha256:" + record["output_digest"], record["details"].get("output_hash"))
            self.assertEqual({"succeeded": "success"}.get(record.get("outcome"), record.get("outcome")), event.get("outcome"))
        self.assertEqual({"allowed", "executed"}, {record["result"] for record in shown if record["kind"] in ("intent", "outcome")})
        spent = next(r for r in shown if (r["action"], r["kind"]) == ("model.call", "outcome"))
        self.assertEqual(spent["input_tokens"] + spent["output_tokens"], spent["tokens_used"])
        self.assertEqual(spent["latency_us"] // 1000, spent["latency_ms"])
        one = self.host.get(f"/api/v1/admin/audit/{spent['seq']}", expect=200).json
        self.assertEqual(spent["event_id"], one["event_id"])
        said = json.loads(self.host.ctl("--json", "audit", "query", "--action", "model.call", "--outcome", "success").stdout)["items"]
        self.assertIn(spent["event_id"], [record["event_id"] for record in said])
        # the id is that of the same record in a table, too
        rows = {row["seq"]: row["event_id"] for row in csv.DictReader(io.StringIO(self.export(format="csv")))}
        self.assertEqual(spent["event_id"], rows[str(spent["seq"])])

    def test_an_event_that_was_changed(self):
        text = self.export()
        event = json.loads(text)["entries"][2]["event"]
        changed = text.replace(event["event_id"], event["event_id"].replace(event["event_id"][0], "0" if event["event_id"][0] != "0" else "1", 1), 1)
        verdict = self.verify(self.keep(changed), expect=1)
        self.assertEqual((False, 3), (verdict["valid"], verdict["bad_seq"]))
        # of an older host: without
        old = re.sub(r',"event":\{.*\}(\}?,?)$', lambda m: "}" + m[1].lstrip("}"), text, flags=re.M).replace("reeve-ledger/2", "reeve-ledger/1", 1)
        self.assertNotIn("event_id", old)
        self.assertTrue(self.verify(self.keep(old))["valid"])
        self.assertFalse(self.verify(self.keep(old.replace("reeve-ledger/1", "reeve-ledger/2", 1)), expect=1)["valid"])

    def test_what_is_left_out_is_proven_too(self):
        text = self.export(action="agents.get", kind="read")
        entries = json.loads(text)["entries"]
        self.assertEqual({"agents.get"}, {entry["record"]["action"] for entry in entries if "record" in entry})
        self.assertTrue([entry for entry in entries if "skipped" in entry])
        self.assertEqual(len([e for e in entries if "record" in e]), self.verify(self.keep(text))["records"])

    def test_tampering_is_found(self):
        text = self.export()
        seq = next(e["record"]["seq"] for e in json.loads(text)["entries"] if e["record"]["action"] == "agents.get")
        for changed in (text.replace('"action":"agents.get"', '"action":"agents.set"', 1), text[:-40], text.replace('"size":', '"size":1')):
            self.assertNotEqual(text, changed)
            self.assertFalse(self.verify(self.keep(changed), expect=1)["valid"])
        verdict = self.verify(self.keep(text.replace('"action":"agents.get"', '"action":"agents.set"', 1)), expect=1)
        self.assertEqual(seq, verdict["bad_seq"])

    def test_other_formats(self):
        rows = list(csv.DictReader(io.StringIO(self.export(format="csv", resource=self.agent, action="agents.get"))))
        self.assertEqual("text/csv; charset=utf-8; header=present", self.type)
        self.assertEqual([self.agent], sorted({row["resource_id"] for row in rows}))
        for name, start in (("cef", "CEF:0|Reeve|"), ("leef", "LEEF:2.0|Reeve|")):
            lines = self.export(format=name, kind="read").splitlines()
            self.assertTrue(lines and all(line.startswith(start) for line in lines), lines[:2])
        events = [json.loads(line) for line in self.export(format="ocsf", action="agents.get").splitlines()]
        self.assertEqual({6003}, {event["class_uid"] for event in events})
        self.export(expect=400, format="pdf")

    def test_who_may(self):
        self.assertIn('"export":"reeve-ledger/2"', self.export(key=self.auditor))
        self.assertIn("audit:read", self.export(expect=403, key=self.viewer))
        self.export(expect=401, key=None)
        # what was exported is on record, and who did it
        self.assertTrue(self.host.records(action="audit.export", kind="read"))
        self.assertTrue(self.host.records(action="audit.export", kind="refusal"))

    def test_command_line(self):
        path = os.path.join(self.place.name, "cli.json")
        self.host.ctl("audit", "export", "-o", path)
        self.assertEqual(0o600, os.stat(path).st_mode & 0o777)
        self.assertTrue(self.verify(path)["valid"])
        self.assertIn("good  default", self.host.ctl("--human", "audit", "verify", "--export", path).stdout)
        self.assertTrue(self.host.ctl("audit", "export", "--format", "csv").stdout.startswith("event_id,timestamp,"))
        # a file that was there stays when there is nothing to replace it
        before = os.stat(path).st_size
        self.host.ctl("--token", self.viewer, "audit", "export", "--output", path, expect=3)
        self.assertEqual(before, os.stat(path).st_size)

    def test_long_and_slow(self):
        """Longer than everything between the ledger and a client may hold, read in drops at first."""
        for _ in range(700):
            self.host.get("/api/v1/admin/agents/" + self.agent, expect=200)
        connection, response = self.host.request("GET", EXPORT + "?format=ocsf")
        start = b"".join(response.read(1000) for _ in range(50))
        # others are served meanwhile
        self.host.get("/api/v1/me", expect=200)
        lines = (start + response.read()).decode().splitlines()
        connection.close()
        self.assertGreater(sum(len(line) for line in lines), 1024 * 1024)
        self.assertEqual(list(range(1, len(lines) + 1)), [json.loads(line)["metadata"]["sequence"] for line in lines])

    def test_a_client_that_goes(self):
        connection, response = self.host.request("GET", EXPORT + "?format=ocsf")
        response.read(10)
        response.close()
        connection.close()
        self.host.get("/api/v1/me", expect=200)


class Damage(unittest.TestCase):
    def test_an_export_that_breaks_off_ends(self):
        """The client sees the end, however it asked, and the host holds nothing of it."""
        with Host() as host:
            agent = host.agent()
            # more than a piece of it, so that something has gone out
            for _ in range(300):
                host.get("/api/v1/admin/agents/" + agent, expect=200)
            path = os.path.join(host.state, "ledger", "default", f"{1:020}.log")
            with open(path, "r+b") as file:
                file.seek(os.path.getsize(path) * 3 // 4)
                file.write(b"\xff" * 40)
            address = urllib.parse.urlsplit(host.url)
            for target in (EXPORT, "http://x" + EXPORT):
                with socket.create_connection((address.hostname, address.port), timeout=30) as sock:
                    sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nX-API-Key: {host.key}\r\n\r\n".encode())
                    data = b""
                    with contextlib.suppress(ConnectionResetError):
                        while more := sock.recv(65536):
                            data += more
                self.assertNotIn(b'"checkpoint"', data)
                self.assertIn(b'"entries"', data)
            self.assertIn("breaks off", host.read_log())
            # of this one nothing has gone out yet: there is an answer
            for name in ("json", "csv"):
                broken = host.get(f"{EXPORT}?action=nothing.at.all&format={name}", expect=500)
                self.assertEqual("application/problem+json", broken.headers["Content-Type"])
                self.assertIsNone(broken.headers.get("Content-Disposition"))
                self.assertEqual((500, EXPORT), (broken.json["status"], broken.json["instance"]))
            host.get("/api/v1/me", expect=200)
            # what waited for ever would hold up the end
            host.stop()


if __name__ == "__main__":
    main()
