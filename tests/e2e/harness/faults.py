# SPDX-License-Identifier: Apache-2.0
"""Makes the system calls of a running service fail, and its clock jump."""

import errno
import mmap
import os
import struct

# The calls that can fail, in the order of fault_injector.cc.
CALLS = ("sync", "write", "truncate")

_PER_CALL = ("calls", "first", "last", "error", "failed")
_FOREVER = 2**62


class Faults:
    """The faults of one service. Start it with `wrapper`."""

    def __init__(self, path):
        self._size = 8 * (len(CALLS) * len(_PER_CALL) + 1)
        with open(path, "wb") as file:
            file.write(bytes(self._size))
        with open(path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), self._size)
        self.stop_failing()
        self.wrapper = [
            "env",
            "TOKENUSAGE_FAULTS=" + path,
            "LD_PRELOAD=" + os.environ["TOKENUSAGE_FAULT_INJECTOR"],
            # AddressSanitizer insists on being the first library.
            "ASAN_OPTIONS=verify_asan_link_order=0",
        ]

    def _at(self, call, name):
        return 8 * (CALLS.index(call) * len(_PER_CALL) + _PER_CALL.index(name))

    def _get(self, call, name):
        return struct.unpack_from("=q", self._memory, self._at(call, name))[0]

    def _set(self, call, name, value):
        struct.pack_into("=q", self._memory, self._at(call, name), value)

    def fail(self, call, nth=1, times=_FOREVER, error=errno.EIO):
        """Makes the nth call from now fail, and those after it, `times` in all."""
        first = self._get(call, "calls") + nth
        self._set(call, "error", error)
        self._set(call, "last", min(first + times - 1, _FOREVER))
        self._set(call, "first", first)

    def stop_failing(self):
        """Makes all calls succeed again."""
        for call in CALLS:
            self._set(call, "first", _FOREVER)

    def failed(self, call):
        """Returns how many calls have failed."""
        return self._get(call, "failed")

    def set_clock_offset(self, seconds):
        """Sets the service's clock ahead of this machine's clock, or behind it."""
        struct.pack_into("=q", self._memory, self._size - 8, seconds)
