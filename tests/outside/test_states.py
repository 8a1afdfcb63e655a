# SPDX-License-Identifier: LGPL-2.1-or-later
"""How what is changed, or made, was before and is afterwards."""

import time

import table
from reeve import main
from test_branches import Base, digest


class Changes(Base):
    """Whatever changes something says how that was before, and how it is then."""

    def both(self, action):
        return [self.newest(action, kind).get("state_digest") for kind in ("intent", "outcome")]

    def test_a_change(self):
        path = "/api/v1/admin/agents/" + self.host.agent()
        before = self.host.get(path, expect=200).json
        self.host.put(path, {"name": "renamed"}, expect=200)
        after = self.host.get(path, expect=200).json
        self.assertNotEqual(before, after)
        self.assertEqual([digest(before), digest(after)], self.both("agents.update"))
        # what is refused looks at nothing, what fails changes nothing
        self.host.put(path, {"name": "again"}, key=self.viewer, expect=403)
        self.assertNotIn("state_digest", self.newest("agents.update", "refusal"))
        self.host.post(path + "/deactivate", {}, expect=200)
        self.assertEqual([digest(after), digest(self.host.get(path, expect=200).json)], self.both("agents.deactivate"))
        last = self.host.get(path, expect=200).json
        self.host.delete(path, expect=204)
        self.assertEqual([digest(last), None], self.both("agents.delete"))

    def test_what_was_not_there(self):
        path = "/api/v1/admin/budgets/users/" + self.viewer_id
        self.host.put(path, {"token_limit": 5000}, expect=200)
        self.assertEqual([None, digest(self.host.get(path, expect=200).json)], self.both("budgets.set_user"))
        self.host.delete(path, expect=204)

    def test_what_the_body_names(self):
        """A path without a name, whose body says whose it is: the command line's way to budgets and policies."""
        for name, body in (("budgets", [{"token_limit": 7000}, {"token_limit": 8000}]), ("policies", [{"allow": ["echo"]}, {"deny": ["echo"]}])):
            for whose, more in (("/org", {}), ("/agents/" + self.agent, {"agent_id": self.agent})):
                path = f"/api/v1/admin/{name}{whose}"
                there = self.host.get(path)
                states = [digest(there.json) if there.status == 200 else None]
                for told in body:
                    self.host.put("/api/v1/admin/" + name, {**told, **more}, expect=200)
                    states += [digest(self.host.get(path, expect=200).json)]
                    self.assertEqual(states[-2:], self.both(name + ".set"))
                self.host.delete(path, expect=204)

    def test_lists(self):
        """What is in a list of its own, which no single thing shows: each change is a difference, and the next one goes on from it."""
        def turn(path, *changes):
            states = [digest(self.host.get(path + "?limit=500", expect=200).json)]
            for action, method, where, body in changes:
                made = self.host.call(method, where.format(*made_ids), body)
                self.assertIn(made.status, (200, 201, 204), made)
                if method == "POST":
                    made_ids.append(next((made.json[m] for m in ("elevation_id", "override_id") if m in made.json), self.viewer_id))
                states += [digest(self.host.get(path + "?limit=500", expect=200).json)]
                self.assertEqual(states[-2:], self.both(action))
            self.assertFalse([a for a, b in zip(states, states[1:]) if a == b])

        made_ids = []
        members = f"/api/v1/admin/workspaces/{self.host.post('/api/v1/admin/workspaces', {'name': 'w'}, expect=201).json['workspace_id']}/members"
        turn(members, ("workspaces.add_member", "POST", members, {"user_id": self.viewer_id, "role": "viewer"}),
             ("workspaces.update_member", "PATCH", members + "/{0}", {"role": "operator"}),
             ("workspaces.remove_member", "DELETE", members + "/{0}", None))
        made_ids = []
        user = "/api/v1/admin/users/" + self.viewer_id
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
        turn(user + "/elevations", ("users.elevate", "POST", user + "/elevate", {"role": "operator", "until": until, "reason": "x"}),
             ("elevations.delete", "DELETE", user + "/elevations/{0}", None))
        override = {"subject": "user:" + self.viewer_id, "resource_type": "agent", "resource_id": self.agent, "effect": "deny",
                    "permissions": ["agent:execute"], "reason": "x"}
        made_ids = [self.host.post("/api/v1/admin/overrides", override, expect=201).json["override_id"]]
        turn("/api/v1/admin/overrides", ("overrides.delete", "DELETE", "/api/v1/admin/overrides/{0}", None))

    def test_what_is_made(self):
        """There was nothing before; then it is what its own page shows."""
        admin, agent = "/api/v1/admin/", self.host.agent()
        for action, path, body, member, shown in (
                ("users.create", admin + "users", {"username": "fresh", "roles": ["viewer"]}, "user_id", admin + "users/{}"),
                ("agents.create", admin + "agents", {"name": "fresh", "initial_definition": {"system_prompt": "x"}}, "agent_id", admin + "agents/{}"),
                ("agents.register", admin + "agents/register", {"name": "registered"}, "agent_id", admin + "agents/{}"),
                ("keys.create", admin + "keys", {"user_id": self.viewer_id, "name": "fresh", "roles": ["viewer"]}, "key_id", admin + "keys/{}"),
                ("workspaces.create", admin + "workspaces", {"name": "fresh"}, "workspace_id", admin + "workspaces/{}"),
                ("roles.create", admin + "roles", {"role_id": "custom:fresh", "name": "fresh", "permissions": ["agent:read"]}, "role_id", admin + "roles/{}"),
                ("tenants.create", admin + "tenants", {"tenant_id": "fresh", "name": "Fresh"}, "tenant_id", admin + "tenants/{}"),
                ("costs.report", admin + "costs/report", {}, "report_id", admin + "costs/reports/{}")):
            with self.subTest(action=action):
                made = self.host.post(path, body, expect=201).json
                self.assertEqual([None, digest(self.host.get(shown.format(made[member]), expect=200).json)], self.both(action))
        document = self.host.upload("fresh.md", b"words").json["document_id"]
        self.assertRegex(self.both("documents.upload")[1], "^[0-9a-f]{64}$")
        self.host.get("/api/v1/documents/" + document, expect=200)
        # of what has no page of its own it is the list
        for action, path, body in (
                ("versions.create", f"{admin}agents/{agent}/versions", {"version_number": "7.0.0", "definition": {"system_prompt": "y"}}),
                ("overrides.create", admin + "overrides", {"subject": "user:" + self.viewer_id, "resource_type": "agent", "resource_id": agent, "effect": "deny",
                                                           "permissions": ["agent:execute"], "reason": "x"})):
            with self.subTest(action=action):
                states = [digest(self.host.get(path + "?limit=500", expect=200).json)]
                self.host.post(path, body, expect=201)
                states += [digest(self.host.get(path + "?limit=500", expect=200).json)]
                self.assertNotEqual(*states)
                self.assertEqual(states, self.both(action))

    def test_many_at_once(self):
        """All policies, and all prices: as the page of all shows them."""
        policies, prices = "/api/v1/admin/policies", "/api/v1/admin/prices"
        document = {"policies": {"org": {"tools": [{"tool_name": "echo", "effect": "allow"}]}}}
        price = {"source": "contract", "date": "2026-01-31", "prices": [{"model_name": "a-model", "input_token_price": "0.5", "output_token_price": "1"}]}
        for action, method, path, body, shown in (
                ("policies.apply", "POST", policies + "/apply", document, policies + "/export"),
                ("policies.rollback", "POST", policies + "/rollback", {"revision": 1}, policies + "/export"),
                ("prices.import", "PUT", prices, price, prices + "?limit=500")):
            with self.subTest(action=action):
                states = [digest(self.host.get(shown, expect=200).json)]
                self.host.call(method, path, body)
                states += [digest(self.host.get(shown, expect=200).json)]
                self.assertNotEqual(*states)
                self.assertEqual(states, self.both(action))

    def test_a_list_of_many_pages(self):
        """What stands behind the first page is changed, too: the digest is of all pages, as one."""
        prices = "/api/v1/admin/prices"

        def whole():
            items, cursor = [], ""
            while cursor is not None:
                page = self.host.get(f"{prices}?limit=500{cursor}", expect=200).json
                items += page["items"]
                cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
            return {"items": items, "next_cursor": None}

        rows = [{"model_name": f"z-model-{n:04}", "input_token_price": "0.5", "output_token_price": "1"} for n in range(1100)]
        document = {"source": "contract", "date": "2026-01-31", "prices": rows}
        self.addCleanup(self.host.put, prices, {**document, "prices": rows[:1]}, expect=200)
        self.host.put(prices, document, expect=200)
        states = [whole()]
        self.assertLess(1100, len(states[0]["items"]))
        rows[-1]["output_token_price"] = "0.0001"
        self.host.put(prices, document, expect=200)
        states += [whole()]
        self.assertEqual([digest(state) for state in states], self.both("prices.import"))
        self.assertNotEqual(*states)

    def test_a_password_of_ones_own(self):
        """How it stands with it, as his administrator sees that: nothing of the password."""
        words = "four words that nobody guesses"
        shown = f"/api/v1/admin/users/{self.viewer_id}/password"
        self.host.put(shown, {"password": words}, expect=200)
        states = [digest(self.host.get(shown, expect=200).json)]
        self.host.put("/api/v1/me/password", {"current": words, "new": "other words that nobody guesses"}, key=self.viewer, expect=200)
        states += [digest(self.host.get(shown, expect=200).json)]
        self.assertNotEqual(*states)
        self.assertEqual(states, self.both("passwords.change"))

    def test_looking_is_no_read(self):
        """Looking leaves no record of its own."""
        path = "/api/v1/admin/users/" + self.viewer_id
        before = len(self.host.records(action="users.get"))
        self.host.call("PATCH", path, {"attributes": {"department": "press"}}, expect=200)
        self.assertEqual(before, len(self.host.records(action="users.get")))
        self.assertRegex(self.both("users.patch")[0], "^[0-9a-f]{64}$")

    def test_every_change_of_one_thing_has_it(self):
        """The table finds who shows what another changes; nothing that is one thing's is left out."""
        bare = {o["name"] for o in table.TABLE.operations if o["class"] == "effect" and "{" in o["paths"][0] and not table.TABLE.states_of(o)}
        self.assertEqual(set(), bare)


# it has no tests of its own, and those that are made of it are tested where they are written
del Base


if __name__ == "__main__":
    main()
