# SPDX-License-Identifier: Apache-2.0
"""StreamUsage with a client made from Debian's gRPC and the .proto files only.

TOKENUSAGE_STREAM_CUTS=1000 cuts 1,000 streams (default 40);
TOKENUSAGE_STREAM_KILLS=1000 kills the service 1,000 times (default 20).
"""

import contextlib
import os
import queue
import threading
import time

import grpc

from harness import junit
from harness.client import failure_of
from harness.durable import DurableTest
from harness.load import PROJECT, correct_some
from harness.records import random_record
from harness.testcase import seeded_random
from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

CUTS = int(os.environ.get("TOKENUSAGE_STREAM_CUTS", "40"))
KILLS = int(os.environ.get("TOKENUSAGE_STREAM_KILLS", "20"))
STREAMS = 4
METHOD = "/tokenusage.v1.UsageReportingService/StreamUsage"


class Stream:
    """One call of StreamUsage on its own connection."""

    def __init__(self, server):
        self._channel = grpc.insecure_channel(
            server.address,
            options=[
                ("grpc.enable_retries", 0),
                ("grpc.enable_http_proxy", 0),
                ("grpc.use_local_subchannel_pool", 1),
            ],
        )
        self._requests = queue.SimpleQueue()
        self._sequence = 0
        self._call = self._channel.stream_stream(
            METHOD,
            request_serializer=service_pb2.StreamUsageRequest.SerializeToString,
            response_deserializer=service_pb2.StreamUsageResponse.FromString,
        )(iter(self._requests.get, None), timeout=60)

    def send(self, records):
        """Sends a message with the next sequence."""
        self._sequence += 1
        self._requests.put(
            service_pb2.StreamUsageRequest(
                sequence=self._sequence, project=PROJECT, records=records
            )
        )

    def finish_sending(self):
        self._requests.put(None)

    def answers(self):
        """Yields the responses; raises grpc.RpcError."""
        return iter(self._call)

    def cut(self):
        """Closes the connection."""
        self._channel.close()
        self._requests.put(None)

    close = cut


class StreamTest(DurableTest):
    def open_stream(self, server):
        stream = Stream(server)
        self.addCleanup(stream.close)
        return stream

    def test_every_message_is_answered_in_order(self):
        rng = seeded_random()
        server = self.start_server()
        batches = [
            [random_record(rng) for _ in range(rng.choice((0, 1, 1, 5, 100)))]
            for _ in range(300)
        ]
        stream = self.open_stream(server)
        for batch in batches:
            stream.send(batch)
        stream.finish_sending()
        answers = list(stream.answers())
        self.assertEqual([a.sequence for a in answers], list(range(1, 301)))
        self.assertEqual(
            [a.report.stored_count for a in answers], [len(b) for b in batches]
        )
        records = [record for batch in batches for record in batch]
        self.assert_totals(server, records)

    def test_cut_streams_are_resumed(self):
        """Batches without a response are resent on a new stream, and counted once."""
        rng = seeded_random()
        server = self.start_server()
        left = [[random_record(rng) for _ in range(3)] for _ in range(CUTS * 20)]
        records = [record for batch in left for record in batch]
        for _ in range(CUTS):
            stream = self.open_stream(server)
            for batch in left[:30]:
                stream.send(batch)
            enough = rng.randrange(20)
            answered = 0
            with contextlib.suppress(grpc.RpcError, ValueError):
                for answer in stream.answers():
                    self.assertEqual(answer.sequence, answered + 1)
                    counts = answer.report.stored_count, answer.report.duplicate_count
                    self.assertEqual(sum(counts), 3)
                    answered += 1
                    if answered >= enough:
                        break
            stream.cut()
            left = left[answered:]
        stream = self.open_stream(server)
        for batch in left:
            stream.send(batch)
        stream.finish_sending()
        self.assertEqual(len(list(stream.answers())), len(left))
        self.assert_totals(server, records)

    def test_killed_under_streams(self):
        """Acknowledged batches are kept; the rest is resent, and counted once."""
        rng = seeded_random()
        left = [
            [[random_record(rng) for _ in range(3)] for _ in range(KILLS * 40)]
            for _ in range(STREAMS)
        ]
        for batches in left:
            countable = []
            for batch in batches:
                correct_some(rng, batch, countable)
        known = {r.record_id: r for batches in left for b in batches for r in b}
        acknowledged, wrong = set(), []
        for _ in range(KILLS):
            server = self.start_server()
            threads = [
                threading.Thread(target=self.feed, args=(server, batches, acknowledged, wrong))
                for batches in left
            ]
            for thread in threads:
                thread.start()
            time.sleep(rng.uniform(0.02, 0.3))
            server.kill()
            for thread in threads:
                thread.join(60)
                self.assertFalse(thread.is_alive())
            stored = self.stored_in_copy(server.database)
            self.assertLessEqual(acknowledged, set(stored))
            self.assertEqual(stored, {name: known[name] for name in stored})
        print("%d of %d records acknowledged" % (len(acknowledged), len(known)))
        self.assertGreater(len(acknowledged), 0)
        server = self.start_server()
        while any(left):
            for batches in left:
                self.feed(server, batches, acknowledged, wrong)
        self.assertEqual((wrong, acknowledged), ([], set(known)))
        self.assert_listed(server, known)
        self.assert_totals(server, known.values())

    def feed(self, server, batches, acknowledged, wrong):
        """Sends some batches on a stream, and removes the acknowledged ones."""
        with contextlib.closing(Stream(server)) as stream:
            for batch in batches[:200]:
                stream.send(batch)
            stream.finish_sending()
            with contextlib.suppress(grpc.RpcError):
                for number, answer in enumerate(stream.answers(), 1):
                    counts = answer.report.stored_count, answer.report.duplicate_count
                    if (answer.sequence, sum(counts)) != (number, 3):
                        wrong.append(answer)
                    acknowledged.update(r.record_id for r in batches.pop(0))

    def test_sigterm_answers_what_was_read(self):
        rng = seeded_random()
        server = self.start_server()
        stream = self.open_stream(server)
        sent = []
        stop = threading.Event()

        def send():
            while not stop.is_set():
                sent.append([random_record(rng)])
                stream.send(sent[-1])
                stop.wait(0.001)

        sender = threading.Thread(target=send)
        sender.start()
        answered = 0
        with self.assertRaises(grpc.RpcError) as raised:
            for answer in stream.answers():
                answered += 1
                self.assertEqual(answer.sequence, answered)
                if answered == 50:
                    server.process.terminate()
        stop.set()
        sender.join()
        failure = failure_of(raised.exception)
        self.assertEqual(
            (failure.code, failure.reason),
            (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING"),
        )
        stream.close()
        self.assertEqual(server.process.wait(30), 0)
        # Everything that was read was answered, so nothing else is stored.
        stored = self.stored_in_copy(server.database)
        self.assertEqual(
            set(stored), {batch[0].record_id for batch in sent[:answered]}
        )


if __name__ == "__main__":
    junit.main()
