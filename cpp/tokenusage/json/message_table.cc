#include "tokenusage/json/message_table.h"

namespace tokenusage {
namespace json_internal {

TableRegistration::Bucket TableRegistration::buckets_[kBuckets];

TableRegistration::TableRegistration(const std::type_info& type,
                                     const MessageTable& table)
    : type_(type), table_(table) {
  Bucket& bucket = BucketOf(type);
  next_ = bucket.load(std::memory_order_relaxed);
  while (!bucket.compare_exchange_weak(next_, this, std::memory_order_release,
                                       std::memory_order_relaxed)) {
  }
}

}  // namespace json_internal
}  // namespace tokenusage
