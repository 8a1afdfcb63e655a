# SPDX-License-Identifier: LGPL-2.1-or-later
"""What proofs over the whole table share: a world in which every example can be run, the doors, and what is the same behind them."""

import copy
import json
import os
import re
import subprocess
import tempfile
import time

import table
from mock_openai import MockOpenAI
from reeve import CTL, Host
from test_bus import Bus

ROLES = ("admin", "agent_designer", "operator", "auditor", "viewer")
# who has a permission besides the platform admin, who has all: rows RBA-01, RBA-02 and the table of the interface
HOLDERS = {
    "agent:create": {"admin", "agent_designer"},
    "agent:read": set(ROLES),
    "agent:update": {"admin", "agent_designer"},
    "agent:delete": {"admin", "agent_designer"},
    "agent:execute": {"admin", "operator"},
    "session:read": set(ROLES),
    "session:delete": {"admin", "operator"},
    "tool:read": set(ROLES),
    "tenant:manage": {"admin"},
    "user:manage": {"admin"},
    "audit:read": {"admin", "auditor"},
    "system:metrics": {"admin"},
    "system:config": {"admin"},
    "policy:manage": {"admin"},
    "budget:view": {"admin", "operator", "auditor"},
    "budget:set": {"admin"},
    "role:manage": {"admin"},
    "document:read": set(ROLES),
    "document:create": {"admin", "operator"},
    "document:update": {"admin", "operator"},
    "document:delete": {"admin", "operator"},
    "workspace:create": {"admin"},
    "workspace:update": {"admin"},
    "workspace:delete": {"admin"},
    "workspace:manage_members": {"admin"},
}
# the model of the examples is local/gpt-4o-mini
CONFIG = """
budgets: {{platform: {{token_limit: 50000000}}}}
limits: {{requests_per_minute: 0}}
metrics: {{require_authentication: true}}
llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
"""
ROOM = {"max_agents": 1000000, "max_concurrent_sessions": 1000000}
HANGING = "wait for ever"
DBUS = {400: "InvalidArgument", 401: "Unauthenticated", 403: "PermissionDenied", 404: "NotFound", 409: "Conflict"}
EXIT = {400: 2, 401: 3, 403: 3, 404: 4, 405: 2, 415: 2, 429: 3}


def answer_of(request):
    """The mock answers at once, but to a mission that is to be under way."""
    return {"content": "Every 4,000 hours.", "delay": 600 if HANGING.encode() in request.body else 0}


class Setting:
    """A host on a bus of its own with a mock of a model behind it."""

    def __init__(self):
        self.worlds = []
        self.mock = MockOpenAI().start()
        self.mock.default = answer_of
        self.bus = Bus()
        self.host = Host(config=CONFIG.format(url=self.mock.base_url), bus="session", environment=self.bus.environment).start()
        self.peers = Peers(self.bus.environment)

    def close(self):
        self.peers.close()
        self.host.close()
        self.bus.close()
        self.mock.stop()


class Peers:
    """Connections to the bus, in one process for all."""

    def __init__(self, environment):
        command = ["/usr/bin/python3", os.path.join(os.path.dirname(os.path.abspath(__file__)), "bus_peer.py")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ, **environment))

    def say(self, peer, method, *arguments):
        print(json.dumps({"peer": peer, "method": method, "arguments": arguments}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("bus_peer.py ended")
        return json.loads(line)

    def call(self, peer, operation, params):
        return self.say(peer, "Call", operation["name"], json.dumps(params))

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


class World:
    """What an example's identifiers need, made in one tenant by the platform admin. Shared things are made once, fresh ones for each
    call that changes them."""

    serial = 0

    def __init__(self, setting, tenant):
        self.host, self.mock, self.tenant, self.worlds = setting.host, setting.mock, tenant, setting.worlds
        self.worlds.append(self)
        self.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant, "settings": ROOM}, expect=201)
        self.shared, self.open = {"tenant_id": {"tenant_id": tenant}}, []

    def close(self):
        for stream in self.open:
            stream.close()

    def post(self, path, body, expect=201):
        return self.host.post(path, body, headers={"X-Tenant-ID": self.tenant}, expect=expect).json

    @classmethod
    def number(cls):
        cls.serial += 1
        return cls.serial

    # ---- one maker for each kind of identifier: members that it answers for ----

    def make_agent_id(self):
        return {"agent_id": self.post("/api/v1/admin/agents", {"name": "proof", "initial_definition": {"system_prompt": "Prove."}})["agent_id"]}

    def make_version_id(self):
        agent = self.make_agent_id()
        body = {"version_number": "0.2.0", "definition": {"system_prompt": "Prove."}}
        return {**agent, "version_id": self.post(f"/api/v1/admin/agents/{agent['agent_id']}/versions", body)["version_id"]}

    def make_user_id(self):
        body = {"username": f"proof-u{self.number()}", "roles": ["operator"]}
        return {"user_id": self.post("/api/v1/admin/users", body)["user_id"]}

    def make_key_id(self):
        body = {**self.share("user_id"), "name": "proof", "roles": ["operator"]}
        return {"key_id": self.post("/api/v1/admin/keys", body)["key_id"]}

    def make_grant_id(self):
        grant = self.host.post("/api/v1/admin/plugins/tool-http/grants", {"capability": "net.http", "reason": "proof"}, expect=201).json
        return {"plugin_id": "tool-http", "grant_id": grant["grant_id"]}

    def make_elevation_id(self):
        user = self.make_user_id()
        body = {"role": "viewer", "until": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 3600)), "reason": "proof"}
        return {**user, "elevation_id": self.post(f"/api/v1/admin/users/{user['user_id']}/elevate", body)["elevation_id"]}

    def make_resource_id(self):
        """What an example of an override is about."""
        return {"resource_id": self.make_agent_id()["agent_id"]}

    def make_override_id(self):
        body = {"subject": "role:viewer", "resource_type": "agent", **self.make_resource_id(), "effect": "deny", "permissions": ["agent:update"],
                "reason": "proof"}
        return {"override_id": self.post("/api/v1/admin/overrides", body)["override_id"]}

    def make_role_id(self):
        """One whose name looks like the other identifiers: they are alike in answers and records."""
        body = {"name": f"rol_{self.number():026d}", "permissions": ["agent:read"]}
        return {"role_id": self.post("/api/v1/admin/roles", body)["role_id"]}

    def make_workspace_id(self):
        return {"workspace_id": self.post("/api/v1/admin/workspaces", {"name": "proof"})["workspace_id"]}

    def make_member_id(self):
        workspace, user = self.make_workspace_id(), self.make_user_id()
        self.post(f"/api/v1/admin/workspaces/{workspace['workspace_id']}/members", user)
        return {**workspace, "member_id": user["user_id"]}

    def make_report_id(self):
        return {"report_id": self.post("/api/v1/admin/costs/report", {})["report_id"]}

    def make_document_id(self):
        headers = {"X-Tenant-ID": self.tenant}
        return {"document_id": self.host.upload("proof.md", "# Gearbox\n\nChange the oil every 4,000 hours.", headers=headers).json["document_id"]}

    def make_run_id(self):
        return {"run_id": self.post("/api/v1/agents/execute", {**self.share("agent_id"), "mission": "prove"}, 200)["run_id"]}

    def make_conversation_id(self):
        return {"conversation_id": self.post("/api/v1/chat", {**self.share("agent_id"), "message": "prove"}, 200)["conversation_id"]}

    def make_tenant_id(self):
        """Another one, which may be deleted; what is shared is this world's own."""
        tenant = f"{self.tenant}-u{self.number()}"
        return {"tenant_id": self.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant}, expect=201).json["tenant_id"]}

    def make_running(self):
        """A run that is under way."""
        body = {**self.share("agent_id"), "mission": HANGING, "stream": True}
        stream = self.host.stream("POST", "/api/v1/agents/execute", body, headers={"X-Tenant-ID": self.tenant})
        self.open.append(stream)
        made = {"run_id": next(stream).data["run_id"]}
        while sum(HANGING.encode() in r.body for r in list(self.mock.requests)) < len(self.open):
            time.sleep(0.005)
        return made

    def set_policy(self, path):
        return self.host.put("/api/v1/admin/policies/" + path, {"tools": [], "token_limit": 200000}, headers={"X-Tenant-ID": self.tenant}, expect=200).json

    # ---- what must be there before an operation is asked, one for each that needs something ----

    def before_policies_get_org(self, _params):
        for world in self.worlds:  # whoever asks may ask for his own tenant's
            world.set_policy("org")

    before_policies_delete_org = before_policies_get_org

    def before_policies_rollback(self, params):
        params["revision"] = min(world.set_policy("org")["revision"] for world in self.worlds)

    def before_policies_get_agent(self, params):
        self.set_policy("agents/" + params["agent_id"])

    before_policies_delete_agent = before_policies_get_agent

    def set_budget(self, scope):
        return self.host.put("/api/v1/admin/budgets/" + scope, {"token_limit": 1000000000}, headers={"X-Tenant-ID": self.tenant}, expect=200)

    def before_budgets_get_org(self, _params):
        for world in self.worlds:
            world.set_budget("org")

    before_budgets_delete_org = before_budgets_usage = before_budgets_get_org

    def before_budgets_get_workspace(self, params):
        self.set_budget("workspaces/" + params["workspace_id"])

    def before_budgets_get_agent(self, params):
        self.set_budget("agents/" + params["agent_id"])

    def before_budgets_get_user(self, params):
        self.set_budget("users/" + params["user_id"])

    def before_budgets_get_key(self, params):
        self.set_budget("keys/" + params["key_id"])

    before_budgets_delete_workspace = before_budgets_get_workspace
    before_budgets_delete_agent = before_budgets_get_agent
    before_budgets_delete_user = before_budgets_get_user
    before_budgets_delete_key = before_budgets_get_key

    def before_plugins_delete_secret(self, params):
        body = {"scheme": "bearer", "value": "of the proof", "origins": ["https://proof.example"]}
        self.host.put(f"/api/v1/admin/plugins/{params['plugin_id']}/secrets/{params['slot']}", body, expect=200)

    def before_usage_report(self, params):
        params["tokens_used"] = 0  # so that as much is left at each door

    def make(self, name):
        return getattr(self, "make_" + name)()

    def share(self, name):
        if name not in self.shared:
            self.shared[name] = self.make(name)
        return self.shared[name]

    def identifiers(self, operation):
        """Names of the parameters that this world can fill in, those last that answer for others too."""
        names = [n for n in table.parameters(operation) if hasattr(self, "make_" + n)]
        return sorted(names, key=lambda n: n in ("version_id", "elevation_id", "member_id"))

    def params(self, operation, example, fresh=False):
        """The example's request with identifiers of this world, and with members that must be new made new."""
        params = copy.deepcopy(example["request"])
        unique = operation.get("unique", [])
        for name in self.identifiers(operation):
            if name in params and name not in unique:
                wanted = "running" if operation["name"] == "runs.cancel" and fresh else name
                made = self.make(wanted) if fresh else self.share(name)
                params.update({n: v for n, v in made.items() if n in params})
        if "until" in params:
            params["until"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 3600))
        for name in unique:
            params[name] = anew(params[name], self.number())
        getattr(self, "before_" + operation["name"].replace(".", "_"), lambda _params: None)(params)
        return params


def anew(text, number):
    """Another of the same form: a version, or a name."""
    return re.sub(r"\d+$", str(number), text) if re.fullmatch(r"\d+\.\d+\.\d+", text) else f"{text}-u{number}"


# ---- what is the same ----

VOLATILE = {"duration_ms", "uptime_seconds", "created", "seq", "first", "last", "size", "checkpoint_size", "sequence", "epoch", "latency_us", "latency_ms",
            "checkpoint", "root", "signer", "previous_signer", "public_key", "data_key", "seals", "next_cursor", "intent", "trace_id", "last_used_at",
            "traceparent", "revision", "restored", "policy_revision", "points", "covered_seconds", "total_requests", "total_errors", "error_rate_percent",
            "latency_p50_seconds", "latency_p95_seconds", "latency_p99_seconds"}
WORDS = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "<time>"),
    (re.compile(r"\brv_[A-Za-z0-9_]+"), "<key>"),
    (re.compile(r"\b([a-z]{2,4})_[0-9a-z]{20,26}\b"), r"<\1>"),
    (re.compile(r"\b(told|src)_[0-9a-f]{16}\b"), r"<\1>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<digest>"),
    (re.compile(r"\bsession-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<session>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b"), "<event>"),
    (re.compile(r"\bchatcmpl-\w+"), "<completion>"),
    (re.compile(r"-u\d+\b"), "-u<n>"),
    (re.compile(r"^0\.2\.\d+$"), "0.2.<n>"),
]


def normal_text(text):
    for pattern, word in WORDS:
        text = pattern.sub(word, text)
    return text


def normal(value, name=""):
    """A value without what is another one each time."""
    if name in VOLATILE:
        return f"<{name}>"
    if isinstance(value, dict):
        if {"seq", "hash"} <= set(value):
            return "<record>"
        return {n: normal(v, n) for n, v in value.items()}
    if isinstance(value, list):
        items = [normal(v) for v in value]
        return ["<records>"] if items and all(i == "<record>" for i in items) else items
    return normal_text(value) if isinstance(value, str) else value


class Answer:
    """What a door said: `status` is REST's, `kind` the bus' name of the error, `detail` its words."""

    def __init__(self, status=None, body="", kind=None, detail="", exit=None):
        self.status, self.body, self.kind, self.detail, self.exit = status, body, kind, detail, exit

    def __repr__(self):
        return f"{self.status} {self.kind} exit {self.exit}: {self.detail or self.body[:1000]}"


class Doors:
    """The doors, each asked as an actor, who is a key (or None) in a tenant to act in (or None)."""

    def __init__(self, setting):
        self.setting, self.host = setting, setting.host
        self.folder = tempfile.TemporaryDirectory(prefix="reeve-proof-")
        self.environment = {k: v for k, v in dict(os.environ, **setting.bus.environment).items() if k not in ("REEVE_TOKEN", "REEVE_URL")}

    def close(self):
        self.folder.cleanup()

    def rest(self, key, tenant, operation, params):
        method, path, body, headers = table.rest(operation, params)
        if tenant:
            headers["X-Tenant-ID"] = tenant
        answer = self.host.call(method, path, body, key=key, headers=headers)
        if answer.status < 400:
            return Answer(answer.status, answer.text)
        if "error" in answer.json:
            return Answer(answer.status, answer.text, DBUS.get(answer.status), answer.json["error"]["message"])
        kind = "".join(word.capitalize() for word in answer.json["type"].rsplit("/", 1)[1].split("-"))
        return Answer(answer.status, answer.text, kind, answer.json["detail"])

    def bus(self, peer, tenant, operation, params):
        if tenant:
            params = {**params, "tenant_id": tenant}
        said = self.setting.peers.call(peer, operation, params)
        if "error" in said:
            return Answer(kind=said["error"].removeprefix("io.reeve.Error."), detail=said["message"])
        return Answer(body=said["result"])

    def ctl(self, way, tenant, operation, params):
        """way: the options that lead to the host; None when reevectl has no such command."""
        words = table.command(operation, params, self.folder.name)
        if words is None:
            return None
        # into a pipe goes JSON; of a document that is to be applied again, the document alone
        unchanged = ["--json"] if operation["name"] == "policies.export" else []
        command = [CTL, *way, *unchanged, *(["--tenant", tenant] if tenant else []), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=self.environment, cwd=self.folder.name)
        return Answer(body=done.stdout, exit=done.returncode, detail=done.stderr)


def value_of(operation, body):
    """What an answer says, in a form that can be compared."""
    if not body.strip():
        return None
    if operation["result"].get("media") == "text/event-stream":
        return normal(json.loads(re.findall(r"^data: (.*)$", body, re.M)[-1] if body.startswith("event:") else body))
    if operation["result"].get("media") == "text/csv":
        return body.splitlines()[0]  # of a log that grows with each reading
    if operation["name"] == "metrics.scrape":
        return [line for line in body.splitlines() if line.startswith("#")]  # numbers grow with each reading
    if operation["name"] == "audit.proof":
        return body.splitlines()[:3]  # the record and its place; the log grows with each reading, and is signed time and again
    value = normal(json.loads(body)) if table.is_json(operation) else body
    if table.has(operation, "multipart"):  # a door without forms knows neither
        value = {n: v for n, v in value.items() if n not in ("file_name", "media_type")}
    return value


def differences(operation, there, here):
    """Why the bus' or the command line's answer is not that of REST."""
    if here.exit is not None and here.exit != (0 if there.status < 400 else EXIT.get(there.status, 1)):
        yield f"exit {here.exit} for {there.status}"
    if there.status >= 400:
        if here.exit is None and here.kind != there.kind:
            yield f"{here.kind} for {there.kind}"
        if normal_text(there.detail) not in normal_text(here.detail):
            yield f"{here.detail!r} for {there.detail!r}"
    elif here.kind is not None:
        yield f"{here.kind} ({here.detail}) for {there.status}"
    else:
        yield from unlike(value_of(operation, there.body), value_of(operation, here.body))


def unlike(one, other, pointer=""):
    """Where two values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(set(one) | set(other)):
            yield from unlike(one.get(name, "(nothing)"), other.get(name, "(nothing)"), f"{pointer}/{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other)):
            yield from unlike(left, right, f"{pointer}/{number}")
    elif one != other:
        yield f"{pointer}: {other!r} for {one!r}"


# ---- the ledger ----

class Ledger:
    """Reads what was recorded since the last time, in every log that is watched."""

    def __init__(self, host, tenants):
        self.host, self.seen = host, {}
        for tenant in tenants:
            self.seen[tenant] = 0
        self.read()

    def read(self):
        return [record for tenant in self.seen for record in self.read_log(tenant)]

    def read_log(self, tenant):
        """Oldest first. The record of this request comes behind all that nobody waited for: then they are there."""
        headers, new, cursor = {"X-Tenant-ID": tenant}, [], None
        self.host.get("/api/v1/admin/audit/checkpoint", headers=headers, expect=200)
        while True:
            path = "/api/v1/admin/audit?limit=500" + (f"&cursor={cursor}" if cursor else "")
            page = self.host.get(path, headers=headers, expect=200).json
            new += [r for r in page["items"] if r["seq"] > self.seen[tenant]]
            cursor = page["next_cursor"]
            if cursor is None or page["items"][-1]["seq"] <= self.seen[tenant]:
                break
        if new:
            self.seen[tenant] = new[0]["seq"]
        return new[::-1]


def wait_until(moment):
    time.sleep(max(moment - time.time(), 0))
