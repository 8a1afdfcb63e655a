# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers of llm-extractive through a real host: uploaded documents, the knowledge search, governed runs, citations. The same question
sets as in tests/extractive, here over all that lies between a question and its answer."""

import glob
import os
import re
import subprocess
import unittest

from reeve import SOURCE, Host, main

LICENSES = "/usr/share/common-licenses"
# their help texts are what their manual pages are generated from, and every machine has them
COMMANDS = ("base64 basename cat chmod cp cut date dd df du echo grep head id ln ls mkdir mktemp mv nl nproc paste rm rmdir sed seq sha256sum "
            "shred shuf sleep sort split stat tail tee timeout touch tr uniq wc").split()


def flat(text):
    return re.sub(r"\s+", " ", text)


def read_questions(name):
    with open(os.path.join(SOURCE, "tests", "extractive", name), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]
    return [(documents.split("|"), words.lower().split("|"), question) for documents, words, question in rows]


def holds(text, words):
    return any(w in text.lower() for w in words)


# characters of a passage of 512 tokens, about
PASSAGE = 2000


class Exam:
    """What came of a set of questions."""

    def __init__(self):
        self.answerable = self.first = self.three = self.unanswerable = self.declined = 0
        self.misses = []

    @staticmethod
    def around(number, citation, answer, texts):
        """What stands in the document around the first quote from that citation: the passage it comes from."""
        text = texts[citation["title"]]
        quotes = re.findall(rf"^(.+) \[{number}\]$", answer["answer"], re.M)
        at = text.find(quotes[0]) if quotes else 0
        return text[max(0, at - PASSAGE // 2):at + PASSAGE // 2]

    def mark(self, documents, words, question, answer, texts):
        citations = answer["citations"]
        if documents == ["-"]:
            self.unanswerable += 1
            self.declined += not citations
            if citations:
                self.misses.append(f"not declined: {question}: {answer['answer'][:200]}")
            return
        self.answerable += 1
        place = 0
        for number, citation in enumerate(citations, 1):
            if not place and citation["title"] in documents and holds(self.around(number, citation, answer, texts), words):
                place = number
        self.first += place == 1
        self.three += 1 <= place <= 3
        if place != 1:
            self.misses.append(f"place {place}: {question}: {answer['answer'][:200]}")
        for line in answer["answer"].split("\n"):
            quote = re.fullmatch(r"(.+) \[(\d+)\]", line)
            if quote and flat(quote.group(1)) not in texts[citations[int(quote.group(2)) - 1]["title"]]:
                raise AssertionError(f"{question}: not word for word in the document it cites: {line}")

    def __str__(self):
        return (f"{self.answerable} answerable: first {self.first}, among three {self.three}; {self.unanswerable} unanswerable: "
                f"declined {self.declined}")


class Answers(unittest.TestCase):
    def setUp(self):
        self.host = Host(config="limits: {requests_per_minute: 100000}\n").start()
        self.addCleanup(self.host.close)
        self.texts = {}

    def load(self, name, text, media_type):
        self.texts[name] = flat(text)
        self.assertGreater(self.host.upload(name, text, media_type=media_type).json["chunks"], 0)

    def examine(self, *names):
        agent = self.host.agent(tools=("semantic_search",))
        exam = Exam()
        for name in names:
            for documents, words, question in read_questions(name):
                answer = self.host.run(agent, question)
                self.assertEqual(("succeeded", True), (answer["status"], answer["success"]), answer)
                exam.mark(documents, words, question, answer, self.texts)
        return exam

    def check_goals(self, exam, first, three, declined):
        report = f"{exam}\n" + "\n".join(exam.misses)
        print(f"# {exam}")
        self.assertGreaterEqual(100 * exam.first, first * exam.answerable, report)
        self.assertGreaterEqual(100 * exam.three, three * exam.answerable, report)
        self.assertGreaterEqual(100 * exam.declined, declined * exam.unanswerable, report)

    def test_samples(self):
        for path in sorted(glob.glob(os.path.join(SOURCE, "data", "samples", "*.md"))):
            if os.path.basename(path) != "README.md":
                with open(path, encoding="utf-8") as file:
                    self.load(os.path.basename(path), file.read(), "text/markdown")
        self.check_goals(self.examine("questions-samples.tsv"), 80, 95, 90)

    def test_texts_of_the_machine(self):
        for name in sorted(os.listdir(LICENSES)):
            path = os.path.join(LICENSES, name)
            if not os.path.islink(path):
                with open(path, "rb") as file:
                    self.load(name, file.read().decode("utf-8", "replace"), "text/plain")
        for command in COMMANDS:
            said = subprocess.run([command, "--help"], capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
            self.load(command, said.stdout, "text/plain")
        self.check_goals(self.examine("questions-tuned.tsv", "questions-fresh.tsv"), 80, 95, 90)


class Shapes(unittest.TestCase):
    def setUp(self):
        self.host = Host(config="limits: {requests_per_minute: 100000}\n").start()
        self.addCleanup(self.host.close)
        self.host.upload("press.md", "# Press\n\nThe clamping bolts are\ntightened to 660 Nm. The ram is heavy.\n")
        self.agent = self.host.agent(tools=("semantic_search", "calculate"))

    def test_quote_and_citation(self):
        answer = self.host.run(self.agent, "To what torque are the clamping bolts tightened?")
        self.assertTrue(answer["answer"].startswith("The clamping bolts are tightened to 660 Nm. [1]"), answer)
        (citation,) = answer["citations"]
        self.assertEqual("press.md", citation["title"])
        self.assertIsNone(citation["page_number"])
        self.assertIsInstance(citation["score"], (int, float))
        self.assertEqual(["semantic_search"], [c["name"] for c in answer["tool_calls"]])
        self.assertEqual(2, answer["steps"])

    def test_nothing_answers(self):
        answer = self.host.run(self.agent, "Who won the football world cup in 1990?")
        self.assertEqual((True, []), (answer["success"], answer["citations"]))
        self.assertIn("do not answer", answer["answer"])

    def test_arithmetic(self):
        answer = self.host.run(self.agent, "What is 15 % of 240?")
        self.assertIn("= 36", answer["answer"])
        self.assertEqual(["calculate"], [c["name"] for c in answer["tool_calls"]])

    def test_streamed_pieces_make_the_answer(self):
        body = {"agent_id": self.agent, "mission": "To what torque are the clamping bolts tightened?", "stream": True}
        events = list(self.host.stream("POST", "/api/v1/agents/execute", body))
        said = "".join(e.data.get("delta", e.data.get("text", "")) for e in events if e.name == "message.delta")
        final = [e for e in events if e.name == "run.completed"][0].data["answer"]
        self.assertTrue(final.startswith(said.strip()) and "660 Nm. [1]" in said, (said, final))

    def test_two_tenants_see_their_own(self):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "other", "name": "Other"}, expect=201)
        headers = {"X-Tenant-ID": "other"}
        body = {"name": "tester", "initial_definition": {"system_prompt": "Test.", "tools": ["semantic_search"]}}
        agent = self.host.post("/api/v1/admin/agents", body, headers=headers, expect=201).json["agent_id"]
        mission = {"agent_id": agent, "mission": "To what torque are the clamping bolts tightened?"}
        answer = self.host.post("/api/v1/agents/execute", mission, headers=headers, expect=200).json
        self.assertEqual([], answer["citations"])


if __name__ == "__main__":
    main()
