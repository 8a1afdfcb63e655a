#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Capabilities identity.read, metrics and audit.emit: a plugin learns who makes this call, and tells of itself; the host stamps what it tells."""

import hashlib
import json
import re

from probes import ProbeCase
from reeve import main

ID, METRICS, EMIT = "identity.read", "metrics", "audit.emit"


def shown(host, name):
    """{(plugin, measure, detail): value} of a family."""
    text = host.get("/metrics").text
    found = re.findall(rf'^{name}{{([^}}]*)}} (\S+)$', text, re.M)
    return {tuple(dict(re.findall(r'(\w+)="([^"]*)"', labels)).get(k, "") for k in ("plugin", "measure", "detail")): float(value) for labels, value in found}


class Telling(ProbeCase):
    def setUp(self):
        self.revoke_all(ID)
        self.grant(ID)

    def me(self, tenant="left"):
        return self.host.get("/api/v1/me", key=self.tenants[tenant][0], expect=200).json

    # ---- identity.read ----

    def test_who_makes_this_call(self):
        for tenant in self.tenants:
            me = self.me(tenant)
            claims = self.one(ID, {}, tenant=tenant)["claims"]
            self.assertEqual({"tenant_id", "user_id", "agent_id", "run_id", "roles", "workspaces", "username"}, set(claims))
            self.assertEqual((tenant, me["user_id"], ["admin"], self.tenants[tenant][1]),
                             tuple(claims[k] for k in ("tenant_id", "user_id", "roles", "agent_id")))
            self.assertRegex(claims["username"], "^admin-")
            self.assertRegex(claims["run_id"], "^run_")

    def test_only_what_is_granted(self):
        self.refused(ID, {"claims": ["email"]}, "permission_denied: claim email is not granted .*--param claims=email")
        self.refused(ID, {"claims": ["username", "attributes.level"]}, "permission_denied: claim attributes.level")
        key = self.tenants["left"][0]
        user = self.me()["user_id"]
        self.host.call("PATCH", f"/api/v1/admin/users/{user}", {"email": "a@b.example", "attributes": {"level": 3, "unit": "x"}}, key=key, expect=200)
        self.grant_only(ID, claims=["email", "attributes.level"])
        self.assertEqual({"email": "a@b.example", "attributes.level": 3}, self.one(ID, {})["claims"])
        self.refused(ID, {"claims": ["username"]}, "permission_denied")
        self.refused(ID, {"claims": ["attributes.unit"]}, "permission_denied")
        # a second grant adds to the first, in its tenant
        self.grant(ID, tenant_id="left", parameters={"claims": ["attributes.*"]})
        self.assertEqual({"attributes.unit": "x", "email": "a@b.example", "attributes.none": None},
                         self.one(ID, {"claims": ["attributes.unit", "email", "attributes.none"]})["claims"])
        self.refused(ID, {"claims": ["attributes.unit"]}, "permission_denied", tenant="right")

    def test_questions_that_are_none(self):
        for claims in ("username", ["password"], [1], ["attributes."], ["username"] * 65, {}):
            self.refused(ID, {"claims": claims}, "invalid_argument: .*claims are at most 64")
        # whose claims they are nobody can say
        self.assertEqual(self.me()["user_id"], self.one(ID, {"user_id": self.me("right")["user_id"], "tenant_id": "right"})["claims"]["user_id"])

    # ---- metrics ----

    def test_what_is_counted_is_shown_with_the_plugins_id(self):
        self.ask((METRICS, {"name": "seen"}), (METRICS, {"name": "seen", "value": 2.5}), (METRICS, {"name": "seen", "label": "a/b"}),
                 (METRICS, {"name": "depth", "kind": "gauge", "value": -7}), (METRICS, {"name": "seen", "plugin": "probe-two"}))
        self.one(METRICS, {"name": "seen"}, plugin="probe-two")
        counts = shown(self.host, "reeve_plugin_count_total")
        self.assertEqual((4.5, 1.0, 1.0), (counts["probe-one", "seen", ""], counts["probe-one", "seen", "a/b"], counts["probe-two", "seen", ""]))
        self.assertEqual(-7, shown(self.host, "reeve_plugin_value")["probe-one", "depth", ""])

    def test_what_is_timed_is_a_histogram(self):
        self.ask(*[(METRICS, {"name": "lookup", "kind": "timer", "value": seconds, "label": "line-4"}) for seconds in (0.002, 0.25, 4)])
        name, series = "reeve_plugin_duration_seconds", ("probe-one", "lookup", "line-4")
        self.assertEqual((3, 4.252), (shown(self.host, name + "_count")[series], shown(self.host, name + "_sum")[series]))
        buckets = dict(re.findall(rf'(?m)^{name}_bucket{{[^}}]*measure="lookup"[^}}]*le="([^"]+)"}} (\d+)$', self.host.get("/metrics").text))
        self.assertEqual(["0", "1", "2", "2", "3", "3"], [buckets[bound] for bound in ("0.001", "0.005", "0.25", "2.5", "10.0", "+Inf")])

    def test_measures_that_are_none(self):
        for params, pattern in (({}, "name"), ({"name": "A"}, "name"), ({"name": "1a"}, "name"), ({"name": "a" * 49}, "name"), ({"name": "a", "kind": "x"}, "kind"),
                                ({"name": "a", "value": -1}, "value"), ({"name": "a", "value": "1"}, "value"), ({"name": "a", "value": 1e13}, "value"),
                                ({"name": "a", "kind": "gauge"}, "value"), ({"name": "a", "kind": "timer"}, "value"),
                                ({"name": "a", "kind": "timer", "value": -0.1}, "value"), ({"name": "a", "kind": "timer", "value": 1e10}, "value"), ({"name": "a", "label": 'x"y'}, "label"), ({"name": "a", "label": "a" * 65}, "label")):
            self.refused(METRICS, params, f"invalid_argument: metrics: {pattern} ")

    # ---- audit.emit ----

    def events(self, tenant):
        items = self.host.get("/api/v1/admin/audit?action=plugin.event&limit=500", key=self.tenants[tenant][0], expect=200).json["items"]
        return {item["seq"]: item for item in items}

    def test_an_event_is_recorded_with_whose_it_is(self):
        data = {"b": [1, 2], "a": "x"}
        seq = self.one(EMIT, {"event": "batch_done", "data": data, "plugin_id": "other"})["seq"]
        event = self.events("left")[seq]
        self.assertEqual(("event", "batch_done"), (event["kind"], event["reason"]))
        self.assertEqual({"type": "plugin", "id": "probe-one"}, {k: event["resource"][k] for k in ("type", "id")})
        self.assertIn(self.me()["user_id"], json.dumps(event))
        self.assertIn(hashlib.sha256(b'{"a":"x","b":[1,2]}').hexdigest(), json.dumps(event))
        self.assertNotIn(seq, [e for e, v in self.events("right").items() if v["reason"] == "batch_done"])
        self.assertTrue(self.host.post("/api/v1/admin/audit/verify", key=self.tenants["left"][0], expect=200).json)

    def test_events_that_are_none(self):
        for params in ({}, {"event": ""}, {"event": "With words"}, {"event": "a" * 49}, {"event": 1}, {"event": "a\nb"}):
            self.refused(EMIT, params, "invalid_argument: audit.emit: event ")

    def test_they_come_at_a_bounded_rate_in_each_tenant(self):
        answers = self.ask(*[(EMIT, {"event": "flood"})] * 70, plugin="probe-two")
        self.assertLessEqual(sum(e is None for _, e in answers), 61)
        self.assertRegex(answers[-1][1], "rate_limited: audit.emit: a plugin calls it 60 times a minute")
        self.one(EMIT, {"event": "calm"})
        self.one(EMIT, {"event": "calm"}, plugin="probe-two", tenant="right")

    # ---- grants ----

    def test_without_a_grant(self):
        self.assertEqual((True, "effective"), tuple(self.rows()[ID][k] for k in ("offered", "state")))
        self.revoke_all(ID)
        self.refused(ID, {}, f"capability_revoked: plugin probe-one no more has capability {ID}")
        self.grant(ID, tenant_id="right")
        self.refused(ID, {}, "capability")
        self.one(ID, {}, tenant="right")

    def test_what_needs_no_grant(self):
        """Its manifest does not ask for them either."""
        for capability, params in ((METRICS, {"name": "a"}), (EMIT, {"event": "a"})):
            self.assertNotIn(capability, self.rows())
            self.one(capability, params)
            answer = self.host.post("/api/v1/admin/plugins/probe-one/grants", {"capability": capability, "reason": "x"}, expect=400).json
            self.assertIn("need not be granted: every plugin has it", json.dumps(answer))


class TellingInTheHost(Telling):
    trusted = True


class Series(ProbeCase):
    def test_series_are_bounded_for_each_plugin_by_itself(self):
        answers = self.ask(*[(METRICS, {"name": "many", "label": f"l{i}"}) for i in range(80)], plugin="probe-two")
        self.assertLessEqual(sum(e is None for _, e in answers), 64)
        self.assertRegex(answers[-1][1], "too_large: metrics: a plugin has 64 series")
        self.one(METRICS, {"name": "still"})
        self.assertLessEqual(len([k for k in shown(self.host, "reeve_plugin_count_total") if k[0] == "probe-two"]), 64)


class Ceiling(ProbeCase):
    more = "  ceiling: {claims: [username, roles]}"

    def test_nothing_goes_beyond(self):
        self.assertIn("plugins.ceiling.claims", self.grant(ID, expect=403, parameters={"claims": ["roles", "email"]})["detail"])
        self.assertEqual({"username", "roles"}, set(self.one(ID, {})["claims"]))
        self.refused(ID, {"claims": ["user_id"]}, "permission_denied")


if __name__ == "__main__":
    main()
