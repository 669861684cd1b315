// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/usage_query.h"

namespace tokenusage {

std::string EncodeGroupKey(const GroupKey& key) {
  std::string bytes;
  for (const std::optional<std::string>& value : key) {
    if (!value) {
      bytes.push_back('\0');
      continue;
    }
    bytes.push_back('\1');
    bytes += *value;
    bytes.push_back('\0');
  }
  return bytes;
}

}  // namespace tokenusage
