// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/generated_message.h"

namespace tokenusage {
namespace json_internal {

Registration::Bucket Registration::buckets_[kBuckets];

Registration::Registration(const std::type_info& type,
                           const GeneratedMessage& message)
    : type_(type), message_(message) {
  Bucket& bucket = BucketOf(type);
  next_ = bucket.load(std::memory_order_relaxed);
  while (!bucket.compare_exchange_weak(next_, this, std::memory_order_release,
                                       std::memory_order_relaxed)) {
  }
}

}  // namespace json_internal
}  // namespace tokenusage
