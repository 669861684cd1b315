// Fewer system calls for a commit.
//
// SQLite writes each page of a commit to the write-ahead log by two calls, one
// for 24 bytes that describe it. A commit of 25 records takes 22. Here what is
// written to the log is collected, as long as it is in one piece, and goes to
// the system before anything that could tell the difference: reading the log,
// its size, or a sync.
//
// Only for connections with synchronous=FULL: these sync the log before they
// show others what was committed. What is not synced, no one else reads.

#ifndef TOKENUSAGE_STORE_SQLITE_WAL_BUFFER_H_
#define TOKENUSAGE_STORE_SQLITE_WAL_BUFFER_H_

namespace tokenusage {

// The name under which SQLite knows it, for sqlite3_open_v2: the default VFS
// with the above. Null where it could not be set up; that means the default
// VFS. Thread-safe.
const char* WalBufferVfs();

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_WAL_BUFFER_H_
