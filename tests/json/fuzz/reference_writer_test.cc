// SPDX-License-Identifier: Apache-2.0
//
// Tests the reference writer on the golden documents, and on messages that it
// refuses.

#include "tests/json/fuzz/reference_writer.h"

#include <limits>
#include <string>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/json/goldens.h"
#include "tests/json/kinds.pb.h"
#include "tests/json/messages.h"

namespace tokenusage {
namespace testing {
namespace {

TEST(ReferenceWriterTest, WritesTheGoldenDocuments) {
  int written = 0;
  for (const Golden& golden : ReadGoldens()) {
    if (!golden.error.empty()) continue;
    for (const auto& message : NewMessages(golden.message_type)) {
      ASSERT_TRUE(::google::protobuf::TextFormat::ParseFromString(
          golden.message_text, message.get()));
      EXPECT_EQ(ReferenceWrite(*message).value_or("") + "\n", golden.written)
          << golden.name;
      ++written;
    }
  }
  EXPECT_GE(written, 40);
}

TEST(ReferenceWriterTest, RefusesWhatHasNoEncoding) {
  Singular singular;
  singular.set_a_double(std::numeric_limits<double>::infinity());
  EXPECT_EQ(ReferenceWrite(singular), std::nullopt);
  singular.set_a_double(1);
  singular.mutable_a_point();
  EXPECT_EQ(ReferenceWrite(singular), std::nullopt);
  singular.mutable_a_point()->set_x(1e21);
  singular.set_a_color(static_cast<Color>(99));
  EXPECT_EQ(ReferenceWrite(singular), std::nullopt);
  singular.set_a_color(COLOR_RED);
  singular.set_a_string("\xFF");
  EXPECT_EQ(ReferenceWrite(singular), std::nullopt);
  singular.set_a_string("\x7F\x1F");
  singular.mutable_a_time()->set_seconds(253402300800);
  EXPECT_EQ(ReferenceWrite(singular), std::nullopt);
  singular.mutable_a_time()->set_seconds(253402300799);
  EXPECT_EQ(ReferenceWrite(singular).value_or(""),
            "{\"a_double\":1,\"a_string\":\"\x7F\\u001f\",\"a_color\":"
            "\"COLOR_RED\",\"a_point\":{\"x\":1e+21},\"a_time\":"
            "\"9999-12-31T23:59:59Z\"}");
  Tree tree;
  Tree* leaf = &tree;
  for (int depth = 1; depth < 100; ++depth) leaf = leaf->mutable_child();
  EXPECT_TRUE(ReferenceWrite(tree).has_value());
  leaf->mutable_child();
  EXPECT_EQ(ReferenceWrite(tree), std::nullopt);
}

}  // namespace
}  // namespace testing
}  // namespace tokenusage
