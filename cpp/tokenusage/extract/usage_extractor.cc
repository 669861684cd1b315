// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/extract/usage_extractor.h"

#include <optional>
#include <utility>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/extract/collector.h"
#include "tokenusage/json/json_error.h"

namespace tokenusage {

using extract_internal::Collector;
using extract_internal::EventReader;

UsageExtractor::UsageExtractor(const Dialect& dialect) : dialect_(dialect) {}
UsageExtractor::~UsageExtractor() = default;

absl::StatusOr<Extraction> UsageExtractor::Extract(
    std::string_view body) const {
  Collector response(dialect_);
  TOKENUSAGE_RETURN_IF_ERROR(response.ReadBody(body));
  return response.Conclude();
}

absl::Status UsageExtractor::Feed(std::string_view chunk) {
  if (stream_ == nullptr) stream_ = std::make_unique<Collector>(dialect_);
  if (status_.ok()) {
    status_ = events_.Feed(
        chunk,
        [this](std::string_view bytes) {
          return stream_->FindEventToRead(bytes);
        },
        [this](std::string_view event) { return stream_->ReadEvent(event); });
  }
  return status_;
}

bool UsageExtractor::HasEnded() const {
  return stream_ != nullptr && stream_->has_ended();
}

absl::StatusOr<Extraction> UsageExtractor::Finish() {
  const std::unique_ptr<Collector> stream =
      stream_ != nullptr ? std::move(stream_)
                         : std::make_unique<Collector>(dialect_);
  const std::string last =
      std::exchange(events_, EventReader()).TakeUnfinished();
  absl::Status status = std::exchange(status_, absl::OkStatus());
  if (status.ok() && !last.empty()) {
    status = stream->ReadEvent(last);
    const std::optional<JsonError> error = GetJsonError(status);
    const bool is_cut = error && error->kind == JsonError::Kind::kSyntax;
    if (is_cut) status = absl::OkStatus();
  }
  if (!status.ok()) return status;
  return stream->Conclude();
}

}  // namespace tokenusage
