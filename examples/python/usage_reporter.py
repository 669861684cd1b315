# SPDX-License-Identifier: Apache-2.0
"""Sends usage to a tokenusage service in batches, each until the service has answered.

  reporter = UsageReporter("127.0.0.1:8105", "demo")
  reporter.report(UsageRecord(operation="images.edits", model="gpt-image-1", ...))
  ...
  reporter.close(timeout=10)

Records are in memory only: those that the service has not answered for are lost if the
process ends without close(). The C++ library keeps them on disk (docs/client.md).
"""

import collections
import random
import threading
import time
import uuid

import grpc

from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

_METHOD = "/tokenusage.v1.UsageReportingService/ReportUsage"
_MAX_RECORDS, _MAX_BYTES = 1000, 1_000_000
_MIN_DELAY, _MAX_DELAY = 0.1, 30.0  # seconds


class UsageReporter:
    """Keeps records in memory, and sends them in a thread of its own. Thread-safe."""

    def __init__(self, server, project, credentials=None, token=None, on_refused=print,
                 max_pending=100_000, max_batch_age=0.1):
        """Connects with TLS if `credentials` are given: grpc.ssl_channel_credentials().

        `on_refused` is called, in the reporter's thread, with each record that the service
        refuses, and why. `max_batch_age` is in seconds.
        """
        self._project = project
        self._metadata = [("authorization", "Bearer " + token)] if token else []
        self._on_refused = on_refused
        self._max_pending = max_pending
        self._max_batch_age = max_batch_age
        self._channel = (
            grpc.secure_channel(server, credentials)
            if credentials
            else grpc.insecure_channel(server)
        )
        self._call = self._channel.unary_unary(
            _METHOD,
            request_serializer=service_pb2.ReportUsageRequest.SerializeToString,
            response_deserializer=service_pb2.ReportUsageResponse.FromString,
        )
        self._pending = collections.deque()
        self._changed = threading.Condition()
        self._closing = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def report(self, record):
        """Takes a record; returns False if too many are pending, or after close().

        Sets the id and the time if they are missing; a record that is sent again counts once.
        """
        record.record_id = record.record_id or _new_record_id()
        if not record.HasField("event_time"):
            record.event_time.GetCurrentTime()
        with self._changed:
            if self._closing or len(self._pending) >= self._max_pending:
                return False
            self._pending.append(record)
            self._changed.notify()
            return True

    def close(self, timeout):
        """Sends what is left; returns whether all of it was answered within `timeout` seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)
        self._stopped.set()
        is_done = not self._thread.is_alive()
        self._channel.close()
        return is_done

    def _run(self):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._closing)
                if not self._pending:
                    return
                self._changed.wait_for(
                    lambda: len(self._pending) >= _MAX_RECORDS or self._closing,
                    self._max_batch_age,
                )
                batch = self._take_batch()
            if not self._deliver(batch):
                return

    def _take_batch(self):
        batch, size = [], 0
        while self._pending and len(batch) < _MAX_RECORDS:
            # A record's tag and length take at most 6 bytes of the request.
            size += self._pending[0].ByteSize() + 6
            if batch and size > _MAX_BYTES:
                break
            batch.append(self._pending.popleft())
        return batch

    def _deliver(self, batch):
        """Sends the batch until it is answered; returns False if the reporter stopped."""
        request = service_pb2.ReportUsageRequest(project=self._project, records=batch)
        delay = _MIN_DELAY
        while not self._stopped.is_set():
            try:
                answer = self._call(request, timeout=30, metadata=self._metadata)
            except ValueError:  # the channel was closed
                return False
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                    return self._split(batch, error)
                # The service is away or busy, or the outcome is unknown: send the same again.
                wait = delay * random.uniform(0.5, 1)
                self._stopped.wait(max(wait, _pushback(error)))
                delay = min(2 * delay, _MAX_DELAY)
            else:
                for refused in answer.errors:
                    self._on_refused(batch[refused.index], refused.message)
                return True
        return False

    def _split(self, batch, error):
        """Finds the record for which the service refuses the batch."""
        if len(batch) == 1:
            self._on_refused(batch[0], error.details())
            return True
        middle = len(batch) // 2
        return self._deliver(batch[:middle]) and self._deliver(batch[middle:])


def _pushback(error):
    """Returns after how many seconds the service wants the call again, or 0."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-retry-pushback-ms":
            return int(value) / 1000
    return 0


def _new_record_id():
    """Returns a UUIDv7."""
    value = int(time.time() * 1000) << 80 | random.SystemRandom().getrandbits(80)
    value = value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62
    return str(uuid.UUID(int=value))
