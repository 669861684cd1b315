// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/checked_record.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/record/same_content.h"
#include "tokenusage/v1/options.pb.h"

namespace tokenusage {
namespace {

using testing::CheckedOf;
using testing::IsOk;
using testing::Nanos;
using testing::ReceiveTime;
using testing::Time;
using testing::ValidRecord;

using Mutation = std::function<void(v1::UsageRecord*)>;

v1::RecordError ErrorOf(v1::UsageRecord record) {
  const auto batch = CheckedBatch::Of({std::move(record)}, ReceiveTime());
  EXPECT_EQ(batch->size() + batch->errors().size(), 1u);
  return batch->empty() ? batch->errors()[0] : v1::RecordError();
}

// Expects that the mutation breaks a rule.
void ExpectError(const Mutation& mutate, v1::RecordErrorReason reason,
                 const std::string& field, const std::string& in_message) {
  v1::UsageRecord record = ValidRecord();
  mutate(&record);
  const v1::RecordError error = ErrorOf(record);
  EXPECT_EQ(v1::RecordErrorReason_Name(error.reason()),
            v1::RecordErrorReason_Name(reason));
  EXPECT_EQ(error.field(), field);
  EXPECT_NE(error.message().find(in_message), std::string::npos)
      << error.message();
}

void ExpectAccepted(const Mutation& mutate) {
  v1::UsageRecord record = ValidRecord();
  mutate(&record);
  const v1::RecordError error = ErrorOf(record);
  EXPECT_EQ(error.ByteSizeLong(), 0) << error.message();
}

TEST(CheckedRecordTest, TakesAValidRecordAndSetsItsReceiveTime) {
  v1::UsageRecord record = ValidRecord();
  record.mutable_receive_time()->set_seconds(7);
  record.add_inconsistencies()->set_field("made up");
  record.mutable_receive_time()
      ->GetReflection()
      ->MutableUnknownFields(record.mutable_receive_time())
      ->AddVarint(9, 9);
  const v1::UsageRecord reported = record;
  const auto batch = CheckedOf({record}, Time("2026-08-01T12:00:01.5Z"));
  const CheckedRecord* checked = batch->begin();
  EXPECT_TRUE(SameContent(checked->record(), reported));
  EXPECT_FALSE(checked->record().has_receive_time());
  EXPECT_EQ(checked->record().inconsistencies_size(), 0);
  const v1::UsageRecord stored = checked->stored_record();
  EXPECT_TRUE(SameContent(stored, reported));
  EXPECT_EQ(stored.receive_time().seconds(), 1785585601);
  EXPECT_EQ(stored.receive_time().nanos(), 500000000);
  EXPECT_EQ(checked->event_time_nanos(), 1785585600000000001);
  EXPECT_FALSE(checked->too_far_ahead());
  EXPECT_EQ(checked->counts()[v1::USAGE_MEASURE_TOTAL_TOKENS].ToDecimal(),
            "8105.75");
  EXPECT_EQ(checked->counts()[v1::USAGE_MEASURE_INPUT_IMAGE_TOKENS].ToDecimal(),
            "1501.66");

  v1::UsageRecord read;
  ASSERT_TRUE(read.ParseFromString(checked->bytes()));
  EXPECT_EQ(read.SerializeAsString(), stored.SerializeAsString());
}

// The amounts of a batch's records share arrays in its arena.
TEST(CheckedRecordTest, KeepsTheCountsOfEachRecord) {
  std::vector<v1::UsageRecord> records;
  for (int i = 0; i < 300; ++i) {
    v1::UsageRecord& record = records.emplace_back(ValidRecord());
    record.set_record_id("id" + std::to_string(i));
    if (i % 3 == 0) {
      record.mutable_usage_unknown()->set_reason(
          v1::UNKNOWN_USAGE_REASON_ABSENT);
    } else if (i % 7 != 0) {
      record.mutable_token_usage()->set_input_tokens(i);
    }
  }
  records.push_back(ValidRecord());  // more counts than the one before
  const auto batch = CheckedOf(records);
  ASSERT_EQ(batch->size(), records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ((*batch)[i].counts(), CountRecord(records[i])) << i;
  }
  EXPECT_TRUE(CheckedOf({})->empty());
}

TEST(CheckedRecordTest, ChecksRecordIds) {
  constexpr auto kInvalid = v1::RECORD_ERROR_REASON_FIELD_INVALID;
  ExpectError([](auto* r) { r->clear_record_id(); },
              v1::RECORD_ERROR_REASON_FIELD_MISSING, "record_id", "required");
  for (const std::string id : {"a b", "a/b", "a\n", "\xff", "é", "a@"}) {
    ExpectError([&](auto* r) { r->set_record_id(id); }, kInvalid, "record_id",
                "1 to 255 characters of [A-Za-z0-9._:~-]");
  }
  ExpectError([](auto* r) { r->set_record_id(std::string(256, 'a')); },
              kInvalid, "record_id", "of 256 bytes");
  for (const std::string& id :
       {std::string(255, 'a'), std::string("Az09._:~-")}) {
    ExpectAccepted([&](auto* r) { r->set_record_id(id); });
  }
}

TEST(CheckedRecordTest, ErrorsNameTheRecordUnlessItsIdIsInvalid) {
  v1::UsageRecord record = ValidRecord();
  record.clear_operation();
  EXPECT_EQ(ErrorOf(record).record_id(), ValidRecord().record_id());
  record.set_record_id("not an id");
  EXPECT_EQ(ErrorOf(record).record_id(), "");
  EXPECT_EQ(ErrorOf(record).field(), "record_id");
}

TEST(CheckedRecordTest, ChecksEventTime) {
  constexpr auto kOutOfRange = v1::RECORD_ERROR_REASON_TIME_OUT_OF_RANGE;
  constexpr std::int64_t kNoSecond = std::numeric_limits<std::int64_t>::min();
  ExpectError([](auto* r) { r->clear_event_time(); },
              v1::RECORD_ERROR_REASON_FIELD_MISSING, "event_time", "required");
  for (const std::int32_t nanos : {-1, 1000000000}) {
    ExpectError([&](auto* r) { r->mutable_event_time()->set_nanos(nanos); },
                v1::RECORD_ERROR_REASON_FIELD_INVALID, "event_time",
                "from 0 to 999999999, found " + std::to_string(nanos));
  }
  for (const std::int64_t seconds :
       {std::int64_t{0}, kMinTimeSeconds - 1, kNoSecond,
        std::int64_t{9223372036}, std::numeric_limits<std::int64_t>::max()}) {
    ExpectError([&](auto* r) { r->mutable_event_time()->set_seconds(seconds); },
                kOutOfRange, "event_time", "2000-01-01T00:00:00Z");
  }
  ExpectAccepted([](auto* r) {
    r->mutable_event_time()->set_seconds(kMinTimeSeconds);
    r->mutable_event_time()->set_nanos(999999999);
  });
}

TEST(CheckedRecordTest, NotesWhetherTheTimeIsTooFarAhead) {
  const auto ahead = [](std::string_view event_time) {
    return (*CheckedOf({ValidRecord("id", Nanos(event_time))}))[0]
        .too_far_ahead();
  };
  EXPECT_FALSE(ahead("2030-01-01T00:05:00Z"));
  EXPECT_TRUE(ahead("2030-01-01T00:05:00.000000001Z"));
  EXPECT_TRUE(ahead("2262-04-11T00:00:00Z"));
}

TEST(CheckedRecordTest, ChecksNames) {
  constexpr auto kInvalid = v1::RECORD_ERROR_REASON_FIELD_INVALID;
  ExpectError([](auto* r) { r->clear_operation(); },
              v1::RECORD_ERROR_REASON_FIELD_MISSING, "operation", "required");
  const std::vector<std::pair<
      std::string, std::function<void(v1::UsageRecord*, std::string)>>>
      fields = {
          {"operation", [](auto* r, auto s) { r->set_operation(s); }},
          {"provider", [](auto* r, auto s) { r->set_provider(s); }},
          {"model", [](auto* r, auto s) { r->set_model(s); }},
      };
  for (const auto& [name, set_to] : fields) {
    const auto& set = set_to;
    for (const std::string& text :
         {std::string(129, 'x'), std::string("a\x1f"), std::string("\x7f"),
          std::string(1, '\0'), std::string("\xc3"),
          std::string("\xed\xa0\x80"), std::string("line\nbreak")}) {
      ExpectError([&](auto* r) { set(r, text); }, kInvalid, name,
                  "at most 128 bytes of UTF-8 without control characters");
    }
    ExpectAccepted([&](auto* r) { set(r, std::string(128, 'x')); });
    ExpectAccepted([&](auto* r) { set(r, "Größe \xc2\x80"); });
  }
  ExpectAccepted([](auto* r) {
    r->clear_provider();
    r->clear_model();
  });
}

TEST(CheckedRecordTest, ChecksLabels) {
  constexpr auto kInvalid = v1::RECORD_ERROR_REASON_FIELD_INVALID;
  const auto label = [](std::string key, std::string value) {
    return [=](v1::UsageRecord* r) { (*r->mutable_labels())[key] = value; };
  };
  const auto many = [](int count) {
    return [=](v1::UsageRecord* r) {
      for (int i = 0; i < count; ++i) {
        (*r->mutable_labels())["k" + std::to_string(i)] = "";
      }
    };
  };
  ExpectAccepted(many(16));
  ExpectError(many(17), kInvalid, "labels", "at most 16 labels, found 17");
  for (const std::string& key :
       {std::string(), std::string("Team"), std::string("1a"),
        std::string("a b"), std::string("_a"), std::string(64, 'a'),
        std::string("\xff")}) {
    ExpectError(label(key, "x"), kInvalid, "labels",
                "keys of [a-z][a-z0-9_.-]{0,62}");
  }
  ExpectAccepted(label(std::string(63, 'a'), std::string(256, 'v')));
  ExpectAccepted(label("team_1.x-y", ""));
  for (const std::string& value :
       {std::string(257, 'v'), std::string("\t"), std::string("\xff")}) {
    ExpectError(label("team", value), kInvalid, "labels.team",
                "at most 256 bytes");
  }
  // The first of several violations is always the same one.
  for (int i = 0; i < 20; ++i) {
    ExpectError(
        [&](auto* r) {
          for (char c = 'z'; c >= 'm'; --c) label({c}, "\n")(r);
        },
        kInvalid, "labels.m", "");
  }
}

TEST(CheckedRecordTest, ChecksThatTheUsageIsComplete) {
  constexpr auto kMissing = v1::RECORD_ERROR_REASON_FIELD_MISSING;
  ExpectError([](auto* r) { r->clear_usage(); }, kMissing, "usage", "required");
  ExpectError(
      [](auto* r) { r->mutable_orq_images_edits()->clear_total_tokens(); },
      kMissing, "orq_images_edits.total_tokens", "required");
  ExpectError(
      [](auto* r) {
        r->mutable_orq_images_edits()->clear_input_tokens_details();
      },
      kMissing, "orq_images_edits.input_tokens_details", "required");
  ExpectError(
      [](auto* r) {
        r->mutable_orq_images_edits()
            ->mutable_input_tokens_details()
            ->clear_text_tokens();
      },
      kMissing, "orq_images_edits.input_tokens_details.text_tokens",
      "required");
  ExpectError(
      [](auto* r) {
        r->mutable_orq_images_variations()->set_total_tokens(1);
        r->mutable_orq_images_variations()->set_input_tokens(1);
      },
      kMissing, "orq_images_variations.output_tokens", "required");
}

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;

// Returns a nested message, added if there is none; of a repeated field the
// first.
Message* MutablePart(Message* message, const FieldDescriptor* field) {
  const auto* reflection = message->GetReflection();
  if (!field->is_repeated()) return reflection->MutableMessage(message, field);
  return reflection->FieldSize(*message, field) == 0
             ? reflection->AddMessage(message, field)
             : reflection->MutableRepeatedMessage(message, field, 0);
}

Message* FindPart(v1::UsageRecord* record, const std::string& path) {
  Message* part = record;
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t end = std::min(path.find('.', start), path.size());
    part = MutablePart(part, part->GetDescriptor()->FindFieldByName(
                                 path.substr(start, end - start)));
    start = end + 1;
  }
  return part;
}

bool IsNumber(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE ||
         field->cpp_type() == FieldDescriptor::CPPTYPE_INT64;
}

void SetNumber(const FieldDescriptor* field, int number, Message* message) {
  const auto* reflection = message->GetReflection();
  const bool is_double = field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE;
  if (field->is_repeated()) {
    is_double ? reflection->AddDouble(message, field, number)
              : reflection->AddInt64(message, field, number);
  } else {
    is_double ? reflection->SetDouble(message, field, number)
              : reflection->SetInt64(message, field, number);
  }
}

// Sets every number, message and single enum. Stops at five levels, since types
// can contain themselves.
void Fill(Message* message, int depth = 0) {
  for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message->GetDescriptor()->field(i);
    if (field->message_type() != nullptr) {
      if (depth < 5) Fill(MutablePart(message, field), depth + 1);
    } else if (IsNumber(field)) {
      SetNumber(field, 1, message);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM &&
               !field->is_repeated()) {
      message->GetReflection()->SetEnumValue(message, field, 1);
    }
  }
}

// Expects errors for each required field that is missing in the message at
// `path`, and for each number that is out of range, while all other fields are
// set. `types` are the types of the messages around it, which are not checked
// again.
void ExpectAllChecked(const std::string& path, const Descriptor* type,
                      std::set<const Descriptor*> types = {}) {
  if (!types.insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const std::string field_path = path + "." + std::string(field->name());
    const std::string member = path.substr(0, path.find('.'));
    SCOPED_TRACE(field_path);
    const auto mutate = [&](const auto& change) {
      return [&, change](v1::UsageRecord* record) {
        Fill(FindPart(record, member));
        change(FindPart(record, path));
      };
    };
    const auto clear = mutate(
        [&](Message* part) { part->GetReflection()->ClearField(part, field); });
    if (field->options().GetExtension(v1::required)) {
      ExpectError(clear, v1::RECORD_ERROR_REASON_FIELD_MISSING, field_path, "");
    } else {
      ExpectAccepted(clear);
    }
    if (field->message_type() != nullptr) {
      ExpectAllChecked(field_path, field->message_type(), types);
    } else if (IsNumber(field)) {
      ExpectError(mutate([&](Message* part) { SetNumber(field, -1, part); }),
                  v1::RECORD_ERROR_REASON_COUNT_OUT_OF_RANGE, field_path, "");
      ExpectAccepted(mutate([&](Message* part) { SetNumber(field, 0, part); }));
    }
  }
}

TEST(CheckedRecordTest, ChecksEveryFieldOfEveryUsage) {
  const auto* usage = v1::UsageRecord::descriptor()->FindOneofByName("usage");
  for (int i = 0; i < usage->field_count(); ++i) {
    ExpectAllChecked(std::string(usage->field(i)->name()),
                     usage->field(i)->message_type());
  }
}

TEST(CheckedRecordTest, BoundsTheProvidersObject) {
  ExpectError([](auto* r) { r->set_usage_json(std::string(8193, ' ')); },
              v1::RECORD_ERROR_REASON_FIELD_INVALID, "usage_json",
              "at most 8192 bytes, found 8193");
  for (const std::string& text :
       {std::string(8192, ' '), std::string("not JSON\n\0\x7F", 11)}) {
    ExpectAccepted([&](auto* r) { r->set_usage_json(text); });
  }
}

TEST(CheckedRecordTest, AnUnknownUsageNeedsAReason) {
  constexpr auto kMissing = v1::RECORD_ERROR_REASON_FIELD_MISSING;
  ExpectError([](auto* r) { r->mutable_usage_unknown(); }, kMissing,
              "usage_unknown.reason", "");
  ExpectError(
      [](auto* r) {
        r->mutable_usage_unknown()->set_reason(
            v1::UNKNOWN_USAGE_REASON_UNSPECIFIED);
      },
      kMissing, "usage_unknown.reason", "");
  ExpectAccepted([](auto* r) {
    r->mutable_usage_unknown()->set_reason(v1::UNKNOWN_USAGE_REASON_NULL);
  });
}

TEST(CheckedRecordTest, ChecksCounts) {
  constexpr auto kOutOfRange = v1::RECORD_ERROR_REASON_COUNT_OUT_OF_RANGE;
  const auto image_tokens = [](double count) {
    return [=](v1::UsageRecord* r) {
      r->mutable_orq_images_edits()
          ->mutable_input_tokens_details()
          ->set_image_tokens(count);
    };
  };
  for (const double count :
       {std::nan(""), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity(), -1e-300, -5e-324,
        std::nextafter(kMaxCount, 1e300), 1e300}) {
    ExpectError(image_tokens(count), kOutOfRange,
                "orq_images_edits.input_tokens_details.image_tokens",
                "0 to 9007199254740992 (2^53)");
  }
  ExpectError(image_tokens(-2.5), kOutOfRange,
              "orq_images_edits.input_tokens_details.image_tokens",
              "found -2.5");
  for (const double count : {0.0, -0.0, 5e-324, kMaxCount}) {
    ExpectAccepted(image_tokens(count));
  }
}

Mutation UnknownField(int number) {
  return [number](v1::UsageRecord* r) {
    r->GetReflection()->MutableUnknownFields(r)->AddLengthDelimited(number,
                                                                    "x");
  };
}

TEST(CheckedRecordTest, RefusesWhatANewerReporterMeansOtherwise) {
  for (const int number : {12, 15}) {
    ExpectError(UnknownField(number),
                v1::RECORD_ERROR_REASON_CORRECTION_UNSUPPORTED, "",
                "field number " + std::to_string(number));
  }
  for (const int number : {18, 999}) {
    ExpectError(UnknownField(number),
                v1::RECORD_ERROR_REASON_USAGE_TYPE_UNSUPPORTED, "usage",
                "field number " + std::to_string(number));
    ExpectError(
        [&](auto* r) {
          r->clear_usage();
          UnknownField(number)(r);
        },
        v1::RECORD_ERROR_REASON_USAGE_TYPE_UNSUPPORTED, "usage", "");
  }
}

TEST(CheckedRecordTest, ACorrectionNamesAnotherRecord) {
  for (const char* id : {"a", "01982f7c-7b3a-7000-8000-00000000002b"}) {
    ExpectAccepted([id](auto* r) { r->set_corrects(id); });
    ExpectAccepted([id](auto* r) {  // a void
      r->set_corrects(id);
      r->clear_usage();
    });
  }
  ExpectError([](auto* r) { r->set_corrects("a b"); },
              v1::RECORD_ERROR_REASON_FIELD_INVALID, "corrects",
              "expected 1 to 255 characters of [A-Za-z0-9._:~-]");
  ExpectError([](auto* r) { r->set_corrects(std::string(256, 'a')); },
              v1::RECORD_ERROR_REASON_FIELD_INVALID, "corrects", "256 bytes");
  ExpectError([](auto* r) { r->set_corrects(r->record_id()); },
              v1::RECORD_ERROR_REASON_FIELD_INVALID, "corrects",
              "expected another record's id");
}

TEST(CheckedRecordTest, OnlyARecordThatIsNotCorrectedAndNoVoidCounts) {
  v1::UsageRecord record = ValidRecord();
  EXPECT_TRUE(Counts(record));
  record.set_corrects("a");
  EXPECT_TRUE(Counts(record));
  EXPECT_FALSE(IsVoid(record));
  record.set_corrected_by("b");
  EXPECT_FALSE(Counts(record));
  // Reporters cannot set corrected_by.
  EXPECT_EQ((*CheckedOf({record}))[0].record().corrected_by(), "");
  record.clear_corrected_by();
  record.clear_usage();
  EXPECT_FALSE(Counts(record));
  EXPECT_TRUE(IsVoid(record));
}

TEST(CheckedRecordTest, ANewerCorrectionIsNamedBeforeAnyOtherViolation) {
  ExpectError(
      [](auto* r) {
        r->clear_operation();
        r->clear_usage();
        UnknownField(12)(r);
      },
      v1::RECORD_ERROR_REASON_CORRECTION_UNSUPPORTED, "", "");
}

TEST(CheckedRecordTest, KeepsOtherUnknownFields) {
  v1::UsageRecord record = ValidRecord();
  UnknownField(1001)(&record);
  UnknownField(1000)(&record);
  auto* usage = record.mutable_orq_images_edits();
  usage->GetReflection()->MutableUnknownFields(usage)->AddVarint(12, 5);
  v1::UsageRecord read;
  ASSERT_TRUE(read.ParseFromString((*CheckedOf({record}))[0].bytes()));
  EXPECT_TRUE(SameContent(read, record));
  EXPECT_EQ(read.GetReflection()->GetUnknownFields(read).field_count(), 2);
}

TEST(CheckedRecordTest, TheFirstViolationInFieldOrderWins) {
  v1::UsageRecord record;  // everything is missing
  EXPECT_EQ(ErrorOf(record).field(), "record_id");
  record.set_record_id("id");
  EXPECT_EQ(ErrorOf(record).field(), "event_time");
  testing::SetEventTime(Nanos("2026-01-01T00:00:00Z"), &record);
  EXPECT_EQ(ErrorOf(record).field(), "operation");
  record.set_operation("op");
  record.set_provider("\n");
  record.set_model("\n");
  (*record.mutable_labels())["A"] = "";
  EXPECT_EQ(ErrorOf(record).field(), "provider");
  record.clear_provider();
  EXPECT_EQ(ErrorOf(record).field(), "model");
  record.clear_model();
  EXPECT_EQ(ErrorOf(record).field(), "labels");
  record.clear_labels();
  EXPECT_EQ(ErrorOf(record).field(), "usage");
}

TEST(CheckedRecordTest, RepeatsAtMostFortyCharactersOfAValue) {
  v1::UsageRecord record = ValidRecord();
  record.set_model(std::string(500, 'm'));
  const std::string message = ErrorOf(record).message();
  EXPECT_NE(message.find(std::string(40, 'm')), std::string::npos);
  EXPECT_EQ(message.find(std::string(41, 'm')), std::string::npos);
}

TEST(CheckProjectTest, ChecksTheName) {
  for (const std::string& project :
       {std::string("a"), std::string("0"), std::string("my-project_1.x"),
        std::string(63, 'a')}) {
    EXPECT_THAT(CheckProject(project), IsOk()) << project;
  }
  for (const std::string& project :
       {std::string(), std::string("-a"), std::string("A"), std::string("a/b"),
        std::string("."), std::string(64, 'a'), std::string("a\n"),
        std::string("ä")}) {
    const absl::Status status = CheckProject(project);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.ToString().find("[a-z0-9][a-z0-9._-]{0,62}"),
              std::string::npos);
  }
}

TEST(CheckRecordIdTest, ChecksTheId) {
  EXPECT_THAT(CheckRecordId("abc:1"), IsOk());
  EXPECT_EQ(CheckRecordId("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckRecordId("a b").code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tokenusage
