// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/identity/identity_set.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tokenusage {
namespace {

using testing::IsOk;
using ::testing::Not;

std::string HashOf(const std::string& token) {
  return "sha256:" + HexOf(DigestOf(token));
}

TEST(IdentitySetTest, KnowsCallersByTokenAndByCertificate) {
  const auto set = IdentitySet::Parse(
      "# a comment\n"
      "\n"
      "gateway demo,web report " +
      HashOf("one") + "\n" + "  gateway\tdemo,web  report " + HashOf("two") +
      "  \r\n" +
      "finance * query,report uri:spiffe://example.com/finance\n"
      "batch demo query dns:batch.example.com\n"
      "old demo query cn:old-client");
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->size(), 5u);
  for (const char* token : {"one", "two"}) {
    const auto caller = set->FindByToken(token);
    ASSERT_NE(caller, nullptr);
    EXPECT_EQ(caller->name, "gateway");
    EXPECT_EQ(caller->projects,
              (std::set<std::string, std::less<>>{"demo", "web"}));
    EXPECT_EQ(caller->roles, std::set<Role>{Role::kReport});
  }
  const auto finance =
      set->FindByCertificate("uri:spiffe://example.com/finance");
  ASSERT_NE(finance, nullptr);
  EXPECT_EQ(finance->roles, (std::set<Role>{Role::kReport, Role::kQuery}));
  EXPECT_THAT(finance->CheckAccess("anything", Role::kQuery), IsOk());
  EXPECT_NE(set->FindByCertificate("dns:batch.example.com"), nullptr);
  EXPECT_NE(set->FindByCertificate("cn:old-client"), nullptr);
}

TEST(IdentitySetTest, KnowsNobodyElse) {
  const auto set = IdentitySet::Parse("a demo query " + HashOf("one") +
                                      "\nb demo query dns:b.example.com");
  ASSERT_THAT(set, IsOk());
  for (const std::string& token :
       {std::string(), std::string("one "), std::string("On"), HashOf("one"),
        HexOf(DigestOf("one")), std::string("one\0", 4)}) {
    EXPECT_EQ(set->FindByToken(token), nullptr) << token;
  }
  for (const char* name :
       {"b.example.com", "cn:b.example.com", "dns:B.example.com", "dns:", ""}) {
    EXPECT_EQ(set->FindByCertificate(name), nullptr) << name;
  }
}

TEST(IdentitySetTest, ComparesWholeDigests) {
  TokenDigest digest = DigestOf("one");
  for (std::size_t i = 8; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(~digest[i]);
  }
  const auto set =
      IdentitySet::Parse("a demo query sha256:" + HexOf(digest) + "\n");
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->FindByToken("one"), nullptr);
}

TEST(IdentitySetTest, NamesTheLineThatIsWrongButNoCredential) {
  const std::string good = "a demo query " + HashOf("one") + "\n";
  // A token in place of the credential.
  const std::string secret = NewToken();
  for (const std::string& bad : std::vector<std::string>{
           "a demo query " + secret, secret + " demo query",
           "a " + secret + " query cn:b", "a demo " + secret + " cn:b",
           "a demo query sha256:" + secret, "a demo query cn:",
           std::string("a demo query"), std::string("a demo query cn:b c"),
           std::string("a Demo query cn:b"), std::string("a demo, query cn:b"),
           std::string("a demo read cn:b"), std::string("a\"b demo query cn:b"),
           std::string(129, 'x') + " demo query cn:b",
           "b demo query " + HashOf("one")}) {
    const auto set = IdentitySet::Parse(good + bad);
    ASSERT_THAT(set, Not(IsOk())) << bad;
    EXPECT_EQ(set.status().code(), absl::StatusCode::kInvalidArgument);
    const std::string message(set.status().message());
    EXPECT_EQ(message.substr(0, 8), "line 2: ") << message;
    EXPECT_EQ(message.find(secret.substr(11, 8)), std::string::npos) << message;
  }
}

// Such as a file that is being written: a reload would lock out all callers.
TEST(IdentitySetTest, RefusesAFileWithoutIdentities) {
  for (const char* text : {"", "\n", "# gateway demo report", "\n # \n"}) {
    EXPECT_EQ(IdentitySet::Parse(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(IdentitySetTest, FormatsWhatItReads) {
  const TokenDigest digest = DigestOf("one");
  const auto line = FormatIdentity("gateway", "demo,web", "report", digest);
  ASSERT_THAT(line, IsOk());
  const auto set = IdentitySet::Parse(*line);
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->FindByToken("one")->name, "gateway");
  for (const char* name :
       {"", "a b", "#a", "a\nb demo query cn:b\nc", "a\tb"}) {
    EXPECT_THAT(FormatIdentity(name, "demo", "query", digest), Not(IsOk()))
        << name;
  }
  EXPECT_THAT(FormatIdentity("a", "Demo", "query", digest), Not(IsOk()));
  EXPECT_THAT(FormatIdentity("a", "demo", "admin", digest), Not(IsOk()));
}

}  // namespace
}  // namespace tokenusage
