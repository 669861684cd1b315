# SPDX-License-Identifier: Apache-2.0
"""A gateway in miniature: reports the usage of OpenAI chat completions that it passes on.

  gateway = Gateway(UsageReporter("127.0.0.1:8105", "demo"))
  gateway.on_response(body, "acme")

or, for a response that is a stream of events:

  stream = gateway.stream("acme")
  for chunk in response:
      send_to_caller(chunk)
      stream.on_chunk(chunk)
  stream.on_end()

Errors of reporting are only logged: they never fail the caller's call.
"""

import json
import logging

from google.protobuf import json_format

from tokenusage.v1 import usage_record_pb2


class Gateway:
    """Reports the usage in responses. Thread-safe if its reporter is; a Stream is not."""

    def __init__(self, reporter):
        self._reporter = reporter

    def on_response(self, body, customer):
        """Reports the usage of a whole response."""
        try:
            self._report(json.loads(body), customer)
        except ValueError as error:
            logging.warning("no usage: %s", error)

    def stream(self, customer):
        """Returns a Stream for a response that arrives in chunks."""
        return Stream(lambda completion: self._report(completion, customer))

    def _report(self, completion, customer):
        usage = completion.get("usage") if isinstance(completion, dict) else None
        if not usage:
            logging.warning("no usage in the response")
            return
        fields = {
            # The provider's id: the same response is never counted twice.
            "record_id": completion.get("id"),
            "operation": "chat",
            "provider": "openai",
            "model": completion.get("model"),
            "labels": {"customer": customer},
            "openai_chat": usage,
        }
        record = usage_record_pb2.UsageRecord()
        try:
            json_format.ParseDict(fields, record, ignore_unknown_fields=True)
        except json_format.ParseError as error:
            logging.warning("no usage: %s", error)
            return
        if not self._reporter.report(record):
            logging.error("usage is lost: too many records are pending")


class Stream:
    """The events of one response."""

    def __init__(self, report):
        self._report = report
        self._rest = b""
        self._last = {}

    def on_chunk(self, chunk):
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._on_event(line[len(b"data:"):].strip())

    def on_end(self):
        """Reports what was seen, even if the stream was interrupted."""
        self._report(self._last)

    def _on_event(self, data):
        try:
            event = json.loads(data)
        except ValueError:  # such as [DONE]
            return
        # Usage is null in all events but the last.
        if isinstance(event, dict) and event.get("usage"):
            self._last = event
