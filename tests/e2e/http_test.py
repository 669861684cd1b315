# SPDX-License-Identifier: Apache-2.0
"""The service over HTTP/1.1, by the Connect protocol, for callers good and bad."""

import base64
import contextlib
import gzip
import http.client
import json
import os
import resource
import socket
import ssl
import subprocess
import threading
import time
import unittest
import zlib

from harness import junit, oracle, program
from harness.certificates import Authority, read
from harness.records import make_record
from harness.testcase import EndToEndTest, resident_peak
from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

SERVICE = "/tokenusage.v1.UsageReportingService/"
REPORT = SERVICE + "ReportUsage"
QUERY = SERVICE + "QueryUsage"
MONTH = {"start_time": "2026-11-01T00:00:00Z", "end_time": "2026-12-01T00:00:00Z"}
JSON = {"Content-Type": "application/json"}


def record(name, **changes):
    """Returns a record as a JSON object."""
    usage = {
        "total_tokens": 100, "input_tokens": 50, "output_tokens": 50,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
    }
    return {
        "record_id": name, "event_time": "2026-11-01T09:30:00Z",
        "operation": "images.edits", "orq_images_edits": usage, **changes,
    }


def report(*names):
    """Returns the JSON of a batch."""
    return json.dumps({"project": "demo", "records": [record(n) for n in names]}).encode()


def read_all(connection):
    """Returns what arrives until the other end closes the connection."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while True:
            part = connection.recv(65536)
            if not part:
                break
            data += part
    return data


class HttpTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_server("usage.db", "--http-listen=127.0.0.1:0")

    def call(self, path, body=b"", headers=None, method="POST", server=None):
        """Makes one request; returns its status, its headers and its body."""
        connection = http.client.HTTPConnection(
            (server or self.server).http_address, timeout=60
        )
        with contextlib.closing(connection):
            connection.request(method, path, body, JSON if headers is None else headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def call_json(self, path, message):
        """Makes one call that succeeds; returns its answer."""
        status, headers, body = self.call(path, json.dumps(message).encode())
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"), body)
        return json.loads(body)

    def error(self, *args, **kwargs):
        """Makes one call that fails; returns its status, its code and its reason."""
        status, headers, body = self.call(*args, **kwargs)
        self.assertEqual(headers["Content-Type"], "application/json", body)
        error = json.loads(body)
        reason = None
        for detail in error.get("details", ()):
            self.assertEqual(detail["type"], "google.rpc.ErrorInfo")
            self.assertEqual(detail["debug"]["domain"], "tokenusage")
            reason = detail["debug"]["reason"]
            self.assertNotIn("=", detail["value"])
            value = base64.b64decode(detail["value"] + "=" * (-len(detail["value"]) % 4))
            self.assertIn(reason.encode(), value)
        self.last_error = error
        return status, error["code"], reason

    def open(self, data=b"", server=None):
        """Opens a connection and sends these bytes."""
        host, port = (server or self.server).http_address.rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), timeout=90)
        self.addCleanup(connection.close)
        connection.sendall(data)
        return connection

    def assert_unharmed(self):
        """Asserts that both transports answer."""
        answer = self.call_json(QUERY, {"project": "demo", **MONTH})
        self.assertEqual(answer["next_page_token"], "")
        client = self.connect(self.server)
        client.query("demo", *oracle.ALL_TIME)

    # ------------------------------------------------------------------- calls

    def test_json(self):
        answer = self.call_json(REPORT, json.loads(report("a", "b", "a")))
        self.assertEqual(answer, {"stored_count": 2, "duplicate_count": 1})
        answer = self.call_json(QUERY, {"project": "demo", **MONTH, "group_by": ["operation"]})
        (row,) = answer["rows"]
        self.assertEqual(row["group"], [{"field": "operation", "value": "images.edits"}])
        self.assertEqual(row["totals"]["record_count"], 2)
        self.assertEqual(
            row["totals"]["total_tokens"], {"rounded": 200, "exact": "200", "record_count": 2}
        )
        answer = self.call_json(SERVICE + "ListUsageRecords", {"project": "demo", **MONTH})
        self.assertEqual([r["record_id"] for r in answer["records"]], ["a", "b"])
        answer = self.call_json(
            SERVICE + "GetUsageRecord", {"project": "demo", "record_id": "a"}
        )
        answer["record"].pop("receive_time")
        self.assertEqual(answer["record"].pop("provider"), "")
        self.assertEqual(answer["record"].pop("model"), "")
        self.assertLessEqual(record("a").items(), answer["record"].items())

    def test_refused_records(self):
        batch = {"project": "demo", "records": [record("a"), record("")]}
        answer = self.call_json(REPORT, batch)
        self.assertEqual(answer["stored_count"], 1)
        (error,) = answer["errors"]
        self.assertEqual(
            (error["index"], error["reason"], error["field"]),
            (1, "RECORD_ERROR_REASON_FIELD_MISSING", "record_id"),
        )

    def test_binary(self):
        """Binary messages are the same bytes as over gRPC, and get the same answer."""
        request = service_pb2.ReportUsageRequest(
            project="demo", records=[make_record("a"), make_record("b")]
        )
        status, headers, body = self.call(
            REPORT, request.SerializeToString(), {"Content-Type": "application/proto"}
        )
        self.assertEqual((status, headers["Content-Type"]), (200, "application/proto"))
        answer = service_pb2.ReportUsageResponse.FromString(body)
        self.assertEqual(answer.stored_count, 2)
        client = self.connect(self.server)
        self.assertEqual(client.report("demo", request.records).duplicate_count, 2)

    def test_both_transports_have_one_budget_of_ids(self):
        self.connect(self.server).report("demo", [make_record("a")])
        batch = {"project": "demo", "records": [record("a", operation="other")]}
        (error,) = self.call_json(REPORT, batch)["errors"]
        self.assertEqual(error["reason"], "RECORD_ERROR_REASON_RECORD_ID_CONFLICT")

    def test_errors(self):
        for path, message, expected in (
            (REPORT, {"project": "Demo"}, (400, "invalid_argument", "PROJECT_INVALID")),
            (QUERY, {"project": "demo"}, (400, "invalid_argument", "TIME_WINDOW_INVALID")),
            (
                SERVICE + "GetUsageRecord",
                {"project": "demo", "record_id": "a"},
                (404, "not_found", "RECORD_NOT_FOUND"),
            ),
        ):
            self.assertEqual(self.error(path, json.dumps(message).encode()), expected)

    def test_too_many_records(self):
        malformed = (400, "invalid_argument", "TOO_MANY_RECORDS")
        for count in (1001, 100_000):  # the second is counted before it is parsed
            body = b'{"project":"demo","records":[%s]}' % b",".join([b"{}"] * count)
            self.assertEqual(self.error(REPORT, body), malformed)

    def test_timeout(self):
        headers = {**JSON, "Connect-Protocol-Version": "1", "Connect-Timeout-Ms": "0"}
        self.assertEqual(
            self.error(REPORT, report("a"), headers),
            (504, "deadline_exceeded", "REPORT_TIMED_OUT"),
        )
        headers["Connect-Timeout-Ms"] = "60000"
        self.assertEqual(self.call(REPORT, report("a"), headers)[0], 200)

    def test_keep_alive(self):
        connection = http.client.HTTPConnection(self.server.http_address, timeout=60)
        with contextlib.closing(connection):
            for i in range(20):
                connection.request("POST", REPORT, report("a%d" % i), JSON)
                response = connection.getresponse()
                self.assertEqual(json.loads(response.read())["stored_count"], 1)
                if i == 0:
                    used = connection.sock
                self.assertIs(connection.sock, used)

    # ------------------------------------------------------------- compression

    def test_gzip(self):
        names = ["a%d" % i for i in range(200)]
        packed = gzip.compress(report(*names))
        status, _, body = self.call(REPORT, packed, {**JSON, "Content-Encoding": "gzip"})
        self.assertEqual((status, json.loads(body)["stored_count"]), (200, 200))
        message = json.dumps({"project": "demo", **MONTH}).encode()
        path = SERVICE + "ListUsageRecords"
        _, plain_headers, plain = self.call(path, message)
        self.assertIsNone(plain_headers["Content-Encoding"])
        status, headers, body = self.call(path, message, {**JSON, "Accept-Encoding": "br, gzip"})
        self.assertEqual((status, headers["Content-Encoding"]), (200, "gzip"))
        self.assertEqual(headers["Vary"], "Accept-Encoding")
        self.assertLess(len(body), len(plain) / 2)
        self.assertEqual(gzip.decompress(body), plain)
        _, headers, _ = self.call(path, message, {**JSON, "Accept-Encoding": "gzip;q=0"})
        self.assertIsNone(headers["Content-Encoding"])

    def test_bomb(self):
        """A small body that unpacks to 1 GiB is refused, with memory bounded."""
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        megabyte = b" " * (1 << 20)
        bomb = b"".join(packer.compress(megabyte) for _ in range(1024)) + packer.flush()
        before = resident_peak(self.server)
        for kind in ("json", "proto"):
            headers = {"Content-Type": "application/" + kind, "Content-Encoding": "gzip"}
            self.assertEqual(
                self.error(REPORT, bomb, headers),
                (400, "invalid_argument", "REQUEST_TOO_LARGE"),
            )
        self.assert_resident_below(self.server, before + (32 << 20))
        self.assert_unharmed()

    def test_compression_that_is_not_known(self):
        headers = {**JSON, "Content-Encoding": "br"}
        self.assertEqual(self.error(REPORT, b"x", headers), (501, "unimplemented", None))
        headers = {**JSON, "Content-Encoding": "gzip"}
        self.assertEqual(
            self.error(REPORT, b"not gzip", headers),
            (400, "invalid_argument", "REQUEST_MALFORMED"),
        )

    # --------------------------------------------------------------- bad input

    def test_broken_json_is_refused_with_its_place(self):
        for body, words in (
            (b"", "expected"),
            (b"[]", "line 1, column 1"),
            (b'{"project": "demo",\n "records": [{"record_id": 5}]}', "records[0].record_id"),
            (b'{"project": "demo",\n "recrods": []}', "(line 2, column 2)"),
            (report("a")[:-1], "expected"),
            (report("a") + b"x", "expected"),
            (b'{"project": "\xff"}', "UTF-8"),
        ):
            with self.subTest(body):
                self.assertEqual(
                    self.error(REPORT, body), (400, "invalid_argument", "REQUEST_MALFORMED")
                )
                self.assertIn(words, self.last_error["message"])
        self.assert_unharmed()

    def test_wrong_content_types(self):
        for kind in ("", "text/plain", "application/jsonp", "application/grpc", "a/b;json"):
            status, headers, _ = self.call(REPORT, report("a"), {"Content-Type": kind})
            self.assertEqual(status, 415, kind)
            self.assertEqual(headers["Accept-Post"], "application/json, application/proto")
        headers = {"Content-Type": "Application/JSON; charset=utf-8"}
        self.assertEqual(self.call(REPORT, report("a"), headers)[0], 200)

    def test_wrong_protocol_headers(self):
        for name, value in (
            ("Connect-Protocol-Version", "2"),
            ("Connect-Timeout-Ms", "-1"),
            ("Connect-Timeout-Ms", "12345678901"),
            ("Connect-Timeout-Ms", "1s"),
        ):
            self.assertEqual(
                self.error(REPORT, report("a"), {**JSON, name: value}),
                (400, "invalid_argument", "REQUEST_MALFORMED"),
            )

    def test_unknown_paths_and_methods(self):
        for path in (
            "/nothing", "//", "/healthz/", "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
            "/metrics/../healthz", "/./metrics", SERVICE, SERVICE + "NoSuchMethod",
            SERVICE + "StreamUsage", REPORT + "/", SERVICE + "../healthz", "*",
        ):
            for method in ("GET", "POST"):
                self.assertEqual(self.call(path, method=method)[0], 404, path)
        for method in ("GET", "PUT", "DELETE", "OPTIONS", "TRACE"):
            status, headers, _ = self.call(REPORT, method=method)
            self.assertEqual((status, headers["Allow"]), (405, "POST"))
        status, headers, _ = self.call("/healthz", b"x")
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        self.assert_unharmed()

    def test_a_name_that_is_not_this_machine(self):
        """A page of another site cannot reach the service under its own name."""
        for host, status in (
            ("attacker.example", 421), ("127.0.0.1.attacker.example:80", 421),
            ("localhost", 200), ("[::1]:8106", 200), ("127.0.0.1", 200),
        ):
            headers = {**JSON, "Host": host}
            self.assertEqual(self.call(REPORT, report("a"), headers)[0], status, host)

    def get(self, target, *header_lines, version="1.1"):
        """Sends a GET request with exactly these lines; returns the status."""
        lines = ("GET %s HTTP/%s" % (target, version), *header_lines, "Connection: close")
        answer = read_all(self.open("".join(line + "\r\n" for line in (*lines, "")).encode()))
        return int(answer.split()[1])

    def test_targets_in_absolute_form(self):
        """Requests to a proxy have such targets. Their host counts, not that of the header."""
        for target, host, status in (
            ("http://localhost/healthz", "localhost", 200),
            ("HTTP://127.0.0.1:8106/healthz?x=http://y", "localhost", 200),
            ("https://localhost", "localhost", 200),
            ("http://localhost?x", "attacker.example", 200),
            ("http://localhost/nothing", "localhost", 404),
            ("http:/localhost/healthz", "localhost", 404),
            ("ftp://localhost/healthz", "localhost", 404),
            ("http://attacker.example/healthz", "localhost", 421),
            ("http://localhost@attacker.example/healthz", "localhost", 421),
        ):
            self.assertEqual(self.get(target, "Host: " + host), status, target)

    def test_hosts(self):
        for headers, version, status in (
            ((), "1.1", 400),
            ((), "1.0", 200),
            (("Host:",), "1.1", 200),
            (("Host: localhost", "host: localhost"), "1.1", 400),
            (("Host: localhost", "Host: localhost"), "1.0", 400),
            (("Host: localhost localhost",), "1.1", 400),
            (("Host: localhost/",), "1.1", 400),
        ):
            for target in ("/healthz", "http://localhost/healthz"):
                self.assertEqual(self.get(target, *headers, version=version), status, headers)

    def test_bytes_that_are_not_http_1(self):
        for data in (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),  # the preface of HTTP/2
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600),  # TLS
            b"GET /healthz\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nA B: c\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
            b"POST %s HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
            % REPORT.encode(),
            b"\0" * 100,
        ):
            with self.subTest(data[:40]):
                answer = read_all(self.open(data))
                self.assertRegex(answer, rb"\AHTTP/1.1 400 Bad Request\r\n")
                self.assertRegex(answer, rb"Connection: close\r\n")
        self.assert_unharmed()

    def test_large_headers(self):
        for data in (
            b"GET /%s HTTP/1.1\r\n\r\n" % (b"x" * 100_000),
            b"GET / HTTP/1.1\r\nX: %s\r\n\r\n" % (b"x" * 100_000),
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
        ):
            self.assertRegex(
                read_all(self.open(data)),
                rb"\AHTTP/1.1 431 Request Header Fields Too Large\r\n",
            )
        self.assert_unharmed()

    def test_large_bodies(self):
        """Refused by their length alone, or as soon as they are too long."""
        head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        head %= REPORT.encode()
        before = resident_peak(self.server)
        answer = read_all(self.open(head + b"Content-Length: 1000000000\r\n\r\n"))
        self.assertIn(b"REQUEST_TOO_LARGE", answer)
        connection = self.open(head + b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
        with contextlib.suppress(ConnectionError):
            for _ in range(64):  # without an end
                connection.sendall(chunk)
        self.assert_resident_below(self.server, before + (32 << 20))
        answer = read_all(self.open(head + b"Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n"))
        self.assertRegex(answer, rb"\AHTTP/1.1 400 ")
        self.assert_unharmed()

    def test_expect_continue(self):
        body = report("a")
        connection = self.open(
            b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
            % (REPORT.encode(), len(body))
        )
        self.assertRegex(connection.recv(1000), rb"\AHTTP/1.1 100 Continue\r\n")
        connection.sendall(body)
        self.assertIn(b'"stored_count":1', read_all(connection))

    def test_pipelined_requests(self):
        """Answered in order, each once."""
        requests = b""
        for i in range(50):
            body = report("a%d" % (i // 2))
            requests += (
                b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n%s\r\n"
                % (REPORT.encode(), len(body), b"Connection: close\r\n" if i == 49 else b"")
            ) + body
        answers = read_all(self.open(requests)).split(b"HTTP/1.1 200 OK")[1:]
        stored = [b'"stored_count":1' in answer for answer in answers]
        self.assertEqual(stored, [True, False] * 25)

    def test_idle_connections(self):
        """A thousand of them, some in the middle of a request, disturb nobody."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        before = resident_peak(self.server)
        head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        head += b"Content-Length: 9\r\n"
        parts = (b"", b"GET /hea", head % REPORT.encode(), head % REPORT.encode() + b"\r\n{")
        idle = [self.open(parts[i % len(parts)]) for i in range(1000)]
        self.assert_unharmed()
        idle += [self.open() for _ in range(200)]  # more than it keeps
        self.assert_unharmed()
        self.assert_resident_below(self.server, before + (64 << 20))

    def test_slow_requests(self):
        """Bytes that trickle in do not extend the minute that a request may take."""
        head = b"POST %s HTTP/1.1\r\nHost: localhost\r\n" % REPORT.encode()
        connections = [
            self.open(head),  # its headers never end
            self.open(
                head + b"Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
            ),
        ]
        start = time.monotonic()
        ends = {}
        while len(ends) < 2 and time.monotonic() - start < 180:
            for i, connection in enumerate(connections):
                if i in ends:
                    continue
                try:
                    connection.sendall(b"x: y\r\n" if i == 0 else b" ")
                    connection.settimeout(0.5)
                    if connection.recv(1000) == b"":
                        ends[i] = time.monotonic() - start
                except socket.timeout:
                    pass
                except ConnectionError:
                    ends[i] = time.monotonic() - start
        self.assertEqual(len(ends), 2)
        self.assertGreater(min(ends.values()), 50)
        self.assert_unharmed()

    # ------------------------------------------------------------- what is open

    def test_page(self):
        status, headers, body = self.call("/", method="GET")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertIn(b"<!doctype html>", body[:200])

    def test_health(self):
        status, _, body = self.call("/healthz", method="GET")
        self.assertEqual((status, body), (200, b"serving\n"))
        status, headers, body = self.call("/healthz", method="HEAD")
        self.assertEqual((status, headers["Content-Length"], body), (200, "8", b""))

    def test_metrics(self):
        self.call_json(REPORT, json.loads(report("a")))
        self.error(REPORT, b"{")
        self.call("/nothing")
        status, headers, body = self.call("/metrics", method="GET")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        samples = dict(
            line.rsplit(" ", 1) for line in body.decode().splitlines() if line[0] != "#"
        )
        self.assertEqual(samples["tokenusage_records_stored_total"], "1")
        count = (
            'http_server_request_duration_seconds_count{http_response_status_code="%d",'
            'http_route="%s"}'
        )
        for status, route in ((200, REPORT), (400, REPORT), (404, "other")):
            self.assertEqual(samples[count % (status, route)], "1")

    @unittest.skipUnless(os.path.exists("/usr/bin/promtool"), "promtool is not installed")
    def test_metrics_for_promtool(self):
        body = self.call("/metrics", method="GET")[2]
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=body, capture_output=True, check=False
        )
        self.assertEqual((checked.returncode, checked.stderr), (0, b""), checked)

    def test_drain(self):
        """Active calls finish, idle connections close."""
        idle = self.open()
        keep = http.client.HTTPConnection(self.server.http_address, timeout=60)
        self.addCleanup(keep.close)
        stop, results = threading.Event(), []

        def report_until_the_end():
            number = 0
            while True:
                number += 1
                try:
                    keep.request("POST", REPORT, report("b%d" % number), JSON)
                    response = keep.getresponse()
                    results.append((response.status, response.read()))
                except (ConnectionError, http.client.HTTPException):
                    return
                if len(results) == 20:
                    stop.set()

        thread = threading.Thread(target=report_until_the_end)
        thread.start()
        self.assertTrue(stop.wait(60))
        self.assertEqual(self.server.stop(), 0)
        thread.join(60)
        self.assertEqual(read_all(idle), b"")
        stored = sum(status == 200 for status, _ in results)
        self.assertLessEqual({status for status, _ in results}, {200, 503})
        server = self.start_server("usage.db")
        (row,) = self.connect(server).query_all("demo", *oracle.ALL_TIME)
        # The last one may have been stored without an answer.
        self.assertIn(row.totals.record_count, (stored, stored + 1))


class HttpIdentityTest(EndToEndTest):
    """TLS, tokens and certificates."""

    def setUp(self):
        super().setUp()
        self.ca = Authority(self.folder)
        self.certificate, self.key = self.ca.sign_server()
        self.tokens = {}
        lines = ["mtls demo report uri:spiffe://example.com/gateway\n"]
        for name, roles in (("reporter", "report"), ("reader", "query"), ("watch", "metrics")):
            path = self.path(name + ".token")
            made = program.run(
                "token", "new", "--name=" + name, "--projects=demo", "--roles=" + roles,
                "--token-file=" + path,
            )
            self.assertEqual(made.exit_code, 0, made)
            lines.append(made.stdout.decode())
            self.tokens[name] = read(path).decode().strip()
        self.identities = self.write("identities", "".join(lines))
        self.server = self.start_server(
            "usage.db", "--http-listen=127.0.0.1:0", "--identities=" + self.identities,
            "--tls-certificate=" + self.certificate, "--tls-key=" + self.key,
            "--tls-client-ca=" + self.ca.certificate, "--tls-client-auth=optional",
        )

    def context(self, client=None, ca=None):
        context = ssl.create_default_context(cafile=(ca or self.ca).certificate)
        if client:
            context.load_cert_chain(*client)
        return context

    def call(self, path, body=None, token=None, client=None, headers=(), ca=None):
        connection = http.client.HTTPSConnection(
            self.server.http_address, timeout=60, context=self.context(client, ca)
        )
        with contextlib.closing(connection):
            sent = {**JSON, **dict(headers)}
            if token:
                sent["Authorization"] = "Bearer " + token
            connection.request("GET" if body is None else "POST", path, body, sent)
            response = connection.getresponse()
            answer = response.read()
            reason = None
            if response.status != 200 and answer.startswith(b"{"):
                details = json.loads(answer).get("details", [{}])
                reason = details[0].get("debug", {}).get("reason")
            return response.status, reason

    def test_callers(self):
        query = json.dumps({"project": "demo", **MONTH}).encode()
        other = json.dumps({"project": "other", **MONTH}).encode()
        gateway = self.ca.sign("gateway", "URI:spiffe://example.com/gateway")
        stranger = self.ca.sign("stranger", "URI:spiffe://example.com/stranger")
        for expected, path, body, who in (
            ((200, None), REPORT, report("a"), {"token": self.tokens["reporter"]}),
            ((200, None), REPORT, report("b"), {"client": gateway}),
            ((200, None), QUERY, query, {"token": self.tokens["reader"]}),
            ((403, "ROLE_FORBIDDEN"), QUERY, query, {"token": self.tokens["reporter"]}),
            ((403, "PROJECT_FORBIDDEN"), QUERY, other, {"token": self.tokens["reader"]}),
            ((401, "CREDENTIALS_MISSING"), QUERY, query, {}),
            ((401, "CREDENTIALS_INVALID"), QUERY, query, {"token": "x"}),
            ((401, "CREDENTIALS_INVALID"), QUERY, query, {"client": stranger}),
            # A token comes before a certificate.
            ((401, "CREDENTIALS_INVALID"), REPORT, report("c"), {"token": "x", "client": gateway}),
        ):
            with self.subTest(path=path, who=sorted(who)):
                self.assertEqual(self.call(path, body, **who), expected)

    def test_metrics_need_a_role_behind_a_proxy(self):
        self.assertEqual(self.call("/metrics")[0], 200)  # from this machine
        proxied = {"X-Forwarded-For": "203.0.113.9"}
        for token, expected in (
            (None, (401, "CREDENTIALS_MISSING")),
            (self.tokens["reader"], (403, "ROLE_FORBIDDEN")),
            (self.tokens["watch"], (200, None)),
        ):
            self.assertEqual(self.call("/metrics", token=token, headers=proxied), expected)
        self.assertIn("caller=reader reason=ROLE_FORBIDDEN", self.server.log())
        self.assertEqual(self.call("/healthz", headers=proxied)[0], 200)

    def test_reloaded_certificates(self):
        other = Authority(self.folder, "other")
        self.assertEqual(self.call("/healthz")[0], 200)
        other.sign_server()  # replaces the server's files
        self.server.reload()
        self.server.await_log(r"reloaded what=certificates")
        self.assertEqual(self.call("/healthz", ca=other)[0], 200)
        with self.assertRaises(ssl.SSLError):
            self.call("/healthz")

    def test_a_certificate_of_another_ca(self):
        other = Authority(self.folder, "other")
        client = other.sign("client", "URI:spiffe://example.com/gateway")
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            self.call(REPORT, report("a"), client=client)
        self.assertEqual(self.call("/healthz")[0], 200)

    def test_plain_text_to_tls(self):
        host, port = self.server.http_address.rsplit(":", 1)
        with contextlib.closing(socket.create_connection((host, int(port)), timeout=60)) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertNotIn(b"200", read_all(plain))
        self.server.await_log(r"TLS handshake may have failed")
        self.assertEqual(self.call("/healthz")[0], 200)


if __name__ == "__main__":
    junit.main()
