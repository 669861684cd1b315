# SPDX-License-Identifier: Apache-2.0
"""A client of the service made from Debian's gRPC and the .proto files only."""

import collections

import grpc

from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

_SERVICE = service_pb2.DESCRIPTOR.services_by_name["UsageReportingService"]

# A failed call. `metadata` is that of its ErrorInfo, `trailers` those of the call.
Failure = collections.namedtuple(
    "Failure", "code reason metadata domain message trailers"
)


def _wire_fields(data):
    """Decodes a message's varint and length-delimited fields: (number, value) pairs."""

    def varint(at):
        value = shift = 0
        while True:
            value |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 0x80:
                return value, at

    fields, at = [], 0
    while at < len(data):
        tag, at = varint(at)
        value, at = varint(at)
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        elif tag & 7 != 0:
            raise ValueError("unexpected wire type %d" % (tag & 7))
        fields.append((tag >> 3, value))
    return fields


def _only(fields, number):
    values = [value for n, value in fields if n == number]
    if len(values) != 1:
        raise ValueError("expected field %d once in %r" % (number, fields))
    return values[0]


def failure_of(error):
    """Returns the Failure of a call, whose google.rpc.Status is decoded by hand."""
    trailers = dict(error.trailing_metadata() or ())
    details = trailers.get("grpc-status-details-bin")
    if details is None:
        return Failure(error.code(), None, {}, None, error.details(), trailers)
    status = _wire_fields(details)
    if _only(status, 1) != error.code().value[0]:
        raise ValueError("the details have another code: %r" % status)
    if _only(status, 2).decode() != error.details():
        raise ValueError("the details have another message: %r" % status)
    detail = _wire_fields(_only(status, 3))
    if _only(detail, 1) != b"type.googleapis.com/google.rpc.ErrorInfo":
        raise ValueError("not an ErrorInfo: %r" % detail)
    info = _wire_fields(_only(detail, 2))
    metadata = {}
    for number, entry in info:
        if number == 3:
            key, value = (_only(_wire_fields(entry), n).decode() for n in (1, 2))
            metadata[key] = value
    return Failure(
        error.code(),
        _only(info, 1).decode(),
        metadata,
        _only(info, 2).decode(),
        error.details(),
        trailers,
    )


class UsageClient:
    """Calls every method by its name in the .proto file, once and without retries.

    In plain text, or with `credentials` from grpc.ssl_channel_credentials. Calls send
    `token`, which may change, unless it is None.
    """

    def __init__(self, address, credentials=None, token=None):
        options = [
            ("grpc.enable_retries", 0),
            ("grpc.enable_http_proxy", 0),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.max_receive_message_length", 4 << 20),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_metadata_size", 1 << 20),
        ]
        self.token = token
        self._channel = (
            grpc.insecure_channel(address, options=options)
            if credentials is None
            else grpc.secure_channel(address, credentials, options=options)
        )
        self._methods = {
            method.name: self._channel.unary_unary(
                "/%s/%s" % (_SERVICE.full_name, method.name),
                request_serializer=method.input_type._concrete_class.SerializeToString,
                response_deserializer=method.output_type._concrete_class.FromString,
            )
            for method in _SERVICE.methods
        }

    def close(self):
        """Closes the connection; active calls fail."""
        self._channel.close()

    def call(self, method, request, timeout=30):
        """Makes one call; raises grpc.RpcError."""
        return self._methods[method](
            request, timeout=timeout, metadata=self.metadata()
        )

    def start(self, method, request, timeout=30):
        """Starts a call and returns its future."""
        return self._methods[method].future(
            request, timeout=timeout, metadata=self.metadata()
        )

    def metadata(self):
        """Returns the metadata that each call sends."""
        if self.token is None:
            return None
        return [("authorization", "Bearer " + self.token)]

    def health(self, service=_SERVICE.full_name):
        """Returns the answer of gRPC's health service: 1 is SERVING, 2 NOT_SERVING."""
        check = self._channel.unary_unary("/grpc.health.v1.Health/Check")
        name = service.encode()
        request = b"\x0a%c" % len(name) + name if name else b""
        response = check(request, timeout=30)
        return _only(_wire_fields(response), 1) if response else 0

    def watch_health(self):
        """Yields the states as they change, each as a response's bytes."""
        watch = self._channel.unary_stream("/grpc.health.v1.Health/Watch")
        return watch(b"", timeout=60)

    def report(self, project, records, timeout=30):
        """Calls ReportUsage."""
        request = service_pb2.ReportUsageRequest(project=project, records=records)
        return self.call("ReportUsage", request, timeout)

    def query(self, project, start, end, timeout=30, **fields):
        """Calls QueryUsage over a window in nanoseconds since 1970; returns one page."""
        request = query_request(project, start, end, **fields)
        return self.call("QueryUsage", request, timeout)

    def query_all(self, project, start, end, **fields):
        """Returns the rows of all pages of QueryUsage."""
        return self._all_pages("rows", self.query, project, start, end, **fields)

    def get(self, project, record_id):
        """Calls GetUsageRecord; returns the record."""
        request = service_pb2.GetUsageRecordRequest(project=project, record_id=record_id)
        return self.call("GetUsageRecord", request).record

    def list(self, project, start, end, timeout=30, **fields):
        """Calls ListUsageRecords over a window in nanoseconds since 1970; returns one page."""
        request = service_pb2.ListUsageRecordsRequest(project=project, **fields)
        set_time(request.start_time, start)
        set_time(request.end_time, end)
        return self.call("ListUsageRecords", request, timeout)

    def list_all(self, project, start, end, **fields):
        """Returns the records of all pages of ListUsageRecords."""
        return self._all_pages("records", self.list, project, start, end, **fields)

    @staticmethod
    def _all_pages(items, method, *args, **fields):
        found, token = [], ""
        while True:
            page = method(*args, page_token=token, **fields)
            found += getattr(page, items)
            token = page.next_page_token
            if not token:
                return found


def query_request(project, start, end, **fields):
    """Returns a QueryUsageRequest over a window in nanoseconds since 1970."""
    request = service_pb2.QueryUsageRequest(project=project, **fields)
    set_time(request.start_time, start)
    set_time(request.end_time, end)
    return request


def set_time(timestamp, nanos):
    """Sets a Timestamp to nanoseconds since 1970."""
    timestamp.seconds, timestamp.nanos = divmod(nanos, 10**9)


def nanos_of(timestamp):
    """Returns a Timestamp in nanoseconds since 1970."""
    return timestamp.seconds * 10**9 + timestamp.nanos
