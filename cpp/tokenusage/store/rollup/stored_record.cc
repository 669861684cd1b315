// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/rollup/stored_record.h"

#include "absl/strings/str_cat.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage {
namespace {

bool Parse(std::string_view bytes, v1::UsageRecord* record) {
  return record->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

absl::Status DamagedError(std::string_view database, std::string_view what) {
  return absl::DataLossError(absl::StrCat("database ", ToAbsl(database),
                                          " is damaged: ", ToAbsl(what)));
}

absl::Status ReadStoredRecord(std::string_view database, std::string_view bytes,
                              v1::UsageRecord* record) {
  if (Parse(bytes, record)) return absl::OkStatus();
  return DamagedError(database, "a record cannot be read");
}

std::string CheckStoredRecord(std::string_view bytes,
                              std::string_view record_id,
                              std::int64_t event_time_nanos,
                              v1::UsageRecord* record) {
  if (!Parse(bytes, record)) return "it cannot be read";
  if (record->record_id() != record_id) {
    return absl::StrCat("its record_id is ", record->record_id(),
                        ", but it is stored under ", ToAbsl(record_id));
  }
  const std::int64_t own_time = NanosFromTimestamp(record->event_time());
  if (own_time != event_time_nanos) {
    return absl::StrCat("its event_time is ", own_time,
                        " ns, but it is stored under ", event_time_nanos);
  }
  return "";
}

}  // namespace tokenusage
