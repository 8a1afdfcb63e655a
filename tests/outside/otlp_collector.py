# SPDX-License-Identifier: LGPL-2.1-or-later
"""A collector that speaks OTLP over HTTP in JSON, and takes nothing that the specification does not allow.

Standard library only. Every request is held to the JSON mapping of ExportTraceServiceRequest and ExportMetricsServiceRequest
(https://opentelemetry.io/docs/specs/otlp/): known members only, ids in lower-case hexadecimal of the right length, enumerations by
number, 64-bit integers as strings, times in order. What breaks a rule is answered with 400 and noted in `faults`.

    collector = Collector().start()
    collector.url                     # http://127.0.0.1:PORT
    collector.spans()                 # all that were taken: dicts, attributes as a plain dict
    collector.metrics()               # name -> newest metric
    collector.answers = [...]         # used up first: (status, headers, body), "close" (no answer), "stall" (until stop)
"""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SPAN = {"traceId", "spanId", "traceState", "parentSpanId", "flags", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "attributes",
        "droppedAttributesCount", "events", "droppedEventsCount", "links", "droppedLinksCount", "status"}
KINDS = {"sum": {"dataPoints", "aggregationTemporality", "isMonotonic"}, "gauge": {"dataPoints"},
         "histogram": {"dataPoints", "aggregationTemporality"}}
NUMBER = {"attributes", "startTimeUnixNano", "timeUnixNano", "asDouble", "asInt", "exemplars", "flags"}
HISTOGRAM = {"attributes", "startTimeUnixNano", "timeUnixNano", "count", "sum", "bucketCounts", "explicitBounds", "exemplars", "flags", "min", "max"}


class Fault(Exception):
    pass


def need(condition, *what):
    if not condition:
        raise Fault(" ".join(str(word) for word in what))


def members(value, allowed, required=()):
    need(isinstance(value, dict), "no object:", value)
    need(set(value) <= set(allowed), "unknown members:", set(value) - set(allowed))
    need(set(required) <= set(value), "missing members:", set(required) - set(value))
    return value


def uint64(value):
    need(isinstance(value, str) and re.fullmatch("[0-9]{1,20}", value) and int(value) < 1 << 64, "no uint64 as string:", value)
    return int(value)


def double(value):
    need(isinstance(value, (int, float)) and not isinstance(value, bool), "no number:", value)
    return value


def any_value(value):
    need(isinstance(value, dict) and len(value) == 1, "no value:", value)
    (kind, inner), = value.items()
    if kind == "stringValue":
        need(isinstance(inner, str), "no text:", inner)
    elif kind == "intValue":
        need(isinstance(inner, str) and re.fullmatch("-?[0-9]+", inner), "no int64 as string:", inner)
        inner = int(inner)
    elif kind == "doubleValue":
        double(inner)
    elif kind == "boolValue":
        need(isinstance(inner, bool), "no boolean:", inner)
    else:
        need(kind == "arrayValue", "unknown kind:", kind)
        inner = [any_value(item) for item in members(inner, {"values"})["values"]]
    return inner


def attributes(values):
    need(isinstance(values, list), "no list:", values)
    found = {}
    for pair in values:
        members(pair, {"key", "value"}, {"key", "value"})
        need(isinstance(pair["key"], str) and pair["key"] and pair["key"] not in found, "bad or second key:", pair["key"])
        found[pair["key"]] = any_value(pair["value"])
    return found


def read_resource(group, inner):
    members(group, {"resource", inner, "schemaUrl"}, {"resource", inner})
    found = attributes(members(group["resource"], {"attributes", "droppedAttributesCount"})["attributes"])
    need({"service.name", "service.version", "service.instance.id", "host.name"} <= set(found), "resource lacks attributes:", found)
    return found


def read_scope(scope, inner):
    members(scope, {"scope", inner, "schemaUrl"}, {inner})
    members(scope.get("scope", {}), {"name", "version", "attributes"})
    return scope[inner]


def read_span(span):
    members(span, SPAN, {"traceId", "spanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano"})
    for name, length in (("traceId", 32), ("spanId", 16), ("parentSpanId", 16)):
        if name in span:
            need(re.fullmatch(f"[0-9a-f]{{{length}}}", span[name]) and set(span[name]) != {"0"}, "bad", name, span[name])
    need(span.get("parentSpanId") != span["spanId"], "its own parent")
    need(isinstance(span["kind"], int) and 1 <= span["kind"] <= 5, "kind is no number of the enumeration:", span["kind"])
    need(isinstance(span["name"], str) and span["name"], "no name")
    need(isinstance(span.get("flags", 0), int) and span.get("flags", 0) & 1, "not sampled:", span.get("flags"))
    begin, end = uint64(span["startTimeUnixNano"]), uint64(span["endTimeUnixNano"])
    need(begin <= end and abs(end / 1e9 - time.time()) < 3600, "times:", begin, end)
    status = members(span.get("status", {}), {"code", "message"})
    need(isinstance(status.get("code", 0), int) and 0 <= status.get("code", 0) <= 2, "status:", status)
    return dict(span, attributes=attributes(span.get("attributes", [])), begin=begin, end=end, failed=status.get("code") == 2)


def read_point(point, kind):
    histogram = kind == "histogram"
    members(point, HISTOGRAM if histogram else NUMBER, {"startTimeUnixNano", "timeUnixNano"})
    need(uint64(point["startTimeUnixNano"]) <= uint64(point["timeUnixNano"]), "times of a point:", point)
    found = dict(point, attributes=attributes(point.get("attributes", [])))
    if not histogram:
        need(len({"asDouble", "asInt"} & set(point)) == 1, "no value, or two:", point)
        found["value"] = double(point["asDouble"]) if "asDouble" in point else int(point["asInt"])
        return found
    counts, bounds = [uint64(count) for count in point["bucketCounts"]], [double(bound) for bound in point["explicitBounds"]]
    need(len(counts) == len(bounds) + 1, "buckets:", point)
    need(bounds == sorted(set(bounds)), "bounds:", bounds)
    need(sum(counts) == uint64(point["count"]), "count:", point)
    double(point["sum"])
    return dict(found, counts=counts)


def read_metric(metric):
    members(metric, {"name", "description", "unit", "metadata", *KINDS}, {"name"})
    kind, = set(KINDS) & set(metric)
    data = members(metric[kind], KINDS[kind], {"dataPoints"})
    if kind != "gauge":
        need(data["aggregationTemporality"] == 2, "not cumulative:", data["aggregationTemporality"])
    need(kind != "sum" or isinstance(data.get("isMonotonic"), bool), "isMonotonic")
    points = [read_point(point, kind) for point in data["dataPoints"]]
    need(len({json.dumps(point["attributes"], sort_keys=True) for point in points}) == len(points), "two points of the same attributes:", metric["name"])
    return {"name": metric["name"], "unit": metric.get("unit"), "kind": kind, "points": points}


class Collector:
    def __init__(self, port=0):
        self.lock = threading.Lock()
        self.taken, self.newest, self.requests, self.faults, self.answers = [], {}, [], [], []
        self.resources = []
        self.port = port
        self.released = threading.Event()
        self.server = None

    def start(self):
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                collector.serve(self)

            def log_message(self, *_arguments):
                pass

        self.released.clear()
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def take(self, path, body):
        document = json.loads(body, parse_constant=lambda word: need(False, "no JSON:", word))
        if path == "/v1/traces":
            found = []
            for group in members(document, {"resourceSpans"}, {"resourceSpans"})["resourceSpans"]:
                self.resources.append(read_resource(group, "scopeSpans"))
                for scope in group["scopeSpans"]:
                    found += [read_span(span) for span in read_scope(scope, "spans")]
            need(found, "no spans")
            with self.lock:
                need(not {span["spanId"] for span in found} & {span["spanId"] for span in self.taken}, "a span id twice")
                self.taken += found
            return
        need(path == "/v1/metrics", "path", path)
        for group in members(document, {"resourceMetrics"}, {"resourceMetrics"})["resourceMetrics"]:
            self.resources.append(read_resource(group, "scopeMetrics"))
            for scope in group["scopeMetrics"]:
                found = [read_metric(metric) for metric in read_scope(scope, "metrics")]
                need(len({metric["name"] for metric in found}) == len(found), "a metric twice")
                with self.lock:
                    self.newest.update({metric["name"]: metric for metric in found})

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self.lock:
            self.requests.append((time.monotonic(), handler.path, {name.lower(): value for name, value in handler.headers.items()}))
            answer = self.answers.pop(0) if self.answers else (200, {}, b"{}")
        if answer == "stall":
            self.released.wait(60)
        if answer in ("stall", "close"):
            handler.close_connection = True
            return
        status, headers, content = answer
        if status == 200:
            try:
                need(handler.headers["Content-Type"] == "application/json", "Content-Type")
                self.take(handler.path, body)
            except (Fault, ValueError, KeyError, TypeError) as fault:
                self.faults.append((handler.path, repr(fault), body[:2000]))
                status, content = 400, b'{"code":3,"message":"bad"}'
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    def spans(self):
        with self.lock:
            return list(self.taken)

    def metrics(self):
        with self.lock:
            return dict(self.newest)
