"""A collector of traces: takes OTLP over HTTP, as protobuf, and keeps what it was sent."""

import contextlib
import gzip
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Received(NamedTuple):
    """One request."""

    path: str
    services: list[str]
    spans: list[Span]


@contextlib.contextmanager
def collector() -> Iterator[tuple[str, list[Received]]]:
    """Listen on a free port of the loopback; yield the address of an exporter, and what was received."""
    received = list[Received]()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            assert self.headers["Content-Type"] == "application/x-protobuf"
            groups = ExportTraceServiceRequest.FromString(plain).resource_spans
            named = [
                each.value.string_value for group in groups for each in group.resource.attributes if each.key == "service.name"
            ]
            spans = [span for group in groups for scope in group.scope_spans for span in scope.spans]
            received.append(Received(self.path, named, spans))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the library's name)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def said(span: Span, name: str) -> str | None:
    """Return an attribute of ours that is a text."""
    return next((each.value.string_value for each in span.attributes if each.key == f"bihuan.{name}"), None)
