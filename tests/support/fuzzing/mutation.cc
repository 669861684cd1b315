// SPDX-License-Identifier: Apache-2.0

#include "tests/support/fuzzing/mutation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>

namespace tokenusage {
namespace testing {
namespace {

constexpr std::size_t kMaxPiece = 64;

std::size_t Below(std::size_t bound, std::mt19937_64* random) {
  return bound == 0 ? 0 : static_cast<std::size_t>((*random)() % bound);
}

char AnyByte(std::mt19937_64* random) {
  return static_cast<char>(static_cast<unsigned char>(Below(256, random)));
}

std::string PieceOf(const std::string& text, std::mt19937_64* random) {
  const std::size_t begin = Below(text.size() + 1, random);
  return text.substr(begin, 1 + Below(kMaxPiece, random));
}

void MutateOnce(const std::vector<std::string>& tokens,
                const std::string& other, std::mt19937_64* random,
                std::string* input) {
  const std::size_t at = Below(input->size() + 1, random);
  const bool on_byte = at < input->size();
  switch (Below(7, random)) {
    case 0:
      if (on_byte) {
        (*input)[at] = static_cast<char>(
            static_cast<unsigned char>((*input)[at]) ^
            static_cast<unsigned char>(1U << Below(8, random)));
      }
      return;
    case 1:
      if (on_byte) (*input)[at] = AnyByte(random);
      return;
    case 2:
      input->insert(at, 1, AnyByte(random));
      return;
    case 3:
      input->erase(at, 1 + Below(kMaxPiece, random));
      return;
    case 4:
      if (!tokens.empty()) {
        input->insert(at, tokens[Below(tokens.size(), random)]);
      }
      return;
    case 5:
      input->insert(at, PieceOf(*input, random));
      return;
    default:
      input->insert(at, PieceOf(other, random));
  }
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c - 'A' + 10;
}

// Decodes the text between the quotes of a dictionary's line.
std::string Unescape(const std::string& text) {
  std::string token;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      token += text[i];
    } else if (text[i + 1] == 'x' && i + 3 < text.size()) {
      token += static_cast<char>(static_cast<unsigned char>(
          HexValue(text[i + 2]) * 16 + HexValue(text[i + 3])));
      i += 3;
    } else {
      token += text[++i];
    }
  }
  return token;
}

}  // namespace

std::vector<std::string> ReadDictionary(const std::string& path) {
  std::vector<std::string> tokens;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t open = line.find('"');
    const std::size_t close = line.rfind('"');
    if (line.empty() || line[0] == '#' || open == close) continue;
    tokens.push_back(Unescape(line.substr(open + 1, close - open - 1)));
  }
  return tokens;
}

void Mutate(const std::vector<std::string>& tokens, const std::string& other,
            std::mt19937_64* random, std::string* input) {
  for (std::size_t n = 1 + Below(4, random); n > 0; --n) {
    MutateOnce(tokens, other, random, input);
  }
}

}  // namespace testing
}  // namespace tokenusage
