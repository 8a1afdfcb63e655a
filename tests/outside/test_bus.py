# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host on a private session bus, spoken to with gdbus as anybody would."""

import ast
import hashlib
import json
import os
import re
import pathlib
import subprocess
import tempfile
import time
import unittest
from xml.etree import ElementTree

from mock_openai import MockOpenAI
from reeve import Host, main

NAME, PATH = "io.reeve.Host", "/io/reeve/Host"
PEER = str(pathlib.Path(__file__).with_name("bus_peer.py"))


class Bus:
    """A dbus-daemon of one's own."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="reeve-bus-")
        self.process = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1",
                                         f"--address=unix:path={self.folder.name}/bus"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.address = self.process.stdout.readline().decode().strip()
        self.environment = {"DBUS_SESSION_BUS_ADDRESS": self.address}

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
        self.folder.cleanup()


class BusCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        cls.host = Host(bus="session", environment=cls.bus.environment).start()
        cls.addClassCleanup(cls.host.close)

    def gdbus(self, *arguments):
        command = ["gdbus", *arguments[:1], "--session", "--dest", NAME, "--object-path", PATH, *arguments[1:]]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ, **self.bus.environment))

    def call(self, method, *arguments):
        """The only result of a method, as a string or a boolean."""
        done = self.gdbus("call", "--method", method, *arguments)
        self.assertEqual(0, done.returncode, done.stderr)
        text = done.stdout.strip()
        if text in ("(true,)", "(false,)"):
            return text == "(true,)"
        return ast.literal_eval(text)[0]

    def typed(self, method, *arguments):
        """A typed method with values of Python: {name of the result: value}, or the value of the only one."""
        interface, name = method.rsplit(".", 1)
        node = ElementTree.fromstring(self.gdbus("introspect", "--xml").stdout)
        args = node.findall(f"./interface[@name='{interface}']/method[@name='{name}']/arg")
        kinds = {way: [a for a in args if a.get("direction") == way] for way in ("in", "out")}
        answer = self.ask_as_peer({"peer": "owner", "interface": interface, "method": name, "arguments": arguments,
                                   "signature": "(" + "".join(a.get("type") for a in kinds["in"]) + ")"})
        self.assertNotIn("error", answer)
        values = dict(zip([a.get("name") for a in kinds["out"]], answer["results"]))
        return values if len(values) > 1 else answer["result"]

    def ask_as_peer(self, command, bus=None):
        """Also of what is too long for a command line."""
        done = subprocess.run(["/usr/bin/python3", PEER], input=json.dumps(command) + "\n", capture_output=True, text=True, timeout=60, check=False,
                              env=dict(os.environ, **(bus or self.bus).environment))
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def refused(self, method, *arguments):
        done = self.gdbus("call", "--method", method, *arguments)
        self.assertNotEqual(0, done.returncode, done.stdout)
        return done.stderr

    def do(self, operation, **params):
        return json.loads(self.call("io.reeve.Host1.Call", operation, json.dumps(params)))


class Generic(BusCase):
    def test_properties(self):
        done = self.gdbus("call", "--method", "org.freedesktop.DBus.Properties.GetAll", "io.reeve.Host1")
        for text in ("'Version': <'", "'State': <'running'>", f"'Address': <'{self.host.url}'>", "'Uptime': <uint64 ", "'version': <uint32 1>"):
            self.assertIn(text, done.stdout)

    def test_the_owner_is_the_platform_admin(self):
        me = self.do("me.get")
        self.assertEqual("default", me["tenant_id"])
        self.do("tenants.create", tenant_id="acme", name="Acme")
        self.assertEqual("acme", self.do("me.get", tenant_id="acme")["tenant_id"])
        self.do("agents.create", tenant_id="acme", name="theirs", initial_definition={"system_prompt": "x"})
        self.assertEqual(["theirs"], [a["name"] for a in self.do("agents.list", tenant_id="acme")["items"]])
        self.assertNotIn("theirs", [a["name"] for a in self.do("agents.list")["items"]])

    def test_grants_of_plugins(self):
        made = json.loads(self.call("io.reeve.Plugins1.Grant", "tool-http", "net.http", '{"methods": ["GET"]}', "", "why", ""))
        shown = json.loads(self.call("io.reeve.Plugins1.Inspect", "tool-http"))["grants"][0]
        self.assertEqual(["GET"], next(g for g in shown["granted"] if g["grant_id"] == made["grant_id"])["parameters"]["methods"])
        self.assertTrue(self.call("io.reeve.Plugins1.Revoke", "tool-http", made["grant_id"]))
        self.assertIn("io.reeve.Error.NotFound", self.refused("io.reeve.Plugins1.Revoke", "tool-http", "gnt_none"))
        self.assertIn("tool-http", [p["plugin_id"] for p in json.loads(self.call("io.reeve.Plugins1.List"))["items"]])

    def test_versions_and_secrets_of_plugins(self):
        path = "io.reeve.Plugins1."
        self.assertIn("there is no folder tool-calculate@7.0.0", self.refused(path + "Upgrade", "tool-calculate", "7.0.0", "", "", ""))
        self.assertIn("/manifest_sha256", self.refused(path + "Upgrade", "tool-calculate", "7.0.0", "x", "", ""))
        self.assertIn("io.reeve.Error.Conflict", self.refused(path + "Rollback", "tool-calculate"))
        self.assertEqual("tool-calculate", json.loads(self.call(path + "Restart", "tool-calculate"))["plugin_id"])
        self.do("plugins.set_secret", plugin_id="tool-http", slot="crm", scheme="bearer", value="b3Blbi1zZXNhbWU", origins=["https://crm.example.com"])
        self.assertEqual(["crm"], [s["slot"] for s in json.loads(self.call(path + "Secrets", "tool-http"))["items"]])
        self.assertTrue(self.call(path + "DeleteSecret", "tool-http", "crm", ""))
        self.assertEqual([], json.loads(self.call(path + "Secrets", "tool-http"))["items"])
        self.assertIn("io.reeve.Error.NotFound", self.refused(path + "DeleteSecret", "tool-http", "crm", ""))

    def test_errors_have_names(self):
        self.assertIn("io.reeve.Error.NotFound", self.refused("io.reeve.Host1.Call", "agents.get", '{"agent_id": "agt_none"}'))
        self.assertIn("io.reeve.Error.NotFound", self.refused("io.reeve.Host1.Call", "no.such", "{}"))
        self.assertIn("io.reeve.Error.InvalidArgument", self.refused("io.reeve.Host1.Call", "agents.list", '{"limit": 0}'))
        self.assertIn("/nonsense", self.refused("io.reeve.Host1.Call", "agents.create", '{"name": "x", "nonsense": 1, "initial_definition": {"system_prompt": "x"}}'))
        # what is wrong is said once, with where it is
        for params, text in (('{"limit": 0}', "/limit: "), ('{"limit": 0, "cursor": 7}', "/cursor: "), ('{"nonsense": 1}', "/nonsense: ")):
            self.assertEqual(1, self.refused("io.reeve.Host1.Call", "agents.list", params).count(text), params)
        key = json.dumps({"user_id": self.do("me.get")["user_id"], "name": "k", "roles": ["viewer"], "expires_at": "2001-01-01T00:00:00Z"})
        self.assertIn(": /expires_at: is in the past\n", self.refused("io.reeve.Host1.Call", "keys.create", key))
        for bad in ("[]", "{", '{"a": 1, "a": 2}', "nul"):
            self.assertIn("io.reeve.Error.InvalidArgument", self.refused("io.reeve.Host1.Call", "me.get", bad), bad)

    def test_what_is_refused_at_the_door_is_on_record(self):
        """Operations that are not there, arguments that are no members: who asked, for what, and what he heard."""
        asked = (("requests.unknown", "not_found", '{"operation":"no.such.thing"}', "io.reeve.Host1.Call", "no.such.thing", "{}"),
                 ("runs.list", "invalid_argument", "{}[7]", "io.reeve.Host1.Call", "runs.list", "[7]"),
                 ("plugins.grant", "invalid_argument", "{}('tool-http', 'net.http', '{broken', '', 'why', '')", "io.reeve.Plugins1.Grant",
                  "tool-http", "net.http", "{broken", "", "why", ""))
        for action, reason, digested, *call in asked:
            with self.subTest(action=action):
                said = self.refused(*call)
                found, end = [], time.monotonic() + 60
                while not found and time.monotonic() < end:
                    found = [r for r in self.host.records(action=action, kind="refusal") if r["door"] == "dbus" and r["reason"] == reason]
                detail = re.search(r"io\.reeve\.Error\.\w+: (.*)", said).group(1)
                told = json.dumps({"code": reason, "detail": detail}, sort_keys=True, separators=(",", ":"))
                self.assertEqual([hashlib.sha256(t.encode()).hexdigest() for t in (digested, told)],
                                 [found[-1].get("input_digest"), found[-1].get("output_digest")], said)

    def test_login_binds_a_connection_to_a_user(self):
        key = self.host.user("viewer")
        script = (
            "import sys\nfrom gi.repository import Gio, GLib\n"
            "bus = Gio.bus_get_sync(Gio.BusType.SESSION)\n"
            f"call = lambda m, p: bus.call_sync('{NAME}', '{PATH}', 'io.reeve.Host1', m, p, None, 0, 30000)\n"
            "call('Login', GLib.Variant('(s)', (sys.argv[1],)))\n"
            "print(call('Call', GLib.Variant('(ss)', ('me.get', '{}'))).unpack()[0])\n"
            "try:\n    call('Call', GLib.Variant('(ss)', ('tenants.list', '{}')))\n"
            "except GLib.Error as error:\n    print(Gio.DBusError.get_remote_error(error))\n"
            "try:\n    call('Login', GLib.Variant('(s)', ('rv_bad_token',)))\n"
            "except GLib.Error as error:\n    print(Gio.DBusError.get_remote_error(error))\n")
        done = subprocess.run(["/usr/bin/python3", "-c", script, key], capture_output=True, text=True, timeout=60, check=False,
                              env=dict(os.environ, **self.bus.environment))
        lines = done.stdout.splitlines()
        self.assertEqual(3, len(lines), done.stderr)
        self.assertEqual(["viewer"], json.loads(lines[0])["roles"])
        self.assertEqual(["io.reeve.Error.PermissionDenied", "io.reeve.Error.Unauthenticated"], lines[1:])


class Typed(BusCase):
    def test_organizations_agents_and_tasks(self):
        face = "io.reeve.ControlPlane1."
        created = self.typed(face + "CreateOrganization", "Works", {"tier": "test", "seats": 7, "share": 0.5, "since": {"year": 2026, "open": True}})
        works = created["tenant_id"]
        self.assertEqual({"tier": "test", "seats": 7, "share": 0.5, "since": {"year": 2026, "open": True}}, created["metadata"])
        self.assertEqual("Works", self.typed(face + "GetOrganization", works)["name"])
        listed = self.typed(face + "ListOrganizations")
        self.assertIn(works, [t["tenant_id"] for t in listed["organizations"]])
        self.assertEqual("", listed["next_cursor"])
        agent = self.typed(face + "RegisterAgent", works, "adder", "executor", "", {"cost_center": "4711"})
        # D-Bus has no null: what is none is not there
        self.assertEqual(("executor", {"cost_center": "4711"}, True, False),
                         (agent["role"], agent["token_claims"], agent["active"], "delegated_user_id" in agent))
        self.assertEqual(["adder"], [a["name"] for a in self.typed(face + "ListAgents", works)["agents"]])
        self.assertEqual("adder", self.typed(face + "GetAgent", works, agent["agent_id"])["name"])
        # a list is as long as one may be, not a page of fifty
        for number in range(60):
            self.do("agents.register", tenant_id=works, name=f"n{number}", role="executor")
        self.assertEqual(61, len(self.typed(face + "ListAgents", works)["agents"]))
        ask = ("io.reeve.Execution1.ExecuteTask", agent["agent_id"], works)
        answer = self.typed(*ask, "What is 6*7?", {})
        self.assertEqual({"result", "tokens_used", "tool_calls", "success", "error"}, set(answer))
        self.assertIs(True, answer["success"], answer)
        self.assertIn("42", answer["result"])
        self.assertEqual(("", ["calculate"]), (answer["error"], [c["name"] for c in answer["tool_calls"]]))
        self.assertGreater(answer["tokens_used"], 0)
        # a task is text, though it begins like JSON
        for braces in ("[urgent] What is 6*7?", '{"not": "an object"}'):
            self.assertIs(True, self.typed(*ask, braces, {"hall": 2})["success"])
        self.typed(face + "SetBudget", works, agent["agent_id"], 100, 30)
        spent = self.typed(*ask, "What is 6*7?", {})
        self.assertIs(False, spent["success"])
        self.assertIn("budget", spent["error"])
        self.assertIs(True, self.typed(face + "DeactivateAgent", works, agent["agent_id"]))
        self.assertIs(False, self.typed(face + "GetAgent", works, agent["agent_id"])["active"])
        self.assertIn("io.reeve.Error.Conflict", self.refused(*ask, "What is 6*7?", "{}"))

    def test_what_json_has_not_and_what_is_too_deep(self):
        face = "io.reeve.ControlPlane1."
        deep = {"leaf": 1}
        for _ in range(9):
            deep = {"in": deep}
        org = self.typed(face + "CreateOrganization", "Deep", deep)
        self.assertEqual(deep, org["metadata"])
        # a bus throws out who sends more than 64 levels: what lies deeper goes as text, and the host stays
        name = org["tenant_id"]
        for _ in range(30):
            deep = {"in": deep}
        self.do("tenants.update", tenant_id=name, metadata=deep)
        shown = self.typed(face + "GetOrganization", name)["metadata"]
        while not isinstance(shown, str):
            shown, deep = shown["in"], deep["in"]
        self.assertEqual(deep, json.loads(shown))
        self.assertIn(name, [o["tenant_id"] for o in self.typed(face + "ListOrganizations")["organizations"]])
        for value, words in (("{'a': <uint64 18446744073709551615>}", "too great"), ("{'a': <objectpath '/a'>}", "of a type"), ("{'a': <1>, 'a': <2>}", "twice"),
                             ("{'a': <" * 17 + "1" + ">}" * 17, "too deeply"), ("{'a': <inf>}", "not finite")):
            told = self.refused(face + "CreateOrganization", "Bad", value)
            self.assertIn("io.reeve.Error.InvalidArgument: argument metadata: ", told)
            self.assertIn(words, told)

    def test_many_values_are_refused(self):
        """A byte that comes would be hundreds in memory."""
        told = self.refused("io.reeve.ControlPlane1.CreateOrganization", "Many", "{'a': <b'" + "x" * 70000 + "'>}")
        self.assertIn("io.reeve.Error.TooLarge: argument metadata: ", told)
        self.assertIn("a", self.typed("io.reeve.ControlPlane1.CreateOrganization", "Some", {"a": list(range(20000))})["metadata"])
        many = json.dumps({"tenant_id": "many", "name": "Many", "metadata": {"a": [0] * 70000}})
        answer = self.ask_as_peer({"peer": "owner", "method": "Call", "arguments": ["tenants.create", many]})
        self.assertIn("io.reeve.Error.TooLarge: json_params: a JSON text of more than 65536 values is too large here", answer["message"])

    def test_an_answer_that_no_bus_takes_is_refused(self):
        """Who sends it is thrown out by the bus, and would never be there again."""
        large = {"text": "x" * (1 << 20)}
        names = [f"large-{i}" for i in range(26)]
        for name in names:
            self.host.post("/api/v1/admin/tenants", {"tenant_id": name, "name": name, "metadata": large}, expect=201)
        told = self.ask_as_peer({"peer": "owner", "method": "Call", "arguments": ["tenants.list", json.dumps({"limit": 500})]})
        self.assertEqual("io.reeve.Error.TooLarge", told["error"])
        self.assertEqual(names[0], self.typed("io.reeve.ControlPlane1.GetOrganization", names[0])["tenant_id"])
        # of what nobody said the length of comes as much as the bus takes; the cursor goes on
        page = self.typed("io.reeve.ControlPlane1.ListOrganizations")
        found, cursor = [o["tenant_id"] for o in page["organizations"]], page["next_cursor"]
        self.assertTrue(found and cursor, page["next_cursor"])
        while cursor:
            page = json.loads(self.ask_as_peer({"peer": "owner", "method": "Call", "arguments": ["tenants.list", json.dumps({"limit": 10, "cursor": cursor})]})["result"])
            found, cursor = found + [o["tenant_id"] for o in page["items"]], page["next_cursor"]
        self.assertEqual(len(found), len(set(found)))
        self.assertLessEqual(set(names), set(found))
        for name in names:
            self.host.put(f"/api/v1/admin/tenants/{name}", {"metadata": {}}, expect=200)
        self.assertTrue(self.typed("io.reeve.ControlPlane1.ListOrganizations")["organizations"])

    def test_an_event_that_is_too_large_says_where_it_is(self):
        """A signal waits in the host until its peer takes it: what is in one is bounded."""
        words = "gate " * (300 * 1024)
        model, bus = MockOpenAI().start(), Bus()
        self.addCleanup(model.stop)
        self.addCleanup(bus.close)
        model.default = {"content": words, "chunks": [words[i:i + 100000] for i in range(0, len(words), 100000)]}
        config = f"llm: {{default: local/m, providers: [{{id: local, plugin: llm-openai, settings: {{base_url: '{model.base_url}', api_key: sk-test}}}}]}}\n"
        with Host(config=config, bus="session", environment=bus.environment) as host:
            agent = host.agent(tools=(), max_tokens=10**6)
            asked = {"agent_id": agent, "mission": "At length.", "stream": True}
            command = {"peer": "owner", "events": True, "method": "Call", "arguments": ["agents.execute", json.dumps(asked)]}
            told = self.ask_as_peer(command, bus)
            self.assertNotIn("error", told)
            events = [(name, json.loads(text)) for name, text in told["events"]]
            self.assertLessEqual(max(len(text) for _name, text in told["events"]), 1 << 20)
            name, last = events[-1]
            self.assertEqual(("run.completed", True), (name, last["truncated"]))
            # the answer of the call is whole, and so is what REST has
            self.assertEqual(words.strip(), json.loads(told["result"])["answer"].strip())
            whole = host.get(last["events"], expect=200).text
            self.assertIn("event: run.completed\n", whole)
            self.assertGreater(last["size"], len(words))
            self.assertEqual([data["sequence"] for _name, data in events], sorted({data["sequence"] for _name, data in events}))

    def test_an_organization_that_is_deleted_is_gone(self):
        gone = self.typed("io.reeve.ControlPlane1.CreateOrganization", "Gone", {})["tenant_id"]
        done = self.gdbus("call", "--method", "io.reeve.ControlPlane1.DeleteOrganization", gone)
        self.assertEqual("(true,)", done.stdout.strip())
        for method in ("DeleteOrganization", "GetOrganization", "ListAgents"):
            self.assertIn("io.reeve.Error.NotFound", self.refused("io.reeve.ControlPlane1." + method, gone), method)
        self.assertIn("io.reeve.Error.Conflict", self.refused("io.reeve.ControlPlane1.DeleteOrganization", "default"))

    def test_the_ledger(self):
        def query(tenant="", limit="0", cursor="", **filters):
            words = [filters.get(name, "") for name in ("action", "actor", "agent_id", "run_id", "outcome", "from", "to", "text")]
            return json.loads(self.call("io.reeve.Audit1.Query", tenant, *words, limit, cursor))

        works = self.typed("io.reeve.ControlPlane1.CreateOrganization", "Ledger", {})["tenant_id"]
        agent = self.typed("io.reeve.ControlPlane1.RegisterAgent", works, "one", "executor", "", {})["agent_id"]
        self.assertEqual({"agents.register"}, {r["action"] for r in query(works, action="agents.register")["items"]})
        self.assertEqual({"succeeded"}, {r["outcome"] for r in query(works, outcome="succeeded")["items"]})
        self.assertTrue(query(works, text=agent)["items"])
        self.assertEqual([], query(works, to="2020-01-01T00:00:00Z")["items"])
        self.assertEqual([], query(action="agents.register", text=agent)["items"], "it is another tenant's")
        page = query(works, limit="2")
        self.assertEqual(2, len(page["items"]))
        self.assertLess(query(works, limit="1", cursor=page["next_cursor"])["items"][0]["seq"], page["items"][1]["seq"])
        self.assertIn("/outcome: ", self.refused("io.reeve.Audit1.Query", works, "", "", "", "", "fine", "", "", "", "0", ""))
        found = json.loads(self.call("io.reeve.Audit1.Verify", works))
        self.assertEqual((works, True), (found["scope"], found["valid"]))
        self.assertEqual("default", json.loads(self.call("io.reeve.Audit1.Verify", ""))["scope"])
        self.assertIn("io.reeve.Error.NotFound", self.refused("io.reeve.Audit1.Verify", "nobody"))

    def test_each_interface_has_a_version(self):
        for interface in ("io.reeve.Host1", "io.reeve.ControlPlane1", "io.reeve.Execution1", "io.reeve.Plugins1", "io.reeve.Audit1"):
            done = self.gdbus("call", "--method", "org.freedesktop.DBus.Properties.Get", interface, "version")
            self.assertEqual("(<uint32 1>,)", done.stdout.strip())


class Life(unittest.TestCase):
    def test_without_a_bus_it_serves_http(self):
        environment = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"}
        with Host(bus="session", environment=environment) as host:
            host.get("/api/v1/me", expect=200)
            self.assertIn("not on the bus", host.read_log())


if __name__ == "__main__":
    main()
