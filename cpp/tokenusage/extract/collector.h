// SPDX-License-Identifier: Apache-2.0

// Collects the usage, the id and the model of one response. Only for the files
// of this folder.

#ifndef TOKENUSAGE_EXTRACT_COLLECTOR_H_
#define TOKENUSAGE_EXTRACT_COLLECTOR_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/extract/dialect.h"
#include "tokenusage/extract/layout.h"
#include "tokenusage/extract/usage_extractor.h"
#include "tokenusage/internal/response_head.pb.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage::extract_internal {

class Collector {
 public:
  explicit Collector(const Dialect& dialect);

  // Reads a whole response.
  absl::Status ReadBody(std::string_view json);

  // Reads an event of a stream, or "[DONE]".
  absl::Status ReadEvent(std::string_view json);

  // Finds the first event that must be read, as EventFinder says.
  std::size_t FindEventToRead(std::string_view bytes) const;

  // Returns whether an event has stated that it is the last one.
  bool has_ended() const { return has_ended_; }

  // Returns what was found. Nothing can be read after that.
  Extraction Conclude();

 private:
  using Head = internal::ResponseHead;

  // The number of events that are read for the response's id and model; later
  // events are read for them only if they have usage.
  static constexpr int kMaxHeadEvents = 8;

  // Reads the usage of the first place that has one into the record. Returns
  // that place, or null. `is_body` says whether `json` is a whole response:
  // then it is likely to have usage at the first place.
  absl::StatusOr<const Place*> TakeUsage(std::string_view json,
                                         const std::vector<Place>& places,
                                         bool is_body);
  absl::StatusOr<bool> TakeUsageAt(std::string_view json, const Place& place);
  // Returns an error if the place states other counts than `taken`, the place
  // whose usage was read into the record.
  absl::Status CheckSame(std::string_view json, const Place& place,
                         const Place& taken) const;
  absl::Status TakeToolUsage(std::string_view json, const Place& place);
  absl::Status TakeHead(std::string_view json, std::string_view path,
                        Head* head);
  // Reads the rest of an event that has usage.
  absl::Status FinishEvent(std::string_view json, const Place& place);
  absl::Status CheckId(const Place& place, const Head& head) const;
  absl::Status CheckEnd(std::string_view json);
  bool IsIdentified() const;
  // Returns whether events without usage are read for the id and the model.
  bool NeedsHead() const { return head_events_ > 0 && !IsIdentified(); }
  // Returns whether the usage counts anything; drops it if not.
  bool HasCounts();
  // Closes the record, and those of further models with it.
  void FinishRecord();
  v1::UnknownUsageReason ReasonOfNoUsage() const;

  const Dialect& dialect_;
  const Layout& layout_;
  v1::UsageRecord record_;                      // of the usage so far
  std::optional<v1::UsageRecord> tool_record_;  // of the tools beside it
  std::vector<v1::UsageRecord> records_;        // those that are closed
  std::unique_ptr<::google::protobuf::Message> later_;  // one event's usage
  bool has_usage_ = false;                              // in record_
  bool is_final_ = false;   // the last usage covers the whole stream: see Final
  bool has_ended_ = false;  // nothing follows
  bool saw_null_ = false;
  std::string incomplete_;            // what a usage lacked
  int head_events_ = kMaxHeadEvents;  // that may still be read
};

}  // namespace tokenusage::extract_internal

#endif  // TOKENUSAGE_EXTRACT_COLLECTOR_H_
