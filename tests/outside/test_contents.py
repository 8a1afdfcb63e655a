# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wrong contents: whatever is wrong with a request, its answer says where. Over the whole table, and by what schemas cannot say."""

import json
import unittest

import table
from mock_openai import MockOpenAI
from proof import CONFIG, World, answer_of
from reeve import Host, main

WRONG = (7, True, "", None, [], {}, [7], ["", ""], "\n", -1, "x" * 2000000)
FUTURE = "2999-01-01T00:00:00.000Z"


class Contents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.worlds, cls.mock = [], MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.mock.default = answer_of
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url)).start()
        cls.addClassCleanup(cls.host.close)
        cls.world = World(cls, "left")
        cls.addClassCleanup(cls.world.close)

    def faults(self, operation, params):
        method, path, body, headers = table.rest(operation, params)
        if "tenant_id" not in operation["path"]:
            headers["X-Tenant-ID"] = self.world.tenant
        answer = self.host.call(method, path, body, headers=headers, expect=400)
        self.assertTrue(all(e["message"] for e in answer.json["errors"]), answer)
        self.assertTrue(answer.json["detail"].startswith(answer.json["errors"][0]["pointer"]), answer)
        return {e["pointer"]: e["message"] for e in answer.json["errors"]}

    def changes(self, operation):
        """What an operation can be asked wrongly: name, the member, how it is asked."""
        compatible = table.has(operation, "compatible") or table.has(operation, "public")
        if compatible or "body" not in operation:
            return
        params, body = self.world.params(operation, operation["examples"][0]), table.TABLE.resolve(operation["body"])
        for name in body.get("required", []):
            yield "is required", name, {n: v for n, v in params.items() if n != name}
        if table.has(operation, "multipart"):
            return
        yield "is not known here", "colour", {**params, "colour": 1}
        for name, schema in body["properties"].items():
            wrong = next((v for v in WRONG if list(table.JUDGE.faults(v, schema))), None)
            if wrong is not None or list(table.JUDGE.faults(None, schema)):
                yield None, name, {**params, name: wrong}

    def test_every_member_of_every_body(self):
        asked = set()
        for operation in table.TABLE.operations:
            for message, name, params in self.changes(operation):
                with self.subTest(operation=operation["name"], member=name, message=message):
                    faults = self.faults(operation, params)
                    pointers = [p for p in faults if p == f"/{name}" or p.startswith(f"/{name}/")]
                    self.assertTrue(pointers, faults)
                    if message:
                        self.assertEqual(message, faults[f"/{name}"])
                    asked.add(operation["name"])
        self.assertGreater(len(asked), 30)

    def test_every_cursor(self):
        asked = 0
        for operation in table.TABLE.operations:
            # a store's name is its own cursor, whether it is still there or not
            if operation["method"] == "GET" and "cursor" in operation["query"] and operation["name"] != "encryption.list":
                params = self.world.params(operation, operation["examples"][0])
                for cursor in ("none", "%", "-1", "W10="):
                    with self.subTest(operation=operation["name"], cursor=cursor):
                        self.assertEqual({"/cursor"}, set(self.faults(operation, {**params, "cursor": cursor})))
                        asked += 1
        self.assertGreater(asked, 40)

    def test_every_query_member_of_another_type(self):
        for operation in table.TABLE.operations:
            for name, schema in operation["query"].items():
                if operation["method"] == "GET" and table.TABLE.resolve(schema).get("type", "string") != "string":
                    with self.subTest(operation=operation["name"], member=name):
                        params = self.world.params(operation, operation["examples"][0])
                        self.assertIn(f"/{name}", self.faults(operation, {**params, name: "some"}))

    def wrong(self, method, path, body, *pointers):
        answer = self.host.call(method, path, json.dumps(body).encode() if body is not None else None,
                                headers={"Content-Type": "application/json", "X-Tenant-ID": self.world.tenant}, expect=400)
        self.assertEqual(list(pointers), [e["pointer"] for e in answer.json["errors"]], answer)

    def test_what_no_schema_says(self):
        user, agent = self.world.make_user_id()["user_id"], self.world.make_agent_id()["agent_id"]
        admin, one = "/api/v1/admin", f"/api/v1/admin/users/{user}"
        key = {"user_id": user, "name": "a", "roles": ["operator"]}
        override = {"subject": "role:viewer", "resource_type": "agent", "resource_id": agent, "effect": "deny", "permissions": ["agent:update"], "reason": "x"}
        elevation = {"role": "viewer", "until": FUTURE, "reason": "x"}
        rows = [
            ("POST", "/users", {"username": "a", "roles": ["viewer", "no-such-role"]}, "/roles/1"),
            ("POST", "/users", {"username": "a", "roles": ["super_admin"]}, "/roles/0"),
            ("POST", "/users", {"username": "a", "roles": [], "agent_type": "coder"}, "/agent_type"),
            ("POST", "/keys", {**key, "roles": ["no-such-role"]}, "/roles/0"),
            ("POST", "/keys", {**key, "scopes": ["agent:read", "agent:fly"]}, "/scopes/1"),
            ("POST", "/keys", {**key, "ip_allow": ["10.0.0.0/8", "10.0.0.0/99"]}, "/ip_allow/1"),
            ("POST", "/keys", {**key, "expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
            ("POST", "/roles", {"name": "a", "permissions": ["agent:*", "agent:fly"]}, "/permissions/1"),
            ("POST", "/roles", {"name": "a", "inherits": ["no-such-role"]}, "/inherits/0"),
            ("POST", "/roles", {"name": "Two words"}, "/role_id"),
            ("POST", "/overrides", {**override, "permissions": ["agent:fly"]}, "/permissions/0"),
            ("POST", "/overrides", {**override, "subject": "role:no-such-role"}, "/subject"),
            ("POST", "/access/evaluate", {"user_id": user, "action": "agent:fly"}, "/action"),
            ("POST", "/access/evaluate", {"user_id": user, "action": "agent:read", "resource_type": "agent"}, "/resource_id"),
            ("PUT", "/policies/org", {"token_limit": 0.5}, "/token_limit"),
            ("PUT", "/policies/org", {"tools": [{"tool_name": "a b", "effect": "deny"}]}, "/tools/0/tool_name"),
            ("PUT", f"/policies/agents/{agent}", {"matrix": {"a/b": {"allowed": True, "rate_limit": "often"}}}, "/matrix/a~1b/rate_limit"),
            ("GET", "/audit?from=yesterday", None, "/from"),
            ("GET", "/audit?to=2026-13-01T00:00:00Z", None, "/to"),
        ]
        for method, path, body, pointer in rows:
            with self.subTest(path=path, body=body):
                self.wrong(method, admin + path, body, pointer)
        self.wrong("PUT", one, {"roles": ["no-such-role"]}, "/roles/0")
        self.wrong("POST", one + "/elevate", {**elevation, "role": "no-such-role"}, "/role")
        for until in (FUTURE, "2001-01-01T00:00:00Z", "tomorrow"):
            self.wrong("POST", one + "/elevate", {**elevation, "until": until}, "/until")
        self.wrong("PUT", one + "/password", {"password": "short"}, "/password")

    def test_uploads(self):
        headers = {"X-Tenant-ID": self.world.tenant}
        for file, members, pointer in ((b" \n ", {}, "/file"), (b"\xff\xfe\x00", {}, "/file"), (b"text", {"classification": "secret"}, "/classification"),
                                       (b"text", {"metadata": '{"title": "a\\nb"}'}, "/metadata/title")):
            with self.subTest(pointer=pointer, file=file):
                answer = self.host.upload("a.txt", file, headers=headers, expect=400, fields=members)
                self.assertEqual([pointer], [e["pointer"] for e in answer.json["errors"]], answer)

    def test_compatible_doors_name_the_parameter(self):
        for path, body, name in (("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}, "model"),
                                 ("/v1/chat/completions", {"model": "local"}, "messages"), ("/v1/embeddings", {"input": "x"}, "model"),
                                 ("/v1/embeddings", {"model": "local"}, "input")):
            with self.subTest(path=path, body=body):
                self.assertEqual(name, self.host.post(path, body, expect=400).json["error"]["param"])


if __name__ == "__main__":
    main()
