// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/usage_query.h"

namespace tokenusage {

std::string EncodeGroupKey(const GroupKey& key) {
  std::string encoded;
  for (const std::optional<std::string>& value : key) {
    AppendGroupValue(value, &encoded);
  }
  return encoded;
}

void AppendGroupValue(std::optional<std::string_view> value, std::string* key) {
  if (value) {
    key->push_back('\1');
    *key += *value;
  }
  key->push_back('\0');
}

GroupKey DecodeGroupKey(std::string_view encoded) {
  GroupKey key;
  while (!encoded.empty()) {
    const bool has_value = encoded.front() == '\1';
    const std::size_t end = encoded.find('\0');
    has_value ? key.emplace_back(std::string(encoded.substr(1, end - 1)))
              : key.emplace_back();
    encoded.remove_prefix(end + 1);
  }
  return key;
}

std::optional<Amount> RowOrder::RankOf(const UsageSum& sum) const {
  if (measure == v1::USAGE_MEASURE_UNSPECIFIED) {
    return Amount::FromInteger(sum.record_count);
  }
  const MeasureSum* const found = sum.Find(measure);
  if (found == nullptr) return std::nullopt;
  return found->amount;
}

RowPosition PositionOf(const UsageQuery& query, const UsageQueryRow& row) {
  return {row.bucket.start_nanos, EncodeGroupKey(row.key),
          query.order ? query.order->RankOf(row.sum) : std::nullopt};
}

}  // namespace tokenusage
