# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mock of an OpenAI-compatible server that speaks the wire truthfully.

Standard library only. It checks each request as strictly as the real service does (unknown members, roles, tool
messages without a call), answers whole or as server-sent events, and records every request, so that a test can count
what a client really sent.

    mock = MockOpenAI().start()
    mock.base_url                         # http://127.0.0.1:PORT/v1
    mock.script([{"tool_calls": [{"name": "calculate", "arguments": {"expression": "6*7"}}]},
                 {"content": "It is 42."}])
    ...
    mock.requests                         # [Request(method, path, headers, body, json)]
    mock.count("/v1/chat/completions")
    mock.stop()

An answer is a dict (or a function of the request that returns one):
    content            text of the answer
    reasoning          text sent as `reasoning_content`
    tool_calls         [{"name", "arguments" (dict or string), "id"?}]
    chunks             list of content pieces, when streamed (else the content is cut at blanks)
    finish_reason      default "stop" or "tool_calls"
    usage              members that replace the computed ones
    status, error, headers    an HTTP error: status, {"message", "type", "code", "param"} (default by status), headers
    delay              seconds before the answer begins
    chunk_delay        seconds between two events of a stream
    close              "accept": close without reading the body; "before": after reading, without an answer;
                       "head": after the head; "middle": half-way through the body or stream
    stream_error       an error object sent as an event in the middle of the stream
    split              byte count: the stream is written in pieces of so many bytes (each its own packet)
    crlf, comments     True: CRLF line ends; comment lines between events
    raw                bytes (or str) written verbatim instead of any HTTP answer
Without a script the answer is `default`. As a program: `mock_openai.py --port 0` prints `listening URL`; then a script is
set by POST /__mock/script (a JSON list), requests are read by GET /__mock/requests, all is reset by POST /__mock/reset.
"""

import argparse
import base64
import hashlib
import json
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHAT_MEMBERS = set("""messages model audio frequency_penalty function_call functions logit_bias logprobs
max_completion_tokens max_tokens metadata modalities n parallel_tool_calls prediction presence_penalty reasoning_effort
response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools
top_logprobs top_p user verbosity web_search_options""".split())
EMBEDDING_MEMBERS = {"input", "model", "dimensions", "encoding_format", "user"}
ROLES = {"system", "developer", "user", "assistant", "tool", "function"}
ERROR_TYPES = {400: "invalid_request_error", 401: "invalid_request_error", 403: "invalid_request_error",
               404: "invalid_request_error", 408: "timeout", 413: "invalid_request_error", 429: "rate_limit_error",
               500: "server_error", 502: "server_error", 503: "server_error", 504: "server_error"}


class Refused(Exception):
    """A request that the real service would refuse."""

    def __init__(self, status, message, code=None, param=None):
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param


class Request:
    """What one client sent: header names are lower case, `json` is None when the body is not JSON."""

    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.time = time.monotonic()
        self.connection = None
        try:
            self.json = json.loads(body) if body else None
        except ValueError:
            self.json = None

    def as_dict(self):
        return {"method": self.method, "path": self.path, "headers": self.headers,
                "body": self.body.decode("utf-8", "replace"), "connection": self.connection}


def count_tokens(value):
    """A stable stand-in for a tokenizer: one token for each four characters begun."""
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return (len(text) + 3) // 4


def text_of(content):
    if isinstance(content, str):
        return content
    return "".join(p.get("text", "") for p in content or [] if isinstance(p, dict))


def check_messages(messages):
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "Invalid 'messages': empty array. Expected an array with minimum length 1.", param="messages")
    open_calls = set()
    for i, message in enumerate(messages):
        where = f"messages[{i}]"
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise Refused(400, f"Invalid value: '{where}.role'.", "invalid_value", where + ".role")
        role = message["role"]
        if role == "tool":
            if message.get("tool_call_id") not in open_calls:
                raise Refused(400, f"Invalid parameter: {where} with role 'tool' must be a response to a preceeding "
                              "message with 'tool_calls'.", param=where)
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            raise Refused(400, "An assistant message with 'tool_calls' must be followed by tool messages responding to "
                          "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
                          + ", ".join(sorted(open_calls)), param=where)
        if role == "assistant" and message.get("tool_calls") is not None:
            open_calls = check_calls(message["tool_calls"], where)
        elif not isinstance(message.get("content"), (str, list)):
            raise Refused(400, f"Invalid value for 'content': expected a string, got null. {where}", param=where + ".content")
    if open_calls:
        raise Refused(400, "An assistant message with 'tool_calls' must be followed by tool messages", param="messages")


def check_calls(calls, where):
    if not isinstance(calls, list) or not calls:
        raise Refused(400, f"Invalid '{where}.tool_calls': empty array.", param=where + ".tool_calls")
    ids = set()
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or call.get("type") != "function" or not call.get("id") \
                or not isinstance(function.get("name"), str) or not isinstance(function.get("arguments"), str):
            raise Refused(400, f"Invalid '{where}.tool_calls'.", param=where + ".tool_calls")
        ids.add(call["id"])
    return ids


def check_tools(tools):
    if not isinstance(tools, list) or not tools:
        raise Refused(400, "Invalid 'tools': empty array. Expected an array with minimum length 1.", param="tools")
    for i, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type") != "function" or not isinstance(function.get("name"), str):
            raise Refused(400, f"Invalid value: 'tools[{i}]'.", param=f"tools[{i}]")
        if not function["name"].replace("_", "").replace("-", "").isalnum() or len(function["name"]) > 64:
            raise Refused(400, f"Invalid 'tools[{i}].function.name': string does not match pattern.",
                          param=f"tools[{i}].function.name")
        parameters = function.get("parameters", {"type": "object"})
        if not isinstance(parameters, dict) or parameters.get("type") != "object":
            raise Refused(400, f"Invalid schema for function '{function['name']}'.", "invalid_function_parameters",
                          f"tools[{i}].function.parameters")


def check_chat(body):
    if not isinstance(body, dict):
        raise Refused(400, "We could not parse the JSON body of your request.")
    for name in body:
        if name not in CHAT_MEMBERS:
            raise Refused(400, f"Unrecognized request argument supplied: {name}", "unknown_parameter", name)
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Refused(400, "you must provide a model parameter")
    check_messages(body.get("messages"))
    if "tools" in body:
        check_tools(body["tools"])
    if "stream_options" in body and not body.get("stream"):
        raise Refused(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                      param="stream_options")
    for name, low, high in (("temperature", 0, 2), ("top_p", 0, 1)):
        value = body.get(name)
        if value is not None and not (isinstance(value, (int, float)) and low <= value <= high):
            raise Refused(400, f"Invalid '{name}'.", param=name)


class MockOpenAI:
    """The server. All methods may be called from any thread."""

    def __init__(self, host="127.0.0.1", port=0, api_key=None, models=("gpt-4o-mini",), any_model=True, tls=None):
        self.host, self.port, self.api_key, self.models, self.any_model = host, port, api_key, list(models), any_model
        self.default = {"content": "This is the mock's answer."}
        self.context_limit = None
        self.tls = tls
        self.requests = []
        self.connections = 0
        self._script = []
        self._lock = threading.Lock()
        self._server = None
        self._thread = None
        self._serial = 0

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self):
        mock = self

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512
            allow_reuse_address = True

            def handle_error(self, request, client_address):
                if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
                    super().handle_error(request, client_address)

        handler = type("Handler", (_Handler,), {"mock": mock})
        self._server = Server((self.host, self.port), handler)
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True,
                                                       do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- for tests ---------------------------------------------------------------------------------------------------

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    @property
    def base_url(self):
        return self.url + "/v1"

    def script(self, answers):
        """Answers to be used up in turn by the requests that follow; replaces what is left of an earlier script."""
        with self._lock:
            self._script = list(answers)
        return self

    def remaining(self):
        with self._lock:
            return len(self._script)

    def count(self, path=None):
        with self._lock:
            return sum(1 for r in self.requests if path is None or r.path == path)

    def chats(self):
        """The JSON bodies of the chat requests so far."""
        with self._lock:
            return [r.json for r in self.requests if r.path.endswith("/chat/completions")]

    def reset(self):
        with self._lock:
            self.requests, self._script, self.connections = [], [], 0

    # -- for the handler ---------------------------------------------------------------------------------------------

    def _record(self, request):
        with self._lock:
            self.requests.append(request)

    def _next(self, request):
        with self._lock:
            answer = self._script.pop(0) if self._script else self.default
        return answer(request) if callable(answer) else answer

    def _id(self, prefix):
        with self._lock:
            self._serial += 1
            return f"{prefix}{self._serial:024d}"


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    mock = None
    protocol_version = "HTTP/1.1"
    server_version = "mock-openai"
    sys_version = ""
    wbufsize = -1

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.mock._lock:
            self.mock.connections += 1
            self.number = self.mock.connections

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._serve()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET

    # -- reading -----------------------------------------------------------------------------------------------------

    def _body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                parts.append(self.rfile.read(size))
                self.rfile.readline()
                if size == 0:
                    return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _serve(self):
        path = self.path.split("?")[0]
        if path.startswith("/__mock/"):
            return self._control(path)
        headers = {k.lower(): v for k, v in self.headers.items()}
        scripted = path.endswith(("/chat/completions", "/embeddings")) or not path.startswith("/v1")
        peek = None
        with self.mock._lock:
            if self.mock._script and scripted and not callable(self.mock._script[0]):
                peek = self.mock._script[0].get("close")
        if peek == "accept":
            self.mock._next(None)
            self.mock._record(Request(self.command, path, headers, b""))
            return self._cut()
        request = Request(self.command, path, headers, self._body())
        request.connection = self.number
        self.mock._record(request)
        try:
            self._authorize(headers)
            if path == "/v1/models" and self.command == "GET":
                return self._models()
            if path == "/v1/chat/completions" and self.command == "POST":
                return self._chat(request)
            if path == "/v1/embeddings" and self.command == "POST":
                return self._embeddings(request)
            if scripted and (self.mock.remaining() or path.startswith("/echo")):
                return self._other(request)
            raise Refused(404, f"Invalid URL ({self.command} {self.path})")
        except Refused as refusal:
            return self._error(refusal.status, {"message": refusal.message, "code": refusal.code, "param": refusal.param})
        return None

    def _authorize(self, headers):
        key = self.mock.api_key
        if key is not None and headers.get("authorization") != "Bearer " + key and headers.get("api-key") != key:
            raise Refused(401, "Incorrect API key provided: ***. You can find your API key at your dashboard.",
                          "invalid_api_key")

    # -- writing -----------------------------------------------------------------------------------------------------

    def _cut(self):
        """Closes so that the peer sees a reset or an end of file at once."""
        self.close_connection = True
        try:
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _json(self, status, value, headers=None, close=None):
        data = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-request-id", self.mock._id("req_"))
        for name, text in (headers or {}).items():
            self.send_header(name, str(text))
        self.end_headers()
        if close:
            self.wfile.write(data[:len(data) // 2] if close == "middle" else b"")
            return self._cut()
        if self.command != "HEAD":
            self.wfile.write(data)
        return self.wfile.flush()

    def _error(self, status, error, headers=None):
        body = {"message": f"mock error {status}", "type": ERROR_TYPES.get(status, "invalid_request_error"),
                "param": None, "code": None}
        body.update({k: v for k, v in (error or {}).items() if v is not None or k not in body})
        self._json(status, {"error": body}, headers)

    def _early(self, answer):
        """What an answer may do before its body: TRUE when it has done everything."""
        time.sleep(answer.get("delay", 0))
        if "raw" in answer:
            raw = answer["raw"]
            self.wfile.write(raw.encode() if isinstance(raw, str) else raw)
            self.wfile.flush()
            self.close_connection = True
            return True
        if answer.get("close") == "before":
            self._cut()
            return True
        if answer.get("status", 200) >= 400:
            self._error(answer["status"], answer.get("error"), answer.get("headers"))
            return True
        return False

    # -- resources ---------------------------------------------------------------------------------------------------

    def _models(self):
        self._json(200, {"object": "list", "data": [{"id": m, "object": "model", "created": 1700000000,
                                                     "owned_by": "mock"} for m in self.mock.models]})

    def _other(self, request):
        """A path outside the API: for tests of plain HTTP."""
        answer = self.mock._next(request) if self.mock.remaining() else {"json": request.as_dict()}
        if self._early(answer):
            return
        data = answer.get("body")
        data = data.encode() if isinstance(data, str) else data
        if data is None:
            return self._json(answer.get("status", 200), answer.get("json", {}), answer.get("headers"),
                              answer.get("close"))
        self.send_response(answer.get("status", 200))
        for name, text in {"Content-Type": "text/plain", **answer.get("headers", {})}.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data if self.command != "HEAD" else b"")
        self.wfile.flush()

    def _embeddings(self, request):
        body = request.json
        if not isinstance(body, dict) or set(body) - EMBEDDING_MEMBERS or not body.get("model"):
            raise Refused(400, "Invalid embeddings request.")
        answer = self.mock._next(request) if self.mock.remaining() else {}
        if self._early(answer):
            return
        texts = body.get("input")
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list) or not texts or not all(isinstance(t, str) and t for t in texts):
            raise Refused(400, "'$.input' is invalid. Please check the API reference.", param="input")
        size = body.get("dimensions", 8)
        data = []
        for i, text in enumerate(texts):
            digest = hashlib.shake_256(text.encode()).digest(size)
            vector = [(b - 127.5) / 127.5 / size ** 0.5 for b in digest]
            value = vector
            if body.get("encoding_format") == "base64":
                value = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
            data.append({"object": "embedding", "index": i, "embedding": value})
        tokens = sum(count_tokens(t) for t in texts)
        self._json(200, {"object": "list", "data": data, "model": body["model"],
                         "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})

    def _chat(self, request):
        check_chat(request.json)
        body = request.json
        if not self.mock.any_model and body["model"] not in self.mock.models:
            raise Refused(404, f"The model `{body['model']}` does not exist or you do not have access to it.",
                          "model_not_found", "model")
        if self.mock.context_limit and count_tokens(body["messages"]) > self.mock.context_limit:
            raise Refused(400, f"This model's maximum context length is {self.mock.context_limit} tokens. However, your "
                          f"messages resulted in {count_tokens(body['messages'])} tokens.",
                          "context_length_exceeded", "messages")
        answer = self.mock._next(request)
        if self._early(answer):
            return
        calls = []
        for call in answer.get("tool_calls", ()):
            arguments = call.get("arguments", {})
            calls.append({"id": call.get("id") or self.mock._id("call_"), "type": "function", "function": {
                "name": call["name"],
                "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments)}})
        content = answer.get("content")
        if content is None and "chunks" in answer:
            content = "".join(answer["chunks"])
        finish = answer.get("finish_reason") or ("tool_calls" if calls else "stop")
        usage = self._usage(body, content, calls, answer)
        base = {"id": self.mock._id("chatcmpl-"), "created": int(time.time()), "model": body["model"],
                "system_fingerprint": "fp_mock"}
        if body.get("stream"):
            return self._stream(body, answer, base, content, calls, finish, usage)
        message = {"role": "assistant", "content": content, "refusal": None, "annotations": []}
        if answer.get("reasoning"):
            message["reasoning_content"] = answer["reasoning"]
        if calls:
            message["tool_calls"] = calls
        base["object"] = "chat.completion"
        base["choices"] = [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}]
        base["usage"] = usage
        return self._json(200, base, answer.get("headers"), answer.get("close"))

    @staticmethod
    def _usage(body, content, calls, answer):
        prompt = count_tokens(body["messages"]) + (count_tokens(body["tools"]) if "tools" in body else 0)
        completion = count_tokens(content or "") + sum(count_tokens(c["function"]) for c in calls)
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
                 "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                 "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0,
                                               "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}}
        usage.update(answer.get("usage", {}))
        return usage

    # -- streams -----------------------------------------------------------------------------------------------------

    def _events(self, body, answer, base, content, calls, finish, usage):
        base = dict(base, object="chat.completion.chunk")
        asked = (body.get("stream_options") or {}).get("include_usage")

        def event(delta, reason=None):
            value = dict(base, choices=[{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}])
            return dict(value, usage=None) if asked else value

        yield event({"role": "assistant", "content": None if calls and content is None else "", "refusal": None})
        if answer.get("reasoning"):
            yield event({"reasoning_content": answer["reasoning"]})
        pieces = answer.get("chunks")
        if pieces is None and content:
            words = content.split(" ")
            pieces = [w + " " for w in words[:-1]] + words[-1:]
        for piece in pieces or ():
            yield event({"content": piece})
        for index, call in enumerate(calls):
            function = call["function"]
            yield event({"tool_calls": [{"index": index, "id": call["id"], "type": "function",
                                         "function": {"name": function["name"], "arguments": ""}}]})
            text = function["arguments"]
            for start in range(0, len(text), 7):
                yield event({"tool_calls": [{"index": index, "function": {"arguments": text[start:start + 7]}}]})
        yield event({}, finish)
        if asked:
            yield dict(base, choices=[], usage=usage)

    def _stream(self, body, answer, *rest):
        end = "\r\n" if answer.get("crlf") else "\n"
        events = [json.dumps(e, ensure_ascii=False) for e in self._events(body, answer, *rest)]
        texts = [f"data: {e}{end}{end}" for e in events]
        if answer.get("comments"):
            texts = [f": keep-alive{end}{end}{t}" for t in texts]
        if "stream_error" in answer:
            texts[len(texts) // 2:] = [f"data: {json.dumps({'error': answer['stream_error']})}{end}{end}"]
        else:
            texts.append(f"data: [DONE]{end}{end}")
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        for name, text in answer.get("headers", {}).items():
            self.send_header(name, str(text))
        self.end_headers()
        self.wfile.flush()
        if answer.get("close") == "head":
            return self._cut()
        if answer.get("close") == "middle":
            texts = texts[:len(texts) // 2]
        self._write_stream([t.encode() for t in texts], answer)
        if answer.get("close") == "middle":
            return self._cut()
        self.wfile.write(b"0\r\n\r\n")
        return self.wfile.flush()

    def _write_stream(self, texts, answer):
        if answer.get("split"):
            whole, size = b"".join(texts), answer["split"]
            texts = [whole[i:i + size] for i in range(0, len(whole), size)]
        for text in texts:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
            self.wfile.flush()
            time.sleep(answer.get("chunk_delay", 0))

    # -- control from other languages --------------------------------------------------------------------------------

    def _control(self, path):
        body = self._body()
        if path == "/__mock/script" and self.command == "POST":
            self.mock.script(json.loads(body))
            return self._json(200, {"ok": True})
        if path == "/__mock/requests" and self.command == "GET":
            with self.mock._lock:
                recorded = [r.as_dict() for r in self.mock.requests]
            return self._json(200, recorded)
        if path == "/__mock/reset" and self.command == "POST":
            self.mock.reset()
            return self._json(200, {"ok": True})
        return self._json(404, {"error": {"message": "no such control"}})


def main():
    parser = argparse.ArgumentParser(description="mock of an OpenAI-compatible server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--api-key")
    parser.add_argument("--script", help="file with a JSON list of answers")
    parser.add_argument("--default", help="JSON of the answer given without a script")
    parser.add_argument("--model", action="append", help="model to list (may be repeated)")
    arguments = parser.parse_args()
    mock = MockOpenAI(arguments.host, arguments.port, arguments.api_key, arguments.model or ("gpt-4o-mini",))
    if arguments.default:
        mock.default = json.loads(arguments.default)
    if arguments.script:
        with open(arguments.script, encoding="utf-8") as stream:
            mock.script(json.load(stream))
    mock.start()
    print(f"listening {mock.base_url}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        mock.stop()


if __name__ == "__main__":
    main()
