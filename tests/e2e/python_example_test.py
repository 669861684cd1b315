# SPDX-License-Identifier: Apache-2.0
"""examples/python against a real service that is killed and started again."""

import importlib.util
import os

from harness import junit
from harness.records import WHOLE, at, make_record
from harness.testcase import EndToEndTest

_spec = importlib.util.spec_from_file_location(
    "usage_reporter", os.path.join("examples", "python", "usage_reporter.py")
)
usage_reporter = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(usage_reporter)


class PythonExampleTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        self.refused = []

    def start_reporter(self):
        return usage_reporter.UsageReporter(
            self.server.address,
            "demo",
            on_refused=lambda record, why: self.refused.append((record.record_id, why)),
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

    def test_close_does_not_wait_for_ever(self):
        self.server.kill()
        reporter = self.start_reporter()
        reporter.report(make_record("call-1"))
        self.assertFalse(reporter.close(timeout=1))


if __name__ == "__main__":
    junit.main()
