# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host on a private session bus, spoken to with gdbus as anybody would."""

import ast
import json
import os
import re
import subprocess
import tempfile
import unittest

from reeve import Host, main

NAME, PATH = "io.reeve.Host", "/io/reeve/Host"


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
        shown = json.loads(self.call("io.reeve.Plugins1.Inspect", "tool-http"))["items"][0]
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
        created = json.loads(self.call("io.reeve.ControlPlane1.CreateOrganization", "Works", '{"tier": "test"}'))
        works = created["tenant_id"]
        self.assertEqual({"tier": "test"}, created["metadata"])
        shown = json.loads(self.call("io.reeve.ControlPlane1.GetOrganization", works))
        self.assertEqual("Works", shown["name"])
        listed = json.loads(self.call("io.reeve.ControlPlane1.ListOrganizations"))
        self.assertIn(works, [t["tenant_id"] for t in listed["items"]])
        claims = json.dumps({"cost_center": "4711"})
        agent = json.loads(self.call("io.reeve.ControlPlane1.RegisterAgent", works, "adder", "executor", "", claims))
        self.assertEqual(("executor", None, {"cost_center": "4711"}, True),
                         tuple(agent[n] for n in ("role", "delegated_user_id", "token_claims", "active")))
        listed = json.loads(self.call("io.reeve.ControlPlane1.ListAgents", works))
        self.assertEqual(["adder"], [a["name"] for a in listed["items"]])
        shown = json.loads(self.call("io.reeve.ControlPlane1.GetAgent", works, agent["agent_id"]))
        self.assertEqual("adder", shown["name"])
        introspected = self.gdbus("introspect").stdout
        task = re.search(r"ExecuteTask\((.*?)\);", introspected, re.S).group(1)
        names = re.findall(r"in\s+(\w+)\s+(\w+)", task)
        values = {"org_id": works, "agent_id": agent["agent_id"], "task": "What is 6*7?", "mission": "What is 6*7?"}
        answer = json.loads(self.call("io.reeve.Execution1.ExecuteTask", *[values.get(n, "") for _t, n in names]))
        self.assertTrue(answer["success"], answer)
        self.assertIn("42", answer["answer"])
        # a task is text, though it begins like JSON
        for braces in ("[urgent] What is 6*7?", '{"not": "an object"}'):
            values["task"] = values["mission"] = braces
            answer = json.loads(self.call("io.reeve.Execution1.ExecuteTask", *[values.get(n, "") for _t, n in names]))
            self.assertIn("run_id", answer)
        done = self.gdbus("call", "--method", "io.reeve.ControlPlane1.DeactivateAgent", works, agent["agent_id"])
        self.assertEqual("(true,)", done.stdout.strip())
        self.assertIs(False, json.loads(self.call("io.reeve.ControlPlane1.GetAgent", works, agent["agent_id"]))["active"])
        self.assertIn("io.reeve.Error.Conflict", self.refused("io.reeve.Execution1.ExecuteTask", *[values.get(n, "") for _t, n in names]))

    def test_an_organization_that_is_deleted_is_gone(self):
        gone = json.loads(self.call("io.reeve.ControlPlane1.CreateOrganization", "Gone", ""))["tenant_id"]
        done = self.gdbus("call", "--method", "io.reeve.ControlPlane1.DeleteOrganization", gone)
        self.assertEqual("(true,)", done.stdout.strip())
        for method in ("DeleteOrganization", "GetOrganization", "ListAgents"):
            self.assertIn("io.reeve.Error.NotFound", self.refused("io.reeve.ControlPlane1." + method, gone), method)
        self.assertIn("io.reeve.Error.Conflict", self.refused("io.reeve.ControlPlane1.DeleteOrganization", "default"))

    def test_the_ledger(self):
        def query(tenant="", limit="0", cursor="", **filters):
            words = [filters.get(name, "") for name in ("action", "actor", "agent_id", "run_id", "outcome", "from", "to", "text")]
            return json.loads(self.call("io.reeve.Audit1.Query", tenant, *words, limit, cursor))

        works = json.loads(self.call("io.reeve.ControlPlane1.CreateOrganization", "Ledger", ""))["tenant_id"]
        agent = json.loads(self.call("io.reeve.ControlPlane1.RegisterAgent", works, "one", "executor", "", "{}"))["agent_id"]
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
