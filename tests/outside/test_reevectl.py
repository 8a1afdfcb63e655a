# SPDX-License-Identifier: LGPL-2.1-or-later
"""reevectl against a real host: answers, tables, exit codes, offline verification."""

import glob
import json
import os
import pty
import shutil
import subprocess
import tempfile
import unittest

from reeve import BUILD, CTL, SOURCE, Host, main


class ReevectlCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host().start()
        cls.addClassCleanup(cls.host.close)

    @staticmethod
    def json_of(done):
        return json.loads(done.stdout)

    def json(self, *arguments):
        return json.loads(self.host.ctl("--json", *arguments).stdout)

    def upload(self, name, data, expect=0):
        """A file, by its name."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(data)
            return self.host.ctl("--json", "documents", "upload", path, expect=expect)

    def terminal(self, *arguments):
        """What a person sees: standard output is a terminal."""
        master, slave = pty.openpty()
        done = subprocess.Popen([CTL, "--state-dir", self.host.state, *arguments], stdout=slave, stderr=subprocess.PIPE)
        os.close(slave)
        out = b""
        try:
            while piece := os.read(master, 65536):
                out += piece
        except OSError:
            pass
        os.close(master)
        error = done.stderr.read().decode()
        done.stderr.close()
        return done.wait(60), out.decode().replace("\r\n", "\n"), error


class Commands(ReevectlCase):
    def test_a_file_goes_as_what_its_name_says(self):
        self.assertEqual("text/markdown", self.json_of(self.upload("x.md", b"# a title"))["media_type"])
        # nobody reads these kinds of text: they are text still
        for name in ("x.csv", "x.vtt", "README", "x.unheard-of", "x.pdf"):
            self.assertEqual("text/plain", self.json_of(self.upload(name, f"words of {name}".encode()))["media_type"])
        known = "application/pdf" if os.path.exists("/usr/share/mime/mime.cache") else "application/octet-stream"
        for name, kind in (("x.pdf", known), ("x.unheard-of", "application/octet-stream")):
            done = self.upload(name, b"\0\xff binary", expect=None)
            self.assertNotEqual(0, done.returncode)
            self.assertIn(f"documents of type {kind} cannot be read", done.stderr)

    def test_documents_and_a_cited_mission(self):
        manual = os.path.join(SOURCE, "data", "samples", "hydraulic-press-hp200.md")
        document = self.json("documents", "upload", manual, "--classification", "internal")
        self.assertEqual(("hydraulic-press-hp200.md", "INTERNAL"), (document["title"], document["classification"]))
        found = self.json("documents", "search", "hydraulic oil change")
        self.assertEqual(("keyword", document["document_id"]), (found["mode"], found["results"][0]["document_id"]))
        definition = json.dumps({"system_prompt": "Answer from the manuals.", "tools": ["semantic_search"]})
        agent = self.json("agents", "create", "press advisor", "--definition", definition)
        answer = self.json("run", "press advisor", "How often is the oil of the press changed?")
        self.assertTrue(answer["success"])
        self.assertIn("4,000", answer["answer"])
        self.assertIn("[1]", answer["answer"])
        self.assertEqual(document["document_id"], answer["citations"][0]["document_id"])
        code, out, _error = self.terminal("run", agent["agent_id"], "How often is the oil of the press changed?")
        self.assertEqual(0, code)
        for text in ("4,000", "[1] hydraulic-press-hp200.md", answer["citations"][0]["title"], "succeeded", "audit"):
            self.assertIn(text, out)
        code, out, _error = self.terminal("run", agent["agent_id"], "How often is the oil of the press changed?", "--stream")
        self.assertEqual(0, code)
        self.assertEqual(1, out.count("Change the oil every 4,000"))
        lines = self.host.ctl("run", agent["agent_id"], "How hot?", "--stream").stdout.splitlines()
        self.assertEqual(["run.started"], [json.loads(line)["event"] for line in lines[:1]])

    def test_show_prints_the_rest_body_unchanged(self):
        agent = self.host.agent()
        body = self.host.get(f"/api/v1/admin/agents/{agent}", expect=200).text
        self.assertEqual(body, self.host.ctl("--json", "agents", "show", agent).stdout.rstrip("\n"))

    def test_what_is_no_letter_of_the_locale_arrives(self):
        """A pipe and a file get the host's bytes: cron has no locale, and a signed note with marks of question in it verifies no more."""
        environment = {**self.host.environment, "LC_ALL": "C"}
        user = self.json("users", "create", "zoë-℃", "--roles", "viewer")
        shown = self.host.ctl("users", "show", user["user_id"], environment=environment).stdout
        self.assertEqual("zoë-℃", json.loads(shown)["username"])
        proof = self.host.ctl("audit", "proof", "1", environment=environment).stdout
        self.assertIn("\n— reeve-ledger ", proof)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "1.tlog-proof")
            with open(path, "w", encoding="utf-8") as file:
                file.write(proof)
            self.host.ctl("audit", "verify", "--proof", path, "--public-key", os.path.join(self.host.state, "keys", "ledger.pub"))

    def test_a_csv_ends_with_its_last_line(self):
        text = self.host.ctl("cost", "show", "--format", "csv").stdout
        self.assertTrue(text.startswith("kind,"))
        self.assertTrue(text.endswith("\n") and not text.endswith("\n\n"), repr(text[-40:]))

    def test_a_list_is_a_table_sorted_and_filtered(self):
        for name in ("zeta", "alpha", "midway"):
            self.host.post("/api/v1/admin/users", {"username": name, "roles": ["viewer"]}, expect=201)
        _code, out, _error = self.terminal("users", "list", "--sort", "username")
        lines = out.splitlines()
        self.assertIn("USERNAME", lines[0])
        names = [n for n in ("alpha", "midway", "zeta") for line in lines if n in line]
        self.assertEqual(["alpha", "midway", "zeta"], names)
        _code, out, _error = self.terminal("users", "list", "--filter", "username=mid")
        self.assertIn("midway", out)
        self.assertNotIn("zeta", out)

    def test_what_is_in_a_thing_is_a_table(self):
        """Lists in an answer are tables and objects a part of their own; money and who did it are words."""
        self.json("budget", "set", "default", "--cost-limit", "25 USD", "--tokens-per-day", "1000")
        code, out, _error = self.terminal("budget", "usage")
        self.assertEqual(0, code)
        self.assertRegex(out, r"(?m)^cost_limit +25 USD$")
        self.assertRegex(out, r"(?m)^windows\nWINDOW +TOKEN_LIMIT .*\nday +1000 ")
        _code, out, _error = self.terminal("usage", "show", "--group-by", "agent")
        self.assertRegex(out, r"(?m)^totals\nrecord_count +\d+$")
        self.assertRegex(out, r"(?m)^groups\nKEY +RECORD_COUNT ")
        _code, out, _error = self.terminal("audit", "query", "--action", "budgets.set", "--limit", "1")
        self.assertRegex(out, r"budgets\.set +user usr_\w+ +succeeded")
        self.assertNotIn("{", out)
        self.host.ctl("budget", "delete", "default")

    def test_keys_are_shown_once_and_revoked(self):
        user = self.json("users", "create", "keyed", "--roles", "operator")
        made = self.json("keys", "create", user["user_id"], "laptop", "--roles", "operator")
        self.host.get("/api/v1/me", key=made["key"], expect=200)
        self.assertNotIn(made["key"], json.dumps(self.json("keys", "list")))
        self.host.ctl("keys", "revoke", made["key_id"])
        self.host.get("/api/v1/me", key=made["key"], expect=401)

    def test_help_of_every_command_has_an_example(self):
        listed = self.host.ctl("--help").stdout
        for noun in ("agents", "documents", "run", "audit", "tenants", "users", "keys", "plugins", "models", "doctor"):
            self.assertIn(f"  {noun}", listed)
        self.assertIn("reevectl agents create", self.host.ctl("agents", "create", "--help").stdout)

    def test_doctor(self):
        self.assertEqual(0, self.json("doctor")["failed"])


    def test_null_takes_a_limit_away(self):
        for options in (["--token-limit", "1000"], ["--cost-limit", "25 USD"]):
            self.json("budget", "set", "default", "--reset-days", "30", *options)
        self.json("budget", "set", "default", "--cost-limit", "null")
        self.assertEqual((1000, None), tuple(self.json("budget", "usage")[name] for name in ("token_limit", "cost_limit")))
        refused = self.host.ctl("budget", "set", "default", "--reset-days", "null", expect=2)
        self.assertIn("/reset_days", refused.stderr)
        self.host.ctl("audit", "show", "null", expect=2)
        self.host.ctl("budget", "delete", "default")

    def test_completion(self):
        """Nouns, verbs, options: of the table, of what reevectl does by itself, and of a noun that is a command by itself."""
        script = os.path.join(BUILD, "data", "reevectl")
        for words, expected in ((["pl"], ["plugins"]), (["plugins", "set"], ["settings", "set-secret"]), (["policy", "li"], ["lint", "list"]),
                                (["audit", "verify", "--pu"], ["--public-key"]), (["run", "agt_1", "--st"], ["--stream"]),
                                (["budget", "set", "acme", "--cost"], ["--cost-limit"]), (["plugins", "settings", "x", "--ch"], ["--check"])):
            with self.subTest(words):
                said = subprocess.run(["bash", "-c", '. "$1"; shift; COMP_WORDS=(reevectl "$@"); COMP_CWORD=$#; _reevectl; printf "%s\\n" "${COMPREPLY[@]}"',
                                       "bash", script, *words], capture_output=True, text=True, check=True, timeout=60).stdout.split()
                self.assertEqual(sorted(expected), sorted(said))


class Exits(ReevectlCase):
    def test_exit_codes(self):
        viewer = dict(os.environ, REEVE_URL=self.host.url, REEVE_TOKEN=self.host.user("viewer"))
        bad = dict(os.environ, REEVE_URL=self.host.url, REEVE_TOKEN="rv_wrong")
        nobody = dict(os.environ, REEVE_URL="http://127.0.0.1:1", REEVE_TOKEN="x")
        admin = dict(os.environ, REEVE_URL=self.host.url, REEVE_TOKEN=self.host.key)
        spent = self.host.agent()
        self.host.put(f"/api/v1/admin/budgets/agents/{spent}", {"token_limit": 0}, expect=200)
        for expected, environment, arguments in (
                (0, viewer, ["agents", "list"]), (2, viewer, []), (2, viewer, ["nonsense"]), (2, viewer, ["agents", "show"]),
                (2, viewer, ["agents", "list", "--limit", "many"]), (2, viewer, ["models", "list", "extra"]),
                (2, viewer, ["agents", "list", "--no-such-option", "1"]), (3, viewer, ["agents", "create", "x", "--definition", "{}"]),
                (3, viewer, ["tenants", "list"]), (3, bad, ["agents", "list"]), (4, viewer, ["agents", "show", "agt_none"]),
                (2, admin, ["audit", "export", "--format", "xml"]), (2, admin, ["budget", "show", "nonsense"]), (4, admin, ["budget", "show", "agents/agt_none"]),
                (3, admin, ["run", spent, "Anything?"]),
                (2, viewer, ["agents", "list", "--tenant", "north\r"]), (2, dict(viewer, REEVE_TOKEN="rv_x\r\ny"), ["agents", "list"]),
                (2, viewer, ["agents", "list", "--url", "ftp://x"]), (2, viewer, ["agents", "list", "--url", "nonsense"]),
                (2, viewer, ["agents", "list", "--url", "http://"]), (2, viewer, ["agents", "list", "--url", "http://x:99999"]),
                (2, dict(viewer, REEVE_URL="file:///etc"), ["agents", "list"]),
                (2, viewer, ["documents", "upload", "/etc/hostname", "--url", "ftp://x"]),
                (5, nobody, ["agents", "list"])):
            with self.subTest(arguments=arguments):
                done = subprocess.run([CTL, *arguments], capture_output=True, text=True, timeout=60, check=False, env=environment)
                self.assertEqual(expected, done.returncode, done.stderr)
                if expected not in (0,) and arguments:
                    self.assertIn("reevectl:", done.stderr)

    def test_nothing_moves_the_cursor(self):
        for arguments in (["\x1b[2J"], ["agents", "x\x9b2J"], ["agents", "list", "--limit", "\x1b]0;x\x07"], ["agents", "list", "--url", "\x1b[2J\u202e"],
                          ["\udcff"]):
            done = subprocess.run([CTL, *arguments], capture_output=True, timeout=60, check=False, env=dict(os.environ, LC_ALL="C.UTF-8"))
            self.assertEqual(2, done.returncode, done.stderr)
            text = done.stderr.decode()
            self.assertIn("reevectl: ", text)
            self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")

    def test_what_is_not_written_is_no_success(self):
        for arguments in (["agents", "list"], ["audit", "export"], ["audit", "proof", "1"], ["doctor"]):
            with self.subTest(arguments), open("/dev/full", "wb") as full:
                done = subprocess.run([CTL, "--state-dir", self.host.state, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
                self.assertEqual(1, done.returncode)
                self.assertRegex(done.stderr, b"could not be written|No space left on device")

    def test_a_refusal_names_the_permission(self):
        viewer = dict(os.environ, REEVE_URL=self.host.url, REEVE_TOKEN=self.host.user("viewer"))
        done = subprocess.run([CTL, "run", "agt_x", "mission"], capture_output=True, text=True, timeout=60, check=False, env=viewer)
        self.assertEqual(3, done.returncode)
        self.assertIn("agent:execute", done.stderr)


class Verification(unittest.TestCase):
    def test_offline_on_a_copied_state(self):
        with tempfile.TemporaryDirectory(prefix="reeve-copy-") as folder:
            copy = os.path.join(folder, "copy")
            with Host() as host:
                host.agent()
                online = json.loads(host.ctl("--json", "--url", host.url, "--token", host.key, "audit", "verify").stdout)
                self.assertTrue(online["valid"])
                host.stop()
                os.makedirs(copy)
                shutil.copytree(os.path.join(host.state, "ledger"), os.path.join(copy, "ledger"))
                os.makedirs(os.path.join(copy, "keys"))
                for path in glob.glob(os.path.join(host.state, "keys", "ledger.pub")):
                    shutil.copy(path, os.path.join(copy, "keys"))
            self.assertEqual(0, self.verify(copy).returncode)
            log = sorted(p for p in glob.glob(os.path.join(copy, "ledger", "default", "*")) if p.endswith(".log"))[0]
            with open(log, "r+b") as file:
                data = bytearray(file.read())
                data[len(data) // 2] ^= 1
                file.seek(0)
                file.write(data)
            done = self.verify(copy)
            self.assertEqual(1, done.returncode)
            self.assertRegex(done.stdout + done.stderr, r"bad")

    @staticmethod
    def verify(state):
        return subprocess.run([CTL, "--state-dir", state, "audit", "verify"], capture_output=True, text=True, timeout=60, check=False)


if __name__ == "__main__":
    main()
