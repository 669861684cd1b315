# SPDX-License-Identifier: Apache-2.0
"""Usage records for tests: fixed ones, and random ones that favour edge cases."""

import calendar
import datetime
import json
import uuid

from harness.client import nanos_of, set_time
from harness.oracle import counts_of
from tokenusage.v1 import usage_record_pb2

# The examples of the provider's documentation.
FRACTIONAL_JSON = (
    '{"total_tokens":8105.75,"input_tokens":7451.29,"output_tokens":1442.01,'
    '"input_tokens_details":{"text_tokens":5727.82,"image_tokens":1501.66}}'
)
WHOLE_JSON = (
    '{"total_tokens":100,"input_tokens":50,"output_tokens":50,'
    '"input_tokens_details":{"text_tokens":10,"image_tokens":40}}'
)
FRACTIONAL = (8105.75, 7451.29, 1442.01, 5727.82, 1501.66)
WHOLE = (100.0, 50.0, 50.0, 10.0, 40.0)

_EDGES = (0.0, -0.0, 5e-324, 5e-10, 1e-9, 1.5e-9, 2.5e-9, 0.1 + 0.2, 1e15 + 0.3)
_EDGES += (2.0**53 - 1, 2.0**53)

# Days that are 23, 25 or 0 hours long in some zone, and ends of months and years.
_DAYS = (
    "2010-11-07",  # St. John's sets clocks back at 00:01
    "2011-12-30",  # Samoa has no such day
    "2018-11-04",  # Sao Paulo has no midnight
    "2019-12-30",  # ISO week 1 of 2020
    "2024-02-29",
    "2024-03-31",  # Berlin sets clocks forward
    "2024-04-07",  # Lord Howe sets clocks back by half an hour
    "2024-10-27",  # Berlin sets clocks back
    "2024-12-31",
)


def at(text):
    """Parses an RFC 3339 time in UTC, with up to nine decimals, as nanoseconds since 1970."""
    seconds, _, fraction = text.rstrip("Z").partition(".")
    parsed = datetime.datetime.strptime(seconds, "%Y-%m-%dT%H:%M:%S")
    return calendar.timegm(parsed.timetuple()) * 10**9 + int(fraction.ljust(9, "0"))


def _operation_of(kind):
    """Returns `images.edits` for `orq_images_edits`."""
    return kind[len("orq_") :].replace("_", ".")


def as_reported(record):
    """Clears the fields of a record that are output only."""
    record.ClearField("receive_time")
    record.ClearField("inconsistencies")
    record.ClearField("corrected_by")
    return record


def make_record(record_id, time="2024-05-01T12:00:00Z", counts=WHOLE, **fields):
    """Returns a record of an image edit, or of `usage`='orq_images_variations'.

    `counts` are in the order of oracle.MEASURES; `time` is text, or nanoseconds.
    """
    kind = fields.pop("usage", "orq_images_edits")
    fields.setdefault("operation", _operation_of(kind))
    record = usage_record_pb2.UsageRecord(record_id=record_id, **fields)
    set_time(record.event_time, at(time) if isinstance(time, str) else time)
    usage = getattr(record, kind)
    usage.total_tokens, usage.input_tokens, usage.output_tokens = counts[:3]
    usage.input_tokens_details.text_tokens = counts[3]
    usage.input_tokens_details.image_tokens = counts[4]
    return record


def _random_count(rng):
    kind = rng.randrange(8)
    if kind < 3:
        return float(rng.randrange(5000))
    if kind < 5:
        return round(rng.uniform(0, 10000), 2)
    if kind == 5:
        return rng.uniform(0, 10000)
    if kind == 6:
        return rng.choice(_EDGES)
    return rng.uniform(0, 1) * 10 ** rng.randrange(-12, 15)


def _random_time(rng):
    nanos = at(rng.choice(_DAYS) + "T00:00:00Z")
    nanos += rng.randrange(-24 * 60, 48 * 60) * 60 * 10**9
    return nanos + rng.choice((0, 0, 1, 59_999_999_999, rng.randrange(60 * 10**9)))


def random_record(rng, record_id=None, time=None):
    """Returns a random valid record."""
    if record_id is None:
        record_id = str(uuid.UUID(int=rng.getrandbits(128)))
        record_id = rng.choice((record_id, record_id.upper(), "r~" + record_id))
    labels = {}
    if rng.random() < 0.7:
        labels["team"] = rng.choice(("web", "", "Zürich", "a b", '"quoted"\\'))
    if rng.random() < 0.3:
        labels["customer_id"] = str(rng.randrange(5))
    usage = rng.choice(("orq_images_edits", "orq_images_variations"))
    return make_record(
        record_id,
        _random_time(rng) if time is None else time,
        [_random_count(rng) for _ in range(5)],
        usage=usage,
        operation=rng.choice((_operation_of(usage), "images.other")),
        provider=rng.choice(("", "openai", "orq")),
        model=rng.choice(("", "gpt-image-1", "gpt-image-1-mini", "modèle-é", "😀")),
        labels=labels,
    )


def rfc3339(nanos):
    """Formats a time as the program does: in UTC, with 0, 3, 6 or 9 decimals."""
    seconds, fraction = divmod(nanos, 10**9)
    text = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    text = text.strftime("%Y-%m-%dT%H:%M:%S")
    if fraction:
        digits = "%09d" % fraction
        while digits.endswith("000"):
            digits = digits[:-3]
        text += "." + digits
    return text + "Z"


def usage_object(record):
    """Returns a record's usage as the JSON object that a provider would send."""
    total, input_tokens, output, text, image = counts_of(record)
    return {
        "total_tokens": total,
        "input_tokens": input_tokens,
        "output_tokens": output,
        "input_tokens_details": {"text_tokens": text, "image_tokens": image},
    }


def record_object(record, usage_name=None):
    """Returns a record as a JSON object, or with usage_name="usage" as an envelope."""
    return {
        "record_id": record.record_id,
        "event_time": rfc3339(nanos_of(record.event_time)),
        "operation": record.operation,
        "provider": record.provider,
        "model": record.model,
        "labels": dict(sorted(record.labels.items())),
        usage_name or record.WhichOneof("usage"): usage_object(record),
    }


def json_lines(objects):
    """Returns JSON Lines, in UTF-8."""
    lines = [json.dumps(o, ensure_ascii=False) + "\n" for o in objects]
    return "".join(lines).encode()
