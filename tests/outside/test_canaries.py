# SPDX-License-Identifier: LGPL-2.1-or-later
"""Secrets that are known are put wherever a secret can come from, and everything that comes out is searched for them.

None of them looks like a credential (no sk-, no Bearer), so that the mask of the log, which is the net below the rule, does not help.
"""

import base64
import hashlib
import json
import os
import subprocess
import tempfile
import unittest

import table
from mock_openai import MockOpenAI
from reeve import CTL, HOST, Host, main
from test_bus import Bus

MARK = "zq7canary"


def canary(name):
    return f"{MARK}{name}f83b1cd2"


def forms(secret):
    """How one secret could look: as it is, encoded, as a digest."""
    raw = secret.encode()
    return {secret.lower(), raw.hex(), base64.b64encode(raw).decode().rstrip("=").lower(), base64.urlsafe_b64encode(raw).decode().rstrip("=").lower(),
            hashlib.sha256(raw).hexdigest(), base64.b64encode(hashlib.sha256(raw).digest()).decode().lower()}


def found(data, secrets):
    """Which of the secrets are in some bytes, in whatever form."""
    text = data.lower() if isinstance(data, bytes) else data.encode("utf-8", "replace").lower()
    return sorted(s for s in secrets if any(form.encode() in text for form in forms(s)))


ENVIRONMENT = {"CANARY_API_KEY": canary("envkey"), "CANARY_INNER": canary("inner"), "CANARY_ADDRESS": canary("urlpw"), "CANARY_SHARED": canary("shared") * 3,
               "CANARY_TENANT": canary("tenant"), "CANARY_PRINT": hashlib.sha256(canary("print").encode()).hexdigest(), "REEVE_DEV_JWT_SECRET": canary("developer") * 2}
CONFIG = f"""
profile: dev
logging: {{level: debug, format: FORMAT}}
authentication:
  providers:
    - {{id: keys, plugin: auth-api-key}}
    - {{id: idp, plugin: auth-jwt, settings: {{issuer: "https://idp.example", audience: reeve, algorithms: [HS256], secret_key: "env:CANARY_SHARED"}}}}
    - {{id: names, plugin: auth-basic, settings: {{default_tenant: "env:CANARY_TENANT"}}}}
    - {{id: cards, plugin: auth-mtls, settings: {{rules: [{{match: {{fingerprint: "env:CANARY_PRINT", uri: "https://u:{canary('uri')}@h.example/"}},
                                                          user_id: "u-${{CANARY_INNER}}", roles: [viewer]}}]}}}}
llm:
  default: mock/m
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "URL", api_key: "{canary('literal')}"}}}}
    - {{id: second, plugin: llm-openai, settings: {{base_url: "URL", api_key: "env:CANARY_API_KEY"}}}}
    - {{id: third, plugin: llm-openai, settings: {{base_url: "URL", api_key: "x-${{CANARY_INNER}}"}}}}
plugins:
  settings:
    tool-none: {{token: "{canary('token')}", deep: {{list: [{{client_secret: "{canary('deep')}"}}]}}, address: "https://u:${{CANARY_ADDRESS}}@h.example/",
                address2: "https://u:{canary('pw')}@h.example/", header: "Key ${{CANARY_INNER}}"}}
encryption:
  settings: {{anything: "{canary('vault')}"}}
"""
SECRETS = [canary(n) for n in ("envkey", "inner", "urlpw", "shared", "literal", "token", "deep", "pw", "vault", "developer", "tenant",
                                   "print", "uri")]


def echo(request):
    """A model service that answers with the key that it was shown."""
    shown = request.headers.get("authorization", "")
    return {"status": 401, "error": {"message": f"Incorrect API key provided: {shown}. Find yours at https://x.example/?key={shown}", "type": "invalid_request_error",
                                     "code": shown}}


class Canaries(unittest.TestCase):
    log_format = "json"

    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.mock.default = echo
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        config = CONFIG.replace("URL", cls.mock.base_url).replace("FORMAT", cls.log_format)
        cls.host = Host(config=config, bus="session", environment={**ENVIRONMENT, **cls.bus.environment}).start()
        cls.addClassCleanup(cls.host.close)
        cls.out = {}

    def keep(self, name, text):
        self.out.setdefault(name, []).append(text)

    def assert_clean(self, secrets):
        """Nothing that came out, and no file that is kept, has any of them."""
        for secret in secrets:  # they would be found
            self.assertEqual([[secret]] * 3, [found(f"<{form}>", [secret]) for form in (secret, secret.encode().hex(), hashlib.sha256(secret.encode()).hexdigest())])
        with open(os.path.join(self.host.folder.name, "log"), "rb") as file:
            self.keep("log", file.read())
        for at, _folders, names in os.walk(self.host.state):
            for name in names:
                path = os.path.join(at, name)
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        self.keep(os.path.relpath(path, self.host.state), file.read())
        for name, texts in self.out.items():
            for text in texts:
                self.assertEqual([], found(text, secrets), f"{name}: {text[:2000]!r}")

    def ask(self, method, path, body=None, **options):
        answer = self.host.call(method, path, body, **options)
        self.keep(f"{method} {path.split('?')[0]}", repr(answer.headers.items()).encode() + answer.body)
        return answer

    def run_words(self, *words, **options):
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
                              env={**os.environ, **ENVIRONMENT, **self.bus.environment, **options})
        self.keep(" ".join(words[:2]), done.stdout + done.stderr)
        return done

    def test_configuration(self):
        # what it is asked to tell
        for word in ("--print-config", "--check-config"):
            self.assertEqual(0, self.run_words(HOST, "--config", self.host.config, word).returncode)
        everything = self.ask("GET", "/api/v1/admin/config", expect=200).json["items"]
        self.assertTrue({"llm.providers", "plugins.settings.tool-none.token", "encryption.settings.anything"} <= {item["key"] for item in everything})
        for key in ("llm.providers[0].settings", "llm.providers[0].settings.api_key", "plugins.settings.tool-none.deep.list[0]", "authentication.providers",
                    "authentication.providers[2].settings", "authentication.providers[3].settings.rules"):
            self.assertTrue(self.ask("GET", f"/api/v1/admin/config?key={key}", expect=200).json["items"], key)
        # everything else that can be read
        for operation in table.TABLE.operations:
            if operation["method"] == "GET" and not operation["path"] and "stream" not in operation["flags"]:
                self.ask("GET", operation["paths"][0])
        for words in (("config", "show"), ("doctor",), ("plugins", "list"), ("models", "list"), ("audit", "query")):
            self.keep("reevectl", self.host.ctl(*words, expect=None).stdout)
            self.keep("reevectl", self.host.ctl("--bus", "session", *words, expect=None).stdout)
        # a model service that has them shown to it tells it to everybody
        for provider in ("mock", "second", "third"):
            agent = self.host.agent(model=f"{provider}/m")
            answer = self.ask("POST", "/api/v1/agents/execute", {"agent_id": agent, "mission": "say it"})
            self.assertFalse(answer.json["success"])
            self.ask("POST", "/v1/chat/completions", {"model": f"{provider}/m", "messages": [{"role": "user", "content": "say it"}]})
            self.ask("GET", f"/api/v1/runs/{answer.json['run_id']}", expect=200)
        shown = [request.headers.get("authorization", "") for request in self.mock.requests]
        self.assertEqual({True}, {any(canary(n) in s for s in shown) for n in ("literal", "envkey", "inner")}, "they were used")
        self.assert_clean(SECRETS)

    def test_faults(self):
        """A configuration that is wrong is told of without what it says."""
        texts = (
            "server: {max_body: \"env:CANARY_API_KEY\"}\n",
            "server: {keep_alive: \"${CANARY_API_KEY}\"}\n",
            "logging: {level: \"env:CANARY_API_KEY\"}\n",
            "logging: {format: \"env:CANARY_API_KEY\"}\n",
            "server: {cors: {origins: [\"env:CANARY_API_KEY\"]}}\n",
            "agents: {max_iterations: \"env:CANARY_API_KEY\"}\n",
            "tls: {certificate: \"/nowhere\", key: \"/nowhere\"}\nencryption: {settings: \"env:CANARY_API_KEY\"}\n",
            f"encryption: {{settings: {canary('literal')}}}\n",
            f"llm: {{providers: [{{id: a, plugin: llm-openai, settings: {{api_key: [{canary('literal')}]}}}}]}}\n",
            f"llm: {{providers: [{{id: a, plugin: llm-openai, api_key: {canary('literal')}}}]}}\n",
            f"llm: {{providers: [{{id: a, plugin: llm-openai, settings: {{base_url: \"nonsense\", api_key: {canary('literal')}, more: {canary('deep')}}}}}]}}\n",
            f"authentication: {{providers: [{{id: a, plugin: auth-jwt, settings: {{issuer: \"https://i.example\", secret_key: {canary('short')}, algorithms: [HS512]}}}}]}}\n",
            f"authentication: {{providers: [{{id: a, plugin: auth-basic, settings: {{password: {canary('literal')}}}}}]}}\n",
            f"authentication: {{providers: [{{id: a, plugin: auth-basic, settings: {{default_tenant: [{canary('literal')}]}}}}]}}\n",
            "authentication: {providers: [{id: a, plugin: auth-basic, settings: {cache_seconds: \"env:CANARY_API_KEY\"}}]}\n",
            f"authentication: {{providers: [{{id: a, plugin: auth-mtls, settings: {{rules: {canary('literal')}}}}}]}}\n",
            "authentication: {providers: [{id: a, plugin: auth-mtls, settings: {rules: [{match: {fingerprint: \"env:CANARY_API_KEY\"}, user_id: u, roles: []}]}}]}\n",
            f"authentication: {{providers: [{{id: a, plugin: auth-mtls, settings: {{rules: [{{match: {{word: {canary('literal')}}}, user_id: u, roles: []}}]}}}}]}}\n",
            f"profile: prod\nllm: {{providers: [{{id: a, plugin: llm-openai, settings: {{api_key: {canary('literal')}}}}}]}}\n",
        )
        with tempfile.TemporaryDirectory(prefix="reeve-") as folder:
            file, state = os.path.join(folder, "reeve.yaml"), os.path.join(folder, "state")
            for text in texts:
                with open(file, "w", encoding="utf-8") as out:
                    out.write(text)
                done = self.run_words(HOST, "--config", file, "--state-dir", state, "--listen", "127.0.0.1:0", "--bus", "none")
                self.assertEqual(78, done.returncode, (text, done))
            for name, value in (("REEVE_ENCRYPTION_KEY", canary("master")), ("REEVE_ENCRYPTION_KEY", base64.b64encode(canary("master").encode()).decode()),
                                ("REEVE_MAX_BODY", canary("variable")), ("REEVE_LOG_LEVEL", canary("variable"))):
                done = self.run_words(HOST, "--state-dir", state, "--listen", "127.0.0.1:0", "--bus", "none", **{name: value})
                self.assertEqual(78, done.returncode, (name, done))
        self.assert_clean([*SECRETS, *map(canary, ("short", "master", "variable"))])

    def test_credentials(self):
        """What is shown at a door, true or false, in the right place or in a wrong one."""
        head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
        body = base64.urlsafe_b64encode(json.dumps({"iss": "https://idp.example", "aud": "reeve", "sub": canary("subject")}).encode()).decode().rstrip("=")
        shown = {"bearer": canary("bearer"), "rv": f"rv_{canary('id')}_{canary('secret')}", "jwt": f"{head}.{body}.{canary('signature')}"}
        for path in ("/api/v1/me", "/v1/models", "/api/v1/admin/keys", "/nowhere"):
            for value in shown.values():
                self.ask("GET", path, key=value)
                self.ask("GET", path, key=None, headers={"X-API-Key": value})
                self.ask("GET", path, key=None, headers={"Cookie": f"session={value}", "Authorization": f"Digest {value}"})
            self.ask("GET", path, key=None, headers={"Authorization": "Basic " + base64.b64encode(f"admin:{canary('basic')}".encode()).decode()})
            self.ask("GET", f"{path}?access_token={canary('query')}&api_key={canary('query')}", key=None)
            self.ask("GET", f"{path}?access_token={canary('query')}")
        for wrong in ({"username": "x", "password": canary("body")}, {"username": {"password": canary("body")}}, [canary("body")]):
            self.ask("POST", "/api/v1/admin/users", wrong, expect=400)
        self.ask("POST", "/api/v1/admin/users", b'{"username": "x", "password": "' + canary("body").encode(), headers={"Content-Type": "application/json"}, expect=400)
        peer = ["gdbus", "call", "--session", "--dest", "io.reeve.Host", "--object-path", "/io/reeve/Host", "--method"]
        for value in shown.values():
            self.assertNotEqual(0, self.run_words(*peer, "io.reeve.Host1.Login", value).returncode)
            self.assertEqual(3, self.run_words(CTL, "--url", self.host.url, "--token", value, "agents", "list").returncode)
            self.assertEqual(5, self.run_words(CTL, "agents", "list", REEVE_URL="http://127.0.0.1:1", REEVE_TOKEN=value).returncode)
        self.assert_clean([canary(n) for n in ("bearer", "id", "secret", "signature", "basic", "query", "body")])

    def test_keys_that_are_made(self):
        """A key is told once, in the answer that made it; not even a digest of it is anywhere else."""
        me = self.host.get("/api/v1/me").json["user_id"]
        headers = {"Idempotency-Key": "make-a-key"}
        made = [self.host.post("/api/v1/admin/keys", {"user_id": me, "name": "canary", "roles": ["admin"]}, headers=headers, expect=201).json["key"] for _ in range(2)]
        self.assertEqual(made[0], made[1], "it was replayed")
        self.assertEqual(0, self.run_words(CTL, "--url", self.host.url, "--token", made[0], "agents", "list").returncode)
        self.ask("GET", "/api/v1/admin/keys", key=made[0], expect=200)
        self.ask("GET", "/api/v1/admin/audit", key=made[0], expect=200)
        self.assert_clean([made[0], made[0].rsplit("_", 1)[1]])


class CanariesInText(Canaries):
    log_format = "text"


if __name__ == "__main__":
    main()
