// SPDX-License-Identifier: Apache-2.0

// Finds the usage in a response of an AI API, or in a stream of its events.
//
//   UsageExtractor extractor(*FindDialect("openai.chat"));
//   absl::StatusOr<Extraction> extraction = extractor.Extract(body);
//   if (!extraction.ok()) return extraction.status();  // says which member
//   for (v1::UsageRecord& record : extraction->records) Report(record);
//
// A stream, in chunks that may be cut anywhere:
//
//   while (Read(&chunk)) {
//     if (absl::Status status = extractor.Feed(chunk); !status.ok()) ...
//   }
//   absl::StatusOr<Extraction> extraction = extractor.Finish();
//
// The records lack event_time, and whatever their response does not state.
// docs/extraction.md lists the dialects, and says how each states its usage.

#ifndef TOKENUSAGE_EXTRACT_USAGE_EXTRACTOR_H_
#define TOKENUSAGE_EXTRACT_USAGE_EXTRACTOR_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/extract/dialect.h"
#include "tokenusage/extract/event_reader.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

namespace extract_internal {
class Collector;
}  // namespace extract_internal

// The outcome of reading a response.
struct Extraction {
  // One record for each model that did work, the response's own model first;
  // for dialects of sessions, one for each response. Never empty: if there is
  // no usage, the record says why (usage_unknown).
  //
  // Usage and operation are set, and the dialect's provider, if it has one. So
  // are model and record_id, if the response states them. record_id is the
  // response's id, with a suffix for further models. An id that is not a valid
  // record_id is left out.
  std::vector<v1::UsageRecord> records;

  // True if the usage covers the whole response. If the stream ended early, or
  // its last usage lacks a required member, the usage is what had been stated
  // until then.
  bool is_complete = true;

  // Why there is no usage. Not set if there is one.
  v1::UnknownUsageReason unknown_reason = v1::UNKNOWN_USAGE_REASON_UNSPECIFIED;

  // The member that the last usage lacks, in words. Empty if it lacks none.
  std::string detail;
};

// Reads the responses of one dialect, one after the other. Not thread-safe,
// except for concurrent calls of Extract.
class UsageExtractor {
 public:
  // The longest event of a stream.
  static constexpr std::size_t kMaxEventBytes =
      extract_internal::EventReader::kMaxEventBytes;  // 16 MiB

  // `dialect` must outlive the extractor.
  explicit UsageExtractor(const Dialect& dialect);
  ~UsageExtractor();

  // Returns the usage in a response's body, one JSON object. All of it is
  // checked, and nothing of it is kept; it is copied at most once, to explain
  // why no usage was found.
  //
  // Errors: INVALID_ARGUMENT if it is not valid JSON, or a count has another
  // type than the dialect's or is out of range. If the JSON or a type is wrong,
  // the status has a JsonError (json_error.h).
  absl::StatusOr<Extraction> Extract(std::string_view body) const;

  // Reads the next bytes of a stream: server-sent events, or lines that are
  // JSON objects, such as Ollama's, the payloads of AWS' events, or the
  // messages of a WebSocket. Events that cannot hold usage are not checked.
  // Memory is bounded by kMaxEventBytes.
  //
  // Errors: those of Extract. An event of more than kMaxEventBytes is an error,
  // too, and so is usage after the stream's end. After an error, nothing is
  // read before Finish.
  absl::Status Feed(std::string_view chunk);

  // Returns whether the stream has stated its end: more events are those of
  // another stream. Some dialects never state it.
  bool HasEnded() const;

  // Ends the stream and returns its usage, or the error of Feed. The next Feed
  // starts a new stream.
  absl::StatusOr<Extraction> Finish();

 private:
  const Dialect& dialect_;
  extract_internal::EventReader events_;
  std::unique_ptr<extract_internal::Collector> stream_;
  absl::Status status_;  // of the stream
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_EXTRACT_USAGE_EXTRACTOR_H_
