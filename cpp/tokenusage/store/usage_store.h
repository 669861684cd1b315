// SPDX-License-Identifier: Apache-2.0

// Where usage records live: the interface that every store implements and that
// one contract test suite (tests/store/usage_store_contract.h) holds all of
// them to.
//
//   std::unique_ptr<UsageStore> store = NewMemoryStore();
//   auto batch = CheckedBatch::Of(records, absl::Now());
//   absl::StatusOr<std::vector<AppendOutcome>> outcomes =
//       store->Append("my-project", batch);
//
// Usage is appended once and for good: no record can be changed. Operators can
// remove old records, whose totals stay, and whole projects.

#ifndef TOKENUSAGE_STORE_USAGE_STORE_H_
#define TOKENUSAGE_STORE_USAGE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/store/store_maintenance.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// The most distinct (operation, provider, model) of one project.
inline constexpr int kMaxSeriesPerProject = 10000;

// What became of one record of a batch. All but kStored and kDuplicate mean
// that nothing of the record was kept.
enum class AppendOutcome {
  kStored,            // new, and durable
  kDuplicate,         // there already with the same content, and durable
  kConflict,          // there already with different content, which stays
  kTooFarAhead,       // CheckedRecord::too_far_ahead, and not there already
  kBeforeHorizon,     // event_time is before Horizon(), and not there already
  kCardinalityLimit,  // would be the project's series number
                      // kMaxSeriesPerProject + 1, and is not there already
};

// What is appended. The store drops it once the append is answered.
using BatchPointer = std::shared_ptr<const CheckedBatch>;

// One outcome per record in the batch's order, or why the outcome is unknown.
using AppendResult = absl::StatusOr<std::vector<AppendOutcome>>;
using AppendCallback = std::function<void(AppendResult)>;

// What a store has to do, and what it takes.
struct StoreStats {
  std::int64_t queued_batches = 0;  // not yet taken into a commit
  std::int64_t queued_bytes = 0;    // their memory, estimated
  std::int64_t size_bytes = 0;      // on disk, or 0 where that is not known
};

// Idempotency: the pair of project and record_id is the key. A batch may be
// appended again after any outcome, and is counted once.
//
// Consistency: the id, the record and its share of the totals become durable
// and visible together. A read that starts after an append was answered sees
// it. Totals equal the sums over the records at every moment, to the last
// digit, and do not depend on the order or grouping of appends.
//
// Performance: many concurrent appends share one commit. Reads never block
// appends.
//
// Thread safety: all methods may be called from any thread at any time.
//
// Errors, of every method:
//  - UNAVAILABLE: the store failed (disk full, I/O error, connection lost);
//    trying again may help. An append's outcome is then unknown.
//  - DATA_LOSS: the store found that its data is damaged.
class UsageStore {
 public:
  // Closes the store. Appends that were accepted before are finished and
  // answered.
  virtual ~UsageStore() = default;

  UsageStore(const UsageStore&) = delete;
  UsageStore& operator=(const UsageStore&) = delete;

  // Stores the records that are new and calls `done` once, from any thread,
  // maybe before this returns; `done` must not block and must not call the
  // store. The records of one batch are never spread over several commits.
  // Within a batch the earlier record wins. Does not wait for the disk. `batch`
  // must not be null.
  //
  // Errors: as above, and those that say that nothing was stored:
  //  - RESOURCE_EXHAUSTED: too much is queued;
  //  - DEADLINE_EXCEEDED, CANCELLED: by `limits`, while the batch was queued.
  //    Once the store has begun with a batch, it ends it.
  virtual void AppendAsync(std::string project, BatchPointer batch,
                           CallLimits limits, AppendCallback done) = 0;

  // The same without limits, waiting for the answer.
  AppendResult Append(std::string project, BatchPointer batch);

  // A page of totals, from one snapshot.
  //
  // Errors: as above; DEADLINE_EXCEEDED or CANCELLED by its limits;
  // FAILED_PRECONDITION where it needs records before Horizon(): see
  // CheckHorizon in query_plan.h.
  virtual absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query) = 0;

  // The record as it was reported, with receive_time set.
  //
  // Errors: as above, and NOT_FOUND.
  virtual absl::StatusOr<v1::UsageRecord> GetRecord(
      std::string_view project, std::string_view record_id) = 0;

  // A page of records, from one snapshot.
  //
  // Errors: as above; DEADLINE_EXCEEDED or CANCELLED by its limits;
  // FAILED_PRECONDITION where the window starts before Horizon().
  virtual absl::StatusOr<RecordPage> ListRecords(const RecordQuery& query) = 0;

  // OK when appends would be stored now. May write a little, but changes
  // nothing. What a store that failed is asked until it has recovered.
  //
  // Errors: as above.
  virtual absl::Status CheckWritable() { return absl::OkStatus(); }

  // For metrics. Does not wait.
  virtual StoreStats Stats() const { return {}; }

  // ----------------------------------------------------------- for operators
  //
  // Errors: as above; DEADLINE_EXCEEDED or CANCELLED by their limits; and
  // UNIMPLEMENTED by a store that is none but for a test.

  // Records before this instant were removed, and their totals kept: a whole
  // hour of UTC, or absl::InfinitePast() where none ever were. Never moves
  // back.
  virtual absl::StatusOr<absl::Time> Horizon();

  // The latest event_time of any record; absl::InfinitePast() where there are
  // none.
  virtual absl::StatusOr<absl::Time> NewestRecordTime();

  // Moves the horizon to `horizon`, or leaves it where it is later already, and
  // removes the records before it in small steps between which appends go on.
  // Totals stay, and so do the series of a project.
  //
  // Once the horizon has moved, which is durable before the first record goes,
  // no read sees a record before it. Where this is cut short, by its limits, an
  // error or the end of the process, the next call goes on from there. An id is
  // free again when its record has gone.
  //
  // Errors: as above; INVALID_ARGUMENT unless `horizon` is a whole hour from
  // 2000-01-01 to 2200-01-01.
  virtual absl::StatusOr<Removal> RemoveRecordsBefore(absl::Time horizon,
                                                      const CallLimits& limits);

  // Compares the store with itself, from one snapshot: whether its files are
  // whole, and whether every sum that it keeps of the time from the horizon on
  // is that of the records. Changes nothing. What it finds is in the report;
  // it fails only where it could not look.
  virtual absl::StatusOr<CheckReport> Check(const CheckOptions& options);

  // Makes all sums of the time from the horizon on anew from the records, in
  // one transaction. Appends wait meanwhile.
  //
  // Errors: as above, in particular DATA_LOSS where a record cannot be read.
  virtual absl::StatusOr<Rebuild> RebuildRollups(const CallLimits& limits);

  // Removes a project with its records, totals, series and name, as if it had
  // never been. It goes at once for all who read; what it held is then removed
  // in small steps. Where this is cut short, call it again. The project may be
  // reported to again at any time, and begins empty.
  //
  // Errors: as above, and NOT_FOUND.
  virtual absl::StatusOr<Removal> DeleteProject(std::string_view project,
                                                const CallLimits& limits);

 protected:
  UsageStore() = default;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_USAGE_STORE_H_
