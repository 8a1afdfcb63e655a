# SPDX-License-Identifier: LGPL-2.1-or-later
"""From where callers may come: the whole host's list, a tenant's, a key's; and whom a proxy is believed."""

import http.client
import subprocess
import threading
import unittest
import urllib.parse

from mock_openai import MockOpenAI
from reeve import HOST, Host, main

PROXY = "server: {trusted_proxies: [127.0.0.1], ip_allow: [127.0.0.1, 192.0.2.0/24]}\n"
MODEL = """llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
"""


def by(address):
    return {"X-Forwarded-For": address}


class Network(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gate, cls.asked = threading.Event(), threading.Event()
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.addClassCleanup(cls.gate.set)
        cls.mock.default = cls.answer
        cls.host = Host(config=PROXY + MODEL.format(url=cls.mock.base_url)).start()
        cls.addClassCleanup(cls.host.close)

    @classmethod
    def answer(cls, _request):
        cls.asked.set()
        cls.gate.wait(60)
        return {"content": "done"}

    def me(self, address, **options):
        return self.host.get("/api/v1/me", headers=by(address), **options)

    def test_the_list_of_the_host(self):
        self.me("192.0.2.7", expect=200)
        said = self.me("198.51.100.7", expect=403).json["detail"]
        self.assertNotIn("192.0.2", said)
        # what stands left of an untrusted one was written by anybody
        self.me("192.0.2.7, 198.51.100.7", expect=403)
        self.me("198.51.100.7, 192.0.2.7", expect=200)
        # who was let in from one place is not let in from another
        self.me("192.0.2.7", expect=200)
        self.me("198.51.100.7", expect=403)

    def test_the_list_of_a_tenant(self):
        there = {"X-Tenant-ID": "plant"}
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "plant", "name": "x", "settings": {"ip_allow": ["192.0.2.8/29"]}}, expect=201)
        user = self.host.post("/api/v1/admin/users", {"username": "u", "roles": ["viewer"]}, headers=there, expect=201).json["user_id"]
        body = {"user_id": user, "name": "k", "roles": ["viewer"]}
        key = self.host.post("/api/v1/admin/keys", body, headers=there, expect=201).json["key"]
        self.me("192.0.2.9", key=key, expect=200)
        self.me("192.0.2.1", key=key, expect=403)
        self.host.get("/api/v1/me", key=key, expect=403)
        # the key's own must allow it as well
        narrow = self.host.post("/api/v1/admin/keys", {**body, "ip_allow": ["192.0.2.9"]}, headers=there, expect=201).json["key"]
        self.me("192.0.2.9", key=narrow, expect=200)
        self.me("192.0.2.10", key=narrow, expect=401)
        # a change is felt at once, and one that cannot be read is none
        for allow, taken, status in ((["192.0.2.9/32"], 200, 403), ([], 200, 200), (["1.2.3"], 400, 200)):
            self.host.put("/api/v1/admin/tenants/plant", {"settings": {"ip_allow": allow}}, expect=taken)
            self.me("192.0.2.1", key=key, expect=status)

    def test_the_list_of_a_workspace(self):
        body = {"name": "w", "ip_allow": ["192.0.2.0/28", "127.0.0.1"]}
        inside, outside = by("192.0.2.7"), by("192.0.2.77")
        made = self.host.post("/api/v1/admin/workspaces", body, expect=201).json
        workspace, path = made["workspace_id"], f"/api/v1/admin/workspaces/{made['workspace_id']}"
        self.assertEqual(body["ip_allow"], made["ip_allow"])
        user = self.host.get("/api/v1/me").json["user_id"]
        member = self.host.post("/api/v1/admin/users", {"username": "m", "roles": ["operator"]}, expect=201).json["user_id"]
        self.host.post(path + "/members", {"user_id": member}, expect=201)
        key = self.host.post("/api/v1/admin/keys", {"user_id": member, "name": "k", "roles": ["operator"]}, expect=201).json["key"]
        body = {"name": "a", "workspace_id": workspace, "initial_definition": {"system_prompt": "x", "tools": []}}
        agent = self.host.post("/api/v1/admin/agents", body, headers=inside, expect=201).json["agent_id"]
        self.host.post("/api/v1/admin/agents", body, headers=outside, expect=403)
        upload = {"fields": {"workspace_id": workspace}, "headers": outside}
        self.host.upload("a.md", "the zirkonium of the works", expect=403, **upload)
        document = self.host.upload("a.md", "the zirkonium of the works", fields={"workspace_id": workspace}, headers=inside).json["document_id"]
        for shown in ("admin", key):
            for thing in (path, path + "/members", f"/api/v1/admin/agents/{agent}", f"/api/v1/documents/{document}"):
                with self.subTest(key=shown, thing=thing):
                    self.host.get(thing, key=shown, headers=inside, expect=200)
                    refused = self.host.get(thing, key=shown, headers=outside, expect=403).json
                    self.assertTrue(refused["type"].endswith("network-denied"))
                    self.assertNotIn("192.0.2", refused["detail"])
            for lists, member_of, id in (("/api/v1/admin/workspaces", "workspace_id", workspace), ("/api/v1/admin/agents", "agent_id", agent),
                                         ("/api/v1/documents", "document_id", document)):
                for headers, there in ((inside, True), (outside, False)):
                    items = self.host.get(lists, key=shown, headers=headers, expect=200).json["items"]
                    self.assertEqual(there, id in [item[member_of] for item in items], (lists, headers))
            for headers, there in ((inside, True), (outside, False)):
                found = self.host.post("/api/v1/documents/search", {"query": "zirkonium"}, key=shown, headers=headers, expect=200).json["results"]
                self.assertEqual(there, bool(found))
        # a key of the workspace comes for nothing else
        bound = self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "b", "roles": ["admin"], "workspace_id": workspace}, expect=201).json["key"]
        self.me("192.0.2.7", key=bound, expect=200)
        self.me("192.0.2.77", key=bound, expect=403)
        # nobody opens it from outside, and a change is felt at once
        self.host.put(path, {"ip_allow": []}, headers=outside, expect=403)
        self.host.delete(f"/api/v1/admin/agents/{agent}", headers=outside, expect=403)
        self.host.put(path, {"ip_allow": ["1.2.3"]}, expect=400)
        self.host.put(path, {"ip_allow": ["192.0.2.0/24", "127.0.0.1"]}, headers=inside, expect=200)
        self.host.get(path, headers=outside, expect=200)
        self.me("192.0.2.77", key=bound, expect=200)
        self.host.put(path, {"ip_allow": ["127.0.0.1"]}, headers=outside, expect=200)
        self.host.get(path, headers=outside, expect=403)
        self.me("192.0.2.77", key=bound, expect=403)

    def test_a_stream_that_is_open(self):
        """Who follows a run sees nothing more of it from where he would not be let in any more."""
        there = {"X-Tenant-ID": "stream"}
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "stream", "name": "x"}, expect=201)
        user = self.host.post("/api/v1/admin/users", {"username": "u", "roles": ["operator"]}, headers=there, expect=201).json["user_id"]
        key = self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["operator"]}, headers=there, expect=201).json["key"]
        body = {"name": "a", "initial_definition": {"system_prompt": "x", "tools": []}}
        agent = self.host.post("/api/v1/admin/agents", body, headers=there, expect=201).json["agent_id"]
        self.gate.clear()
        self.asked.clear()
        run = self.host.stream("POST", "/api/v1/agents/execute", {"agent_id": agent, "mission": "m", "stream": True}, key=key, headers=by("192.0.2.5"))
        run_id = next(run).data["run_id"]
        self.assertTrue(self.asked.wait(60))
        readers = [self.host.stream("GET", f"/api/v1/runs/{run_id}/events", key=key, headers=by(a)) for a in ("192.0.2.5", "192.0.2.6")]
        seen = [[next(reader).name] for reader in readers]
        self.host.put("/api/v1/admin/tenants/stream", {"settings": {"ip_allow": ["192.0.2.6"]}}, expect=200)
        self.gate.set()
        for names, reader in zip(seen, readers):
            names += [event.name for event in reader]
        self.assertEqual("run.completed", seen[1][-1])
        self.assertEqual([], [name for name in seen[0] if name.startswith("run.completed")])
        self.assertEqual("run.completed", list(run)[-1].name)  # what was begun goes on

    def test_a_stream_from_a_workspace(self):
        """The same of what lies in a workspace: its rule, and to whom it is open."""
        made = self.host.post("/api/v1/admin/workspaces", {"name": "w", "cross_workspace_visibility": True}, expect=201).json["workspace_id"]
        users = [self.host.post("/api/v1/admin/users", {"username": f"s{n}", "roles": ["operator"]}, expect=201).json["user_id"] for n in range(2)]
        keys = [self.host.post("/api/v1/admin/keys", {"user_id": u, "name": "k", "roles": ["operator"]}, expect=201).json["key"] for u in users]
        self.host.post(f"/api/v1/admin/workspaces/{made}/members", {"user_id": users[0]}, expect=201)
        body = {"name": "a", "workspace_id": made, "initial_definition": {"system_prompt": "x", "tools": []}}
        agent = self.host.post("/api/v1/admin/agents", body, expect=201).json["agent_id"]
        for change, ends in (({"ip_allow": ["192.0.2.6", "127.0.0.1"]}, {0}), ({"cross_workspace_visibility": False}, {2})):
            self.gate.clear()
            self.asked.clear()
            run = self.host.stream("POST", "/api/v1/agents/execute", {"agent_id": agent, "mission": "m", "stream": True}, key=keys[0], headers=by("192.0.2.6"))
            run_id = next(run).data["run_id"]
            self.assertTrue(self.asked.wait(60))
            who = [(keys[0], "192.0.2.5" if 0 in ends else "192.0.2.6"), (keys[0], "192.0.2.6"), (keys[1], "192.0.2.6")]
            readers = [self.host.stream("GET", f"/api/v1/runs/{run_id}/events", key=k, headers=by(a)) for k, a in who]
            seen = [[next(reader).name] for reader in readers]
            self.host.put(f"/api/v1/admin/workspaces/{made}", change, expect=200)
            self.gate.set()
            for number, (names, reader) in enumerate(zip(seen, readers)):
                names += [event.name for event in reader]
                self.assertEqual(number not in ends, "run.completed" in names, (change, number, names))
            self.assertEqual("run.completed", list(run)[-1].name)

    def test_a_stream_of_what_is_denied(self):
        """Who follows a run sees nothing more of it once that run is denied to him, or is not allowed to him any more."""
        users = [self.host.post("/api/v1/admin/users", {"username": f"reads-{role}", "roles": [role]}, expect=201).json["user_id"] for role in ("viewer", "billing_admin")]
        keys = [self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": [role]}, headers=by("192.0.2.1"), expect=201).json["key"]
                for user, role in zip(users, ("viewer", "billing_admin"))]
        agent = self.host.agent()
        self.gate.clear()
        self.asked.clear()
        run = self.host.stream("POST", "/api/v1/agents/execute", {"agent_id": agent, "mission": "m", "stream": True})
        run_id = next(run).data["run_id"]
        self.assertTrue(self.asked.wait(60))

        def override(effect, user):
            body = {"subject": f"user:{user}", "resource_type": "run", "resource_id": run_id, "effect": effect, "permissions": ["session:read"], "reason": "x"}
            return self.host.post("/api/v1/admin/overrides", body, expect=201).json["override_id"]
        allowed = override("allow", users[1])
        readers = [self.host.stream("GET", f"/api/v1/runs/{run_id}/events", key=key) for key in keys]
        seen = [[next(reader).name] for reader in readers]
        override("deny", users[0])
        self.host.delete(f"/api/v1/admin/overrides/{allowed}", expect=204)
        self.gate.set()
        for names, reader in zip(seen, readers):
            names += [event.name for event in reader]
            self.assertEqual([], [name for name in names if name.startswith("run.completed")])
        self.assertEqual("run.completed", list(run)[-1].name)

    def test_who_has_locked_himself_out_is_helped(self):
        there = {"X-Tenant-ID": "locked"}
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "locked", "name": "x"}, expect=201)
        made = self.host.post("/api/v1/admin/workspaces", {"name": "w", "ip_allow": ["10.9.9.9"]}, headers=there, expect=201).json
        self.host.put(f"/api/v1/admin/workspaces/{made['workspace_id']}", {"ip_allow": []}, headers=there, expect=200)

    def test_what_a_proxy_does_not_know(self):
        """A proxy stands in the list; who it lets through without an address does not."""
        for chain in ("unknown", "192.0.2.7, unknown", "", ",", "192.0.2.7,", "192.0.2.7, 192.0.2.7%eth0", "192.0.2.7, 198.51.100.7:80",
                      "198.51.100.7," + "127.0.0.1," * 500 + "127.0.0.1", "192.0.2.7, 2002:c000:207::", "192.0.2.7, 64:ff9b::192.0.2.7",
                      "192.0.2.7, ::192.0.2.7", "192.0.2.7, 3221225991", "192.0.2.7, 0300.0.2.7", "x" * 4000):
            with self.subTest(chain=chain[:40]):
                self.me(chain, expect=403)
        for chain in ("192.0.2.7:80", "[::ffff:192.0.2.7]:80", "::ffff:c000:207", "x" * 4000 + ", 192.0.2.7", "192.0.2.7, 127.0.0.1", " 192.0.2.7 "):
            with self.subTest(chain=chain[:40]):
                self.me(chain, expect=200)

    def test_two_lines_are_one_list(self):
        for lines, expect in ((("192.0.2.7", "198.51.100.7"), 403), (("198.51.100.7", "192.0.2.7"), 200)):
            address = urllib.parse.urlsplit(self.host.url)
            connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
            connection.putrequest("GET", "/api/v1/me")
            connection.putheader("Authorization", "Bearer " + self.host.key)
            for line in lines:
                connection.putheader("X-Forwarded-For", line)
            connection.endheaders()
            self.assertEqual(expect, connection.getresponse().status)
            connection.close()


class Proxies(unittest.TestCase):
    def test_nobody_is_believed_who_is_not_trusted(self):
        with Host(config="server: {ip_allow: [127.0.0.1]}\n") as host:
            host.get("/api/v1/me", headers=by("192.0.2.7"), expect=200)
        with Host(config="server: {trusted_proxies: [10.0.0.0/8]}\n") as host:
            user = host.get("/api/v1/me").json["user_id"]
            key = host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["viewer"], "ip_allow": ["192.0.2.7"]}, expect=201).json["key"]
            host.get("/api/v1/me", key=key, headers=by("192.0.2.7"), expect=401)

    def test_lists_that_cannot_be_read(self):
        for name in ("trusted_proxies", "ip_allow"):
            host = Host(config=f"server: {{{name}: [1.2.3.4.5]}}\n")
            done = subprocess.run([HOST, "--config", host.config, "--state-dir", host.state, "--listen", "127.0.0.1:0", "--bus", "none"],
                                  capture_output=True, text=True, timeout=120, check=False)
            host.folder.cleanup()
            self.assertEqual(78, done.returncode, done.stderr)
            self.assertIn(f"server.{name}", done.stderr)


if __name__ == "__main__":
    main()
