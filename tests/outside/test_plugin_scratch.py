#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Capability `scratch`: a folder to write in while a call runs: whose it is, how much goes in, that nothing of it is executed, and that it is gone
behind the call."""

import errno
import http.client
import json
import os
import threading
import time
import unittest

from probes import ProbeCase
from reeve import main
from test_broken_plugins import BrokenHost
from test_confined import WITHOUT, plugin, until

ONE, TWO = "hoarder-one", "hoarder-two"
MIB = 1 << 20


def model(request):
    """It does what it is told to, and says what came of it; several at once."""
    last = request.json["messages"][-1]
    return {"content": last["content"]} if last["role"] == "tool" else {"tool_calls": [json.loads(last["content"])]}


class NarrowHost(BrokenHost):
    """On a machine that lets nobody have a namespace, as many a container."""

    def start(self):
        program = os.path.join(self.folder.name, "narrow-host")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec {WITHOUT} userns -- {BrokenHost.program} "$@"\n')
        os.chmod(program, 0o755)
        self.program = program
        return super().start()


class ScratchCase(ProbeCase):
    ids = (ONE, TWO)
    place = "hoarder"

    def setUp(self):
        self.mock.default = model
        for one in self.ids:
            self.grant_only("scratch", one)
            until(lambda one=one: "path" in self.do("look", plugin=one), "it has no folder")

    def say(self, what, plugin=ONE, tenant="left", **arguments):  # pylint: disable=redefined-outer-name
        """What the model was told of it."""
        key, agent = self.tenants[tenant]
        mission = json.dumps({"name": f"tool-of-{plugin}", "arguments": {"what": what, **arguments}})
        return self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": mission}, key=key, expect=200).json["answer"]

    def do(self, what, **more):
        """What the plugin says of it."""
        return json.loads(self.say(what, **more))


class Scratch(ScratchCase):
    def test_what_programs_do_with_files(self):
        row = self.rows(ONE)["scratch"]
        self.assertEqual((True, "effective"), (row["offered"], row["state"]))
        self.assertEqual(0, self.do("work")["code"])
        self.assertIn("scratch", plugin(self.host, ONE)["layers"])

    def test_it_goes_with_the_call(self):
        self.assertEqual((0, 3), tuple(self.do("write", amount=3, name="mine")[k] for k in ("code", "written")))
        for tenant in ("left", "right"):
            found = self.do("look", tenant=tenant)
            self.assertEqual(([], [os.path.basename(found["path"])]), (found["names"], found["beside"]))

    def test_what_is_deep_goes_too(self):
        """Longer than a path can be, and deeper than a process has descriptors."""
        self.assertEqual(0, self.do("dig", amount=400)["code"])
        found = self.do("look")
        self.assertEqual([os.path.basename(found["path"])], found["beside"])
        self.assertEqual(0, plugin(self.host, ONE)["crashes"])

    def test_calls_at_once_have_one_each(self):
        """Of two tenants, in the same process."""
        found = {}
        worker = threading.Thread(target=lambda: found.update(self.do("stay", amount=1500, name="of-left")))
        worker.start()
        paths = set()
        while worker.is_alive():
            other = self.do("look", tenant="right")
            self.assertEqual([], other["names"])
            paths.add(other["path"])
            time.sleep(0.05)
        worker.join()
        self.assertEqual((0, ["of-left"]), (found["code"], found["names"]))
        self.assertNotIn(found["path"], paths)

    def test_no_other_plugin_reaches_it(self):
        found = {}
        worker = threading.Thread(target=lambda: found.update(self.do("stay", amount=1500, name="secret")))
        worker.start()
        pid = plugin(self.host, ONE)["pid"]
        answers = set()
        while worker.is_alive():
            # the name of a call's folder can be guessed: in another process it is another folder
            for path in [f"/tmp/call-{n}/secret" for n in range(1, 40)] + [f"/proc/{pid}/root/tmp", f"/proc/{pid}/cwd"]:
                answers.add(self.do("open", plugin=TWO, path=path)["code"])
                if not worker.is_alive():
                    break
        worker.join()
        self.assertEqual(0, found["code"])
        self.assertLessEqual(answers, {errno.ENOENT, errno.EACCES})

    def test_the_bound_is_the_kernels(self):
        self.assertEqual(32 * MIB, self.do("look")["bytes"])  # Scratch=32
        full = self.do("write", amount=40)
        self.assertEqual((errno.ENOSPC, 32), (full["code"], full["written"]))
        # nothing of it is left, and the process is the same
        self.assertEqual((0, 20), tuple(self.do("write", amount=20)[k] for k in ("code", "written")))
        self.grant_only("scratch", ONE, amount=4)
        until(lambda: self.do("look")["bytes"] == 4 * MIB, "the grant narrows nothing")
        full = self.do("write", amount=40)
        self.assertEqual((errno.ENOSPC, 4), (full["code"], full["written"]))
        self.grant_only("scratch", ONE, amount=1000)  # more than it asks for
        until(lambda: self.do("look")["bytes"] == 32 * MIB, "the grant widens nothing")

    def test_many_files(self):
        flood = self.do("flood", amount=100000)
        self.assertEqual(errno.ENOSPC, flood["code"])
        self.assertTrue(1000 < flood["written"] < 10000, flood)
        self.assertEqual(0, self.do("work")["code"])
        self.assertEqual(0, plugin(self.host, ONE)["crashes"])

    def test_a_file_of_nothing(self):
        self.assertEqual(errno.EFBIG, self.do("stretch", amount=64 << 30)["code"])
        self.assertEqual(0, plugin(self.host, ONE)["crashes"])

    def test_nothing_of_it_is_executed(self):
        tried = self.do("execute")
        self.assertEqual(0, tried["code"])
        self.assertEqual((errno.EACCES, errno.EACCES, errno.EACCES, False), tuple(tried[k] for k in ("map", "protect", "execute", "loaded")))

    def test_taken_back(self):
        self.assertIn("path", self.do("look"))
        pid = plugin(self.host, ONE)["pid"]
        self.assertTrue(pid)
        self.revoke_all("scratch", ONE)
        self.assertIn("was taken back", self.do("look")["error"])
        # the process of the call above may be the old one still: the next one is started by a call
        until(lambda: self.do("look") and plugin(self.host, ONE)["pid"] not in (None, pid), "its process still has it")
        self.assertNotIn("scratch", plugin(self.host, ONE)["layers"])
        # one that never was granted the process cannot give for one tenant alone
        self.grant("scratch", ONE, tenant_id="left")
        self.assertIn("serves all tenants", self.do("look")["error"])
        self.assertIn("scratch", self.do("look", tenant="right")["error"])

    def test_what_cannot_be_granted(self):
        for parameters in ({"amount": 0}, {"amount": "1"}, {"max_bytes": 1}):
            self.assertIn("/parameters/", json.dumps(self.grant("scratch", ONE, expect=400, parameters=parameters)))


class Hardened(Scratch):
    """The same in namespaces and a root of its own."""

    more = "  profiles: {hoarder-one: hardened, hoarder-two: hardened}"


class OnDisk(Scratch):
    """Where there are no namespaces, and an administrator accepts a folder on the host's disk: the host alone counts what is in it."""

    kind = NarrowHost
    more = "  accept_weaker: {hoarder-one: [scratch], hoarder-two: [scratch]}"

    def setUp(self):
        super().setUp()
        for one in self.ids:
            self.host.post(f"/api/v1/admin/plugins/{one}/restart", {}, expect=None)

    def folder(self):
        """Of the plugin's process."""
        [found] = [path for path in os.listdir(os.path.join(self.host.state, "scratch")) if path.startswith(ONE)]
        return os.path.join(self.host.state, "scratch", found)

    def ended(self, what, **arguments):
        """It is ended for having too much, and goes on with an empty folder."""
        before = plugin(self.host, ONE)["crashes"]
        self.assertIn("scratch limit", self.say(what, **arguments))
        until(lambda: plugin(self.host, ONE)["crashes"] == before + 1, "it counts as no crash")
        until(lambda: not os.listdir(os.path.join(self.host.state, "scratch")), "what it wrote is still there")
        self.assertEqual([], self.do("look")["names"])

    def test_what_programs_do_with_files(self):
        self.assertEqual(0, self.do("work")["code"])
        now = plugin(self.host, ONE)
        self.assertIn("scratch", now["layers_missing"])
        self.assertEqual(["scratch"], now["accept_weaker"])

    def test_no_other_plugin_reaches_it(self):
        self.do("look")
        folder = self.folder()
        self.assertEqual(0o700, os.stat(folder).st_mode & 0o777)
        for path in (folder, os.path.join(folder, "call-1"), os.path.join("..", os.path.basename(folder))):
            self.assertIn(self.do("open", plugin=TWO, path=path)["code"], (errno.EACCES, errno.ENOENT))

    def test_the_bound_is_the_kernels(self):
        """Of one file it is; of many it is the host's."""
        full = self.do("write", amount=40)
        self.assertEqual((errno.EFBIG, 32), (full["code"], full["written"]))
        self.ended("fill", amount=20)

    def test_many_files(self):
        self.ended("linger", amount=20000)

    def test_what_is_deep_goes_too(self):
        """It is more than the host counts."""
        self.ended("dig", amount=400, stay=1)

    def test_it_goes_with_the_process(self):
        self.do("look")
        folder = self.folder()
        self.revoke_all("scratch", ONE)
        until(lambda: not os.path.exists(folder), "it is still there")

    def test_a_host_that_was_killed(self):
        self.do("look")
        folder = self.folder()
        self.host.kill()
        self.assertTrue(os.path.exists(folder))
        self.host.start()
        self.assertFalse(os.path.exists(folder))


class NotThere(ScratchCase):
    """The same without such a word: it runs without, and says so."""

    kind = NarrowHost

    def setUp(self):
        self.mock.default = model

    def test_it_is_refused_and_said(self):
        self.grant_only("scratch", ONE)
        until(lambda: "its layer is missing" in self.do("look")["error"], "it has a folder")
        self.assertIn("plugins.accept_weaker: {hoarder-one: [scratch]}", self.do("look")["error"])
        self.assertIn("scratch", plugin(self.host, ONE)["layers_missing"])
        self.revoke_all("scratch", ONE)
        until(lambda: self.do("look") and "scratch" not in plugin(self.host, ONE)["layers_missing"], "it is missed though it is not granted")


class InTheHost(ScratchCase):
    """A folder in the state folder, with no bound."""

    trusted = True
    ids = (ONE,)

    def test_it_goes_with_the_call(self):
        found = self.do("write", amount=40)
        self.assertEqual((0, 40), (found["code"], found["written"]))
        self.assertTrue(found["path"].startswith(os.path.join(self.host.state, "scratch", ONE) + "/"), found)
        until(lambda: not os.path.exists(found["path"]), "it is still there")
        self.assertEqual([], self.do("look", tenant="right")["names"])
        self.assertEqual(0, self.do("work")["code"])

    def test_a_host_that_was_killed(self):
        folder = os.path.join(self.host.state, "scratch")
        worker = threading.Thread(target=self.give_up)
        worker.start()
        until(lambda: any("kept" in files for _top, _folders, files in os.walk(folder)), "nothing was written")
        os.symlink("/etc", os.path.join(folder, ONE, "link"))
        self.host.kill()
        worker.join()
        self.assertTrue(os.path.exists(folder))
        self.host.start()
        self.assertFalse(os.path.exists(folder))
        self.assertTrue(os.path.exists("/etc/passwd"))

    def give_up(self):
        try:
            self.do("stay", amount=20000, name="kept")
        except (OSError, http.client.HTTPException):
            pass

    def test_taken_back(self):
        self.revoke_all("scratch", ONE)
        self.assertIn("was taken back", self.do("look")["error"])
        self.grant("scratch", ONE, tenant_id="left")
        self.assertEqual(0, self.do("look")["code"])
        self.assertIn("scratch", self.do("look", tenant="right")["error"])


class Ceiling(ScratchCase):
    more = "  ceiling: {scratch: 8}"

    def test_nothing_goes_beyond(self):
        self.assertIn("plugins.ceiling.scratch", self.grant("scratch", ONE, expect=403, parameters={"amount": 9})["detail"])
        self.assertEqual({"amount": 8}, self.rows(ONE)["scratch"]["ceiling"]["parameters"])
        full = self.do("write", amount=40)
        self.assertEqual((errno.ENOSPC, 8, 8 * MIB), (full["code"], full["written"], full["bytes"]))


if __name__ == "__main__":
    main()
