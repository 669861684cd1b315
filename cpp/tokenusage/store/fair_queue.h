// SPDX-License-Identifier: Apache-2.0

// A bounded queue in which one key's backlog does not delay another's items.
//
//   FairQueue<Batch> queue(/*max_space=*/64 << 20, /*quantum=*/1000);
//   if (!queue.TryPush(project, {bytes, records}, std::move(batch))) Refuse();
//   while (!queue.empty()) Store(queue.Pop());
//
// The keys take turns (deficit round robin): each turn adds `quantum` to the
// work that a key may take out. So a key with few and small items waits for
// about one quantum of each other key. Within a key the order is that of
// TryPush.

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

// Not thread-safe: the owner already has a lock.
template <typename Item>
class FairQueue {
 public:
  struct Cost {
    std::int64_t space = 0;  // counted against max_space, at least 0
    std::int64_t work = 0;   // counted against quantum, at least 0
  };

  // quantum must be at least 1.
  FairQueue(std::int64_t max_space, std::int64_t quantum)
      : max_space_(max_space), quantum_(quantum) {}

  // Returns false, and leaves `item` as it was, if it would take the queue
  // beyond max_space. An empty queue takes any item.
  bool TryPush(const std::string& key, Cost cost, Item&& item) {
    if (size_ > 0 && space_ + cost.space > max_space_) return false;
    const auto entry = lanes_.try_emplace(key).first;
    Lane& lane = entry->second;
    if (lane.items.empty()) {
      turns_.push_back(&*entry);
      lane.credit = quantum_;
    }
    lane.items.push_back({cost, std::move(item)});
    space_ += cost.space;
    ++size_;
    return true;
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::int64_t space() const { return space_; }

  // The following require that the queue is not empty.

  // Returns the work of the item that Pop would return.
  std::int64_t NextWork() { return NextLane().items.front().cost.work; }

  // Returns the key of the item that Pop would return, valid until Pop.
  const std::string& NextKey() {
    NextLane();
    return turns_.front()->first;
  }

  // Removes and returns the next item.
  Item Pop() {
    Lane& lane = NextLane();
    Entry entry = std::move(lane.items.front());
    lane.items.pop_front();
    lane.credit -= entry.cost.work;
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
    std::int64_t credit = 0;  // of work, in this turn
  };

  // Returns the lane whose turn it is. A lane whose credit does not cover its
  // next item goes to the end, with one more quantum.
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
