# SPDX-License-Identifier: LGPL-2.1-or-later
"""Workspaces from outside: who sees what is in one, at every door of it; keys that are bound to one; search that never tells."""

import unittest

from mock_openai import MockOpenAI
from reeve import Host, main

CONFIG = """
llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
"""
WORD = "zirkonium"


class Workspaces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.mock.default = {"content": "done"}
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url)).start()
        cls.addClassCleanup(cls.host.close)
        cls.number = 0
        cls.member, cls.member_key = cls.user("operator")
        cls.other, cls.other_key = cls.user("operator")
        cls.workspace = cls.make("press shop")
        cls.host.post(f"/api/v1/admin/workspaces/{cls.workspace}/members", {"user_id": cls.member}, expect=201)
        definition = {"system_prompt": "Test.", "tools": ["semantic_search"]}
        cls.agent = cls.host.post("/api/v1/admin/agents", {"name": "in", "workspace_id": cls.workspace, "initial_definition": definition},
                                  expect=201).json["agent_id"]
        cls.free = cls.host.agent()
        cls.document = cls.upload("inside", cls.workspace, f"# Inside\n\nThe {WORD} of the press shop.")
        cls.public = cls.upload("outside", text=f"# Outside\n\nThe {WORD} of the whole works.")

    @classmethod
    def user(cls, role):
        cls.number += 1
        user = cls.host.post("/api/v1/admin/users", {"username": f"u{cls.number}", "roles": [role]}, expect=201).json["user_id"]
        key = cls.host.post("/api/v1/admin/keys", {"user_id": user, "name": "test", "roles": [role]}, expect=201).json["key"]
        return user, key

    @classmethod
    def make(cls, name, **more):
        return cls.host.post("/api/v1/admin/workspaces", {"name": name, **more}, expect=201).json["workspace_id"]

    @classmethod
    def upload(cls, name, workspace=None, text=None, **options):
        fields = {"workspace_id": workspace} if workspace else {}
        text = text or f"# {name}\n\nNothing but the {name} document."
        return cls.host.upload(f"{name}.md", text, fields=fields, **options).json.get("document_id")

    def key(self, user, workspace=None, roles=("operator",), expect=201, **more):
        body = {"user_id": user, "name": "bound", "roles": list(roles), **more}
        if workspace:
            body["workspace_id"] = workspace
        return self.host.post("/api/v1/admin/keys", body, expect=expect).json.get("key")

    def ids(self, path, member, key):
        return {item[member] for item in self.host.get(path, key=key, expect=200).json["items"]}

    def found(self, key, word=WORD, **more):
        answer = self.host.post("/api/v1/documents/search", {"query": word, **more}, key=key, expect=200)
        return [hit["document_id"] for hit in answer.json["results"]]

    def test_members_see_it_and_others_do_not(self):
        run = self.host.post("/api/v1/agents/execute", {"agent_id": self.agent, "mission": "x"}, key=self.member_key, expect=200).json["run_id"]
        paths = (f"/api/v1/admin/workspaces/{self.workspace}", f"/api/v1/admin/workspaces/{self.workspace}/members",
                 f"/api/v1/admin/agents/{self.agent}", f"/api/v1/documents/{self.document}", f"/api/v1/runs/{run}")
        for path in paths:
            with self.subTest(path=path):
                nothing = path.replace(self.agent, "agt_none").replace(self.document, "doc_none").replace(run, "run_none")
                nothing = nothing.replace(self.workspace, "wsp_none")
                self.host.get(path, key=self.member_key, expect=200)
                self.host.get(path, expect=200)
                hidden = self.host.get(path, key=self.other_key, expect=404).json
                absent = self.host.get(nothing, key=self.other_key, expect=404).json
                self.assertEqual(absent["detail"], hidden["detail"])
        for path, member, thing in (("/api/v1/admin/workspaces", "workspace_id", self.workspace), ("/api/v1/admin/agents", "agent_id", self.agent),
                                    ("/api/v1/documents", "document_id", self.document), ("/api/v1/runs", "run_id", run)):
            with self.subTest(path=path):
                self.assertIn(thing, self.ids(path, member, self.member_key))
                self.assertIn(thing, self.ids(path, member, "admin"))
                self.assertNotIn(thing, self.ids(path, member, self.other_key))
        listed = [m["id"] for m in self.host.get("/v1/models", key=self.other_key, expect=200).json["data"]]
        self.assertIn(f"agent/{self.free}", listed)
        self.assertNotIn(f"agent/{self.agent}", listed)

    def test_others_do_nothing_in_it(self):
        refused = []
        for agent in (self.agent, "agt_none"):
            for method, path, body in (("POST", "/api/v1/agents/execute", {"agent_id": agent, "mission": "x"}),
                                       ("POST", "/api/v1/chat", {"agent_id": agent, "message": "x"}),
                                       ("POST", "/v1/chat/completions", {"model": f"agent/{agent}", "messages": [{"role": "user", "content": "x"}]})):
                answer = self.host.call(method, path, body, key=self.other_key, expect=404)
                refused.append((path, answer.json.get("detail") or answer.json["error"]["message"]))
        self.assertEqual(refused[:3], refused[3:])
        self.host.delete(f"/api/v1/documents/{self.document}", key=self.other_key, expect=404)
        self.upload("smuggled", self.workspace, key=self.other_key, expect=404)
        self.upload("smuggled", "wsp_none", key=self.other_key, expect=404)

    def test_nothing_gives_away_how_it_stands(self):
        """A planner, a deactivated one, one without a version: all are as if they were not there."""
        body = {"workspace_id": self.workspace, "initial_definition": {"system_prompt": "x"}}
        agents = [self.host.post("/api/v1/admin/agents", {"name": "x", **body, **more}, expect=201).json["agent_id"]
                  for more in ({"role": "planner"}, {"active": False})]
        for agent in (*agents, "agt_none"):
            answer = self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "x"}, key=self.other_key, expect=404)
            self.assertEqual("no such thing among the agents", answer.json["detail"])

    def test_a_page_is_filled_with_what_is_seen(self):
        seen, cursor = [], ""
        for _ in range(3):
            self.upload("more", self.workspace)
            self.upload("more")
        while cursor is not None:
            page = self.host.get(f"/api/v1/documents?limit=2{cursor}", key=self.other_key, expect=200).json
            seen += [item["document_id"] for item in page["items"]]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
        self.assertEqual(len(seen), len(set(seen)))
        whole = [i["document_id"] for i in self.host.get("/api/v1/documents?limit=500", expect=200).json["items"] if "workspace_id" not in i]
        self.assertEqual(whole, seen)

    def test_search_tells_nothing_of_it(self):
        self.assertIn(self.document, self.found(self.member_key, limit=50))
        self.assertNotIn(self.document, self.found(self.other_key, limit=50))
        self.assertIn(self.public, self.found(self.other_key, limit=50))

    def test_hidden_pieces_take_no_place_among_the_best(self):
        word = "wolframite"
        hidden = self.upload("ores", self.workspace, text="\n\n".join(f"# Coal {i}\n\n{word} {word} {word} number {i}." for i in range(700)))
        seen = self.upload("plain", text=f"# Plain\n\nA long text that says {word} once, among many other words that nobody asked for.")
        for limit in (1, 5, 100):
            self.assertEqual([seen], self.found(self.other_key, word, limit=limit))
        self.assertEqual({hidden}, set(self.found(self.member_key, word, limit=5)))

    def test_what_is_hidden_weighs_nothing(self):
        def results(key, query):
            answer = self.host.post("/api/v1/documents/search", {"query": query, "limit": 20}, key=key, expect=200).json
            return [(hit["document_id"], hit["score"]) for hit in answer["results"]]

        # one word is as rare as the other, for who sees these two
        for number, text in enumerate(("galena and nothing else", "stibnite and nothing else")):
            self.upload(f"ore-{number}", text=f"# Mineral\n\nThis is {text}.")
        queries = ("galena stibnite", "galena", "stibnite", "galena nothing", "nothing")
        before = [results(self.other_key, query) for query in queries]
        self.assertTrue(all(before))
        mine = [results(self.member_key, query) for query in queries]
        for number in range(6):
            self.upload(f"more-{number}", self.workspace, "# Mineral\n\n" + "Much galena, and galena again. " * 30)
        self.assertEqual(before, [results(self.other_key, query) for query in queries])
        self.assertNotEqual(mine, [results(self.member_key, query) for query in queries])

    def test_policies_of_a_hidden_agent(self):
        self.host.post("/api/v1/admin/roles", {"name": "policer", "permissions": ["policy:manage", "agent:read"]}, expect=201)
        user, key = self.user("custom:policer")
        self.host.put(f"/api/v1/admin/policies/agents/{self.agent}", {"tools": []}, expect=200)

        def ask(agent):
            base = "/api/v1/admin/policies"
            rows = (("POST", "/evaluate", {"agent_id": agent, "tool_name": "calculate"}), ("GET", f"/effective?agent_id={agent}", None),
                    ("PUT", "", {"agent_id": agent, "tools": []}), ("GET", f"/agents/{agent}", None), ("PUT", f"/agents/{agent}", {"tools": []}))
            answers = [self.host.call(method, base + path, body, key=key) for method, path, body in rows]
            return [(answer.status, answer.json.get("detail")) for answer in answers]

        hidden = ask(self.agent)
        self.assertEqual({404}, {status for status, _detail in hidden})
        self.assertEqual(ask("agt_none"), hidden)
        self.assertEqual({200}, {status for status, _detail in ask(self.free)[:3]})
        self.host.post(f"/api/v1/admin/workspaces/{self.workspace}/members", {"user_id": user}, expect=201)
        self.assertEqual({200}, {status for status, _detail in ask(self.agent)})

    def test_all_policies_at_once_are_for_who_sees_all_agents(self):
        """What is hidden is neither told nor changed by what speaks of all policies: not even that it is there."""
        base = "/api/v1/admin/policies"
        hidden = self.host.put(f"{base}/agents/{self.agent}", {"description": "hidden words", "tools": []}, expect=200).json["revision"]
        self.host.post("/api/v1/admin/roles", {"name": "overseer", "permissions": ["policy:manage"]}, expect=201)
        user, key = self.user("custom:overseer")
        draft = {"policies": {"agents": {self.agent: {"tools": []}}}}
        rows = (("GET", "", None), ("GET", "/export", None), ("GET", "/rego", None), ("GET", "/revisions", None), ("POST", "/analyze", draft),
                ("POST", "/apply", draft), ("POST", "/apply", {**draft, "dry_run": True}), ("POST", "/rollback", {"revision": hidden}))
        for method, path, body in rows:
            answer = self.host.call(method, base + path, body, key=key, expect=403)
            self.assertIn("workspace:read", answer.json["detail"], path)
            self.assertNotIn(self.agent, answer.text)
        self.assertEqual("hidden words", self.host.get(f"{base}/agents/{self.agent}", expect=200).json["description"])
        # the fixture shares the tenant, so there may be other workspaces; who is shown all of them is let in
        for workspace in self.host.get("/api/v1/admin/workspaces?limit=200", expect=200).json["items"]:
            self.host.post(f"/api/v1/admin/workspaces/{workspace['workspace_id']}/members", {"user_id": user}, expect=201)
        for method, path, body in rows[:5]:
            self.assertIn(self.agent, self.host.call(method, base + path, body, key=key, expect=200).text)

    def test_an_answer_is_not_given_again_to_who_has_left(self):
        user, key = self.user("operator")
        members = f"/api/v1/admin/workspaces/{self.workspace}/members"
        body = {"agent_id": self.agent, "mission": "once"}
        headers = {"Idempotency-Key": f"left-{user}"}

        def ask(expect):
            return self.host.call("POST", "/api/v1/agents/execute", body, key=key, headers=headers, expect=expect).json

        self.host.post(members, {"user_id": user}, expect=201)
        first = ask(200)["run_id"]
        self.assertEqual(first, ask(200)["run_id"])
        self.host.call("DELETE", f"{members}/{user}", expect=204)
        self.assertEqual("no such thing among the agents", ask(404)["detail"])
        self.host.post(members, {"user_id": user}, expect=201)
        self.assertEqual(first, ask(200)["run_id"])

    def test_no_answer_to_who_has_left(self):
        """Neither of a conversation nor of what he made there."""
        user, key = self.user("operator")
        designer, designs = self.user("agent_designer")
        members = f"/api/v1/admin/workspaces/{self.workspace}/members"
        made = {"name": "a", "workspace_id": self.workspace, "initial_definition": {"system_prompt": "x", "tools": []}}

        def ask(expect):
            headers = {"Idempotency-Key": f"gone-{user}"}
            asked = {"agent_id": self.agent, "message": "once"}
            answers = [self.host.post("/api/v1/chat", asked, key=key, headers=dict(headers), expect=expect[0]),
                       self.host.upload("a.md", "# A", fields={"workspace_id": self.workspace}, key=key, headers=dict(headers), expect=expect[1]),
                       self.host.post("/api/v1/admin/agents", made, key=designs, headers=dict(headers), expect=expect[1])]
            return [answer.json for answer in answers]

        for one in (user, designer):
            self.host.post(members, {"user_id": one}, expect=201)
        first = ask((200, 201))
        self.assertEqual(first, ask((200, 201)))
        for one in (user, designer):
            self.host.delete(f"{members}/{one}", expect=204)
        ask((404, 404))
        for one in (user, designer):
            self.host.post(members, {"user_id": one}, expect=201)
        self.assertEqual(first, ask((200, 201)))
        self.host.delete(f"/api/v1/admin/agents/{first[2]['agent_id']}", expect=204)
        self.host.delete(f"/api/v1/documents/{first[1]['document_id']}", expect=204)

    def test_budgets_of_what_is_hidden(self):
        base = "/api/v1/admin/budgets"
        scopes = [f"agents/{self.agent}", f"workspaces/{self.workspace}"]
        for scope in scopes:
            self.host.put(f"{base}/{scope}", {"token_limit": 1000000}, expect=200)

        def listed(key):
            return {budget["scope"] for budget in self.host.get(f"{base}?limit=500", key=key, expect=200).json["items"]} & set(scopes)

        def ask(agent):
            answers = [self.host.get(f"{base}/agents/{agent}", key=key), self.host.get(f"{base}/usage?agent_id={agent}", key=key),
                       self.host.post(f"{base}/check", {"agent_id": agent, "estimated_tokens": 1}, key=key)]
            return [(answer.status, answer.json.get("detail")) for answer in answers]

        user, key = self.user("operator")
        self.assertEqual({404}, {status for status, _detail in ask(self.agent)})
        self.assertEqual(ask("agt_none"), ask(self.agent))
        self.assertEqual({scopes[1]}, listed(key))
        self.assertEqual(set(scopes), listed("admin"))
        # whoever reads budgets reads those of all workspaces, and sets those that he is shown
        self.host.get(f"{base}/{scopes[1]}", key=key, expect=200)
        self.host.get(f"{base}/workspaces/wsp_none", key=key, expect=404)
        self.host.post(f"/api/v1/admin/workspaces/{self.workspace}/members", {"user_id": user}, expect=201)
        self.assertEqual({200}, {status for status, _detail in ask(self.agent)})
        self.assertEqual(set(scopes), listed(key))

    def test_tools_of_a_run_see_what_its_caller_sees(self):
        """An agent of all, run by a member and by another; one of the workspace, run by a member of two."""
        def results():
            tool = [m for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"][-1]["content"]
            return {name for name, words in (("in", "press shop"), ("out", "whole works"), ("second", "second workspace")) if words in tool}

        other = self.make("second")
        self.host.post(f"/api/v1/admin/workspaces/{other}/members", {"user_id": self.member}, expect=201)
        self.upload("second", other, text=f"# Second\n\nThe {WORD} of the second workspace.")
        for agent, key, wanted in ((self.free, self.member_key, {"in", "out", "second"}), (self.free, self.other_key, {"out"}),
                                   (self.agent, self.member_key, {"in", "out"}), (self.agent, "admin", {"in", "out"}),
                                   (self.agent, self.key(self.member, self.workspace), {"in"})):
            call = {"tool_calls": [{"name": "semantic_search", "arguments": {"query": WORD, "limit": 20}}]}
            self.mock.script([call, {"content": "done"}])
            agent_id = self.search_agent() if agent == self.free else agent
            self.host.post("/api/v1/agents/execute", {"agent_id": agent_id, "mission": "look"}, key=key, expect=200)
            self.assertEqual(wanted, results())

    def search_agent(self):
        return self.host.agent(tools=("semantic_search",))

    def test_open_to_the_tenant_means_reading(self):
        workspace = self.make("open", cross_workspace_visibility=True)
        document = self.upload("open", workspace, f"# Open\n\nThe {WORD} of the open workspace.")
        agent = self.host.post("/api/v1/admin/agents", {"name": "a", "workspace_id": workspace, "initial_definition": {"system_prompt": "x"}},
                               expect=201).json["agent_id"]
        self.host.get(f"/api/v1/documents/{document}", key=self.other_key, expect=200)
        self.assertIn(document, self.found(self.other_key, limit=50))
        said = self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "x"}, key=self.other_key, expect=403)
        self.assertIn("members", said.json["detail"])
        self.host.delete(f"/api/v1/documents/{document}", key=self.other_key, expect=403)
        self.upload("x", workspace, key=self.other_key, expect=403)
        self.host.put(f"/api/v1/admin/workspaces/{workspace}", {"cross_workspace_visibility": False}, expect=200)
        self.host.get(f"/api/v1/documents/{document}", key=self.other_key, expect=404)
        self.assertNotIn(document, self.found(self.other_key, limit=50))

    def test_members_come_and_go(self):
        user, key = self.user("operator")
        members = f"/api/v1/admin/workspaces/{self.workspace}/members"
        self.host.post(members, {"user_id": user}, key=self.member_key, expect=403)
        self.host.post(members, {"user_id": "usr_none"}, expect=404)
        self.host.get(f"/api/v1/admin/agents/{self.agent}", key=key, expect=404)
        self.host.post(members, {"user_id": user}, expect=201)
        self.host.post(members, {"user_id": user}, expect=409)
        self.host.get(f"/api/v1/admin/agents/{self.agent}", key=key, expect=200)
        self.assertIn(user, self.ids(members, "user_id", key))
        conversation = self.host.post("/api/v1/chat", {"agent_id": self.agent, "message": "x"}, key=key, expect=200).json["conversation_id"]
        self.host.get(f"/api/v1/conversations/{conversation}", key=key, expect=200)
        self.host.delete(f"{members}/{user}", expect=204)
        self.host.delete(f"{members}/{user}", expect=404)
        for path in (f"/api/v1/admin/agents/{self.agent}", f"/api/v1/conversations/{conversation}", members):
            self.host.get(path, key=key, expect=404)
        self.assertEqual([], self.host.get("/api/v1/conversations", key=key, expect=200).json["items"])
        self.host.post("/api/v1/chat", {"conversation_id": conversation, "message": "x"}, key=key, expect=409)

    def test_a_conversation_stays_in_its_workspace(self):
        inside = self.host.post("/api/v1/chat", {"agent_id": self.agent, "message": "x"}, key=self.member_key, expect=200).json["conversation_id"]
        body = {"agent_id": self.agent, "conversation_id": inside, "message": "y"}
        self.host.post("/api/v1/chat", body, key=self.member_key, expect=200)
        self.host.post("/api/v1/chat", {**body, "agent_id": self.free}, key=self.member_key, expect=409)

    def test_a_bound_key_acts_only_inside(self):
        key = self.key(self.member, self.workspace)
        self.host.get(f"/api/v1/admin/agents/{self.agent}", key=key, expect=200)
        self.host.get(f"/api/v1/admin/agents/{self.free}", key=key, expect=404)
        self.host.get(f"/api/v1/documents/{self.public}", key=key, expect=404)
        self.assertEqual({self.agent}, self.ids("/api/v1/admin/agents", "agent_id", key))
        self.assertNotIn(self.public, self.found(key, limit=50))
        self.host.post("/api/v1/agents/execute", {"agent_id": self.free, "mission": "x"}, key=key, expect=404)
        # what it makes lies there
        made = self.host.upload("mine.md", "# Mine\n\nmine", key=key).json
        self.assertEqual(self.workspace, made["workspace_id"])
        chat = self.host.post("/api/v1/chat", {"message": "x"}, key=key, expect=200).json
        self.assertEqual(self.workspace, self.host.get(f"/api/v1/conversations/{chat['conversation_id']}", key=key, expect=200).json["workspace_id"])
        self.host.get(f"/api/v1/runs/{chat['run_id']}", key=self.other_key, expect=404)
        # nothing of the tenant, though its user may
        self.host.post("/api/v1/admin/workspaces", {"name": "x"}, key=key, expect=403)
        admin = self.key(self.user("admin")[0], self.workspace, roles=["admin"])
        for path in ("/api/v1/admin/users", "/api/v1/admin/audit"):
            self.host.get(path, key=admin, expect=403)
        self.host.get(f"/api/v1/admin/agents/{self.free}", key=admin, expect=404)
        self.host.get(f"/api/v1/admin/agents/{self.agent}", key=admin, expect=200)
        # and it opens nothing to who is no member
        self.host.get(f"/api/v1/admin/agents/{self.agent}", key=self.key(self.other, self.workspace), expect=404)
        self.key(self.member, "wsp_none", expect=404)
        own = {"user_id": self.other, "name": "x", "roles": ["operator"], "workspace_id": self.workspace}
        self.host.post("/api/v1/admin/keys", own, key=self.other_key, expect=404)

    def test_settings_stand_where_definitions_are_silent(self):
        workspace = self.make("set", settings={"max_tokens": 77, "model": "local/other-model"})
        for definition, wanted in (({}, ("other-model", 77)), ({"model": "local/own-model", "max_tokens": 99}, ("own-model", 99))):
            body = {"name": "a", "workspace_id": workspace, "initial_definition": {"system_prompt": "x", **definition}}
            agent = self.host.post("/api/v1/admin/agents", body, expect=201).json["agent_id"]
            self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "x"}, expect=200)
            asked = self.mock.requests[-1].json
            self.assertEqual(wanted, (asked["model"], asked.get("max_tokens", asked.get("max_completion_tokens"))))

    def test_only_an_empty_one_is_deleted(self):
        workspace = self.make("brief")
        document = self.upload("brief", workspace)
        key = self.key(self.member, workspace)
        self.host.delete(f"/api/v1/admin/workspaces/{workspace}", expect=409)
        self.host.delete(f"/api/v1/documents/{document}", expect=204)
        self.host.delete(f"/api/v1/admin/workspaces/{workspace}", expect=204)
        self.host.get(f"/api/v1/admin/workspaces/{workspace}", expect=404)
        self.upload("late", workspace, expect=404)
        self.assertEqual([], self.host.get("/api/v1/admin/agents", key=key, expect=200).json["items"])

    def test_other_tenants_have_their_own(self):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "beyond", "name": "x"}, expect=201)
        there = {"X-Tenant-ID": "beyond"}
        self.host.get(f"/api/v1/admin/workspaces/{self.workspace}", headers=there, expect=404)
        self.host.post("/api/v1/admin/keys", {"user_id": self.member, "name": "x", "roles": [], "workspace_id": self.workspace}, headers=there,
                       expect=404)
        for key in (self.member_key, self.key(self.member, self.workspace)):
            self.host.get("/api/v1/admin/workspaces", key=key, headers=there, expect=404)
        # a bound key of the platform admin goes nowhere else either
        me = self.host.get("/api/v1/me").json["user_id"]
        self.host.get("/api/v1/admin/workspaces", key=self.key(me, self.workspace, roles=["admin"]), headers=there, expect=404)


if __name__ == "__main__":
    main()
