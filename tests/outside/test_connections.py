# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which plugin talked to which host, when, for whom and how much: an intent before each connection of a call, and its outcome with the bytes."""

import hashlib
import json
import time

from probes import ProbeCase
from reeve import main
from test_net import NetCase
from test_plugin_tcp import TCP, Tcp, echo


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def of_place(records, action):
    return [r for r in records if r["action"] == action]


class Requests(NetCase):
    grants = True

    def connections(self):
        return of_place(self.host.records(), "net.http")

    def test_a_request_is_an_intent_and_an_outcome_below_the_call_of_its_tool(self):
        self.ask(self.site.url + "/echo", method="POST", body="twelve bytes")
        intent, outcome = self.connections()
        place = self.site.url.removeprefix("http://")
        [call] = [r for r in self.host.records() if r["action"] == "tool.call" and r["kind"] == "intent"]
        self.assertEqual(("intent", "tool-http", {"type": "place", "id": place}, call["seq"], call["run_id"], call["agent_id"], call["actor"]),
                         tuple(intent.get(n) for n in ("kind", "plugin_id", "resource", "parent", "run_id", "agent_id", "actor")))
        self.assertEqual(("outcome", "tool-http", {"type": "place", "id": place}, intent["seq"], "succeeded", 12),
                         tuple(outcome.get(n) for n in ("kind", "plugin_id", "resource", "intent", "outcome", "bytes_sent")))
        self.assertEqual(len(self.site.requests[0].body), 12)
        self.assertGreater(outcome["bytes_received"], 0)
        self.assertLess(intent["time"], outcome["time"])
        self.host.post("/api/v1/admin/audit/verify", expect=200)

    def test_what_was_asked_and_what_came(self):
        self.site.script([{"status": 200, "body": "eleven words"}])
        self.ask(self.site.url + "/start?a=b", method="POST", body="twelve bytes")
        intent, outcome = self.connections()
        asked = {"place": self.site.url.removeprefix("http://"), "method": "POST", "target": "/start?a=b"}
        self.assertEqual([digest(json.dumps(asked, sort_keys=True, separators=(",", ":")) + "twelve bytes"), digest("eleven words")],
                         [intent.get("input_digest"), outcome.get("output_digest")])

    def test_one_that_cannot_be_made_has_failed(self):
        self.site.stop()
        self.ask(self.site.url + "/echo")
        _intent, outcome = self.connections()
        self.assertEqual(("failed", "unavailable", None, digest('{"code":"unavailable"}')),
                         tuple(outcome.get(n) for n in ("outcome", "reason", "bytes_received", "output_digest")))

    def test_what_is_refused_before_is_no_connection(self):
        self.ask("http://10.0.0.1/")
        self.assertEqual([], self.connections())

    def test_a_place_that_nobody_wrote_has_a_pseudonym_until_it_answers(self):
        """The address is of a range that was given to nobody."""
        told = self.ask("http://[2d00:6eed::1]:9/")
        found = self.connections()
        self.assertEqual(["intent", "outcome"], [r["kind"] for r in found], told)
        for one in found:
            self.assertRegex(one["resource"]["id"], "^told_[0-9a-f]{16}")
        # nor does a digest confirm it
        asked = {"place": found[0]["resource"]["id"], "method": "GET", "target": "/"}
        self.assertEqual(digest(json.dumps(asked, sort_keys=True, separators=(",", ":"))), found[0].get("input_digest"))
        self.assertNotIn("2d00:6eed", json.dumps(self.host.records()))

    def test_it_is_found_and_exported(self):
        self.ask(self.site.url + "/echo")
        place = self.site.url.removeprefix("http://")
        shown = json.loads(self.host.ctl("--json", "audit", "query", "--action", "net.http", "--resource", place).stdout)["items"]
        self.assertEqual(2, len(shown))
        sizes = str(shown[0]["bytes_received"])
        for form, pattern in (("csv", "bytes_received"), ("cef", f" in={sizes}"), ("leef", f"dstBytes={sizes}"),
                              ("ocsf", f'"bytes_received":{sizes}')):
            text = self.host.get(f"/api/v1/admin/audit/export?format={form}&action=net.http", expect=200).text
            self.assertIn(pattern, text, form)


class Sockets(ProbeCase):
    how = Tcp.how
    setUp, tearDown, serve, to, allow = Tcp.setUp, Tcp.tearDown, Tcp.serve, Tcp.to, Tcp.allow

    def test_bytes_of_both_directions(self):
        server = self.serve(echo)
        self.allow(server)
        key, _agent = self.tenants["left"]
        before = len(self.records(key))
        self.ask(self.to(server, "send:0123456789", "read:10"))
        end = time.monotonic() + 20
        while len(found := self.records(key)[before:]) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        intent, outcome = found
        self.assertEqual((server.place, "probe-one", intent["seq"], "succeeded", 10, 10),
                         (outcome["resource"]["id"], outcome["plugin_id"], outcome["intent"], outcome["outcome"], outcome["bytes_sent"],
                          outcome["bytes_received"]))
        self.assertIn("parent", intent)
        self.assertEqual([digest(json.dumps({"place": server.place}, separators=(",", ":"))), digest("0123456789")],
                         [intent.get("input_digest"), outcome.get("output_digest")])

    def test_one_that_nobody_takes(self):
        server = self.serve(echo)
        self.allow(server)
        server.close_door()
        key, _agent = self.tenants["left"]
        before = len(self.records(key))
        self.ask(self.to(server))
        self.assertEqual([("intent", None, None), ("outcome", "failed", digest('{"code":"unavailable"}'))],
                         [(r["kind"], r.get("outcome"), r.get("output_digest")) for r in self.records(key)[before:]])

    def records(self, key):
        return of_place(self.host.get("/api/v1/admin/audit?limit=500&action=" + TCP, key=key, expect=200).json["items"][::-1], TCP)


class Libraries(Sockets):
    """One that connects by itself has the same records."""

    how = {"by": "library"}


# what they are made of is tested where it is written
del NetCase, Tcp


if __name__ == "__main__":
    main()
