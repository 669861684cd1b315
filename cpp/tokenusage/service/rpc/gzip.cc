// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/gzip.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "tokenusage/rpc/error_info.h"
#include "tokenusage/service/rpc/request_checks.h"

namespace tokenusage {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib: 16 more means gzip's header
constexpr int kMemoryLevel = 8;       // zlib's default

Bytef* BytesOf(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

absl::Status NotGzip(const char* found) {
  return ErrorWithInfo(
      absl::StatusCode::kInvalidArgument, "REQUEST_MALFORMED",
      std::string("the request: expected one gzip member, found ") + found +
          "; nothing was stored");
}

}  // namespace

bool StartsLikeGzip(std::string_view bytes) {
  return bytes.substr(0, 2) == "\x1f\x8b";
}

GzipReader::GzipReader(std::size_t max_bytes) : max_bytes_(max_bytes) {
  if (inflateInit2(&stream_, kGzipWindow) != Z_OK) abort();  // out of memory
}

GzipReader::~GzipReader() { inflateEnd(&stream_); }

absl::Status GzipReader::Add(std::string_view bytes) {
  std::array<char, 16 << 10> part;
  stream_.next_in = BytesOf(bytes);
  stream_.avail_in = static_cast<uInt>(bytes.size());
  do {
    if (is_complete_) {
      return stream_.avail_in == 0 ? absl::OkStatus() : NotGzip("more bytes");
    }
    stream_.next_out = reinterpret_cast<Bytef*>(part.data());
    stream_.avail_out = static_cast<uInt>(part.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      return NotGzip("other bytes");
    }
    is_complete_ = result == Z_STREAM_END;
    message_.append(part.data(), part.size() - stream_.avail_out);
    if (message_.size() > max_bytes_) {
      return RequestTooLargeError(max_bytes_, message_.size());
    }
  } while (stream_.avail_in > 0 || stream_.avail_out == 0);
  return absl::OkStatus();
}

absl::StatusOr<std::string> GzipReader::Finish() {
  if (!is_complete_) return NotGzip("a part of one");
  return std::move(message_);
}

std::string Gzip(std::string_view bytes) {
  z_stream stream = {};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    abort();  // out of memory
  }
  std::string packed(deflateBound(&stream, static_cast<uLong>(bytes.size())),
                     '\0');
  stream.next_in = BytesOf(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = BytesOf(packed);
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);  // the bound is enough for all of it
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace tokenusage
