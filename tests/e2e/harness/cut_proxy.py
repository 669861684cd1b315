# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that cuts a connection when the service begins to answer a call."""

import contextlib
import selectors
import socket
import threading

_FRAME_HEADER = 9
_HEADERS = 1  # RFC 9113, section 6.2


class _Frames:
    """Finds the first HEADERS frame in an HTTP/2 server's bytes."""

    def __init__(self):
        self._header = b""
        self._left = 0

    def before_headers(self, data):
        """Returns the part of `data` before HEADERS, and whether HEADERS follow."""
        at = 0
        while at < len(data):
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            begin = at
            at += _FRAME_HEADER - len(self._header)
            self._header += data[begin:at]
            if len(self._header) < _FRAME_HEADER:
                break
            if self._header[3] == _HEADERS:
                return data[:begin], True
            self._left = int.from_bytes(self._header[:3], "big")
            self._header = b""
        return data, False


class CutProxy:
    """Forwards to `target`; each connection is cut just before its first answer.

    The service finishes a call, and so has committed it, before it sends HEADERS.
    """

    def __init__(self, target):
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self.cuts = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Stops accepting connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(self._target) as server:
            with contextlib.suppress(OSError):
                if self._forward(client, server):
                    with self._lock:
                        self.cuts += 1

    @staticmethod
    def _forward(client, server):
        """Forwards until an end closes (False) or the service answers (True)."""
        frames = _Frames()
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ)
            selector.register(server, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(65536)
                    if not data:
                        return False
                    if key.fileobj is client:
                        server.sendall(data)
                        continue
                    data, answered = frames.before_headers(data)
                    client.sendall(data)
                    if answered:
                        return True
