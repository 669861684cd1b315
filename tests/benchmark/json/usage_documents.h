// SPDX-License-Identifier: Apache-2.0
//
// Usage objects as gateways see them: values differ from one to the next, and
// optional members come and go as they do on the wire.
//
//   for (const std::string& json : MakeUsageDocuments(UsageSet::kGemini)) ...

#ifndef TOKENUSAGE_TESTS_BENCHMARK_JSON_USAGE_DOCUMENTS_H_
#define TOKENUSAGE_TESTS_BENCHMARK_JSON_USAGE_DOCUMENTS_H_

#include <cstddef>
#include <string>
#include <vector>

namespace tokenusage {

enum class UsageSet {
  kOpenAiChat,          // members come and go
  kOpenAiChatFull,      // every member is present
  kOpenAiChatIndented,  // kOpenAiChat, indented over several lines
  kOpenAiResponses,
  kAnthropic,  // nested objects, strings, nulls
  kGemini,     // camelCase, lists of {modality, tokenCount}
  kBedrock,    // camelCase
};

// With fewer documents the branch predictor memorizes them.
inline constexpr std::size_t kUsageDocumentCount = 8192;

// Bytes of capacity after each document, as simdjson requires.
inline constexpr std::size_t kSimdjsonPadding = 64;

// Returns the same documents on every run.
std::vector<std::string> MakeUsageDocuments(UsageSet set);

// The text of the reply around a usage object.
enum class ReplyText { kPlain, kFewEscapes, kAccents, kManyEscapes };

// Returns chat replies of about 2.3 KB, each with a kOpenAiChat object under
// "usage".
std::vector<std::string> MakeChatReplies(ReplyText text);

}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_BENCHMARK_JSON_USAGE_DOCUMENTS_H_
