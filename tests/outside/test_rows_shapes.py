#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the pages for callers promise of the ledger, budgets and plugins, tried as a stranger would who has read nothing else."""

import json
import os
import re
import unittest

from reeve import Host, main
from test_bus import BusCase

ADMIN = "/api/v1/admin"
CAPABILITIES_SET = 1 << 8  # CAP_SETPCAP


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(re.findall(r"^(\w+):\s*(.*)$", file.read(), re.M))


class Shapes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host().start()
        cls.addClassCleanup(cls.host.close)

    def test_a_name_that_cannot_be_is_of_nothing(self):
        """404 comes before 400, for every method, and behind 403."""
        for path in ("/audit/abc", "/audit/0", "/audit/-1", "/audit/1.5", "/audit/99999999999999999999", "/audit/abc/proof", "/keys/" + "k" * 300, "/plugins/" + "p" * 300):
            answer = self.host.get(ADMIN + path, expect=404).json
            self.assertEqual((ADMIN + path, None), (answer["instance"], answer.get("errors")))
        self.host.delete(ADMIN + "/keys/" + "k" * 300, expect=404)
        self.host.get(ADMIN + "/audit/abc", key=self.host.user("viewer"), expect=403)
        # what is wrong besides the name is told as before
        self.host.get(ADMIN + "/audit/1?seq=1", expect=400)
        self.host.get(ADMIN + "/audit/1?colour=red", expect=400)

    def test_grants_are_listed_as_they_were_given(self):
        path = ADMIN + "/plugins/tool-http/grants"
        body = {"capability": "net.http", "parameters": {"origins": ["https://erp.example:443"]}, "tenant_id": "default", "reason": "ticket 1", "until": "2099-01-01T00:00:00.000Z"}
        made = self.host.post(path, body, expect=201).json
        listed = self.host.get(path, expect=200).json
        self.assertIn(made, listed["items"])
        self.assertEqual(body, {name: made[name] for name in body})
        self.assertIn("next_cursor", listed)
        shown = self.host.get(ADMIN + "/plugins/tool-http", expect=200).json["grants"][0]
        self.assertLessEqual({"requested", "granted", "ceiling", "effective", "reason", "meaning"}, set(shown))
        self.assertIn(made["grant_id"], self.host.ctl("plugins", "grants", "tool-http").stdout)
        self.host.delete(f"{path}/{made['grant_id']}", expect=204)
        self.assertNotIn(made["grant_id"], [grant["grant_id"] for grant in self.host.get(path, expect=200).json["items"]])
        self.host.get(path, key=self.host.user("admin", self.tenant("grants")), expect=403)

    def tenant(self, name):
        self.host.post(ADMIN + "/tenants", {"tenant_id": name, "name": name}, expect=201)
        return name

    def test_metrics_and_service_levels_are_the_platform_admins(self):
        """A tenant's admin has the permission, and is told what is missing besides."""
        key = self.host.user("admin", self.tenant("north"))
        for path in ("/metrics", "/sla"):
            self.assertIn("platform admin", self.host.get(ADMIN + path, key=key, expect=403).json["detail"])
            self.host.get(ADMIN + path, headers={"X-Tenant-ID": "north"}, expect=200)
        self.assertEqual("north", self.host.get(ADMIN + "/sla", headers={"X-Tenant-ID": "north"}, expect=200).json["tenant_id"])

    def test_a_budget_is_shown_by_its_scope(self):
        agent = self.host.agent()
        scope = "agents/" + agent
        for name in (scope, "org"):
            self.host.put(f"{ADMIN}/budgets/{name}", {"token_limit": 5000}, expect=200)
            body = self.host.get(f"{ADMIN}/budgets/{name}", expect=200).json
            self.assertEqual(body, json.loads(self.host.ctl("--json", "budget", "show", name).stdout))
        both = self.host.get(f"{ADMIN}/budgets/usage?scope=org&agent_id={agent}", expect=400).json
        self.assertIn("/scope", both["detail"])
        self.host.delete(ADMIN + "/budgets/org", expect=204)
        self.host.ctl("budget", "show", "org", expect=4)
        # what another tenant has is not there
        self.host.get(f"{ADMIN}/budgets/usage?scope={scope}", headers={"X-Tenant-ID": self.tenant("west")}, expect=404)
        self.host.get(f"{ADMIN}/budgets/usage?scope=org", key=self.host.user("viewer"), expect=403)

    def test_a_root_hosts_plugins_have_no_capability_in_any_set(self):
        """The bounding set too, where the host may empty it; for everybody else the kernel says no."""
        self.assertEqual("2+2 = 4", self.host.run(self.host.agent(), "What is 2+2?")["answer"])
        plugin = self.host.get(ADMIN + "/plugins/tool-calculate", expect=200).json
        status = status_of(plugin["pid"])
        may = os.geteuid() == 0 and int(status_of("self")["CapEff"], 16) & CAPABILITIES_SET
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", *(["CapBnd"] if may else [])):
            self.assertEqual(0, int(status[name], 16), name)
        self.assertEqual(("1", "2"), (status["NoNewPrivs"], status["Seccomp"]))


class Bus(BusCase):
    def test_one_plugin_is_inspected(self):
        shown = json.loads(self.call("io.reeve.Plugins1.Inspect", "tool-http"))
        self.assertEqual(("tool-http", "net.http"), (shown["plugin_id"], shown["grants"][0]["capability"]))


if __name__ == "__main__":
    main()
