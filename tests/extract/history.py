# SPDX-License-Identifier: Apache-2.0
"""A mixed history of all dialects: bare usages, whole responses, streams, calls without usage.

Its expected totals are computed here and in oracle.py, by rules that were written a second time.
"""

import collections
import json
import re
from decimal import Decimal

import goldens
import oracle
from harness import program

# A record and its expected counts. `counts` is empty if the usage counts nothing.
Call = collections.namedtuple("Call", "time model counts is_inconsistent is_unknown")

# The input of `tokenusage report`.
_Report = collections.namedtuple("_Report", "flags text")

_ENVELOPES = "tests/extract/testdata/envelopes.txtpb"
_PROJECT = "history"
_DAYS = ["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"]
_TIMES = ["00:00:00Z", "12:34:56.789Z", "23:59:59.999999999Z"]
_MODELS = ["m-a", "m-b", "m-c"]
# The operations that some members require.
_OPERATIONS = {
    "orq_images_edits": "images.edits",
    "orq_images_variations": "images.variations",
}


def scaled(value, factor):
    """Returns an object with all numbers multiplied, which keeps sums and contradictions."""
    if isinstance(value, dict):
        return {name: scaled(member, factor) for name, member in value.items()}
    if isinstance(value, list):
        return [scaled(element, factor) for element in value]
    return value * factor if isinstance(value, Decimal) else value


def as_json(value):
    """Returns an object whose numbers are Decimals, as JSON."""
    return json.dumps(value, default=lambda n: int(n) if n == int(n) else float(n))


class History:
    """A few hundred random calls. `calls` are those that a service has after report()."""

    def __init__(self, rng):
        self._rng = rng
        self._goldens = {member: goldens.goldens(member) for member in goldens.members()}
        self._reports = []
        self._ids = 0
        self.calls = []
        self._add_records()
        dialects = program.run("dialects").stdout.decode().splitlines()[1:]
        messages = {message: member for member, message in goldens.members().items()}
        envelopes = {
            dialect: envelope
            for envelope in goldens.messages("envelopes", goldens.read(_ENVELOPES))
            for dialect in goldens.strings("dialects", envelope)
        }
        for dialect, message in map(str.split, dialects):
            self._add_responses(dialect, messages[message], envelopes[dialect])

    def _next_id(self):
        self._ids += 1
        return "call-%d" % self._ids

    def _time(self):
        """Returns a random instant, the edges of days included."""
        return self._rng.choice(_DAYS) + "T" + self._rng.choice(_TIMES)

    def _usage(self, member):
        """Returns a random usage, and whether it contradicts itself."""
        golden = self._rng.choice(self._goldens[member])
        usage = json.loads(golden.json, parse_int=Decimal, parse_float=Decimal)
        # Longer numbers would lose digits, and strings are not scaled.
        if not re.search(r'\d[\d.]{10}|[eE][-+]?\d|":\s*"[-\d]', golden.json):
            usage = scaled(usage, self._rng.choice((1, 2, 3, 7, 100, 999)))
        return usage, golden.is_inconsistent

    def _expect(self, time, model, member, usage, is_inconsistent):
        counts = oracle.count(member, as_json(usage))
        self.calls.append(Call(time, model, counts, is_inconsistent, False))

    def _expect_unknown(self, time, model):
        self.calls.append(Call(time, model, {}, False, True))

    def _add_records(self):
        """Adds bare usages of all kinds, and calls without usage, as JSON Lines."""
        lines = []
        for member in [*self._goldens, None] * 8:
            time, model = self._time(), self._rng.choice(_MODELS)
            line = {"record_id": self._next_id(), "event_time": time, "model": model}
            line["operation"] = _OPERATIONS.get(member, "test")
            if member is None:
                line["usage_unknown"] = {"reason": "UNKNOWN_USAGE_REASON_ABORTED"}
                self._expect_unknown(time, model)
            else:
                line[member], is_inconsistent = self._usage(member)
                self._expect(time, model, member, line[member], is_inconsistent)
            lines.append(as_json(line) + "\n")
        self._rng.shuffle(lines)
        self._reports.append(_Report(["--ignore-unknown"], "".join(lines)))

    def _add_responses(self, dialect, member, envelope):
        """Adds bodies, a stream, and a stream that was cut off."""
        time, model = self._time(), self._rng.choice(_MODELS)
        flags = ["--dialect=" + dialect, "--event-time=" + time, "--model=" + model]
        (body,) = goldens.strings("body", envelope)
        ids = goldens.strings("record_id", envelope)

        def fill(template, usage, record_id):
            for old in ids:
                template = template.replace('"%s"' % old, '"%s"' % record_id)
            template = template.replace('"m-1"', '"%s"' % model)
            if template.startswith("{@,"):  # the response is the usage
                return as_json({**usage, **json.loads("{" + template[3:])})
            return template.replace("@", as_json(usage))

        # One report for each body: of AWS' dialects, several lines would be a stream.
        for _ in range(2):
            usage, is_inconsistent = self._response_usage(member)
            record_id = self._next_id()
            text = fill(body, usage, record_id)
            self._reports.append(_Report([*flags, "--record-id=" + record_id], text))
            self._expect(time, model, member, usage, is_inconsistent)

        events = goldens.strings("events", envelope)
        if not events:
            return
        usage, is_inconsistent = self._response_usage(member)
        ends_with_usage = "has_end: true" in envelope and "@" in events[-1]
        parts, usage = ([usage], usage) if ends_with_usage else self._parts(dialect, member, usage)
        if dialect.endswith(".messages"):
            events[-2] = events[-2][:-1] + ',"usage":@}'
        for is_cut in (False, True):
            record_id = self._next_id()
            filled = []
            places = [event for event in events if "@" in event]
            for event in events:
                if "@" not in event:
                    filled.append(fill(event, {}, record_id))
                elif is_cut:
                    break
                elif len(places) == 2:
                    part = parts[0] if event is places[0] else parts[-1]
                    filled.append(fill(event, part, record_id))
                else:
                    filled += [fill(event, part, record_id) for part in parts]
            text = "".join("data: %s\n\n" % event for event in filled)
            self._reports.append(
                _Report([*flags, "--record-id=" + record_id], text or "data: {}\n\n")
            )
            if is_cut:
                self._expect_unknown(time, model)
        self._expect(time, model, member, usage, is_inconsistent)

    def _response_usage(self, member):
        """Returns a usage that counts something and gives one record; see _usage."""
        while True:
            usage, is_inconsistent = self._usage(member)
            if "iterations" not in usage and oracle.count(member, as_json(usage)):
                return usage, is_inconsistent

    def _parts(self, dialect, member, usage):
        """Returns the usages that a stream states in turn, and the one that is counted."""
        if dialect == "google.live":  # counts add up
            return [scaled(usage, 2), usage], scaled(usage, 3)
        if dialect.endswith(".messages") or dialect == "google.generate_content":
            return self._fields(usage, keeps_at_zero=dialect.endswith(".messages")), usage
        each = ("bedrock.", "ollama.chat", "ollama.generate", "openai.realtime")
        if dialect.startswith(each):  # each usage is a record
            return [usage], usage
        return [self._response_usage(member)[0], usage], usage

    def _fields(self, usage, keeps_at_zero):
        """Splits a usage into one that is stated first, and one that replaces parts of it.

        `keeps_at_zero` says whether zero, like null, keeps the earlier value.
        """
        first, second = dict(usage), {}
        for name, value in usage.items():
            kind = self._rng.randrange(4)
            if kind == 0 or name == "output_tokens":  # servers always state it
                first[name] = scaled(value, 3)
                second[name] = value
            elif kind == 1:
                second[name] = None
            elif kind == 2 and keeps_at_zero and isinstance(value, Decimal):
                second[name] = Decimal(0)
        return [first, second]

    def report(self, server):
        """Reports the history to a service."""
        for report in self._reports:
            done = program.run(
                "report",
                "--server=" + server.address,
                "--project=" + _PROJECT,
                *report.flags,
                stdin=report.text.encode(),
            )
            if (done.exit_code, done.stderr) != (0, b""):
                raise AssertionError("%s %.999s: %.999s" % (report.flags, report.text, done))

    def check(self, test, server):
        """Asserts that the totals of `tokenusage query` are those of the calls."""
        for flags, key in (
            ([], lambda call: ()),
            (["--bucket=day"], lambda call: (call.time[:10],)),
            (["--bucket=minute"], lambda call: (call.time[:16],)),
            (["--group-by=model"], lambda call: (call.model,)),
            (["--bucket=day", "--group-by=model"], lambda call: (call.time[:10], call.model)),
        ):
            groups = collections.defaultdict(list)
            for call in self.calls:
                groups[key(call)].append(call)
            expected = {key: totals(calls) for key, calls in groups.items()}
            test.assertEqual(self._query(server, flags), expected, flags)

    @staticmethod
    def _query(server, flags):
        done = program.run(
            "query",
            "--json",
            "--server=" + server.address,
            "--project=" + _PROJECT,
            "--start=" + _DAYS[0],
            "--end=2024-03-03",
            *flags,
        )
        if (done.exit_code, done.stderr) != (0, b""):
            raise AssertionError(done)
        found = {}
        for line in done.stdout.splitlines():
            row = json.loads(line)
            start = row["bucket_start_time"]
            key = [start[:10]] if "--bucket=day" in flags else []
            key += [start[:16]] if "--bucket=minute" in flags else []
            key += row.get("group", {}).values()
            found[tuple(key)] = {
                name: (Decimal(total["exact"]), int(total["record_count"]))
                if isinstance(total, dict)
                else int(total)
                for name, total in row["totals"].items()
            }
        return found


def totals(calls):
    """Returns the totals of calls, by the names of UsageTotals."""
    found = {
        "record_count": len(calls),
        "inconsistent_record_count": sum(call.is_inconsistent for call in calls),
        "unknown_usage_record_count": sum(call.is_unknown for call in calls),
    }
    for call in calls:
        for measure, amount in call.counts.items():
            total, count = found.get(measure, (Decimal(0), 0))
            found[measure] = total + amount, count + 1
    return found
