# SPDX-License-Identifier: Apache-2.0
"""A process that is stopped and continued, and a clock that jumps."""

import contextlib
import signal
import time

import grpc

from harness import junit
from harness.client import UsageClient, failure_of, set_time
from harness.durable import DurableTest
from harness.faults import Faults
from harness.load import PROJECT, SteadyLoad, flat
from harness.records import make_record
from harness.testcase import seeded_random
from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

HOUR = 3600
YEAR = 365 * 24 * HOUR
TIME_OUT_OF_RANGE = service_pb2.RECORD_ERROR_REASON_TIME_OUT_OF_RANGE


class StoppedTest(DurableTest):
    def test_stopped_and_continued_under_load(self):
        """Calls wait until the service continues: none fails, and each is counted once."""
        rng = seeded_random()
        server = self.start_server()
        load = SteadyLoad(server, rng.getrandbits(32))
        for _ in range(5):
            time.sleep(rng.uniform(0.05, 0.2))
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(rng.uniform(0.1, 1))
            server.process.send_signal(signal.SIGCONT)
        load.stop()
        self.assertEqual((load.wrong, load.codes), ([], set()))
        self.assert_sound(server, flat(load.acknowledged))
        self.assertEqual(server.stop(), 0)

    def test_deadline_passes_while_it_is_stopped(self):
        """The call fails in time; its record is counted once or not at all."""
        server = self.start_server()
        client = self.connect(server)
        known = {"first": make_record("first")}
        client.report(PROJECT, known.values())
        late = make_record("late")
        server.process.send_signal(signal.SIGSTOP)
        with self.assertRaises(grpc.RpcError) as raised:
            client.report(PROJECT, [late], timeout=0.5)
        server.process.send_signal(signal.SIGCONT)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        response = client.report(PROJECT, [late])
        self.assertEqual(response.stored_count + response.duplicate_count, 1)
        known["late"] = late
        self.assert_sound(server, known)


class ClockTest(DurableTest):
    def setUp(self):
        super().setUp()
        self.faults = Faults(self.path("orders"))
        self.server = self.start_server(wrapper=self.faults.wrapper)
        self.client = self.connect(self.server)

    def record_at(self, record_id, seconds):
        """Returns a record whose event_time has this offset from now."""
        record = make_record(record_id)
        set_time(record.event_time, (int(time.time()) + seconds) * 10**9)
        return record

    def test_jumps_under_load(self):
        """Calls neither hang nor fail, except by their own deadlines."""
        rng = seeded_random()
        load = SteadyLoad(self.server, rng.getrandbits(32))
        for offset in (HOUR, -HOUR, YEAR, -YEAR, 0):
            self.faults.set_clock_offset(offset)
            time.sleep(0.2)
            with contextlib.closing(UsageClient(self.server.address)) as client:
                client.report(PROJECT, [make_record("at%d" % offset)])
        load.stop()
        self.assertEqual(load.wrong, [])
        self.assertLessEqual(
            load.codes, {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
        )
        known = flat(load.acknowledged)
        for offset in (HOUR, -HOUR, YEAR, -YEAR, 0):
            known["at%d" % offset] = make_record("at%d" % offset)
        self.assert_sound(self.server, known)
        self.assertEqual(self.server.stop(), 0)

    def test_what_is_stored_stays_a_duplicate(self):
        """After a jump back, new records of the future are refused, stored ones are not."""
        early = self.record_at("early", 0)
        self.assertEqual(self.client.report(PROJECT, [early]).stored_count, 1)
        self.faults.set_clock_offset(-HOUR)
        self.assertEqual(self.client.report(PROJECT, [early]).duplicate_count, 1)
        (error,) = self.client.report(PROJECT, [self.record_at("new", 0)]).errors
        self.assertEqual((error.reason, error.field), (TIME_OUT_OF_RANGE, "event_time"))
        self.faults.set_clock_offset(HOUR)
        ahead = self.record_at("ahead", HOUR)
        self.assertEqual(self.client.report(PROJECT, [ahead]).stored_count, 1)
        self.faults.set_clock_offset(0)
        self.assertEqual(self.client.report(PROJECT, [ahead]).duplicate_count, 1)
        self.assert_sound(self.server, {"early": early, "ahead": ahead})

    def test_receive_time_is_the_services_clock(self):
        self.faults.set_clock_offset(-YEAR)
        record = make_record("a")
        self.client.report(PROJECT, [record])
        received = self.client.get(PROJECT, "a").receive_time.seconds
        self.assertAlmostEqual(received, time.time() - YEAR, delta=60)

    def test_deadlines_do_not_expire_while_the_clock_is_wrong(self):
        """A call is answered before its deadline: it neither expires at once nor hangs."""
        self.faults.set_clock_offset(YEAR)
        started = time.monotonic()
        request = service_pb2.GetUsageRecordRequest(project=PROJECT, record_id="none")
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.call("GetUsageRecord", request, timeout=5)
        self.assertEqual(failure_of(raised.exception).reason, "RECORD_NOT_FOUND")
        self.assertLess(time.monotonic() - started, 5)


if __name__ == "__main__":
    junit.main()
