// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/record_log.h"

namespace tokenusage {
namespace {

// Tags of ReportUsageRequest: the field's number and the wire type of bytes.
constexpr char kProjectTag = (1 << 3) | 2;
constexpr char kRecordsTag = (2 << 3) | 2;
constexpr std::size_t kMaxTagBytes = 6;  // with the length

void AppendLength(std::size_t length, std::string* out) {
  while (length >= 0x80) {
    out->push_back(static_cast<char>(length | 0x80));
    length >>= 7;
  }
  out->push_back(static_cast<char>(length));
}

std::size_t TakeLength(std::string_view* in) {
  std::size_t length = 0;
  int shift = 0;
  while (true) {
    const auto byte = static_cast<unsigned char>(in->front());
    in->remove_prefix(1);
    length |= static_cast<std::size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return length;
    shift += 7;
  }
}

}  // namespace

void AppendRecord(std::string_view record, Batch* batch) {
  batch->records.push_back(kRecordsTag);
  AppendLength(record.size(), &batch->records);
  batch->records.append(record);
  ++batch->count;
}

bool HasRoom(const Batch& batch, std::size_t record_bytes,
             const BatchLimits& limits) {
  return batch.count == 0 ||
         (batch.count < limits.max_records &&
          batch.records.size() + kMaxTagBytes + record_bytes <=
              limits.max_bytes);
}

std::vector<std::string_view> RecordsOf(const Batch& batch) {
  std::vector<std::string_view> records;
  std::string_view rest = batch.records;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t length = TakeLength(&rest);
    records.push_back(rest.substr(0, length));
    rest.remove_prefix(length);
  }
  return records;
}

std::string EncodeRequest(std::string_view project, const Batch& batch) {
  std::string request;
  request.reserve(kMaxTagBytes + project.size() + batch.records.size());
  request.push_back(kProjectTag);
  AppendLength(project.size(), &request);
  request.append(project);
  request.append(batch.records);
  return request;
}

}  // namespace tokenusage
