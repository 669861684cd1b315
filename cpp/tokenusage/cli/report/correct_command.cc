// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/client.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/input.h"
#include "tokenusage/cli/report/delivery.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/times.h"
#include "tokenusage/json/json.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/record_rules.h"
#include "tokenusage/record/same_content.h"
#include "tokenusage/record/usage_sum.h"
#include "tokenusage/record/usage_totals.h"

namespace tokenusage {
namespace {

constexpr char kCorrectFooter[] = R"(
The input is JSON Lines: one record per line, as `tokenusage list` prints it, with the id
of the record whose place it takes as "corrects", and its usage. What a line leaves out of
event_time, operation, provider, model and labels is that of the corrected record;
record_id is by default the corrected one's and "~corrected". Correcting a file again is
safe: each correction is stored once.

Examples:
  tokenusage correct --project=demo --dry-run corrections.jsonl
  echo '{"corrects":"call-1","token_usage":{"input_tokens":100}}' |
    tokenusage correct --project=demo)";

constexpr char kVoidFooter[] = R"(
The records are kept, but no longer count. The void of a record is a record whose id is
that one's and "~void". Voiding a record again is safe: it is stored once.

Examples:
  tokenusage void --project=demo --dry-run call-1 call-2
  tokenusage void --project=demo --ids=ids.txt)";

// Limits of ReportUsage, less what the request adds to its records.
constexpr int kMaxBatchRecords = 1000;
constexpr std::size_t kMaxBatchBytes = 900'000;
constexpr std::size_t kMaxLineBytes = 1 << 20;

struct CorrectFlags {
  ServiceFlags service;
  bool dry_run = false;
  std::string file;                     // lines of records, or of ids
  std::vector<std::string> record_ids;  // to void
};

// Collects the totals that change, by day of UTC and series.
class Changes {
 public:
  // Counts `correction` in place of `corrected`.
  void Replace(const v1::UsageRecord& corrected,
               const v1::UsageRecord& correction) {
    if (Counts(correction)) {
      sums_[KeyOf(correction)].Add(CountRecord(correction));
    }
    if (Counts(corrected)) {
      sums_[KeyOf(corrected)].Subtract(CountRecord(corrected));
    }
  }

  // Returns the changes as a table; empty if there are none.
  std::string Format() const {
    MeasureSet measures;
    for (const auto& [key, sum] : sums_) measures.Add(sum.measures());
    std::vector<std::vector<std::string>> cells = {
        {"day", "operation", "provider", "model", "records"}};
    measures.ForEach(
        [&](v1::UsageMeasure measure) { cells[0].push_back(NameOf(measure)); });
    for (const auto& [key, sum] : sums_) {
      if (sum.record_count == 0 && sum.measures().empty()) continue;
      const auto& [day, operation, provider, model] = key;
      std::vector<std::string>& row = cells.emplace_back();
      row = {day, operation, provider, model, absl::StrCat(sum.record_count)};
      measures.ForEach([&row, &sum = sum](v1::UsageMeasure measure) {
        const MeasureSum* const part = sum.Find(measure);
        row.push_back(part == nullptr ? "-" : part->amount.ToDecimal());
      });
    }
    if (cells.size() == 1) return "";
    return FormatTable(cells, /*first_number_column=*/4);
  }

 private:
  // The day, operation, provider and model.
  using Key = std::tuple<std::string, std::string, std::string, std::string>;

  static Key KeyOf(const v1::UsageRecord& record) {
    // Escaped, so that a value cannot control the terminal.
    const auto escape = [](const std::string& text) {
      return Excerpt(text, /*max_chars=*/SIZE_MAX);
    };
    return {absl::FormatTime("%Y-%m-%d", ToTime(record.event_time()),
                             absl::UTCTimeZone()),
            escape(record.operation()), escape(record.provider()),
            escape(record.model())};
  }

  std::map<Key, UsageSum> sums_;
};

// Sends corrections in batches, or determines what they would change.
class Corrector {
 public:
  Corrector(const CorrectFlags& flags, const ConnectionOptions& connection)
      : dry_run_(flags.dry_run), client_(connection) {
    request_.set_project(flags.service.project);
  }

  // Adds a correction. Fields that it leaves out are taken from the record that
  // it corrects; an id that it leaves out is that record's id and `suffix`.
  // `where` says where the correction is from. Fails only if the service does.
  absl::Status Add(const std::string& where, std::string_view suffix,
                   v1::UsageRecord correction) {
    if (correction.corrects().empty()) {
      return Refuse(where, "corrects: expected a record's id, found none");
    }
    const absl::Status valid = CheckRecordId(correction.corrects());
    if (!valid.ok()) return Refuse(where, valid.message());
    // A record in the batch must be stored before it can be found.
    if (IsInBatch(correction.corrects())) {
      TOKENUSAGE_RETURN_IF_ERROR(Send());
    }
    auto corrected = Find(correction.corrects());
    if (absl::IsNotFound(corrected.status())) {
      return Refuse(where, corrected.status().message());
    }
    TOKENUSAGE_RETURN_IF_ERROR(corrected.status());
    Complete(*corrected, suffix, &correction);
    if (dry_run_) {
      return Try(where, *std::move(corrected), std::move(correction));
    }
    if (request_.records_size() == kMaxBatchRecords ||
        request_.ByteSizeLong() + correction.ByteSizeLong() > kMaxBatchBytes) {
      TOKENUSAGE_RETURN_IF_ERROR(Send());
    }
    *request_.add_records() = std::move(correction);
    wheres_.push_back(where);
    return absl::OkStatus();
  }

  // Counts a refused correction, and prints why. Returns OK.
  absl::Status Refuse(const std::string& where, absl::string_view why) {
    ++refused_;
    PrintError(absl::StrCat(where, ": ", why));
    return absl::OkStatus();
  }

  // Sends the batch, unless it is empty.
  absl::Status Send() {
    if (request_.records_size() == 0) return absl::OkStatus();
    TOKENUSAGE_ASSIGN_OR_RETURN(const v1::ReportUsageResponse response,
                                client_.Report(request_));
    stored_ += response.stored_count();
    duplicate_ += response.duplicate_count();
    for (const v1::RecordError& error : response.errors()) {
      TOKENUSAGE_RETURN_IF_ERROR(
          Refuse(wheres_[static_cast<std::size_t>(error.index())],
                 DescribeRecordError(error)));
    }
    request_.clear_records();
    wheres_.clear();
    return absl::OkStatus();
  }

  // Prints what was done, or would be done.
  void PrintSummary() const {
    if (dry_run_) PrintData(changes_.Format());
    PrintData(absl::StrCat(dry_run_ ? "would store " : "stored ", stored_,
                           ", duplicate ", duplicate_, ", refused ", refused_,
                           "\n"));
  }

  bool refused_any() const { return refused_ > 0; }

 private:
  bool IsInBatch(const std::string& record_id) const {
    return std::any_of(request_.records().begin(), request_.records().end(),
                       [&](const v1::UsageRecord& record) {
                         return record.record_id() == record_id;
                       });
  }

  // Returns a stored record; in a dry run, one that would be.
  absl::StatusOr<v1::UsageRecord> Find(const std::string& record_id) {
    const auto tried = tried_.find(record_id);
    if (tried != tried_.end()) return tried->second;
    v1::GetUsageRecordRequest get;
    get.set_project(request_.project());
    get.set_record_id(record_id);
    TOKENUSAGE_ASSIGN_OR_RETURN(v1::GetUsageRecordResponse found,
                                client_.Get(get));
    return std::move(*found.mutable_record());
  }

  static void Complete(const v1::UsageRecord& corrected,
                       std::string_view suffix, v1::UsageRecord* correction) {
    if (correction->record_id().empty()) {
      correction->set_record_id(corrected.record_id() + std::string(suffix));
    }
    if (!correction->has_event_time()) {
      *correction->mutable_event_time() = corrected.event_time();
    }
    if (correction->operation().empty()) {
      correction->set_operation(corrected.operation());
    }
    if (correction->provider().empty()) {
      correction->set_provider(corrected.provider());
    }
    if (correction->model().empty()) correction->set_model(corrected.model());
    if (correction->labels().empty()) {
      *correction->mutable_labels() = corrected.labels();
    }
  }

  // Determines what the service would do, and what would change. Checks what it
  // checks, in the same order.
  absl::Status Try(const std::string& where, v1::UsageRecord corrected,
                   v1::UsageRecord correction) {
    correction.clear_corrected_by();  // the service ignores it
    if (const auto error = CheckRecord(correction, CountRecord(correction))) {
      return Refuse(where, DescribeRecordError(*error));
    }
    const auto known = Find(correction.record_id());
    if (known.ok()) return TryAgain(where, *known, correction);
    if (!absl::IsNotFound(known.status())) return known.status();
    const std::string& other = corrected.corrected_by();
    if (!other.empty()) {
      return Refuse(where, absl::StrCat("it is corrected by \"", Excerpt(other),
                                        "\" already: correct that one"));
    }
    changes_.Replace(corrected, correction);
    ++stored_;
    corrected.set_corrected_by(correction.record_id());
    tried_[corrected.record_id()] = corrected;
    tried_[correction.record_id()] = correction;
    return absl::OkStatus();
  }

  // Does the same for a correction whose id is that of a record already.
  absl::Status TryAgain(const std::string& where, const v1::UsageRecord& known,
                        const v1::UsageRecord& correction) {
    if (!SameContent(known, correction)) {
      return Refuse(where,
                    absl::StrCat("record_id: expected a new id or the same "
                                 "content, found a record with this id that "
                                 "differs in ",
                                 Excerpt(FirstDifference(known, correction))));
    }
    ++duplicate_;
    return absl::OkStatus();
  }

  const bool dry_run_;
  UsageClient client_;
  v1::ReportUsageRequest request_;   // the batch
  std::vector<std::string> wheres_;  // its records are from
  Changes changes_;                  // of a dry run
  // The records that a dry run would store or correct, by id, as they would be.
  std::map<std::string, v1::UsageRecord> tried_;
  std::int64_t stored_ = 0;
  std::int64_t duplicate_ = 0;
  std::int64_t refused_ = 0;
};

// Calls `each(where, line)` with each line of a file that is not blank. Refuses
// lines that are too long.
template <typename Each>
absl::Status ForEachLine(const std::string& file, Corrector* corrector,
                         const Each& each) {
  TOKENUSAGE_ASSIGN_OR_RETURN(Input input, Input::Open(file));
  std::string line;
  for (std::int64_t number = 1;; ++number) {
    const std::string where = absl::StrCat(input.name(), ":", number);
    const absl::StatusOr<bool> more = input.ReadLine(kMaxLineBytes, &line);
    if (absl::IsOutOfRange(more.status())) {
      TOKENUSAGE_RETURN_IF_ERROR(
          corrector->Refuse(where, more.status().message()));
      continue;
    }
    TOKENUSAGE_RETURN_IF_ERROR(more.status());
    if (!*more) return absl::OkStatus();
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (text.empty()) continue;
    TOKENUSAGE_RETURN_IF_ERROR(each(where, std::string(text)));
  }
}

absl::Status CorrectAll(const CorrectFlags& flags, Corrector* corrector) {
  const auto correct = [&](const std::string& where, const std::string& line) {
    v1::UsageRecord correction;
    const absl::Status parsed = ParseJson(line, &correction, {/*strict=*/true});
    if (!parsed.ok()) return corrector->Refuse(where, parsed.message());
    if (correction.usage_case() == v1::UsageRecord::USAGE_NOT_SET) {
      return corrector->Refuse(where,
                               "usage: expected it, found none: use "
                               "tokenusage void to take a record back");
    }
    return corrector->Add(where, "~corrected", std::move(correction));
  };
  return ForEachLine(flags.file, corrector, correct);
}

absl::Status VoidAll(const CorrectFlags& flags, Corrector* corrector) {
  const auto take_back = [&](const std::string& where, const std::string& id) {
    v1::UsageRecord correction;
    correction.set_corrects(id);
    return corrector->Add(where, "~void", std::move(correction));
  };
  for (const std::string& id : flags.record_ids) {
    TOKENUSAGE_RETURN_IF_ERROR(take_back(id, id));
  }
  if (flags.file.empty()) return absl::OkStatus();
  return ForEachLine(flags.file, corrector, take_back);
}

ExitCode Run(const CorrectFlags& flags,
             absl::Status (*add_all)(const CorrectFlags&, Corrector*)) {
  const auto connection = ReadConnection(flags.service);
  if (!connection.ok()) return Finish(connection.status());
  Corrector corrector(flags, *connection);
  absl::Status status = add_all(flags, &corrector);
  // If a line cannot be read, the lines before it are stored all the same.
  status.Update(corrector.Send());
  corrector.PrintSummary();
  if (!status.ok()) return Finish(status);
  return corrector.refused_any() ? kExitBadInput : kExitOk;
}

CLI::App* AddCommand(CLI::App* app, const char* name, const char* about,
                     const char* footer, CorrectFlags* flags) {
  CLI::App* command = AddSubcommand(app, name, about, footer);
  AddServiceFlags(command, &flags->service);
  command->add_flag("--dry-run", flags->dry_run,
                    "Store nothing; show how totals would change, by day of "
                    "UTC, operation, provider and model");
  return command;
}

}  // namespace

Command AddCorrectCommand(CLI::App* app) {
  auto flags = std::make_shared<CorrectFlags>();
  CLI::App* command =
      AddCommand(app, "correct",
                 "Replace records that are wrong, from a file of JSON Lines",
                 kCorrectFooter, flags.get());
  AddFileArgument(command, &flags->file);
  return {command, [flags] { return Run(*flags, &CorrectAll); }};
}

Command AddVoidCommand(CLI::App* app) {
  auto flags = std::make_shared<CorrectFlags>();
  CLI::App* command =
      AddCommand(app, "void", "Void records, so that they no longer count",
                 kVoidFooter, flags.get());
  command->add_option("--ids", flags->file,
                      "A file with one id per line; - is standard input");
  command->add_option("RECORD_ID", flags->record_ids, "The records' ids");
  return {command, [flags] {
            if (flags->record_ids.empty() && flags->file.empty()) {
              return FinishLocal(absl::InvalidArgumentError(
                  "RECORD_ID: expected an id or --ids, found neither"));
            }
            return Run(*flags, &VoidAll);
          }};
}

}  // namespace tokenusage
