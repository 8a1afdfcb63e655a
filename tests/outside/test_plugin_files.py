#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Capabilities fs.read and fs.write: files of the granted folder and no others, copies and no descriptors, whole or not at all."""

import fcntl
import os
import shutil
import tempfile
import threading
import time

from probes import ProbeCase
from reeve import main
from test_confined import until

READ, WRITE = "fs.read", "fs.write"


def read(path, **more):
    return READ, {"op": "read", "path": path, **more}, ""


def listed(path="", **more):
    return READ, {"op": "list", "path": path, **more}


def write(path, data, **more):
    return WRITE, {"op": "write", "path": path, **more}, data


def put(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Files(ProbeCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="reeve-files-")
        self.addCleanup(holder.cleanup)
        self.outside = os.path.realpath(holder.name)
        self.folder = os.path.join(self.outside, "granted")
        os.makedirs(os.path.join(self.folder, "sub"))
        put(os.path.join(self.folder, "a.txt"), "one")
        put(os.path.join(self.folder, "sub", "b.txt"), "two")
        put(os.path.join(self.outside, "secret.txt"), "SECRET")
        for capability in (READ, WRITE):
            self.grant_only(capability, folder=self.folder)

    def at(self, *names):
        return os.path.join(self.folder, *names)

    # ---- what works ----

    def test_reading(self):
        self.assertEqual(("one", 3), tuple(self.one(*read("a.txt"))[k] for k in ("bytes", "size")))
        self.assertEqual("two", self.one(*read("sub/b.txt"))["bytes"])
        self.assertEqual("ne", self.one(*read("a.txt", offset=1))["bytes"])
        self.assertEqual("n", self.one(*read("a.txt", offset=1, length=1))["bytes"])
        self.assertEqual("", self.one(*read("a.txt", offset=7))["bytes"])
        self.assertEqual({"entries": [{"name": "a.txt", "type": "file", "size": 3}, {"name": "sub", "type": "folder", "size": 0}], "complete": True},
                         {**self.one(*listed()), "entries": sorted(self.one(*listed())["entries"], key=lambda e: e["name"])})
        self.assertEqual(["b.txt"], [e["name"] for e in self.one(*listed("sub"))["entries"]])

    def test_writing(self):
        self.assertEqual(3, self.one(*write("new.txt", "abc"))["size"])
        self.one(*write("new.txt", "other"))
        self.one(WRITE, {"op": "make", "path": "deep"})
        self.one(*write("deep/x.txt", "in it"))
        self.assertEqual("other", self.one(*read("new.txt"))["bytes"])
        with open(self.at("deep", "x.txt"), encoding="utf-8") as file:
            self.assertEqual("in it", file.read())
        self.refused(*write("new.txt", "again", replace=False), "already_exists")
        self.one(WRITE, {"op": "delete", "path": "new.txt"})
        self.assertEqual(sorted(["a.txt", "deep", "sub"]), sorted(os.listdir(self.folder)))
        self.refused(WRITE, {"op": "delete", "path": "new.txt"}, "not_found")
        self.refused(WRITE, {"op": "delete", "path": "deep"}, "permission_denied")
        self.refused(*write("deep", "x"), "already_exists")

    def test_much_goes_through(self):
        self.grant_only(READ, folder=self.folder, max_bytes=1 << 30)
        self.grant_only(WRITE, folder=self.folder, max_bytes=1 << 30)
        self.one(*write("much", 40 << 20))
        self.assertEqual(40 << 20, os.stat(self.at("much")).st_size)
        self.assertEqual(40 << 20, self.one(*read("much"))["bytes"])
        with open(self.at("sparse"), "wb") as file:
            file.truncate(512 << 20)
        self.refused(*read("sparse"), "invalid_argument: .*length is at most 64 MiB")
        self.assertEqual(5000, self.one(*read("sparse", offset=100 << 20, length=5000))["bytes"])
        self.refused(*write("more", (64 << 20) + 1), "too_large")

    # ---- what does not ----

    def test_nothing_leads_out(self):
        os.symlink("../secret.txt", self.at("link"))
        os.symlink(self.outside, self.at("out"))
        os.symlink("a.txt", self.at("inner"))
        os.symlink("/proc/self", self.at("proc"))
        os.mkfifo(self.at("pipe"))
        for path in ("../secret.txt", "sub/../../secret.txt", "..", ".", "./a.txt", "sub//b.txt", "/etc/passwd", self.outside + "/secret.txt", "a.txt/", "a" * 1001):
            self.refused(*read(path), "invalid_argument: .*path")
            self.refused(*write(path, "x"), "invalid_argument: .*path")
            self.refused(WRITE, {"op": "delete", "path": path}, "invalid_argument: .*path")
            self.refused(*listed(path), "invalid_argument: .*path")
        for path in ("link", "out/secret.txt", "inner", "proc/environ", "proc/root/etc/passwd"):
            self.refused(*read(path), "permission_denied: .*through a link")
        for path in ("out/new", "out/secret.txt", "proc/x"):
            self.refused(*write(path, "x"), "permission_denied: .*through a link")
            self.refused(WRITE, {"op": "delete", "path": path}, "permission_denied: .*through a link")
            self.refused(WRITE, {"op": "make", "path": path}, "permission_denied: .*through a link")
        self.refused(*listed("out"), "permission_denied")
        self.refused(*read("pipe"), "invalid_argument: .*no regular file")
        self.refused(*read("sub"), "invalid_argument: .*no regular file")
        self.refused(*read("none"), "not_found")
        # a link is not written through and not removed
        self.refused(*write("link", "x"), "already_exists")
        self.refused(WRITE, {"op": "delete", "path": "link"}, "permission_denied")
        self.assertEqual({"a.txt", "sub"}, {e["name"] for e in self.one(*listed())["entries"]})
        with open(os.path.join(self.outside, "secret.txt"), encoding="utf-8") as file:
            self.assertEqual("SECRET", file.read())

    def test_a_folder_that_changes_into_a_link_meanwhile(self):
        """Nobody who may write there gets the host to follow a link."""
        os.makedirs(self.at("x"))
        put(self.at("x", "secret.txt"), "inside")
        os.symlink(self.outside, self.at("y"))
        ended = threading.Event()

        def swap():
            while not ended.is_set():
                for before, after in (("x", "z"), ("y", "x"), ("x", "y"), ("z", "x")):
                    os.rename(self.at(before), self.at(after))
        thread = threading.Thread(target=swap)
        thread.start()
        try:
            answers = [a for _ in range(8) for a in self.ask(*[read("x/secret.txt")] * 50)]
        finally:
            ended.set()
            thread.join()
        self.assertEqual(set(), {a["bytes"] for a, _ in answers if a} - {"inside"})
        self.assertTrue(any(a for a, _ in answers))

    def test_the_hosts_own_and_the_kernels(self):
        for folder, path in (("/", "proc/self/environ"), ("/proc", "self/environ"), ("/sys", "kernel/osrelease"),
                             (self.host.state, "admin.key"), (os.path.dirname(self.host.state), "state/admin.key"),
                             (os.path.join(self.host.state, "keys"), "x")):
            self.grant_only(READ, folder=folder)
            self.grant_only(WRITE, folder=folder)
            self.refused(*read(path), "permission_denied|not_found")
            self.refused(*write(path, "x"), "permission_denied|not_found")
        self.grant_only(READ, folder=os.path.dirname(self.host.state))
        self.refused(*read("state/admin.key"), "permission_denied")
        self.refused(*listed("state"), "permission_denied")

    def test_another_name_of_the_hosts_own(self):
        os.link(os.path.join(self.host.state, "admin.key"), self.at("key.txt"))
        self.refused(*read("key.txt"), "permission_denied")
        # what is written there is a file of its own
        self.one(*write("key.txt", "x"))
        self.assertEqual("x", self.one(*read("key.txt"))["bytes"])
        self.assertGreater(os.stat(os.path.join(self.host.state, "admin.key")).st_size, 10)

    def test_names_and_sizes(self):
        self.grant_only(READ, folder=self.folder, glob="*.txt", max_bytes=3)
        self.grant_only(WRITE, folder=self.folder, glob="*.csv", max_bytes=3)
        put(self.at("a.key"), "k")
        put(self.at("long.txt"), "four")
        self.assertEqual("one", self.one(*read("a.txt"))["bytes"])
        for path in ("a.key", "none.key"):
            self.refused(*read(path), "permission_denied: .*for a file of the name")
        self.refused(*read("long.txt"), "too_large: .*4 bytes, and granted are 3")
        self.refused(*read("long.txt", length=1), "too_large")
        self.assertNotIn("a.key", {e["name"] for e in self.one(*listed())["entries"]})
        self.one(*write("a.csv", "abc"))
        self.refused(*write("a.csv", "abcd"), "too_large")
        self.refused(*write("a.txt", "x"), "permission_denied")
        self.refused(WRITE, {"op": "delete", "path": "a.txt"}, "permission_denied")
        self.refused(*write(".reeve-part-x.csv", "x"), "invalid_argument")
        self.assertEqual({"a.txt", "a.key", "a.csv", "long.txt", "sub"}, set(os.listdir(self.folder)))

    # ---- how much ----

    def test_how_much_a_folder_may_hold(self):
        """What lies there counts, whoever put it there: three bytes in a.txt, three in sub/b.txt, and the folder sub."""
        self.grant_only(WRITE, folder=self.folder, folder_bytes=1000, folder_files=6)
        self.one(*write("x", "x" * 994))
        self.refused(*write("y", "y"), "too_large: .*would hold 1001 bytes in 5 files and folders, and granted are folder_bytes 1000 and folder_files 6")
        self.refused(*write("x", "x" * 995), "too_large")
        # less is always allowed, and what is removed can be written again
        self.one(*write("x", "x" * 10))
        self.one(*write("y", "y" * 984))
        self.one(WRITE, {"op": "delete", "path": "y"})
        self.one(*write("y", "y" * 984))
        self.refused(*write("z", "z"), "too_large: .*1001 bytes in 6 ")
        self.one(*write("z", ""))
        for call in (write("more", ""), (WRITE, {"op": "make", "path": "more"})):
            self.refused(*call, "too_large: .*in 7 files")
        self.one(*write("z", ""))
        # others write and remove there too
        os.unlink(self.at("y"))
        os.unlink(self.at("z"))
        self.one(WRITE, {"op": "make", "path": "deep"})
        self.one(*write("deep/z", "z" * 984))
        self.assertEqual(["a.txt", "deep", "sub", "x"], sorted(os.listdir(self.folder)))
        # what is granted besides counts
        self.grant(WRITE, parameters={"folder": self.folder, "folder_bytes": 1100})
        self.one(*write("x", "x" * 110))
        self.refused(*write("x", "x" * 111), "too_large: .*folder_bytes 1100 and folder_files 10000")

    def test_many_at_once_stay_within(self):
        self.grant_only(WRITE, folder=self.folder, folder_bytes=1006, folder_files=8)
        answers = self.ask(*[write(f"f{i}", "x" * 250) for i in range(8)], threads=8)
        self.assertLessEqual(len(os.listdir(self.folder)), 7)
        self.assertLessEqual(sum(os.stat(self.at(n)).st_size for n in os.listdir(self.folder) if n.startswith("f")), 1000)
        self.assertTrue(any(e is None for _, e in answers))
        self.assertEqual({"too_large"}, {e.split(":")[0] for _, e in answers if e})
        self.assertEqual([], [n for n in os.listdir(self.folder) if n.startswith(".")])

    def test_what_a_killed_host_left(self):
        """Parts that nobody writes any more go with the first thing that is written; a file that only is called so, and is new, stays."""
        for name in (".reeve-part-old", "sub/.reeve-part-old", ".reeve-part-new"):
            put(self.at(name), "x" * 100)
        for name in (".reeve-part-old", "sub/.reeve-part-old"):
            os.utime(self.at(name), (time.time() - 60, time.time() - 60))
        self.grant_only(WRITE, folder=self.folder, folder_bytes=110)
        self.one(*write("x", "x"))
        self.assertEqual([".reeve-part-new", "a.txt", "sub", "x"], sorted(os.listdir(self.folder)))
        self.assertEqual(["b.txt"], os.listdir(self.at("sub")))

    def test_what_a_killed_host_left_goes_at_the_next_start(self):
        """Where nobody writes again; not in a folder whose grant ended, and never what somebody holds a lock on."""
        other = tempfile.mkdtemp(dir=os.path.dirname(self.folder))
        self.addCleanup(shutil.rmtree, other, True)
        self.grant_only(WRITE, folder=other)
        self.grant_only(WRITE, folder=self.folder)
        paths = {name: os.path.join(folder, name) for folder, name in
                 ((self.folder, ".reeve-part-old"), (self.at("sub"), ".reeve-part-deep"), (self.folder, ".reeve-part-held"), (other, ".reeve-part-other"))}
        for path in paths.values():
            put(path, "x")
            os.utime(path, (time.time() - 60, time.time() - 60))
        with open(paths[".reeve-part-held"], "rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.host.stop()
            self.host.start()
            until(lambda: not os.path.exists(paths[".reeve-part-deep"]), "it is still there")
            until(lambda: not os.path.exists(paths[".reeve-part-old"]), "it is still there")
            self.assertTrue(os.path.exists(paths[".reeve-part-held"]))
            self.assertTrue(os.path.exists(paths[".reeve-part-other"]))

    def test_the_host_is_killed_while_it_writes(self):
        for delay in (0.02, 0.06, 0.1, 0.2):
            def ask():
                try:
                    self.ask(*[write("much", 60 << 20)] * 4)
                except (AssertionError, OSError, ValueError):
                    pass  # nobody was there to answer
            thread = threading.Thread(target=ask)
            thread.start()
            time.sleep(delay)
            self.host.kill()
            thread.join()
            self.host.start()
            self.assertEqual([], [n for n in os.listdir(self.folder) if n.startswith(".")])
            self.assertIn(os.stat(self.at("much")).st_size if os.path.exists(self.at("much")) else 60 << 20, (60 << 20,))

    def test_a_long_list_ends_when_it_is_taken_back(self):
        os.mkdir(self.at("many"))
        for number in range(20000):
            os.symlink("x", self.at("many", str(number)))
        # it may be taken back just between two of them, or before the first of them on a busy machine
        firsts = [self.first_refused(*[listed("many")] * 300)]
        while "was taken back while it was used" not in firsts[-1] and len(firsts) < 40:
            firsts.append(self.first_refused(*[listed("many")] * 300, after=0.1 * len(firsts)))
        self.assertIn("was taken back while it was used", firsts[-1], firsts)

    def first_refused(self, *calls, after=0.5):
        """What the first of many lists ended with that the grant was taken from."""
        told = []
        grant = self.grant_only(READ, folder=self.folder)
        thread = threading.Thread(target=lambda: told.extend(self.ask(*calls)))
        thread.start()
        time.sleep(after)
        self.host.delete(f"/api/v1/admin/plugins/probe-one/grants/{grant['grant_id']}", expect=204)
        thread.join(60)
        errors = [e for _, e in told if e]
        self.assertEqual({"capability_revoked"}, {e.split(":")[0] for e in errors})
        self.assertEqual(errors, [e for _, e in told[-len(errors):]])
        # what was let through is whole: nothing of it is to be shown
        self.assertEqual([], [a for a, _ in told if a and a != {"entries": [], "complete": True}])
        return errors[0]

    def test_malformed(self):
        for capability, params in ((READ, {}), (READ, {"op": "write", "path": "a"}), (WRITE, {"op": "read", "path": "a.txt"}), (READ, {"op": "read"}), (READ, {"op": "read", "path": 1})):
            self.refused(capability, params, "", "invalid_argument")
        self.refused(*read("a.txt", offset=-1), "invalid_argument: .*offset")
        self.refused(*read("a.txt", length=-1), "invalid_argument: .*length")
        # without the way back for bytes there are none
        self.refused(READ, {"op": "read", "path": "a.txt"}, "invalid_argument: .*reeve_context_transfer")
        self.refused(WRITE, {"op": "write", "path": "a.txt"}, "invalid_argument: .*reeve_context_transfer")
        self.assertEqual("one", self.one(*read("a.txt"))["bytes"])
        self.refused("clock", {}, "x", "invalid_argument: .*takes no bytes")
        for folder in ("relative", "/a/../b", "/a/", "/a//b"):
            self.grant(READ, expect=400, parameters={"folder": folder})

    # ---- grants ----

    def test_without_a_grant(self):
        self.revoke_all(READ)
        self.refused(*read("a.txt"), "capability_revoked")
        self.refused(*read("a.txt"), "permission_denied: .*no folder is granted", plugin="probe-two")
        self.grant(READ)
        self.refused(*read("a.txt"), "permission_denied: .*no folder is granted .*--param folder=")
        self.grant(READ, tenant_id="right", parameters={"folder": self.folder})
        self.refused(*read("a.txt"), "permission_denied")
        self.assertEqual("one", self.one(*read("a.txt"), tenant="right")["bytes"])

    def test_several_folders(self):
        self.grant(READ, parameters={"folder": self.at("sub")})
        self.assertEqual("one", self.one(*read("a.txt"))["bytes"])
        self.assertEqual("two", self.one(*read("b.txt", folder=self.at("sub")))["bytes"])
        self.refused(*read("secret.txt", folder=self.outside), "permission_denied: .*nothing of folder .* is granted")

    def test_what_is_taken_back_leaves_nothing_half_done(self):
        """While files are written one after another the grant goes: each is there whole, or not at all."""
        grant = self.grant_only(WRITE, folder=self.folder)
        told = []
        thread = threading.Thread(target=lambda: told.extend(self.ask(*[write(f"f{i}", 8 << 20) for i in range(200)])))
        thread.start()
        end = time.monotonic() + 30
        while len(os.listdir(self.folder)) < 5 and time.monotonic() < end:
            time.sleep(0.002)
        self.host.delete(f"/api/v1/admin/plugins/probe-one/grants/{grant['grant_id']}", expect=204)
        after = len(os.listdir(self.folder))
        thread.join(60)
        errors = [e for _, e in told if e]
        self.assertTrue(errors)
        self.assertEqual({"capability_revoked"}, {e.split(":")[0] for e in errors})
        self.assertLessEqual(len(os.listdir(self.folder)), after + 1)
        self.assertEqual({8 << 20}, {os.stat(self.at(n)).st_size for n in os.listdir(self.folder) if n.startswith("f")})
        self.assertEqual([], [n for n in os.listdir(self.folder) if n.startswith(".")])


class FilesInTheHost(Files):
    trusted = True


class Ceiling(ProbeCase):
    more = "  ceiling: {folders: [/usr/share, /tmp], file_bytes: 100, folder_bytes: 150, folder_files: 2}"

    def test_nothing_goes_beyond(self):
        for folder in ("/usr/share", "/usr/share/doc"):
            self.grant(READ, parameters={"folder": folder})
        for parameters, key in (({"folder": "/usr/shared"}, "folders"), ({"folder": "/usr"}, "folders"), ({"folder": "/usr/share", "max_bytes": 101}, "file_bytes")):
            self.assertIn(f"plugins.ceiling.{key}", self.grant(READ, expect=403, parameters=parameters)["detail"])
        self.assertTrue(self.one(*listed())["entries"])
        self.assertEqual({"folders": ["/usr/share", "/tmp"], "max_bytes": 100}, self.rows()[READ]["ceiling"]["parameters"])
        for parameters, what in (({"folder_bytes": 151}, "151 bytes .*folder_bytes"), ({"folder_files": 3}, "3 files .*folder_files")):
            self.assertRegex(self.grant(WRITE, expect=403, parameters={"folder": "/tmp", **parameters})["detail"], what)
        with tempfile.TemporaryDirectory(prefix="reeve-files-", dir="/tmp") as folder:
            self.grant_only(WRITE, folder=folder)
            self.one(*write("a", "x" * 100))
            self.refused(*write("b", "x" * 51), "too_large: .*folder_bytes 150")
            self.one(*write("b", "x" * 50))
            self.refused(*write("c", ""), "too_large: .*folder_files 2")
        self.assertEqual({"folders": ["/usr/share", "/tmp"], "folder_bytes": 150, "folder_files": 2, "max_bytes": 100}, self.rows()[WRITE]["ceiling"]["parameters"])


if __name__ == "__main__":
    main()
