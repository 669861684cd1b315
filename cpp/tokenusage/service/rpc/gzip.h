// SPDX-License-Identifier: Apache-2.0

// Compresses and uncompresses messages in the gzip format (RFC 1952).
//
//   GzipReader reader(/*max_bytes=*/1 << 20);
//   TOKENUSAGE_RETURN_IF_ERROR(reader.Add(part));
//   TOKENUSAGE_ASSIGN_OR_RETURN(std::string message, reader.Finish());

#ifndef TOKENUSAGE_SERVICE_RPC_GZIP_H_
#define TOKENUSAGE_SERVICE_RPC_GZIP_H_

#include <zlib.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tokenusage {

// Returns whether `bytes` start with gzip's two magic bytes.
bool StartsLikeGzip(std::string_view bytes);

// Uncompresses one message. Unpacks at most 16 KiB beyond `max_bytes`, whatever
// the message claims to hold. Not thread-safe.
class GzipReader {
 public:
  explicit GzipReader(std::size_t max_bytes);
  ~GzipReader();

  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  // Adds the next compressed bytes. After an error, add no more.
  //
  // Errors: INVALID_ARGUMENT with REQUEST_TOO_LARGE if the message has more
  // than `max_bytes`; with REQUEST_MALFORMED if the bytes are not gzip, or
  // follow the end of the message.
  absl::Status Add(std::string_view bytes);

  // Returns the message. Errors: INVALID_ARGUMENT with REQUEST_MALFORMED if it
  // is not complete.
  absl::StatusOr<std::string> Finish();

 private:
  const std::size_t max_bytes_;
  z_stream stream_ = {};
  bool is_complete_ = false;
  std::string message_;
};

// Compresses `bytes`, quickly rather than well.
std::string Gzip(std::string_view bytes);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_GZIP_H_
