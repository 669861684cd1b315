// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing random messages and damaged documents.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "tests/json/messages.h"
#include "tests/support/seed.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/json/json.h"
#include "tokenusage/v1/options.pb.h"

namespace tokenusage {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using testing::Bits;
using testing::IsOk;

constexpr const char* kTypes[] = {
    "tokenusage.testing.Singular",
    "tokenusage.testing.Plain",
    "tokenusage.testing.Repeated",
    "tokenusage.testing.Maps",
    "tokenusage.testing.Choice",
    "tokenusage.testing.Tree",
    "tokenusage.testing.WireNames",
    "tokenusage.testing.Wide",
    "tokenusage.orq.v2.PostV2ProxyImagesEditsUsage",
    "tokenusage.v1.UsageRecord",
};

// Fills messages with random values of all kinds.
class Filler {
 public:
  explicit Filler(std::uint64_t seed) : random_(seed) {}

  void Fill(Message* message, int depth) {
    const Descriptor& type = *message->GetDescriptor();
    if (type.full_name() == "google.protobuf.Timestamp") {
      return FillTimestamp(message);
    }
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (field.is_repeated()) {
        for (int n = Below(4); n > 0; --n) Add(field, depth, message);
      } else if (IsNeeded(field) || Below(3) > 0) {
        Set(field, depth, message);
      }
    }
  }

  int Below(int bound) {
    return static_cast<int>(random_() % static_cast<std::uint64_t>(bound));
  }

 private:
  // Returns whether a message without the field could not be written.
  static bool IsNeeded(const FieldDescriptor& field) {
    return field.options().GetExtension(v1::required) ||
           field.containing_type()->options().map_entry();
  }

  double Double() {
    switch (Below(4)) {
      case 0:
        return Below(100000);
      case 1:
        return std::round(Below(1000000)) / 100;
      case 2:
        return -std::ldexp(1.0 + Below(1000), Below(200) - 100);
      default: {
        double value;
        const std::uint64_t bits = random_();
        std::memcpy(&value, &bits, sizeof(value));
        return std::isfinite(value) ? value : -0.0;
      }
    }
  }

  float Float() {
    const auto value = static_cast<float>(Below(1000000)) / 128;
    return Below(2) > 0 ? value : std::ldexp(value, Below(200) - 130);
  }

  std::uint64_t Integer() { return random_() >> Below(64); }

  std::string Text() {
    const char* const pieces[] = {
        "a",    "Z9",     "\"",     "\\",         "/", "\n", "\x01",
        "\x7F", "\u00fc", "\u20ac", "\U0001F600", "_", " "};
    std::string text;
    for (int n = Below(12); n > 0; --n) text += pieces[Below(13)];
    return text;
  }

  std::string String(const FieldDescriptor& field) {
    // Reflection does not compare the keys of the map entries that it adds, so
    // each key must be new.
    const bool is_key =
        field.containing_type()->options().map_entry() && field.number() == 1;
    if (is_key) return Text() + std::to_string(++keys_);
    if (field.type() == FieldDescriptor::TYPE_STRING) return Text();
    std::string bytes;
    for (int n = Below(12); n > 0; --n) bytes += static_cast<char>(Below(256));
    return bytes;
  }

  void FillTimestamp(Message* message) {
    const Descriptor& type = *message->GetDescriptor();
    const Reflection& reflection = *message->GetReflection();
    reflection.SetInt64(
        message, type.field(0),
        static_cast<std::int64_t>(random_() % 315537897600) - 62135596800);
    const int nanos[] = {0, 250000000, 1000, Below(1000000000)};
    reflection.SetInt32(message, type.field(1), nanos[Below(4)]);
  }

  void Set(const FieldDescriptor& field, int depth, Message* message);
  void Add(const FieldDescriptor& field, int depth, Message* message);

  std::mt19937_64 random_;
  int keys_ = 0;
};

void Filler::Set(const FieldDescriptor& field, int depth, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.SetDouble(message, &field, Double());
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection.SetFloat(message, &field, Float());
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(message, &field,
                                 static_cast<std::int32_t>(Integer()));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(message, &field,
                                 static_cast<std::int64_t>(Integer()));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(message, &field,
                                  static_cast<std::uint32_t>(Integer()));
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.SetUInt64(message, &field, Integer());
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(message, &field, Below(2) > 0);
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(message, &field, String(field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnum(
          message, &field,
          field.enum_type()->value(Below(field.enum_type()->value_count())));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (depth > 0 || IsNeeded(field)) {
        Fill(reflection.MutableMessage(message, &field), depth - 1);
      }
  }
}

void Filler::Add(const FieldDescriptor& field, int depth, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.AddDouble(message, &field, Double());
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection.AddFloat(message, &field, Float());
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.AddInt32(message, &field,
                                 static_cast<std::int32_t>(Integer()));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.AddInt64(message, &field,
                                 static_cast<std::int64_t>(Integer()));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.AddUInt32(message, &field,
                                  static_cast<std::uint32_t>(Integer()));
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.AddUInt64(message, &field, Integer());
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.AddBool(message, &field, Below(2) > 0);
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.AddString(message, &field, String(field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.AddEnum(
          message, &field,
          field.enum_type()->value(Below(field.enum_type()->value_count())));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (depth > 0) {
        Fill(reflection.AddMessage(message, &field), depth - 1);
      }
  }
}

TEST(RandomTest, WhatIsWrittenReadsBackBitForBit) {
  Filler filler(testing::TestSeed());
  for (int round = 0; round < 300; ++round) {
    for (const char* type : kTypes) {
      for (const auto& message : testing::NewMessages(type)) {
        filler.Fill(message.get(), 3);
        const absl::StatusOr<std::string> json = WriteJson(*message);
        ASSERT_THAT(json, IsOk()) << message->DebugString();
        const std::unique_ptr<Message> read(message->New());
        const absl::Status status = ParseJson(*json, read.get());
        ASSERT_THAT(status, IsOk()) << "\n" << *json;
        ASSERT_EQ(Bits(*read), Bits(*message)) << *json;
        ASSERT_EQ(WriteJson(*read).value_or(""), *json);
      }
    }
  }
}

TEST(RandomTest, ADamagedDocumentIsReadAsWrittenOrRefusedWhole) {
  Filler filler(testing::TestSeed());
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    for (const auto& message :
         testing::NewMessages(kTypes[filler.Below(std::size(kTypes))])) {
      filler.Fill(message.get(), 2);
      std::string json = WriteJson(*message).value_or("");
      ASSERT_FALSE(json.empty());
      const int at = filler.Below(static_cast<int>(json.size()));
      json[static_cast<std::size_t>(at)] =
          filler.Below(2) > 0 ? "{}[]\",:\\0-.e \n"[filler.Below(15)]
                              : static_cast<char>(filler.Below(256));
      const std::string before = Bits(*message);
      const absl::Status status = ParseJson(json, message.get());
      if (status.ok()) {
        const std::string again = WriteJson(*message).value_or("");
        ASSERT_THAT(ParseJson(again, message.get()), IsOk()) << json;
        ASSERT_EQ(WriteJson(*message).value_or(""), again) << json;
        continue;
      }
      ++refused;
      const std::optional<JsonError> error = GetJsonError(status);
      ASSERT_TRUE(error.has_value()) << status;
      ASSERT_LE(error->byte_offset, json.size()) << status;
      ASSERT_EQ(Bits(*message), before) << json;
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace tokenusage
