# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 frames by hand: for callers that do what no gRPC library would."""

import contextlib
import select
import socket
import ssl
import struct
import threading

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_CANCEL = 8
_FRAME_BYTES = 16384


def frame(kind, flags, stream, payload=b""):
    """Returns a frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _string(text):
    data = text.encode()
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, length = len(data) - 127, b"\x7f"
    while rest >= 128:
        length += bytes([rest & 127 | 128])
        rest >>= 7
    return length + bytes([rest]) + data


def literal(name, value, indexes=False):
    """Returns a header in HPACK, spelled out; with `indexes` it enters the table."""
    return (b"\x40" if indexes else b"\0") + _string(name) + _string(value)


def headers(method, indexes=False, **metadata):
    """Returns the HPACK block of a call's headers; with `indexes` they enter the table."""
    service = "/tokenusage.v1.UsageReportingService/"
    pairs = {
        ":method": "POST",
        ":scheme": "http",
        ":path": method if "/" in method else service + method,
        ":authority": "localhost",
        "content-type": "application/grpc",
        "te": "trailers",
        **metadata,
    }
    return b"".join(literal(k, v, indexes) for k, v in pairs.items())


def flood(method, count, data=None, resets=False, first=1):
    """Returns `count` calls of one connection in as few bytes as HTTP/2 allows.

    `first` is the stream of the first call, whose headers all have. With `data` each call has a
    message; with `resets` each is reset at once.
    """
    block = headers(method, indexes=True)
    frames = []
    for stream in range(first, first + 2 * count, 2):
        frames.append(frame(HEADERS, END_HEADERS, stream, block))
        if data is not None:
            frames.append(frame(DATA, END_STREAM, stream, message(data)))
        if resets:
            frames.append(reset(stream))
        block = bytes(range(0xC3, 0xBD, -1))  # the six headers in the table
    return b"".join(frames)


def reset(stream):
    """Returns the RST_STREAM frame of a caller that cancels."""
    return frame(RST_STREAM, 0, stream, struct.pack(">I", _CANCEL))


def message(data, length=None):
    """Returns a gRPC message, whose prefix may state another length."""
    return struct.pack(">BI", 0, len(data) if length is None else length) + data


class Connection:
    """A connection to a server. With `reads`, a thread reads and answers the server's frames.

    `settings` maps identifiers of HTTP/2 settings to values.
    """

    def __init__(self, address, settings=None, reads=True, tls_ca=None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        if tls_ca is not None:
            context = ssl.create_default_context(cafile=tls_ca)
            context.check_hostname = False
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket)
        # A server that does not read must not hold up a test.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 5, 0))
        self._is_tls = tls_ca is not None
        self._next_stream = 1
        self._sending = threading.Lock()
        self._window = threading.Condition()
        self._connection_window = self._initial_window = 65535
        self._stream_windows = {}
        self.reset_streams = set()
        self.is_closed = False
        block = b"".join(struct.pack(">HI", k, v) for k, v in (settings or {}).items())
        self.send(_PREFACE + frame(SETTINGS, 0, 0, block))
        if reads:
            threading.Thread(target=self._read, daemon=True).start()

    def close(self):
        """Closes the connection."""
        self.is_closed = True
        self.socket.close()

    def send(self, data):
        """Sends bytes; raises OSError when the server has closed the connection."""
        with self._sending:
            if self._is_tls:
                self.socket.settimeout(5)
            self.socket.sendall(data)

    def start_call(self, method, data=None, end=True, **metadata):
        """Starts a call, with a message or only its headers; returns the stream."""
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        block = frame(HEADERS, END_HEADERS, stream, headers(method, **metadata))
        if data is not None:
            block += frame(DATA, END_STREAM if end else 0, stream, message(data))
        self.send(block)
        return stream

    def send_data(self, stream, data, timeout=0.0):
        """Sends as much as the windows allow within the time; returns what is left."""
        while data:
            with self._window:
                self._window.wait_for(lambda: self._allowed(stream) > 0, timeout)
                size = min(len(data), self._allowed(stream), _FRAME_BYTES)
                if size <= 0 or stream in self.reset_streams or self.is_closed:
                    return data
                self._connection_window -= size
                self._stream_windows[stream] = self._stream_windows.get(stream, 0) - size
            self.send(frame(DATA, 0, stream, data[:size]))
            data = data[size:]
        return data

    def _allowed(self, stream):
        of_stream = self._initial_window + self._stream_windows.get(stream, 0)
        return min(self._connection_window, of_stream)

    def _receive_some(self, size):
        if not self._is_tls:
            return self.socket.recv(size)
        # A TLS connection is not for two threads at once.
        while True:
            if not self.socket.pending():
                select.select([self.socket], [], [])
            with self._sending, contextlib.suppress(TimeoutError, socket.timeout):
                self.socket.settimeout(0.1)
                return self.socket.recv(size)

    def _receive(self, size):
        data = b""
        while len(data) < size:
            block = self._receive_some(size - len(data))
            if not block:
                raise ConnectionError
            data += block
        return data

    def _read(self):
        try:
            self.socket.settimeout(None)
            while True:
                head = self._receive(9)
                kind, flags, stream = struct.unpack(">BBI", head[3:])
                payload = self._receive(int.from_bytes(head[:3], "big"))
                self._take(kind, flags, stream, payload)
        except (OSError, ValueError):
            with self._window:
                self.is_closed = True
                self._window.notify_all()

    def _take(self, kind, flags, stream, payload):
        with self._window:
            if kind == WINDOW_UPDATE:
                (more,) = struct.unpack(">I", payload)
                if stream:
                    self._stream_windows[stream] = self._stream_windows.get(stream, 0) + more
                else:
                    self._connection_window += more
            elif kind == SETTINGS and not flags & ACK:
                for at in range(0, len(payload), 6):
                    key, value = struct.unpack_from(">HI", payload, at)
                    if key == INITIAL_WINDOW_SIZE:
                        self._initial_window = value
            elif kind == RST_STREAM or kind in (HEADERS, DATA) and flags & END_STREAM:
                self.reset_streams.add(stream)
            self._window.notify_all()
        if kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
