# SPDX-License-Identifier: Apache-2.0
"""An HTTP server with the page and QueryUsage, in the Connect protocol's unary form.

Each answer is that of the real service, by `tokenusage query --json`.
"""

import http.server
import json
import threading

from harness import program

_METHODS = "/tokenusage.v1.UsageReportingService/"


def answer_of_program(server, request):
    """Returns the rows that the program prints for a QueryUsageRequest in JSON."""
    flags = [
        "--server=" + server,
        "--project=" + request["project"],
        "--start=" + request["start_time"],
        "--end=" + request["end_time"],
        "--time-zone=" + request.get("time_zone", "UTC"),
        "--bucket=" + request["bucket"].replace("TIME_BUCKET_", "").lower(),
    ]
    if "group_by" in request:
        flags.append("--group-by=" + ",".join(request["group_by"]))
    for one in request.get("filters", []):
        flags += ["--filter=%s=%s" % (one["field"], value) for value in one.get("values", [])]
        flags += ["--filter-missing=" + one["field"]] if one.get("match_missing") else []
    outcome = program.run("query", "--json", *flags)
    if outcome.exit_code != 0:
        raise ValueError(outcome.stderr.decode().partition(": ")[2].strip())
    return [json.loads(line) for line in outcome.stdout.splitlines()]


class FakeListener:
    """Serves `page` (bytes) with `headers`; `answer(request)` returns the rows of a query.

    With `token`, calls without it are refused. `requests` are those of QueryUsage.
    """

    def __init__(self, page, headers, answer, projects=("demo",), token=None):
        self.requests = []
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                found = self.path == "/"
                self._answer(200 if found else 404, page if found else b"", "text/html", headers)

            def do_POST(self):
                if fake._is_closed:  # A kept connection outlives the listener.
                    self.close_connection = True
                    return
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = fake._call(self.path, self.headers.get("Authorization"), body)
                self._answer(status, json.dumps(answer).encode(), "application/json", {})

            def _answer(self, status, content, kind, more):
                self.send_response(status)
                for name, value in {"Content-Type": kind, **more}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._answer, self._projects, self._token = answer, projects, token
        self._is_closed = False
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = "http://127.0.0.1:%d" % self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        """Stops it."""
        self._is_closed = True
        self._server.shutdown()
        self._server.server_close()

    def _call(self, path, authorization, request):
        if self._token and authorization != "Bearer " + self._token:
            found = "the call has no token" if not authorization else "unknown token"
            return 401, {"code": "unauthenticated", "message": found}
        if path == _METHODS + "ListProjects":
            return 200, {"projects": [{"name": name} for name in self._projects]}
        if path != _METHODS + "QueryUsage":
            return 404, {"code": "unimplemented", "message": "no such method"}
        self.requests.append(request)
        try:
            rows = self._answer(request)
        except ValueError as error:
            return 400, {"code": "invalid_argument", "message": str(error)}
        first = int(request.get("page_token") or 0)
        end = first + request["page_size"]
        page = {"rows": rows[first:end]}
        if end < len(rows):
            page["next_page_token"] = str(end)
        return 200, page
