# SPDX-License-Identifier: Apache-2.0
"""Threads that report usage, and record the outcomes."""

import contextlib
import random
import threading
import time

import grpc

from harness import records
from harness.client import UsageClient

PROJECT = "demo"
REPORTERS = 4


def flat(batches):
    """Returns the records of several batches by id."""
    return {record.record_id: record for batch in batches for record in batch}


def correct_some(rng, batch, countable):
    """Makes some records correct earlier ones, or take them back.

    `countable` are the ids of records that are not corrected; it is updated.
    """
    for record in batch:
        if countable and rng.random() < 0.3:
            record.corrects = countable.pop(rng.randrange(len(countable)))
            if rng.random() < 0.5:
                record.ClearField(record.WhichOneof("usage"))
        countable.append(record.record_id)


class _Reporters:
    corrects = True  # whether some of the records correct others

    def __init__(self, address, seed):
        self.acknowledged = []  # batches
        self.codes = set()  # of the calls that failed
        self.wrong = []  # answers that no reporter should get
        self._address = address
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(seed + i),))
            for i in range(REPORTERS)
        ]
        for thread in self._threads:
            thread.start()

    def join(self):
        """Waits for all threads."""
        for thread in self._threads:
            thread.join(60)
            if thread.is_alive():
                raise TimeoutError("a call neither succeeded nor failed")

    @staticmethod
    def _random_batch(rng):
        return [records.random_record(rng) for _ in range(rng.choice((1, 1, 5, 40)))]

    def _batches(self, rng):
        countable = []  # that this reporter has reported
        while True:
            batch = self._random_batch(rng)
            if self.corrects:
                correct_some(rng, batch, countable)
            yield batch

    def _run(self, rng):
        with contextlib.closing(UsageClient(self._address)) as client:
            self._report(client, rng)

    def _try(self, client, batch, expected):
        """Reports a batch; `expected` are the allowed counts of the response."""
        try:
            response = client.report(PROJECT, batch)
        except grpc.RpcError as error:
            with self._lock:
                self.codes.add(error.code())
            return False
        counts = response.stored_count, response.duplicate_count
        if response.errors or counts not in expected:
            with self._lock:
                self.wrong.append(response)
        return True


class Load(_Reporters):
    """Reports until a call fails."""

    def __init__(self, server, seed):
        self.unknown = []  # batches whose call failed
        super().__init__(server.address, seed)

    def _report(self, client, rng):
        for batch in self._batches(rng):
            if not self._try(client, batch, [(len(batch), 0)]):
                with self._lock:
                    self.unknown.append(batch)
                return
            with self._lock:
                self.acknowledged.append(batch)
            if rng.random() < 0.1 and not self._try(client, batch, [(0, len(batch))]):
                return


class SteadyLoad(_Reporters):
    """Reports until it is stopped, and resends what failed."""

    def __init__(self, server, seed):
        self.failures = 0
        self._stopping = threading.Event()
        super().__init__(server.address, seed)

    def stop(self):
        """Stops, and waits until everything is acknowledged."""
        self._stopping.set()
        self.join()

    def _report(self, client, rng):
        for batch in self._batches(rng):
            if self._stopping.is_set():
                return
            size = len(batch)
            expected = [(size, 0)]
            while not self._try(client, batch, expected):
                with self._lock:
                    self.failures += 1
                expected = [(size, 0), (0, size)]  # a failed call's outcome is unknown
                time.sleep(0.01)
            with self._lock:
                self.acknowledged.append(batch)
