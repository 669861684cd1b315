# SPDX-License-Identifier: Apache-2.0
"""examples/python against a real service that is killed and started again."""

import concurrent.futures
import os
import sys

import grpc

from harness import junit
from harness.certificates import Authority, read
from harness.records import WHOLE, at, make_record
from harness.testcase import EndToEndTest
from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

sys.path.append(os.path.join("examples", "python"))

import gateway  # noqa: E402
import usage_reporter  # noqa: E402

_RESPONSE = b"""{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o",
  "choices":[{"index":0,"message":{"role":"assistant","content":"Hello"}}],
  "usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21,"new_tokens":1}}"""

_STREAM = (
    b'data: {"id":"chatcmpl-2","model":"gpt-4o","choices":[{"delta":{}}],"usage":null}\n\n'
    b'data: {"id":"chatcmpl-2","model":"gpt-4o","choices":[],'
    b'"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}\n\n'
    b"data: [DONE]\n\n"
)


class BusyService(grpc.GenericRpcHandler):
    """Refuses the first calls without saying when to come back."""

    def __init__(self, refusals):
        self._refusals = refusals
        self.stored = 0

    def service(self, handler_call_details):
        return grpc.unary_unary_rpc_method_handler(
            self._report,
            service_pb2.ReportUsageRequest.FromString,
            service_pb2.ReportUsageResponse.SerializeToString,
        )

    def _report(self, request, context):
        if self._refusals > 0:
            self._refusals -= 1
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")
        self.stored += len(request.records)
        return service_pb2.ReportUsageResponse(stored_count=len(request.records))


class PythonExampleTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        self.refused = []

    def start_reporter(self, address=None, **options):
        return usage_reporter.UsageReporter(
            address or self.server.address,
            "demo",
            on_refused=lambda record, why: self.refused.append((record.record_id, why)),
            **options,
        )

    def stored_ids(self):
        client = self.connect(self.server)
        window = at("2020-01-01T00:00:00Z"), at("2100-01-01T00:00:00Z")
        return {record.record_id for record in client.list_all("demo", *window)}

    def test_delivers_while_the_service_is_killed(self):
        reporter = self.start_reporter()
        for number in range(3000):
            self.assertTrue(reporter.report(make_record("call-%d" % number)))
            if number == 1000:
                self.server.kill()
            if number == 2000:
                self.server = self.start_server(listen=self.server.address)
        self.assertTrue(reporter.close(timeout=60))
        self.assertEqual(self.stored_ids(), {"call-%d" % n for n in range(3000)})
        self.assertEqual(self.refused, [])

    def test_fills_ids_and_tells_refused_records(self):
        reporter = self.start_reporter()
        first = make_record("")
        first.ClearField("event_time")
        reporter.report(first)
        reporter.report(make_record("call-1", counts=(-1.0,) + WHOLE[1:]))
        self.assertTrue(reporter.close(timeout=60))
        self.assertEqual(self.stored_ids(), {first.record_id})
        self.assertRegex(
            first.record_id, "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
        )
        self.assertEqual([record_id for record_id, _ in self.refused], ["call-1"])

    def test_keeps_records_while_the_service_is_busy(self):
        service = BusyService(refusals=3)
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(), handlers=[service])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(server.stop, None)
        reporter = self.start_reporter("127.0.0.1:%d" % port)
        reporter.report(make_record("call-1"))
        reporter.report(make_record("call-2"))
        self.assertTrue(reporter.close(timeout=60))
        self.assertEqual((service.stored, self.refused), (2, []))

    def test_reports_over_tls(self):
        ca = Authority(self.folder)
        certificate, key = ca.sign_server()
        server = self.start_server(
            "tls.db", "--tls-certificate=" + certificate, "--tls-key=" + key
        )
        credentials = grpc.ssl_channel_credentials(read(ca.certificate))
        reporter = self.start_reporter(server.address, credentials=credentials)
        reporter.report(make_record("call-1"))
        self.assertTrue(reporter.close(timeout=60))

    def test_gateway_reports_responses_and_streams(self):
        reporter = self.start_reporter()
        proxy = gateway.Gateway(reporter)
        proxy.on_response(_RESPONSE, "acme")
        stream = proxy.stream("acme")
        for start in range(0, len(_STREAM), 50):
            stream.on_chunk(_STREAM[start : start + 50])
        stream.on_end()
        self.assertTrue(reporter.close(timeout=60))
        client = self.connect(self.server)
        whole = client.get("demo", "chatcmpl-1")
        self.assertEqual((whole.model, whole.labels["customer"]), ("gpt-4o", "acme"))
        self.assertEqual(whole.openai_chat.total_tokens, 21)
        self.assertEqual(client.get("demo", "chatcmpl-2").openai_chat.total_tokens, 12)

    def test_gateway_logs_what_has_no_usage(self):
        reporter = self.start_reporter()
        proxy = gateway.Gateway(reporter)
        bad_id, bad_usage = b'{"id":1,"usage":{"total_tokens":1}}', b'{"usage":{"total_tokens":"x"}}'
        for body in b"<html>", b"[]", b"{}", bad_id, bad_usage:
            with self.assertLogs(level="WARNING"):
                proxy.on_response(body, "acme")
        with self.assertLogs(level="WARNING"):
            proxy.stream("acme").on_end()
        self.assertTrue(reporter.close(timeout=60))
        self.assertEqual(self.stored_ids(), set())

    def test_close_does_not_wait_for_ever(self):
        self.server.kill()
        reporter = self.start_reporter()
        reporter.report(make_record("call-1"))
        self.assertFalse(reporter.close(timeout=1))


if __name__ == "__main__":
    junit.main()
