# SPDX-License-Identifier: Apache-2.0
"""An HTTP server with the page: in front of a real service, to see requests, or in its place."""

import http.server
import json
import threading
import urllib.error
import urllib.request

_METHODS = "/tokenusage.v1.UsageReportingService/"


def forward_to(address):
    """Returns a function that passes calls on to the service at this address."""

    def call(method, request):
        sent = urllib.request.Request(
            "http://" + address + _METHODS + method,
            json.dumps(request).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(sent, timeout=60) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return call


def pages_of(rows, projects=("demo",)):
    """Returns a function that answers queries with these rows, page by page."""

    def call(method, request):
        if method == "ListProjects":
            return 200, {"projects": [{"name": name} for name in projects]}
        first = int(request.get("page_token") or 0)
        end = first + request["page_size"]
        page = {"rows": rows[first:end]}
        if end < len(rows):
            page["next_page_token"] = str(end)
        return 200, page

    return call


class FakeListener:
    """Serves `page` (bytes) with `headers`, and what `call(method, request)` answers.

    With `token`, calls without it are refused. `requests` are those of QueryUsage.
    """

    def __init__(self, page, headers, call, token=None):
        self.requests = []
        self._call, self._token = call, token
        self._is_closed = False
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                found = self.path == "/"
                self._send(200 if found else 404, page if found else b"", "text/html", headers)

            def do_POST(self):
                if fake._is_closed:  # A kept connection outlives the listener.
                    self.close_connection = True
                    return
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                method = self.path[len(_METHODS) :]
                status, answer = fake._answer(
                    method, self.headers.get("Authorization"), request
                )
                self._send(status, json.dumps(answer).encode(), "application/json", {})

            def _send(self, status, content, kind, more):
                self.send_response(status)
                for name, value in {"Content-Type": kind, **more}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = "http://127.0.0.1:%d" % self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        """Stops it."""
        self._is_closed = True
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, method, authorization, request):
        if self._token and authorization != "Bearer " + self._token:
            found = "unknown token" if authorization else "the call has no token"
            return 401, {"code": "unauthenticated", "message": found}
        if method == "QueryUsage":
            self.requests.append(request)
        return self._call(method, request)
