# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for an Open Policy Agent. It is none: it evaluates no policy, it speaks the protocol of OPA's REST API alone.

Standard library only. `POST /v1/data/PATH` with {"input": …} answers {"result": …}, or {} where there is no decision; what
is no JSON or has no object is refused with status 400 and OPA's error object; `GET /health` answers {}. Connections are kept.

    opa = MockOpa().up()
    opa.url                       # http://127.0.0.1:PORT, the same for all its life
    opa.decide = lambda question: {"allow": True}     # a value, or one of those below; in its own thread
    opa.questions                 # what it was asked: Question(path, headers, body, input), in order
    opa.down(); opa.up()          # refuses connections in between, and drops those it has
    opa.close()
"""

import json
import socket
import threading

UNDEFINED = object()  # there is no decision


class Status:
    """An answer with another status; body: an error object of OPA."""

    def __init__(self, status, code="internal_error"):
        self.status, self.body = status, {"code": code, "message": "error(s) occurred"}


class Raw:
    """Bytes instead of an answer; then the connection is closed."""

    def __init__(self, data):
        self.data = data


class Question:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body
        self.input = json.loads(body).get("input")


def head(status, length, more=""):
    return f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n".encode()


class MockOpa:
    def __init__(self):
        self.holder = self.bind(0)  # it keeps the port, and never listens: connections are refused
        self.port = self.holder.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket = None
        self.decide = lambda question: True
        self.questions = []
        self.healthy = True
        self.lock = threading.Lock()
        self.connections = set()
        self.thread = None

    # ---- life ----

    @staticmethod
    def bind(port):
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        return made

    def up(self):
        self.socket = self.bind(self.port)
        self.socket.listen(64)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()
        return self

    def down(self):
        if self.thread is None:
            return
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()
        self.thread = None
        with self.lock:
            for connection in self.connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.down()
        self.holder.close()

    # ---- serving ----

    def accept(self):
        while True:
            try:
                connection, _address = self.socket.accept()
            except OSError:
                return
            with self.lock:
                self.connections.add(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with connection, connection.makefile("rb") as stream:
                while self.serve_one(connection, stream):
                    pass
        except OSError:
            pass
        finally:
            with self.lock:
                self.connections.discard(connection)

    def serve_one(self, connection, stream):
        line = stream.readline().decode().split()
        if len(line) != 3:
            return False
        headers = {}
        while (text := stream.readline().decode().rstrip("\r\n")):
            name, value = text.split(":", 1)
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        answer = self.answer(line[0], line[1], headers, body)
        if isinstance(answer, Raw):
            connection.sendall(answer.data)
            return False
        status, value = (answer.status, answer.body) if isinstance(answer, Status) else (200, answer)
        data = json.dumps(value).encode()
        connection.sendall(head(status, len(data)) + data)
        return True

    def answer(self, method, path, headers, body):
        if (method, path) == ("GET", "/health"):
            return {} if self.healthy else Status(500)
        if method != "POST" or not path.startswith("/v1/data/"):
            return Status(404, "resource_not_found")
        try:
            question = Question(path, headers, body)
        except (ValueError, AttributeError):
            return Status(400, "invalid_parameter")
        with self.lock:
            self.questions.append(question)
        decision = self.decide(question)
        if isinstance(decision, (Raw, Status)):
            return decision
        return {} if decision is UNDEFINED else {"result": decision}
