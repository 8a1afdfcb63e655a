# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exports of nasty records, read back by parsers that share nothing with what wrote them."""

import csv
import datetime
import hashlib
import json
import os
import re
import struct
import subprocess
import tempfile
import unittest
import uuid

PROGRAM = os.environ["REEVE_EXPORT_WRITER"]


def flatten(record):
    """A record as CSV, CEF and LEEF write it: flat, and as strings."""
    flat = {"name": f"{record['scope']}/{record['seq']}"}
    for name, value in record.items():
        if isinstance(value, dict):
            flat.update({f"{name}_{inner}": text for inner, text in value.items()})
        elif value:
            flat[name.removesuffix("_wide")] = str(value)
    flat["milliseconds"] = str(int(flat.pop("time")) // 1000)
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    flat["leaf_hash"] = hashlib.sha256(b"\0" + struct.pack(">I", len(text)) + text).hexdigest()
    return flat


def event_id(flat):
    """RFC 9562, version 8: the hash, with version and variant in their places."""
    number = int(flat["leaf_hash"][:32], 16) & ~(0xF << 76) & ~(0x3 << 62) | (0x8 << 76) | (0x2 << 62)
    return str(uuid.UUID(int=number))


OUTCOMES = {"succeeded": "success", "failed": "failure", "blocked": "blocked", "unknown": "unknown"}
RESULTS = {"intent": "allowed", "refusal": "denied", "read": "executed"}


def expect_event(record, flat):
    """The names of common audit schemas, made from the record a second time."""
    same = {name: record[name] for name in ("action", "agent_id", "delegated_user_id", "reason", "tool_name") if name in record}
    digests = {name: "sha256:" + record[digest] for name, digest in (("input", "input_digest"), ("output_hash", "output_digest")) if digest in record}
    milliseconds = int(flat["milliseconds"])
    time = datetime.datetime.fromtimestamp(milliseconds // 1000, datetime.timezone.utc).strftime(f"%Y-%m-%dT%H:%M:%S.{milliseconds % 1000:03}Z")
    event = {**same, "event_id": event_id(flat), "entry_id": event_id(flat), "timestamp": time, "org_id": record["scope"],
             "approval": {"approved_by": None, "policy": None, "required": False},
             "details": {**digests, **({"tool": record["tool_name"]} if "tool_name" in record else {})}}
    if "input" in digests:
        event["parameters"] = digests["input"]
    if "run_id" in record:
        event["execution_id"] = record["run_id"]
    if "outcome" in record:
        event["outcome"] = OUTCOMES[record["outcome"]]
    event["result"] = RESULTS.get(record["kind"], "executed")
    if record["kind"] == "outcome":
        event["latency_ms"] = record.get("latency_us", 0) // 1000
        event["tokens_used"] = record.get("input_tokens", 0) + record.get("output_tokens", 0)
    if "actor" in record:
        event["actor"] = {**record["actor"], **({"ip": "sha256:" + record["address"]} if "address" in record else {})}
    if "resource" in record or "workspace_id" in record:
        event["resource"] = {**record.get("resource", {}), **({"workspace": record["workspace_id"]} if "workspace_id" in record else {})}
    return event


def unescape(text, escapes):
    out, rest = [], iter(text)
    for char in rest:
        out.append(escapes[next(rest)] if char == "\\" else char)
    return "".join(out)


def read_cef(line):
    head = re.match(r"CEF:0((?:\|(?:[^|\\\n]|\\[|\\])*){6})\|", line)
    fields = [unescape(field, {"|": "|", "\\": "\\"}) for field in re.findall(r"\|((?:[^|\\]|\\.)*)", head.group(1))]
    rest, found = line[head.end():], {}
    # a key stands behind a space, and no value holds an equals sign that is not escaped
    places = list(re.finditer(r"(?:^| )([A-Za-z0-9]+)(?<!\\)=", rest))
    for place, following in zip(places, places[1:] + [None]):
        value = rest[place.end():following.start() if following else len(rest)]
        found[place.group(1)] = unescape(value, {"=": "=", "\\": "\\", "n": "\n", "r": "\r"})
    return fields, found


def read_leef(line):
    head = line.split("|", 6)
    assert head[0] == "LEEF:2.0" and head[5] == "x09", head
    pairs = [pair.split("=", 1) for pair in head[6].split("\t")]
    return head, {key: unescape(value, {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}) for key, value in pairs}


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="reeve-formats-")
        subprocess.run([PROGRAM, cls.folder.name], check=True, timeout=60)
        document = json.loads(cls.read("json"))
        cls.records = [entry["record"] for entry in document["entries"]]
        cls.events = [entry["event"] for entry in document["entries"]]
        cls.flat = [flatten(record) for record in cls.records]

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def read(cls, name):
        with open(os.path.join(cls.folder.name, name), encoding="utf-8", newline="") as file:
            return file.read()

    def lines(self, name):
        """Lines end with LF only: nothing within ends one."""
        text = self.read(name)
        self.assertTrue(text.endswith("\n"))
        self.assertNotIn("\r", text)
        return text[:-1].split("\n")

    def test_json(self):
        self.assertEqual([r["seq"] for r in self.records], list(range(1, len(self.records) + 1)))
        self.assertIn("a\nb\r\nc", [r["actor"]["id"] for r in self.records])

    def test_events(self):
        self.assertEqual([expect_event(record, flat) for record, flat in zip(self.records, self.flat)], self.events)
        self.assertEqual(len(self.events), len({event["event_id"] for event in self.events}))

    def test_csv(self):
        text = self.read("csv")
        rows = list(csv.DictReader(text.splitlines(keepends=True), strict=True))
        self.assertEqual(len(self.flat), len(rows))
        for row, flat in zip(rows, self.flat):
            found = {name: value[1:] if value.startswith("'") else value for name, value in row.items() if value}
            self.assertRegex(found.pop("timestamp"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertEqual(found.pop("event_id"), event_id(flat))
            self.assertEqual({k: v for k, v in flat.items() if k not in ("milliseconds", "name")}, found)
            for value in row.values():
                self.assertNotRegex(value, r"\A[\t\r\n]|\A[\s\u200b\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")

    def test_cef(self):
        keys = {"name": "externalId", "milliseconds": "rt", "scope": "deviceExternalId", "seq": "reeveSeq", "kind": "cat", "action": "act",
                "outcome": "outcome", "reason": "reason", "actor_id": "suid", "actor_type": "reeveActorType", "agent_id": "reeveAgentId",
                "delegated_user_id": "reeveDelegatedUserId", "run_id": "reeveRunId", "resource_type": "reeveResourceType",
                "resource_id": "reeveResourceId", "tool_name": "reeveToolName", "model": "reeveModel", "input_digest": "reeveInputDigest",
                "input_tokens": "reeveInputTokens", "output_tokens": "reeveOutputTokens", "door": "app", "trace_id": "reeveTraceId",
                "epoch": "reeveEpoch", "leaf_hash": "reeveLeafHash", "workspace_id": "reeveWorkspaceId", "estimated": "reeveEstimated",
                "cost": "reeveCost", "currency": "reeveCurrency", "reserved_tokens": "reeveReservedTokens", "reserved_cost": "reeveReservedCost"}
        lines = self.lines("cef")
        self.assertEqual(len(self.flat), len(lines))
        for line, flat in zip(lines, self.flat):
            head, found = read_cef(line)
            self.assertEqual(["Reeve", "Reeve", flat["action"]], [head[0], head[1], head[3]])
            self.assertIn(int(head[5]), range(11))
            self.assertEqual({keys[name]: value for name, value in flat.items()}, found)

    def test_leef(self):
        keys = {"name": "eventId", "milliseconds": "devTime", "scope": "scope", "seq": "seq", "kind": "cat", "action": "action",
                "outcome": "outcome", "reason": "reason", "actor_id": "usrName", "actor_type": "actorType", "agent_id": "agentId",
                "delegated_user_id": "delegatedUserId", "run_id": "runId", "resource_type": "resourceType", "resource_id": "resource",
                "tool_name": "toolName", "model": "model", "input_digest": "inputDigest", "input_tokens": "inputTokens",
                "output_tokens": "outputTokens", "door": "door", "trace_id": "traceId", "epoch": "epoch", "leaf_hash": "leafHash",
                "workspace_id": "workspaceId", "estimated": "estimated", "cost": "cost", "currency": "currency",
                "reserved_tokens": "reservedTokens", "reserved_cost": "reservedCost"}
        lines = self.lines("leef")
        self.assertEqual(len(self.flat), len(lines))
        for line, flat in zip(lines, self.flat):
            head, found = read_leef(line)
            self.assertEqual(flat["action"], head[4])
            self.assertIn(int(found.pop("sev")), range(1, 11))
            self.assertEqual({keys[name]: value for name, value in flat.items()}, found)

    def test_ocsf(self):
        """What the schema of OCSF 1.9.0 requires of API Activity and the profiles that are named."""
        lines = self.lines("ocsf")
        self.assertEqual(len(self.flat), len(lines))
        for line, record, flat in zip(lines, self.records, self.flat):
            event = json.loads(line)
            self.assertEqual((6, 6003, 6003 * 100 + event["activity_id"]), (event["category_uid"], event["class_uid"], event["type_uid"]))
            self.assertEqual(record["time"] // 1000, event["time"])
            self.assertIn(event["severity_id"], range(7))
            self.assertEqual({"ai_operation", "record_integrity", "trace"}, set(event["metadata"]["profiles"]))
            self.assertEqual(("1.9.0", "Reeve"), (event["metadata"]["version"], event["metadata"]["product"]["vendor_name"]))
            self.assertEqual(flat["name"], event["metadata"]["uid"])
            self.assertEqual(record["action"], event["api"]["operation"])
            self.assertTrue({"user", "app_name"} & set(event["actor"]))
            self.assertTrue(event["src_endpoint"]["name"])
            self.assertEqual(1, event["status_id"])
            self.assertEqual(record, json.loads(event["raw_data"]))
            self.assertEqual({"algorithm_id": 3, "algorithm": "SHA-256", "value": flat["leaf_hash"]}, event["attestation"]["fingerprint"])
            if "agent_id" in record:
                self.assertEqual((record["agent_id"], record["run_id"]), (event["ai_agent"]["uid"], event["ai_agent"]["instance_uid"]))
            for name in ("workspace_id", "estimated", "cost", "cost_wide", "currency", "reserved_tokens", "reserved_cost"):
                self.assertEqual(record.get(name), event["unmapped"].get(name), name)
            if "model" in record:
                self.assertEqual(("local", "gpt-4o-mini"), (event["ai_model"]["ai_provider"], event["ai_model"]["model_name"]))
                self.assertEqual(30, event["message_context"]["total_tokens"])


if __name__ == "__main__":
    unittest.main()
