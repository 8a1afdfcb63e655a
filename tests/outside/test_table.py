# SPDX-License-Identifier: LGPL-2.1-or-later
"""Routes of the table, bodies, tenants, idempotency. Who may do what at which door is proven in hold_proof.py."""

import json
import time
import unittest

import table
from reeve import Host, main

TABLE = table.TABLE.operations


def path_of(operation, number=0):
    """A path in which every identifier is one that nobody has."""
    path = operation["paths"][number]
    for name in operation["path"]:
        path = path.replace("{" + name + "}", "999999999" if name == "seq" else "none")
    return path


class Table(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host("metrics: {require_authentication: true}\n").start()
        cls.addClassCleanup(cls.host.close)

    def ask(self, operation, key, path=None, body=b"{"):
        """The call with a broken body where it has one, so that nothing happens that was allowed."""
        headers = {"Content-Type": "application/json"}
        return self.host.call(operation["method"], path or path_of(operation), body if "body" in operation else None, key=key, headers=headers)

    def test_nobody_gets_in_without_credentials(self):
        for operation in TABLE:
            for key in (None, "rv_nobody_nothing"):
                with self.subTest(operation=operation["name"], key=key):
                    answer = self.ask(operation, key)
                    if "public" in operation["flags"]:
                        self.assertEqual(200, answer.status, answer)
                    else:
                        self.assertEqual(401, answer.status, answer)
                        self.assertIn("Bearer", answer.headers["WWW-Authenticate"])

    def test_aliases_are_the_same(self):
        for operation in TABLE:
            for number in range(1, len(operation["paths"])):
                with self.subTest(operation=operation["name"]):
                    self.prepare(operation)
                    there = self.ask(operation, self.host.key, path_of(operation, number))
                    self.prepare(operation)
                    self.assertEqual(self.ask(operation, self.host.key).status, there.status, there)

    def prepare(self, operation):
        """What is there only once is there again."""
        if operation["name"] == "policies.delete_org":
            self.host.put("/api/v1/admin/policies/org", {}, expect=200)

    def test_other_methods_are_405(self):
        known = {}
        for operation in TABLE:
            known.setdefault(path_of(operation), set()).add(operation["method"])
        for path, methods in known.items():
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
                with self.subTest(path=path, method=method):
                    answer = self.host.call(method, path, key=None)
                    self.assertEqual(405, answer.status, answer)
                    self.assertEqual(methods | ({"HEAD"} & {"HEAD" for m in methods if m == "GET"}), set(answer.headers["Allow"].split(", ")))

    def test_unknown_paths_are_404(self):
        for path in ("/", "/api", "/api/v1", "/api/v1/admin", "/api/v1/admin/tenantsx", "/api/v1/admin/tenants/", "/v1/documents", "//health"):
            for key in ("admin", None):
                self.assertEqual(404, self.host.get(path, key=key).status, path)


class Bodies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host().start()
        cls.addClassCleanup(cls.host.close)

    def fault(self, body, pointer, path="/api/v1/admin/users"):
        answer = self.host.call("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(),
                                headers={"Content-Type": "application/json"}, expect=400)
        self.assertEqual("application/problem+json", answer.headers["Content-Type"])
        self.assertIn(pointer, [e["pointer"] for e in answer.json["errors"]], answer)
        self.assertEqual((400, path), (answer.json["status"], answer.json["instance"]))
        self.assertRegex(answer.json["trace_id"], "^[0-9a-f]{32}$")
        self.assertTrue(answer.json["type"].startswith("https://"))

    def test_faults_have_pointers(self):
        self.fault({"username": "a", "roles": ["viewer"], "colour": 1}, "/colour")
        self.fault({"username": 1, "roles": ["viewer"]}, "/username")
        self.fault({"username": "a", "roles": ["viewer", 2]}, "/roles/1")
        self.fault({"roles": []}, "/username")
        self.fault([], "")
        self.fault(b"", "")

    def test_json_is_strict(self):
        for body in (b"{", b'{"username":"a","username":"b"}', b'{"username":"a",}', b"{} {}", b"\xff", b"nul", b"[" * 100 + b"]" * 100, b'{"a":1e999}'):
            self.fault(body, "")

    def test_wrong_media_type(self):
        body = b'{"username":"a","roles":[]}'
        for media in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            self.host.call("POST", "/api/v1/admin/users", body, headers={"Content-Type": media}, expect=415)
        self.host.call("POST", "/api/v1/documents/upload", b"{}", headers={"Content-Type": "application/json"}, expect=415)

    def test_query_members_are_checked(self):
        for query in ("limit=0", "limit=501", "limit=x", "limit=1&limit=2", "colour=1", "cursor=%FF", "limit=1%00"):
            self.assertEqual(400, self.host.get("/api/v1/admin/users?" + query).status, query)
        self.assertEqual(200, self.host.get("/api/v1/admin/users?limit=1").status)

    def test_pages_meet(self):
        for i in range(7):
            self.host.post("/api/v1/admin/users", {"username": f"page-{i}", "roles": []}, expect=201)
        for path in ("/api/v1/admin/users", "/api/v1/admin/plugins", "/api/v1/tools"):
            whole = self.host.get(path + "?limit=500", expect=200).json
            self.assertIsNone(whole["next_cursor"])
            seen, cursor = [], ""
            while cursor is not None:
                page = self.host.get(f"{path}?limit=2{'&cursor=' + cursor if cursor else ''}", expect=200).json
                self.assertLessEqual(len(page["items"]), 2)
                seen += page["items"]
                cursor = page["next_cursor"]
            self.assertEqual(json.dumps(whole["items"], sort_keys=True), json.dumps(seen, sort_keys=True), path)

    def test_order_of_refusal(self):
        host, viewer = self.host, self.host.user("viewer")
        huge = b"x" * (11 << 20)
        self.assertEqual(413, host.call("POST", "/api/v1/admin/users", huge, key=None).status)
        self.assertEqual(405, host.call("PUT", "/api/v1/admin/users", huge, key=None).status)
        self.assertEqual(404, host.call("POST", "/nothing", huge, key=None).status)
        self.assertEqual(403, host.call("PUT", "/api/v1/admin/agents/none", b"{", key=viewer).status)
        self.assertEqual(404, host.call("PUT", "/api/v1/admin/agents/none", b"{").status)

    def test_refusals_are_recorded(self):
        viewer = self.host.user("viewer")
        self.host.post("/api/v1/admin/agents", {}, key=viewer, expect=403)
        self.host.get("/api/v1/admin/agents/none", expect=404)
        wanted = {("agents.create", "blocked", "permission_denied"), ("agents.get", "blocked", "not_found")}
        reasons, end = set(), time.monotonic() + 10  # nobody waits for the record of a refusal
        while not wanted <= reasons and time.monotonic() < end:
            reasons = {(r["action"], r["outcome"], r["reason"]) for r in self.host.records() if r["kind"] == "refusal"}
        self.assertLessEqual(wanted, reasons)


class Tenants(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host().start()
        cls.addClassCleanup(cls.host.close)
        for tenant in ("left", "right"):
            cls.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant}, expect=201)
        cls.left, cls.right = (cls.host.user("admin", tenant=t) for t in ("left", "right"))

    def test_lists_and_searches_end_at_the_tenant(self):
        """That identifiers do is proven for every operation in hold_proof_foreign.py."""
        host = self.host
        definition = {"name": "a", "initial_definition": {"system_prompt": "x", "tools": []}}
        agent = host.post("/api/v1/admin/agents", definition, key=self.left, expect=201).json["agent_id"]
        host.upload("a.md", "left only", key=self.left)
        host.post("/api/v1/chat", {"message": "x", "agent_id": agent}, key=self.left, expect=200)
        for path in ("/api/v1/admin/agents", "/api/v1/documents", "/api/v1/runs", "/api/v1/conversations"):
            self.assertEqual(1, len(host.get(path, key=self.left, expect=200).json["items"]), path)
            self.assertEqual([], host.get(path, key=self.right, expect=200).json["items"], path)
        found = host.post("/api/v1/documents/search", {"query": "left only"}, key=self.right, expect=200).json
        self.assertEqual({"mode": "keyword", "results": []}, found)

    def test_x_tenant_id(self):
        host = self.host
        for key, tenant, status in ((self.left, "left", 200), (self.left, "right", 404), (self.left, "default", 404), (self.left, "none", 404),
                                    ("admin", "right", 200), ("admin", "none", 404), ("admin", "../x", 404)):
            answer = host.get("/api/v1/me", key=key, headers={"X-Tenant-ID": tenant})
            self.assertEqual(status, answer.status, (tenant, answer))
        me = host.get("/api/v1/me", headers={"X-Tenant-ID": "right"}).json
        self.assertEqual(("right", "default"), (me["tenant_id"], me["home_tenant_id"]))

    def test_a_tenant_admin_is_no_platform_admin(self):
        answer = self.host.get("/api/v1/admin/tenants", key=self.left, expect=403)
        self.assertIn("platform admin", answer.json["detail"])
        me = self.host.get("/api/v1/me", key=self.left, expect=200).json
        self.assertIn("tenant:manage", me["permissions"])
        self.assertFalse(me["platform_admin"])


class Idempotency(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host().start()
        cls.addClassCleanup(cls.host.close)

    def post(self, path, body, key, **options):
        return self.host.post(path, body, headers={"Idempotency-Key": key}, **options)

    def test_replay_and_mismatch(self):
        first = self.post("/api/v1/admin/users", {"username": "once", "roles": []}, "one", expect=201)
        again = self.post("/api/v1/admin/users", {"roles": [], "username": "once"}, "one", expect=201)
        self.assertEqual(first.json, again.json)
        self.post("/api/v1/admin/users", {"username": "twice", "roles": []}, "one", expect=422)
        names = [u["username"] for u in self.host.get("/api/v1/admin/users?limit=500").json["items"]]
        self.assertEqual(1, names.count("once"))
        self.assertNotIn("twice", names)

    def test_a_refusal_leaves_the_key_free(self):
        self.post("/api/v1/admin/users", {"username": 1}, "two", expect=400)
        self.post("/api/v1/admin/users", {"username": "free", "roles": []}, "two", expect=201)

    def test_a_failure_is_the_answer_too(self):
        self.post("/api/v1/admin/users", {"username": "taken", "roles": []}, "three", expect=201)
        self.post("/api/v1/admin/users", {"username": "taken", "roles": []}, "four", expect=409)
        self.post("/api/v1/admin/users", {"username": "taken", "roles": []}, "four", expect=409)

    def test_a_mission_runs_once(self):
        agent = self.host.agent(tools=[])
        body = {"agent_id": agent, "mission": "x"}
        first = self.post("/api/v1/agents/execute", body, "five", expect=200).json
        streamed = self.post("/api/v1/agents/execute", {**body, "stream": True}, "five")
        self.assertEqual(422, streamed.status)
        self.assertEqual(first, self.post("/api/v1/agents/execute", body, "five", expect=200).json)
        self.assertEqual(1, len(self.host.get("/api/v1/runs").json["items"]))

    def test_a_form_is_the_same_with_another_boundary(self):
        def upload(boundary, text):
            body = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n'
                    f'Content-Type: text/markdown\r\n\r\n{text}\r\n--{boundary}--\r\n').encode()
            headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Idempotency-Key": "form"}
            return self.host.call("POST", "/api/v1/documents/upload", body, headers=headers)
        first = upload("one", "# A text")
        self.assertEqual((201, first.json), (first.status, upload("two", "# A text").json))
        self.assertEqual(422, upload("two", "# Another text").status)

    def test_bad_keys(self):
        self.post("/api/v1/admin/users", {"username": "k", "roles": []}, "x" * 300, expect=400)


if __name__ == "__main__":
    main()
