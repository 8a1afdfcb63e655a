# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tenants from outside: settings that hold at once and exactly, suspension, and the end of a tenant, which leaves its ledger."""

import os
import threading
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main

CONFIG = """
agents: {{max_agents: 3, max_concurrent_sessions: 2}}
limits: {{requests_per_minute: 0}}
llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
"""
HANGING = "wait for ever"
AT_ONCE = 12


def all_at_once(functions):
    """What each of them gave, begun together."""
    barrier, given = threading.Barrier(len(functions)), [None] * len(functions)

    def work(number):
        barrier.wait()
        given[number] = functions[number]()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


class Tenants(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.mock.default = lambda request: {"content": "Done.", "delay": 600 if HANGING.encode() in request.body else 0}
        cls.addClassCleanup(cls.mock.stop)
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url)).start()
        cls.addClassCleanup(cls.host.close)

    def tenant(self, name, **more):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": name, "name": name, **more}, expect=201)
        return {"X-Tenant-ID": name}

    def change(self, tenant, expect=200, **body):
        return self.host.put(f"/api/v1/admin/tenants/{tenant}", body, expect=expect).json

    def make_agent(self, there, expect=None):
        body = {"name": "a", "initial_definition": {"system_prompt": "x", "tools": []}}
        return self.host.post("/api/v1/admin/agents", body, headers=there, expect=expect)

    def open_run(self, there, agent_id):
        """A run that is under way, or why there is none."""
        connection, response = self.host.request("POST", "/api/v1/agents/execute", {"agent_id": agent_id, "mission": HANGING, "stream": True},
                                                 headers=there)
        if response.status == 200:
            response.readline()
            self.addCleanup(connection.close)
            return connection, response
        status = response.status
        connection.close()
        return status


class Settings(Tenants):
    def test_words_of_the_host_are_no_tenants(self):
        for word in ("platform", "host", "system", "global", "all", "none", "any", "me"):
            refused = self.host.post("/api/v1/admin/tenants", {"tenant_id": word, "name": "x"}, expect=400).json
            self.assertEqual("/tenant_id", refused["errors"][0]["pointer"])

    def test_a_change_holds_at_once(self):
        there = self.tenant("turns", settings={"max_agents": 1})
        self.make_agent(there, 201)
        for limit, status in ((1, 409), (2, 201), (2, 409), (3, 201), (1, 409)):
            shown = self.change("turns", settings={"max_agents": limit}, metadata={"tier": "enterprise"}, name="Turns")
            self.assertEqual(({"max_agents": limit}, {"tier": "enterprise"}, "Turns"), (shown["settings"], shown["metadata"], shown["name"]))
            self.assertEqual(shown, self.host.get("/api/v1/admin/tenants/turns", expect=200).json)
            self.make_agent(there, status)
        self.change("turns", settings={"max_agents": 9, "features": ["long_term_memory"]})
        self.assertIn("rag", self.host.post("/api/v1/documents/search", {"query": "x"}, headers=there, expect=403).json["detail"])
        self.change("turns", settings={"max_agents": 9, "features": ["rag"]})
        self.host.post("/api/v1/documents/search", {"query": "x"}, headers=there, expect=200)

    def count(self, there):
        return len(self.host.get("/api/v1/admin/agents?limit=500", headers=there, expect=200).json["items"])

    def test_what_is_no_setting_is_refused_by_its_place(self):
        self.tenant("strict")
        for settings, pointer in (({"max_agentz": 1}, "/settings/max_agentz"), ({"max_agents": -1}, "/settings/max_agents"),
                                  ({"max_agents": "9"}, "/settings/max_agents"), ({"features": ["flying"]}, "/settings/features/0"),
                                  ({"data_retention_days": 0}, "/settings/data_retention_days"),
                                  ({"isolation": {"isolation_level": "loose"}}, "/settings/isolation/isolation_level"),
                                  ({"isolation": {"data_separation": "none"}}, "/settings/isolation/data_separation")):
            with self.subTest(settings=settings):
                faults = self.change("strict", expect=400, settings=settings)["errors"]
                self.assertEqual([pointer], [fault["pointer"] for fault in faults])
                body = {"tenant_id": "stricter", "name": "x", "settings": settings}
                self.host.post("/api/v1/admin/tenants", body, expect=400)
        self.change("strict", expect=400, tier="enterprise")
        whole = {"max_agents": 1, "max_concurrent_sessions": 2, "features": [], "data_retention_days": 90,
                 "isolation": {"isolation_level": "strict", "data_separation": "physical"}}
        self.assertEqual(whole, self.change("strict", settings=whole)["settings"])
        self.host.put("/api/v1/admin/tenants/nobody", {"name": "x"}, expect=404)

    def test_the_configuration_speaks_where_a_tenant_does_not(self):
        there = self.tenant("quiet")
        made = [self.make_agent(there).status for _ in range(4)]
        self.assertEqual([201, 201, 201, 409], made)
        self.change("quiet", settings={"max_agents": 4})
        self.make_agent(there, 201)
        agent_id = self.host.get("/api/v1/admin/agents", headers=there).json["items"][0]["agent_id"]
        opened = [self.open_run(there, agent_id) for _ in range(3)]
        self.assertEqual(429, opened[2])
        self.assertNotIn(429, opened[:2])

    def test_as_many_agents_as_may_be_and_no_more(self):
        there = self.tenant("crowd", settings={"max_agents": 7})
        given = all_at_once([lambda: [self.make_agent(there).status for _ in range(3)]] * AT_ONCE)
        given = [status for each in given for status in each]
        self.assertEqual((7, AT_ONCE * 3 - 7), (given.count(201), given.count(409)))
        self.assertEqual(7, self.count(there))
        agents = [item["agent_id"] for item in self.host.get("/api/v1/admin/agents", headers=there).json["items"]]
        # while others leave, places are filled again and never overfilled
        leave = [lambda a=a: [self.host.delete(f"/api/v1/admin/agents/{a}", headers=there).status] for a in agents[:4]]
        given = all_at_once(leave + [lambda: [self.make_agent(there).status for _ in range(3)]] * (AT_ONCE - 4))
        made = [status for each in given[4:] for status in each].count(201)
        self.assertLessEqual(made, 4)
        self.assertEqual(3 + made, self.count(there))

    def test_as_many_runs_as_may_be_and_no_more(self):
        there = self.tenant("busy", settings={"max_concurrent_sessions": 4})
        agent_id = self.make_agent(there, 201).json["agent_id"]
        given = all_at_once([lambda: self.open_run(there, agent_id)] * AT_ONCE)
        self.assertEqual(AT_ONCE - 4, given.count(429))
        running = self.host.get("/api/v1/runs?status=running", headers=there, expect=200).json["items"]
        self.assertEqual(4, len(running))
        for run in running:
            self.host.post(f"/api/v1/runs/{run['run_id']}/cancel", headers=there, expect=200)
        self.host.post("/api/v1/agents/execute", {"agent_id": agent_id, "mission": "x"}, headers=there, expect=200)


class Suspension(Tenants):
    def test_a_suspended_tenant_lets_nobody_in_and_runs_nothing(self):
        there = self.tenant("asleep")
        key = self.host.user("operator", tenant="asleep")
        agent_id = self.make_agent(there, 201).json["agent_id"]
        self.host.get("/api/v1/me", key=key, expect=200)
        _connection, response = self.open_run(there, agent_id)
        self.assertEqual("suspended", self.change("asleep", status="suspended")["status"])
        self.assertIn(b"run.failed", response.read())
        self.host.get("/api/v1/me", key=key, expect=401)
        self.assertEqual("asleep", self.host.get("/api/v1/me", headers=there, expect=200).json["tenant_id"])
        self.change("asleep", status="active")
        self.host.get("/api/v1/me", key=key, expect=200)
        self.host.post("/api/v1/agents/execute", {"agent_id": agent_id, "mission": "x"}, key=key, expect=200)

    def test_default_stays_active(self):
        self.assertIn("stays active", self.change("default", expect=409, status="suspended")["detail"])
        self.change("default", expect=400, status="deleting")


class Removal(Tenants):
    def files_of(self, tenant):
        return [os.path.join(where, name) for where, _, names in os.walk(self.host.state) for name in names
                if tenant in name and "ledger" not in os.path.relpath(where, self.host.state).split(os.sep)[0]]

    def log_of(self, tenant):
        folder = os.path.join(self.host.state, "ledger", tenant)
        return max(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".log"))

    def test_nothing_is_left_but_the_ledger(self):
        there = self.tenant("gone")
        secret = "a word that stands in one document alone"
        key = self.host.user("admin", tenant="gone")
        self.host.upload("a.md", f"# A\n\n{secret}", headers=there)
        agent_id = self.make_agent(there, 201).json["agent_id"]
        made = {"Idempotency-Key": "once", **there}
        self.host.post("/api/v1/admin/users", {"username": "u", "roles": []}, headers=made, expect=201)
        _connection, response = self.open_run(there, agent_id)
        before = self.files_of("gone")
        self.assertGreaterEqual(len(before), 2, "store and keys")
        self.host.get("/api/v1/me", key=key, expect=200)
        self.host.delete("/api/v1/admin/tenants/gone", expect=204)
        # what ran has ended, and nobody is let in
        self.assertIn(b"run.failed", response.read())
        self.assert_absent("gone", key)
        self.assertEqual([], self.files_of("gone"))
        events = [r for r in self.host.records(action="tenants.delete") if r.get("resource", {}).get("id") == "gone"]
        self.assertEqual(["intent", "outcome"], [r["kind"] for r in events])
        self.assertEqual("succeeded", events[1]["outcome"])
        self.assertTrue(self.host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])
        self.host.stop()
        with open(self.log_of("gone"), "rb") as file:
            self.assertIn(b'"reason":"tenant_removed"', file.read()[-1000:], "the last record, and the bytes of its hash")
        self.assertIn("good", self.host.ctl("--human", "audit", "verify").stdout)
        self.host.start()
        self.assert_absent("gone", key)
        self.host.ctl("--json", "tenants", "show", "gone", expect=4)

    def assert_absent(self, tenant, key):
        """As one that never was, but for its name."""
        never = tenant[:-1] + "~"
        for method, path, body in (("GET", "", None), ("PUT", "", {"name": "x"}), ("DELETE", "", None)):
            answers = [self.host.call(method, f"/api/v1/admin/tenants/{name}{path}", body, expect=404).json["detail"] for name in (tenant, never)]
            self.assertEqual(answers[1], answers[0])
        answers = [self.host.get("/api/v1/me", headers={"X-Tenant-ID": name}, expect=404).json["detail"] for name in (tenant, never)]
        self.assertEqual(answers[1], answers[0])
        answers = [self.host.get("/api/v1/me", key=k, expect=401).json["detail"] for k in (key, "rv_0000000000000000000000_x")]
        self.assertEqual(answers[1], answers[0])
        self.assertNotIn(tenant, [t["tenant_id"] for t in self.host.get("/api/v1/admin/tenants?limit=500", expect=200).json["items"]])
        refused = self.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": "again"}, expect=409).json["detail"]
        self.assertIn("ledger", refused)

    def test_default_cannot_be_deleted(self):
        self.host.delete("/api/v1/admin/tenants/default", expect=409)
        self.host.get("/api/v1/me", expect=200)

    def test_one_of_many_that_ask_at_once_deletes(self):
        self.tenant("race")
        given = all_at_once([lambda: self.host.delete("/api/v1/admin/tenants/race").status] * 6)
        self.assertEqual(1, given.count(204), given)
        self.assertLessEqual(set(given), {204, 404, 409})

    def test_keys_that_are_made_meanwhile_are_not_left(self):
        there = self.tenant("hurry")
        user_id = self.host.post("/api/v1/admin/users", {"username": "u", "roles": ["viewer"]}, headers=there, expect=201).json["user_id"]
        body = {"user_id": user_id, "name": "k", "roles": ["viewer"]}
        made = []

        def make():
            for _ in range(20):
                answer = self.host.post("/api/v1/admin/keys", body, headers=there)
                made.append(answer.json["key"] if answer.status == 201 else answer.status)

        all_at_once([make] * 4 + [lambda: self.host.delete("/api/v1/admin/tenants/hurry", expect=204)])
        for key in made:
            if isinstance(key, str):
                self.host.get("/api/v1/me", key=key, expect=401)
            else:
                self.assertIn(key, (404, 409))

    def test_organizations_by_the_command_line(self):
        made = self.host.ctl("--json", "orgs", "create", "Acme Works").stdout
        self.assertIn('"name":"Acme Works"', made.replace(": ", ":"))
        tenant = self.host.get("/api/v1/admin/tenants?limit=500").json["items"][-1]["tenant_id"]
        self.assertIn(tenant, self.host.ctl("--json", "orgs", "list").stdout)
        self.host.ctl("orgs", "delete", tenant)
        self.host.ctl("orgs", "delete", tenant, expect=4)
        self.host.ctl("tenants", "update", "nobody", "--name", "x", expect=4)


if __name__ == "__main__":
    main()
