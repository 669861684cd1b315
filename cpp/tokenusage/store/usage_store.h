// SPDX-License-Identifier: Apache-2.0

// The interface to stored usage records. One contract test suite
// (tests/store/contract/usage_store_contract.h) holds every store to it.
//
//   std::unique_ptr<UsageStore> store = NewMemoryStore();
//   auto batch = CheckedBatch::Of(records, absl::Now());
//   absl::StatusOr<std::vector<AppendOutcome>> outcomes =
//       store->Append("my-project", batch);
//
// Records are appended once and never changed; a later record may correct one,
// which then no longer counts. Operators can remove old records, whose totals
// stay, and delete selected records and whole projects: see StoreMaintenance.

#ifndef TOKENUSAGE_STORE_USAGE_STORE_H_
#define TOKENUSAGE_STORE_USAGE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/store/rollup_options.h"
#include "tokenusage/store/store_maintenance.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// The outcome for one record of a batch.
struct AppendOutcome {
  // All but kStored and kDuplicate mean that nothing of the record was kept.
  // Those from kTooFarAhead on also mean that no record with its id is stored;
  // if several of them apply, the first is the outcome.
  enum Kind {
    kStored,         // new, and durable
    kDuplicate,      // already stored with the same content, and durable
    kConflict,       // already stored with different content, which stays
    kTooFarAhead,    // CheckedRecord::too_far_ahead
    kBeforeHorizon,  // event_time is before the horizon
    kCorrectedRecordNotFound,  // `corrects` names no record of the project
    kAlreadyCorrected,         // another record corrects the same one
    kCardinalityLimit,         // would exceed RollupOptions::max_series
  };

  // Implicit: most outcomes are only a kind.
  // NOLINTNEXTLINE(google-explicit-constructor)
  AppendOutcome(Kind outcome, std::string other = "")
      : kind(outcome), corrected_by(std::move(other)) {}

  Kind kind;
  std::string corrected_by;  // for kAlreadyCorrected: the id of that record

  // For kConflict: the field in which the content differs; see FirstDifference.
  // For people, and not compared.
  std::string differing_field;

  friend bool operator==(const AppendOutcome& a, const AppendOutcome& b) {
    return a.kind == b.kind && a.corrected_by == b.corrected_by;
  }
  friend bool operator!=(const AppendOutcome& a, const AppendOutcome& b) {
    return !(a == b);
  }
  // For tests.
  friend std::ostream& operator<<(std::ostream& out, const AppendOutcome& a) {
    return out << a.kind << ' ' << a.corrected_by;
  }
};

// Returns kDuplicate or kConflict for a record whose id is taken.
AppendOutcome CompareContent(const v1::UsageRecord& stored,
                             const v1::UsageRecord& reported);

// One outcome per record in the batch's order, or the reason why the outcomes
// are unknown.
using AppendResult = absl::StatusOr<std::vector<AppendOutcome>>;
using AppendCallback = std::function<void(AppendResult)>;

// A store's backlog, and its size on disk.
struct StoreStats {
  std::int64_t queued_batches = 0;  // not yet part of a commit
  std::int64_t queued_bytes = 0;    // their memory, estimated
  std::int64_t size_bytes = 0;      // on disk, or 0 if unknown
};

// Idempotency: the pair of project and record_id is the key. A batch may be
// appended again after any outcome, and is counted once.
//
// Consistency: the id, the record, its share of the totals and what it corrects
// become durable and visible together. A read that starts after an append was
// answered sees it. At every moment, totals equal the sums over the records
// that count, to the last digit, and do not depend on the order or grouping of
// appends.
//
// Performance: many concurrent appends share one commit. Reads do not block
// appends, with one exception: see SqliteStoreOptions::log_bytes.
//
// Thread safety: all methods may be called from any thread at any time.
//
// Every method may return:
//  - UNAVAILABLE: the store failed (disk full, I/O error, connection lost);
//    trying again may help. An append's outcome is then unknown.
//  - DATA_LOSS: the store found that its data is damaged.
class UsageStore {
 public:
  // Finishes and answers the appends accepted before, then closes the store.
  virtual ~UsageStore() = default;

  UsageStore(const UsageStore&) = delete;
  UsageStore& operator=(const UsageStore&) = delete;

  // Stores the records that are new and calls `done` once, from any thread,
  // possibly before this returns; `done` must not block and must not call the
  // store. The records of one batch are never spread over several commits.
  // Within a batch the earlier record wins. Does not wait for the disk. `batch`
  // must not be null, and is dropped once the append is answered.
  //
  // Errors: as above, and those that say that nothing was stored:
  //  - RESOURCE_EXHAUSTED: too much is queued;
  //  - DEADLINE_EXCEEDED, CANCELLED: if `limits` is reached while the batch is
  //    queued; a batch that has been started is always finished.
  virtual void AppendAsync(std::string project,
                           std::shared_ptr<const CheckedBatch> batch,
                           CallLimits limits, AppendCallback done) = 0;

  // Does the same without limits, and waits for the answer.
  AppendResult Append(std::string project,
                      std::shared_ptr<const CheckedBatch> batch);

  // Returns a page of totals, from one snapshot of each project.
  //
  // Errors: as above; DEADLINE_EXCEEDED or CANCELLED by its limits;
  // FAILED_PRECONDITION if it needs records before a project's horizon: see
  // CheckHorizon in query_plan.h; OUT_OF_RANGE if it has more than
  // kMaxOrderedRows rows to order.
  virtual absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query) = 0;

  // Returns the record as it was reported, with receive_time set, and
  // corrected_by if it is corrected.
  //
  // Errors: as above, and NOT_FOUND.
  virtual absl::StatusOr<v1::UsageRecord> GetRecord(
      std::string_view project, std::string_view record_id) = 0;

  // Returns a page of records, each as GetRecord does, from one snapshot.
  //
  // Errors: as above; DEADLINE_EXCEEDED or CANCELLED by its limits;
  // FAILED_PRECONDITION if the window starts before the horizon.
  virtual absl::StatusOr<RecordPage> ListRecords(const RecordQuery& query) = 0;

  // Returns all projects that have, or had, records, by the bytes of their
  // names.
  //
  // Errors: as above; DEADLINE_EXCEEDED or CANCELLED by its limits.
  virtual absl::StatusOr<std::vector<StoredProject>> ListProjects(
      const CallLimits& limits) = 0;

  // Returns OK if appends would be stored now. May write a little, but changes
  // no data. Polled after a failure until the store recovers.
  //
  // Errors: as above.
  virtual absl::Status CheckWritable() { return absl::OkStatus(); }

  // Returns the key that authenticates page tokens. It is random and belongs to
  // the database, so that every process that opens it has the same. Empty if
  // the data does not outlive the store.
  virtual std::string page_token_key() const { return ""; }

  // Returns statistics for metrics. Does not wait.
  virtual StoreStats Stats() const { return {}; }

  // Returns the operations for operators, which live as long as the store; null
  // if it has none.
  virtual StoreMaintenance* maintenance() { return nullptr; }

 protected:
  UsageStore() = default;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_USAGE_STORE_H_
