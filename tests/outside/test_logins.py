# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many who come in at once, right after the start: nobody is turned away who only has to wait, and who waits for a slow
provider keeps nobody else waiting."""

import threading
import unittest

from reeve import Host, main
from test_passwords import GOOD, OTHER, basic
from tokens import Issuer, Key

CROWD = 64


def at_once(jobs):
    """What each job returned; they begin together."""
    seen = [None] * len(jobs)
    gate = threading.Barrier(len(jobs))

    def run(number):
        gate.wait()
        seen[number] = jobs[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


class SlowIssuer(Issuer):
    """Answers when it is let."""

    def __init__(self):
        self.gate = threading.Event()
        self.asked = threading.Event()
        super().__init__()
        self.keys = [Key("one")]

    def find(self, path):
        self.asked.set()
        self.gate.wait(30)
        return super().find(path)

    def close(self):
        self.gate.set()
        super().close()


class Tokens(unittest.TestCase):
    CONFIG = """
authentication:
  providers:
    - {{id: slow, plugin: auth-jwt, settings: {{issuer: "{slow}", audience: reeve}}}}
    - {{id: other, plugin: auth-jwt, settings: {{issuer: "{other}", audience: reeve}}}}
    - {{id: passwords, plugin: auth-basic}}
    - {{id: keys, plugin: auth-api-key}}
  passwords: {{memory: 64KiB, iterations: 1}}
"""

    def open(self, dead=False):
        slow, other = SlowIssuer(), Issuer()
        if dead:
            slow.server.shutdown()
            slow.server.server_close()
        other.keys = [Key("two")]
        self.addCleanup(slow.close)
        self.addCleanup(other.close)
        host = Host(config=self.CONFIG.format(slow=slow.url, other=other.url)).start()
        self.addCleanup(host.close)
        return host, slow, other

    def test_all_wait_for_the_keys_and_nobody_else_does(self):
        host, slow, other = self.open()
        tokens = [slow.token(f"user-{number}") for number in range(CROWD)]
        seen = []
        waiting = threading.Thread(target=lambda: seen.extend(at_once([lambda t=t: host.get("/api/v1/me", key=t).status for t in tokens])))
        # asked for in the background, before anybody came
        self.assertTrue(slow.asked.wait(30))
        waiting.start()
        # another issuer's, passwords, keys: while the first one keeps silent
        user = host.post("/api/v1/admin/users", {"username": "anna", "roles": ["viewer"]}, expect=201).json["user_id"]
        host.put(f"/api/v1/admin/users/{user}/password", {"password": GOOD}, expect=200)
        self.assertEqual(200, host.get("/api/v1/me", key=other.token()).status)
        self.assertEqual(200, host.get("/api/v1/me", key=None, headers={"Authorization": basic("anna", GOOD)}).status)
        self.assertEqual([], seen)
        slow.gate.set()
        waiting.join()
        self.assertEqual([200] * CROWD, seen)
        self.assertEqual(1, slow.requests.count("/keys"))

    def test_an_issuer_that_is_dead_is_said_to_be(self):
        host, slow, other = self.open(dead=True)
        dead = slow.token()
        seen = at_once([lambda: host.get("/api/v1/me", key=dead).status] * 8 + [lambda: host.get("/api/v1/me", key=other.token()).status] * 8)
        self.assertEqual([503] * 8 + [200] * 8, seen)


class Logins(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host(config="""
authentication:
  providers: [{id: passwords, plugin: auth-basic}, {id: keys, plugin: auth-api-key}]
  passwords: {memory: 4MiB, iterations: 1, lock_failures: 3, lock_address_failures: 0}
""").start()

    @classmethod
    def tearDownClass(cls):
        cls.host.close()

    def user(self, name):
        user_id = self.host.post("/api/v1/admin/users", {"username": name, "roles": ["viewer"]}, expect=201).json["user_id"]
        self.host.put(f"/api/v1/admin/users/{user_id}/password", {"password": GOOD}, expect=200)

    def login(self, name, password=GOOD):
        return self.host.get("/api/v1/me", key=None, headers={"Authorization": basic(name, password)})

    def test_the_same_at_once(self):
        self.user("same")
        self.assertEqual([200] * 200, at_once([lambda: self.login("same").status] * 200))

    def test_many_users_at_once(self):
        names = [f"user-{number}" for number in range(CROWD)]
        for name in names:
            self.user(name)
        seen = at_once([lambda n=n: (self.login(n).json["user_id"], 200) for n in names] + [lambda: (None, self.host.get("/api/v1/me").status)] * 8)
        self.assertEqual({200}, {status for _, status in seen})
        self.assertEqual(CROWD, len({user for user, _ in seen if user}))

    def test_joined_guesses_are_counted(self):
        """Four that are wrong lock, whether they come together or not, also when they are all the same."""
        self.user("guessed")
        self.assertEqual([401] * 32, at_once([lambda: self.login("guessed", OTHER).status] * 32))
        self.assertEqual(401, self.login("guessed").status)

    def test_guesses_at_once_are_no_more_than_one_after_the_other(self):
        self.user("raced")
        guesses = [f"{OTHER} {number}" for number in range(CROWD)]
        self.assertEqual([401] * CROWD, at_once([lambda g=g: self.login("raced", g).status for g in guesses]))
        self.assertEqual(401, self.login("raced").status)


if __name__ == "__main__":
    main()
