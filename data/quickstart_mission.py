#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The part of data/quickstart that speaks to the host: loads the manuals, runs one mission, shows its answer and its records.

    quickstart_mission.py STATE SAMPLES
"""

import glob
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

MISSION = "What does alarm A-107 mean, and how often must the oil of the press be changed?"
AGENT = "plant-guide"
DEFINITION = {
    "system_prompt": "You answer questions about the machines of hall 2 from their manuals, and cite them.",
    "tools": ["semantic_search", "calculate"],
}


class Host:
    """The REST interface of a running host."""

    def __init__(self, state):
        with open(os.path.join(state, "address"), encoding="utf-8") as file:
            self.url = file.read().split()[0]
        with open(os.path.join(state, "admin.key"), encoding="utf-8") as file:
            self.key = file.read().strip()

    def send(self, method, path, body=None, media_type="application/json"):
        request = urllib.request.Request(self.url + path, data=body, method=method)
        request.add_header("Authorization", "Bearer " + self.key)
        if body is not None:
            request.add_header("Content-Type", media_type)
        # the host is on this machine: no proxy stands between
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"quickstart: {method} {path}: {error.code} {error.read().decode('utf-8', 'replace')}") from None

    def get(self, path):
        return self.send("GET", path)

    def post(self, path, members):
        return self.send("POST", path, json.dumps(members).encode())

    def upload(self, path, title):
        boundary = uuid.uuid4().hex
        with open(path, "rb") as file:
            content = file.read()
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{json.dumps({"title": title})}\r\n'
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{os.path.basename(path)}"\r\n'
        head += "Content-Type: text/markdown\r\n\r\n"
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return self.send("POST", "/api/v1/documents/upload", body, f"multipart/form-data; boundary={boundary}")

    def listed(self, path):
        cursor = ""
        while cursor is not None:
            page = self.get(f"{path}?limit=100" + (f"&cursor={cursor}" if cursor else ""))
            yield from page["items"]
            cursor = page["next_cursor"]

    def wait(self):
        """Until it is ready, 30 seconds at most."""
        last = None
        for _ in range(150):
            try:
                return self.get("/health/ready")
            except (OSError, SystemExit) as error:
                last = error
                time.sleep(0.2)
        raise SystemExit(f"quickstart: the host at {self.url} is not ready: {last}")


def title_of(path):
    with open(path, encoding="utf-8") as file:
        return file.readline().lstrip("# ").strip()


def load_manuals(host, folder):
    """Uploads the manuals that are not there yet; returns how many there are and how many are new."""
    paths = [p for p in sorted(glob.glob(folder + "/*.md")) if os.path.basename(p) != "README.md"]
    known = {document["title"] for document in host.listed("/api/v1/documents")}
    new = [p for p in paths if title_of(p) not in known]
    for path in new:
        host.upload(path, title_of(path))
    return len(paths), len(new)


def find_agent(host):
    for agent in host.listed("/api/v1/admin/agents"):
        if agent["name"] == AGENT:
            return agent["agent_id"]
    description = "Answers questions about the plant from its manuals"
    return host.post("/api/v1/admin/agents", {"name": AGENT, "description": description, "initial_definition": DEFINITION})["agent_id"]


def show(host, answer):
    print(f"\nquestion   {MISSION}\n\n{answer['answer']}\n")
    for number, citation in enumerate(answer["citations"], 1):
        snippet = " ".join(citation["snippet"].split())
        print(f" [{number}] {citation['title']}\n     {snippet[:150]}{'…' if len(snippet) > 150 else ''}")
    audit = answer["audit"]
    last = host.get(f"/api/v1/admin/audit/{audit['last']}")
    verified = host.post("/api/v1/admin/audit/verify", {})
    print(f"\n run       {answer['run_id']}")
    print(f" audit     log {audit['tenant_log']}, records {audit['first']} to {audit['last']}; the whole log {'verifies' if verified['valid'] else 'DOES NOT VERIFY'}")
    print(f" hash      {last['hash']}")
    confined = [p for p in host.listed("/api/v1/admin/plugins") if p.get("process") == "running"]
    print(" confined  " + ", ".join(f"{p['plugin_id']} ({p['profile']}, {len(p['layers'])} layers)" for p in confined) + "; see reevectl plugins list")
    print(f" address   {host.url}   (interface: {host.url}/docs)")
    return verified["valid"]


def main():
    state, samples = sys.argv[1:3]
    host = Host(state)
    host.wait()
    print(f"host at {host.url}")
    total, new = load_manuals(host, samples)
    print(f"{total} manuals, {new} of them loaded now")
    answer = host.post("/api/v1/agents/execute", {"agent_id": find_agent(host), "mission": MISSION})
    if not answer["success"] or not answer["citations"]:
        raise SystemExit(f"quickstart: the mission gave no cited answer: {json.dumps(answer)}")
    return 0 if show(host, answer) else 1


if __name__ == "__main__":
    sys.exit(main())
