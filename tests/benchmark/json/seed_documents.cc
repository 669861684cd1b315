// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/json/seed_documents.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <random>

namespace tokenusage {
namespace {

constexpr std::size_t kBase64Bytes = 1 << 20;

class Maker {
 public:
  explicit Maker(SeedSet set)
      : set_(set), random_(static_cast<unsigned>(set) + 8105) {}

  SeedDocuments Make() {
    SeedDocuments documents;
    for (std::size_t i = 0; i < kSeedCount; ++i) {
      SeedMessage message;
      message.set_total_tokens(Count(20000));
      message.set_input_tokens(Count(10000));
      message.set_output_tokens(Count(8000));
      message.mutable_input_tokens_details()->set_text_tokens(Count(2000));
      message.mutable_input_tokens_details()->set_image_tokens(Count(8000));
      std::string json = Write(message);
      documents.lines += json + "\n";
      Pad(&json);
      documents.json.push_back(std::move(json));
      documents.messages.push_back(std::move(message));
    }
    documents.response = MakeResponse(Write(documents.messages.front()));
    Pad(&documents.lines);
    Pad(&documents.response);
    return documents;
  }

 private:
  double Count(double max) {
    const double value = std::uniform_real_distribution<>(100, max)(random_);
    switch (set_) {
      case SeedSet::kInts:
        return std::floor(value);
      case SeedSet::kFull:
        return value;
      default:
        return std::round(value * 100) / 100;
    }
  }

  static void Pad(std::string* text) {
    const std::size_t size = text->size();
    text->append(kPadding, '\0');
    text->resize(size);
  }

  static std::string Number(double value) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
    return std::string(buffer, end);
  }

  // Returns an object of members that are JSON already.
  std::string Object(std::vector<std::string> members, int depth) {
    const bool pretty = set_ == SeedSet::kPretty;
    if (set_ == SeedSet::kShuffled) {
      std::shuffle(members.begin(), members.end(), random_);
    }
    const auto indent = [pretty](int level) {
      return pretty
                 ? "\n" + std::string(static_cast<std::size_t>(2 * level), ' ')
                 : std::string();
    };
    std::string out = "{";
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out += ",";
      out += indent(depth + 1) + members[i];
    }
    return out + indent(depth) + "}";
  }

  std::string Member(const std::string& name, const std::string& value) {
    return "\"" + name + "\":" + (set_ == SeedSet::kPretty ? " " : "") + value;
  }

  std::string Write(const SeedMessage& message) {
    const auto& details = message.input_tokens_details();
    return Object(
        {Member("total_tokens", Number(message.total_tokens())),
         Member("input_tokens", Number(message.input_tokens())),
         Member("output_tokens", Number(message.output_tokens())),
         Member("input_tokens_details",
                Object({Member("text_tokens", Number(details.text_tokens())),
                        Member("image_tokens", Number(details.image_tokens()))},
                       1))},
        0);
  }

  std::string MakeResponse(const std::string& usage) {
    static constexpr char kAlphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out = R"({"created":1750000000,"data":[{"b64_json":")";
    std::uniform_int_distribution<> letter(0, 63);
    for (std::size_t i = 0; i < kBase64Bytes; ++i) {
      out += kAlphabet[letter(random_)];
    }
    return out + R"("}],"usage":)" + usage + "}";
  }

  const SeedSet set_;
  std::mt19937_64 random_;
};

}  // namespace

SeedDocuments MakeSeedDocuments(SeedSet set) { return Maker(set).Make(); }

}  // namespace tokenusage
