// SPDX-License-Identifier: Apache-2.0

#include "tests/store/model/model_test.h"

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/store/model/random_usage.h"
#include "tests/store/queries.h"
#include "tests/support/records.h"
#include "tokenusage/store/memory_store.h"

namespace tokenusage::testing {
namespace {

constexpr std::int64_t kHourNanos = 3'600'000'000'000;

std::int64_t FromEnvironment(const char* name, std::int64_t otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoll(value);
}

std::string TextOf(const UsageQueryPage& page) {
  std::string text;
  for (const UsageQueryRow& row : page.rows) {
    text += RowText(row) + " " + SumText(row.sum) + "\n";
  }
  return text + (page.has_more ? "more" : "end");
}

std::string TextOf(const v1::UsageRecord& record) {
  return record.DebugString();
}

std::string TextOf(const RecordPage& page) {
  std::string text;
  for (const v1::UsageRecord& record : page.records) text += TextOf(record);
  return text + (page.has_more ? "more" : "end");
}

std::string TextOf(const std::vector<AppendOutcome>& outcomes) {
  std::string text;
  for (const AppendOutcome& outcome : outcomes) {
    text += std::to_string(outcome.kind) + outcome.corrected_by + " ";
  }
  return text;
}

std::string TextOf(const Removal& removal) {
  return std::to_string(removal.record_count);
}

std::string TextOf(const Rebuild& rebuild) {
  return std::to_string(rebuild.record_count);
}

std::string TextOf(const CheckReport& report) {
  std::string text = std::to_string(report.record_count);
  for (const CheckProblem& problem : report.problems) {
    text += "\n" + DescribeProblem(problem);
  }
  return text;
}

std::string TextOf(const std::vector<ProjectRetention>& all) {
  std::string text;
  for (const ProjectRetention& one : all) {
    text += one.project;
    for (const absl::Time time : {one.horizon, one.oldest, one.newest}) {
      text += " " + absl::FormatTime(time);
    }
    text += "\n";
  }
  return text;
}

std::string TextOf(const std::vector<StoredProject>& all) {
  std::string text;
  for (const StoredProject& one : all) {
    text += one.name + " " + absl::FormatTime(one.horizon) + "\n";
  }
  return text;
}

// Returns an answer as text, or the code of an error: stores word errors
// differently.
template <typename T>
std::string AnswerText(const absl::StatusOr<T>& answer) {
  return answer.ok() ? TextOf(*answer)
                     : absl::StatusCodeToString(answer.status().code());
}

class Model {
 public:
  Model(const OpenFunction& open, const RollupLabels& labels)
      : open_(open), memory_(NewMemoryStore({labels})), store_(open()) {}

  // Runs a random operation on both stores. Returns false once their answers
  // differ.
  bool DoSomething();

  // Prints the number of operations of each kind, and the number of their
  // answers that were not errors.
  void PrintCounts() const;

 private:
  struct Choice {
    int weight;
    const char* name;
    void (Model::*operation)();
  };
  static const std::vector<Choice>& Choices();

  std::string Project() {
    return std::string(1, "pqr"[static_cast<std::size_t>(random_.Below(3))]);
  }

  void Append();
  void Query();
  void Get();
  void List();
  void Remove();
  void Delete();
  void DeleteRecords();
  void Check();
  void Rebuild();
  void SetLabels();
  void Projects();
  void ReadTimes();
  void MoveOn() { random_.MoveOn(random_.Below(4) * kHourNanos); }
  void OpenAgain();

  // Asks both stores the same question, and compares the answers.
  template <typename Ask>
  void Compare(Ask ask) {
    const auto expected = ask(memory_.get());
    if (expected.ok()) ++answered_[name_];
    const auto found = ask(store_.get());
    EXPECT_EQ(AnswerText(found), AnswerText(expected))
        << name_ << ", operation " << count_ << ": " << found.status();
  }

  const OpenFunction& open_;
  RandomUsage random_;
  std::unique_ptr<UsageStore> memory_;
  std::unique_ptr<UsageStore> store_;
  std::int64_t count_ = 0;
  const char* name_ = "";
  std::map<std::string, std::int64_t> done_;
  std::map<std::string, std::int64_t> answered_;
};

const std::vector<Model::Choice>& Model::Choices() {
  static const auto* const choices =
      new std::vector<Choice>{{300, "append", &Model::Append},
                              {300, "query", &Model::Query},
                              {250, "get", &Model::Get},
                              {120, "list", &Model::List},
                              {5, "remove", &Model::Remove},
                              {3, "delete", &Model::Delete},
                              {10, "delete records", &Model::DeleteRecords},
                              {5, "check", &Model::Check},
                              {3, "rebuild", &Model::Rebuild},
                              {2, "set labels", &Model::SetLabels},
                              {10, "projects", &Model::Projects},
                              {10, "times", &Model::ReadTimes},
                              {5, "move on", &Model::MoveOn},
                              {3, "open again", &Model::OpenAgain}};
  return *choices;
}

bool Model::DoSomething() {
  std::int64_t weights = 0;
  for (const Choice& choice : Choices()) weights += choice.weight;
  std::int64_t chosen = random_.Below(weights);
  for (const Choice& choice : Choices()) {
    chosen -= choice.weight;
    if (chosen >= 0) continue;
    name_ = choice.name;
    ++done_[name_];
    ++count_;
    (this->*choice.operation)();
    break;
  }
  return !::testing::Test::HasFailure();
}

void Model::PrintCounts() const {
  for (const auto& [name, count] : done_) {
    const auto answered = answered_.find(name);
    std::cout << name << ": " << count << ", answered "
              << (answered == answered_.end() ? 0 : answered->second) << "\n";
  }
}

void Model::Append() {
  const std::string project = Project();
  const auto batch = CheckedOf(random_.Batch());
  Compare([&](UsageStore* store) { return store->Append(project, batch); });
}

void Model::Query() {
  UsageQuery query = random_.Query();
  query.projects = {Project()};
  if (random_.Below(3) == 0) query.projects = {"r", "p", "none", "q"};
  for (;;) {
    Compare([&](UsageStore* store) { return store->Query(query); });
    const auto page = memory_->Query(query);
    if (!page.ok() || !page->has_more || random_.Below(4) == 0) return;
    query.after = PositionOf(query, page->rows.back());
  }
}

void Model::Get() {
  const std::string project = Project();
  const std::string id = random_.Id();
  Compare([&](UsageStore* store) { return store->GetRecord(project, id); });
}

void Model::List() {
  RecordQuery query;
  query.project = Project();
  query.window = random_.Window();
  query.page_size = static_cast<int>(1 + random_.Below(50));
  query.inconsistent_only = random_.Below(3) == 0;
  if (random_.Below(2) == 0) query.filters = random_.Filters();
  if (random_.Below(3) == 0) {
    query.after = RecordPosition{random_.Time(), random_.Id()};
  }
  Compare([&](UsageStore* store) { return store->ListRecords(query); });
}

void Model::Remove() {
  const std::string project = Project();
  const std::int64_t nanos =
      random_.start_nanos() + (random_.Below(30) - 6) * kHourNanos;
  Compare([&](UsageStore* store) {
    return store->maintenance()->RemoveRecordsBefore(
        project, absl::FromUnixNanos(nanos), CallLimits());
  });
}

void Model::Delete() {
  const std::string project = Project();
  Compare([&](UsageStore* store) {
    return store->maintenance()->DeleteProject(project, CallLimits());
  });
}

void Model::DeleteRecords() {
  RecordSelection selection;
  selection.project = Project();
  selection.window = random_.Window();
  if (random_.Below(3) == 0) {
    selection.record_ids = {random_.Id(), random_.Id(), random_.Id()};
  } else {
    selection.filters = random_.Filters();
  }
  const bool dry_run = random_.Below(4) == 0;
  Compare([&](UsageStore* store) {
    return store->maintenance()->DeleteRecords(selection, dry_run,
                                               CallLimits());
  });
}

void Model::Check() {
  Compare([](UsageStore* store) {
    return store->maintenance()->Check(CheckOptions());
  });
}

void Model::Rebuild() {
  Compare([](UsageStore* store) {
    return store->maintenance()->RebuildRollups(CallLimits());
  });
}

void Model::SetLabels() {
  const RollupLabels all[] = {{}, {"team"}, {"env", "team"}, {"env"}};
  const RollupLabels labels = all[random_.Below(4)];
  Compare([&](UsageStore* store) {
    return store->maintenance()->SetRollupLabels(labels, CallLimits());
  });
}

void Model::Projects() {
  Compare([](UsageStore* store) { return store->ListProjects(CallLimits()); });
}

void Model::ReadTimes() {
  Compare([](UsageStore* store) { return store->maintenance()->Retention(); });
}

void Model::OpenAgain() {
  store_.reset();
  store_ = open_();
}

}  // namespace

void RunModelTest(const OpenFunction& open, const RollupLabels& labels,
                  std::int64_t operations) {
  operations = FromEnvironment("TOKENUSAGE_MODEL_OPERATIONS", operations);
  Model model(open, labels);
  std::int64_t done = 0;
  while (done < operations && model.DoSomething()) ++done;
  std::cout << done << " of " << operations << " operations\n";
  model.PrintCounts();
}

}  // namespace tokenusage::testing
