#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Control groups of plugins' processes, with the kernel's own files: where a group is the host's to divide up, each process is in one of its own
that goes with it; where there is none, or not all controllers are there, plugins run without, and it is said."""

import errno
import os
import signal
import unittest

from reeve import Host, main
from test_confined import is_alive, plugin, until
from test_plugin_limits import HUNGRY, HungryCase

CONTROLLERS = {"memory", "pids", "cpu"}
ALL = "plugins.reeve"  # of all plugins together


def mount_point():
    """Where version 2 is mounted as a whole, if it is."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            if " - cgroup2 " in line and line.split()[3] == "/":
                return line.split()[4]
    return None


def group_of(pid):
    with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
        return next(line[3:].strip() for line in file if line.startswith("0::"))


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read().strip()


def remove(top):
    for folder, folders, _files in os.walk(top, topdown=False):
        for name in folders:
            os.rmdir(os.path.join(folder, name))
    os.rmdir(top)


def make_group(name):
    """A group for one host alone, with all controllers that this machine can give it; None: this user may make none."""
    mount = mount_point()
    if mount is None:
        return None
    parent = mount + group_of("self")
    top = os.path.join(parent, f"reeve-test-{os.getpid()}-{name}")
    try:
        os.mkdir(top)
    except OSError:
        return None
    for controller in CONTROLLERS & set(read(parent, "cgroup.controllers").split()):
        try:
            with open(os.path.join(parent, "cgroup.subtree_control"), "w", encoding="utf-8") as file:
                file.write("+" + controller)
        except OSError:
            pass  # processes of others are in the group above
    return top


class Groups(unittest.TestCase):
    def setUp(self):
        self.top = make_group(self.id().rpartition('.')[2])

    def tearDown(self):
        if self.top is not None:
            remove(self.top)

    def config(self, more=""):
        return f"plugins: {{cgroup: {self.top or 'auto'}{more}}}\n"

    def judge(self, host, plugin_id="extractor-text"):
        """What is said of its process is what the kernel says."""
        now = plugin(host, plugin_id)
        if self.top is None:
            self.assertIn("cgroup", now["layers_missing"])
            return now
        there = set(read(self.top, "cgroup.controllers").split()) & CONTROLLERS
        group = group_of(now["pid"])
        self.assertRegex(group, rf"/{os.path.basename(self.top)}/plugins[.]reeve/{plugin_id}[.]\d+[.]\d+[.]plugin$")
        folder = os.path.join(self.top, ALL, os.path.basename(group))
        self.assertIn("cgroup", now["layers" if there == CONTROLLERS else "layers_missing"])
        limits = {"memory": ("memory.max", str(4096 << 20)), "pids": ("pids.max", "65"), "cpu": ("cpu.max", None)}
        for name in there:
            file, value = limits[name]
            self.assertNotEqual("max", read(folder, file).split()[0])
            self.assertIn(value, (None, read(folder, file)))
        if "cpu" in there:
            self.assertNotEqual("max", read(self.top, ALL, "cpu.max").split()[0])
        return now

    def names(self):
        return [] if self.top is None else [n for n in os.listdir(os.path.join(self.top, ALL)) if n.endswith(".plugin")]

    def test_each_process_has_one_that_goes_with_it(self):
        with Host(config=self.config(", idle_timeout: 1, profiles: {extractor-text: hardened}")) as host:
            host.upload("x.txt", "a text", "text/plain", expect=201)
            self.judge(host)
            until(lambda: plugin(host, "extractor-text")["process"] == "stopped", "it does not end")
            until(lambda: not any("extractor-text" in n for n in self.names()), "its group stays")
            host.upload("y.txt", "another text", "text/plain", expect=201)
            pid = self.judge(host)["pid"]
            os.kill(pid, signal.SIGKILL)
            until(lambda: not is_alive(pid), "it is not ended")
            host.stop()
        self.assertEqual([], self.names())

    def test_what_a_host_leaves_that_is_killed_the_next_one_takes_away(self):
        with Host(config=self.config()) as host:
            host.upload("x.txt", "a text", "text/plain", expect=201)
            pid = self.judge(host)["pid"]
            left = self.names()
            host.kill()
            until(lambda: not is_alive(pid), "a plugin's process outlives its host")
            self.assertEqual(left, self.names())
            host.start()
            host.upload("y.txt", "another text", "text/plain", expect=201)
            self.judge(host)
            self.assertFalse(set(left) & set(self.names()))

    def test_doctor_says_what_is_missing(self):
        with Host(config=self.config()) as host:
            found = {i["id"]: i for i in host.get("/api/v1/admin/doctor", expect=200).json["items"]}["plugins.confinement"]
            whole = self.top is not None and set(read(self.top, "cgroup.controllers").split()) >= CONTROLLERS
            if "hardened can be put on" in found["detail"]:
                self.assertEqual(not whole, "cgroup (" in found["detail"])
                self.assertEqual(not whole, "Delegate=memory pids cpu" in found["detail"])

    def test_where_there_is_none(self):
        for place, why in (("none", "plugins.cgroup is none"), ("/tmp", "/tmp is no control group of version 2")):
            with Host(config=f"plugins: {{cgroup: {place}}}\n") as host:
                host.upload("x.txt", "a text", "text/plain", expect=201)
                now = plugin(host, "extractor-text")
                self.assertIn("cgroup", now["layers_missing"])
                self.assertEqual(group_of("self"), group_of(now["pid"]))
                found = {i["id"]: i for i in host.get("/api/v1/admin/doctor", expect=200).json["items"]}["plugins.confinement"]
                self.assertIn(why, found["detail"])

    def test_a_group_that_is_not_delegated_is_left_alone(self):
        with Host() as host:
            host.upload("x.txt", "a text", "text/plain", expect=201)
            if os.geteuid() == 0:
                self.assertEqual(group_of("self"), group_of(plugin(host, "extractor-text")["pid"]))


class Share(HungryCase):
    """What keeps a plugin from all processors is its group where that can, and the host where it cannot."""

    @classmethod
    def setUpClass(cls):
        cls.top = make_group(cls.__name__)
        if cls.top is not None:
            cls.addClassCleanup(remove, cls.top)
        cls.more = f"  cgroup: {cls.top or 'none'}"
        super().setUpClass()

    def throttled(self):
        """How often the kernel held its group up."""
        pid = plugin(self.host, HUNGRY)["pid"]
        if self.top is None or not pid:
            return 0
        words = read(self.top, ALL, os.path.basename(group_of(pid)), "cpu.stat").split()
        return int(dict(zip(words[::2], words[1::2])).get("nr_throttled", 0))

    def test_processors(self):
        self.granted("cpu", amount=10)
        by_group = self.top is not None and "cpu" in read(self.top, "cgroup.controllers").split()
        if by_group:
            self.assertEqual(0, self.eat("cpu", 300))
            until(lambda: self.eat("cpu", 300) == 0 and self.throttled() > 0, "nothing holds it up")
            self.assertNotIn("T", self.states(300))
        else:
            until(lambda: "T" in self.states(600), "nothing holds it up")
            self.assertEqual(0, self.throttled())

    def test_threads(self):
        by_group = self.top is not None and "pids" in read(self.top, "cgroup.controllers").split()
        self.assertEqual(errno.EAGAIN if by_group or os.geteuid() == 0 else 0, self.eat("threads", 40))
        self.assertEqual(0, self.eat("threads", 4))


if __name__ == "__main__":
    main()
