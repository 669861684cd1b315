// SPDX-License-Identifier: Apache-2.0

// A bounded queue in which no key waits for the mass of another.
//
//   FairQueue<Batch> queue(/*max_space=*/64 << 20, /*quantum=*/1000);
//   if (!queue.TryPush(project, {bytes, records}, std::move(batch))) Refuse();
//   while (!queue.empty()) Store(queue.Pop());
//
// The keys take turns (deficit round robin): in its turn a key may take out
// items of up to `quantum` together, so that a key with few and small items
// waits for at most one quantum of each other one. Within a key the order is
// that of TryPush.

#ifndef TOKENUSAGE_STORE_FAIR_QUEUE_H_
#define TOKENUSAGE_STORE_FAIR_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

namespace tokenusage {

// Not thread-safe: its owner has a lock already.
template <typename Item>
class FairQueue {
 public:
  struct Cost {
    std::int64_t space = 0;  // counted against max_space, at least 0
    std::int64_t work = 0;   // counted against quantum, at least 0
  };

  // A key may hold as much of max_space as is still free: one key alone half of
  // it, two a third each, and so on. An item that is larger is taken where the
  // queue is empty. quantum must be at least 1.
  FairQueue(std::int64_t max_space, std::int64_t quantum)
      : max_space_(max_space), quantum_(quantum) {}

  // False, and `item` as it was, where there is no room for it.
  bool TryPush(const std::string& key, Cost cost, Item&& item) {
    const auto entry = lanes_.try_emplace(key).first;
    Lane& lane = entry->second;
    const std::int64_t free = max_space_ - space_;
    if (size_ > 0 && lane.space + cost.space > free) {
      if (lane.items.empty()) lanes_.erase(entry);
      return false;
    }
    if (lane.items.empty()) {
      turns_.push_back(&*entry);
      lane.credit = quantum_;
    }
    lane.items.push_back({cost, std::move(item)});
    lane.space += cost.space;
    space_ += cost.space;
    ++size_;
    return true;
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::int64_t space() const { return space_; }

  // The work of the item that Pop would give. Not to be called where the queue
  // is empty.
  std::int64_t NextWork() { return NextLane().items.front().cost.work; }

  // The key of the item that Pop would give, valid until Pop. Not to be called
  // where the queue is empty.
  const std::string& NextKey() {
    NextLane();
    return turns_.front()->first;
  }

  // The next item. Not to be called where the queue is empty.
  Item Pop() {
    Lane& lane = NextLane();
    Entry entry = std::move(lane.items.front());
    lane.items.pop_front();
    lane.credit -= entry.cost.work;
    lane.space -= entry.cost.space;
    space_ -= entry.cost.space;
    --size_;
    if (lane.items.empty()) {
      lanes_.erase(lanes_.find(turns_.front()->first));
      turns_.pop_front();
    }
    return std::move(entry.item);
  }

 private:
  struct Entry {
    Cost cost;
    Item item;
  };
  struct Lane {
    std::deque<Entry> items;
    std::int64_t space = 0;
    std::int64_t credit = 0;  // of work, in this turn
  };

  // The lane whose turn it is. A lane whose credit does not do for its next
  // item goes to the end, with a quantum more.
  Lane& NextLane() {
    for (;;) {
      Lane& lane = turns_.front()->second;
      // Alone, a lane neither saves credit nor runs into debt.
      if (turns_.size() == 1) lane.credit = quantum_;
      if (lane.credit >= lane.items.front().cost.work || turns_.size() == 1) {
        return lane;
      }
      lane.credit += quantum_;
      turns_.splice(turns_.end(), turns_, turns_.begin());
    }
  }

  const std::int64_t max_space_;
  const std::int64_t quantum_;
  std::int64_t space_ = 0;
  std::size_t size_ = 0;
  std::unordered_map<std::string, Lane> lanes_;  // none of them empty
  std::list<typename decltype(lanes_)::pointer> turns_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_FAIR_QUEUE_H_
