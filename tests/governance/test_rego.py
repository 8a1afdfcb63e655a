# SPDX-License-Identifier: LGPL-2.1-or-later
"""Policies in Rego: the text by golden files, its meaning by a table worked out by hand and by random policies, against the engine itself.
The table's decisions are checked against the engine (rego-oracle) and against the generated text, which rego_reader.py runs:
it is a reader of the forms that the generator uses and no Open Policy Agent."""

import json
import os
import random
import subprocess
import sys
import unittest

from rego_reader import Module, Unreadable

HERE = os.path.dirname(os.path.abspath(__file__))
ORACLE = os.path.join(os.environ.get("REEVE_BUILD_DIR", os.path.join(HERE, "..", "..", "build")), "tests", "governance", "rego-oracle")
CASES = 200


def word(decision):
    return "allow" if decision["allow"] else "approval_required" if decision["approval_required"] else "deny"


class Oracle:
    def __enter__(self):
        self.process = subprocess.Popen([ORACLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_exception):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(30) == 0

    def ask(self, org, agent, asks):
        line = {"asks": asks, **({"org": org} if org is not None else {}), **({"agent": agent} if agent is not None else {})}
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


class RegoCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.oracle = cls.enterClassContext(Oracle()) if hasattr(cls, "enterClassContext") else Oracle().__enter__()
        if not hasattr(cls, "enterClassContext"):
            cls.addClassCleanup(cls.oracle.__exit__, None, None, None)

    def decide(self, module, given):
        decision = module.get("decision", given)
        self.assertEqual({"allow", "approval_required", "reason"}, set(decision))
        self.assertFalse(decision["allow"] and decision["approval_required"])
        return word(decision)


class Table(RegoCase):
    def test_golden_files_and_the_table(self):
        with open(os.path.join(HERE, "rego", "truth.json"), encoding="utf-8") as file:
            table = json.load(file)
        self.assertGreater(sum(len(policy["rows"]) for policy in table), 80)
        for policy in table:
            answer = self.oracle.ask(policy.get("org"), policy.get("agent"), [row["ask"] for row in policy["rows"]])
            golden = os.path.join(HERE, "rego", policy["name"] + ".rego")
            if os.environ.get("REEVE_WRITE_GOLDEN"):
                with open(golden, "w", encoding="utf-8") as file:
                    file.write(answer["module"])
            with open(golden, encoding="utf-8") as file:
                self.assertEqual(file.read(), answer["module"], policy["name"])
            module = Module(answer["module"])
            self.assertEqual("agent_platform.policy.acme", module.package)
            for row, said in zip(policy["rows"], answer["answers"], strict=True):
                with self.subTest(policy=policy["name"], **row["ask"]):
                    self.assertEqual(row["decision"], said["decision"], "the engine")
                    self.assertEqual(row["decision"], self.decide(module, said["input"]), "the text")

    def test_whatever_is_absent_counts_against_the_call(self):
        """The widest policies there are: no member of the input can be left out, or be of another type, to get more."""
        bounds = {"token_limit": 10, "sandbox_level": "trusted", "matrix": {"t": {"paths": ["/a"]}},
                  "approval": {"blocked": ["x"], "approval_required": ["y"], "requires_approval_above": {"cost": 1, "risk": "medium"}}}
        for org, more in (({"security_level": "full"}, ()), ({"tools": [{"tool_name": "*", "effect": "allow"}], **bounds}, ("facts", "cost", "risk"))):
            answer = self.oracle.ask(org, None, [{"tool": "calculate", "agent_tools": ["calculate"], "tokens": 5}])
            module, given = Module(answer["module"]), answer["answers"][0]["input"]
            self.assertEqual("allow", self.decide(module, given))
            for member in ("tenant_id", "agent", "tool", "kind", "agent_tools", "estimated_tokens", "sandbox_level", *more):
                self.assertNotEqual("allow", self.decide(module, {k: v for k, v in given.items() if k != member}), member)
            for member, wrong in (("tenant_id", "other"), ("tenant_id", None), ("agent", {"id": "agt_2"}), ("agent", {}), ("agent", "agt_1"), ("tool", None),
                                  ("tool", 7), ("tool", ["calculate"]), ("tool", "shell"), ("kind", None), ("agent_tools", []), ("agent_tools", "calculate"),
                                  ("agent_tools", {}), ("estimated_tokens", None), ("estimated_tokens", "1"), ("estimated_tokens", True),
                                  ("sandbox_level", "other"), ("sandbox_level", 1), ("sandbox_level", "strict")):
                self.assertNotEqual("allow", self.decide(module, {**given, member: wrong}), (member, wrong))
        for member, wrong in (("facts", {}), ("facts", None), ("cost", None), ("cost", "0"), ("cost", 2), ("risk", "other"), ("risk", None), ("risk", "high"),
                              ("estimated_tokens", 11), *(("facts", {**given["facts"], k: None}) for k in ("constraints", "blocked", "approval"))):
            self.assertNotEqual("allow", self.decide(module, {**given, member: wrong}), (member, wrong))


class Random(RegoCase):
    NAMES = ("read_file", "read_db", "write_file", "shell", "calculate", "http_request", "semantic_search", "a.b", "a-b", "a/b:c", "delete_x", "tool")
    GLOBS = ("*", "read_*", "*_file", "?hell", "a?b", "a.b", "a*c", "*e*", "?????", "write*", "*.b", "**")
    KINDS = ("read:*", "write:*", "*:*", "execute:*", "compute:calculate", "network:?ttp*", "read:docs/*", "write:docs/x", "execute:git *", "unknown:*")
    LEVELS = (None, None, "trusted", "standard", "isolated", "strict")

    def names(self, source, most=4):
        return [source.choice(self.NAMES + self.GLOBS) for _ in range(source.randrange(most))]

    def patterns(self, source):
        return [source.choice(self.KINDS + self.NAMES + self.GLOBS) for _ in range(source.randrange(3))]

    def policy(self, source):
        if source.random() < 0.15:
            return None
        made = {"tools": [{"tool_name": name, "effect": source.choice(("allow", "allow", "deny"))} for name in self.names(source, 6)]}
        if source.random() < 0.2:
            made["token_limit"] = source.randrange(1, 100)
        if level := source.choice(self.LEVELS):
            made["sandbox_level"] = level
        if source.random() < 0.2:
            made["security_level"] = source.choice(("full", "allowlist", "full", "deny"))
        if source.random() < 0.4:
            made["matrix"] = {name: source.choice(({"allowed": True}, {"allowed": False}, {"paths": ["/docs/*"]}, {"allowed": True, "rate_limit": "5/hour"},
                                                   {"operations": ["get"]})) for name in self.names(source, 3)}
        if source.random() < 0.4:
            made["levels"] = {name: self.patterns(source) for name in ("standard", "trusted") if source.random() < 0.6}
        if source.random() < 0.5:
            made["approval"] = {name: self.patterns(source) for name in ("allowlist", "approval_required", "blocked") if source.random() < 0.5}
            if source.random() < 0.4:
                made["approval"]["requires_approval_above"] = source.choice(({"cost": 2.5}, {"risk": "low"}, {"risk": "medium", "cost": 0}, {}))
        return made

    def asked(self, source):
        made = {"tool": source.choice(self.NAMES + ("größe", "a\nb", 'q"x\\', "x" * 255)), "tokens": source.randrange(120), "cost": source.choice((0, 0, 2.5, 3))}
        if source.random() < 0.5:
            made.update(known=True, hints=[h for h in ("read_only", "destructive", "open_world") if source.random() < 0.3])
        if source.random() < 0.2:
            made["agent_tools"] = [name for name in self.NAMES if source.random() < 0.7]
        if level := source.choice(self.LEVELS):
            made["level"] = level
        if source.random() < 0.5:
            made["arguments"] = source.choice(({}, {"path": "/docs/x"}, {"path": "/etc/x"}, {"path": "docs/../x", "op": "get"}, {"command": "git push"},
                                               {"command": "sh -c x"}, {"url": "https://a.example"}, {"path": ["/docs/x", "/docs/y"], "method": "GET"}))
        return made

    def test_the_text_decides_as_the_engine_does(self):
        seed = int(os.environ.get("REEVE_TEST_SEED", "4711"))
        seen = {}
        for case in range(CASES):
            source = random.Random(seed + case)
            org, agent = self.policy(source), self.policy(source)
            asks = [self.asked(source) for _ in range(12)]
            answer = self.oracle.ask(org, agent, asks)
            module = Module(answer["module"])
            for asked, said in zip(asks, answer["answers"], strict=True):
                seen[said["decision"]] = seen.get(said["decision"], 0) + 1
                self.assertEqual(said["decision"], self.decide(module, said["input"]), (seed + case, org, agent, asked, said["input"]))
        self.assertGreater(min(seen.get(d, 0) for d in ("allow", "approval_required", "deny")), CASES // 5, seen)


class Reads(unittest.TestCase):
    def test_nothing_but_the_known_forms(self):
        for text in ("x := 1", "package a\nx = 1", "package a\nx if { y; z }", "package a\nx := `raw`", "package a\nimport rego.v1",
                     "package a\nx if http.send({})", "package a\nx := {}", "package a\nx := 1\nx := 2", "package a\nx if y", "package a\nx if x"):
            with self.subTest(text), self.assertRaises(Unreadable):
                Module(text).get("x", {})
        self.assertEqual([1], Module('package a\nx := [y] if {\n\tsome y in {1, 2}\n\ty <= 1\n}').get("x", {}))


if __name__ == "__main__":
    unittest.main(verbosity=2 if sys.stdout.isatty() else 1)
