// SPDX-License-Identifier: Apache-2.0
//
// Compares the reader and the writer with their references on inputs that
// random tests seldom hit: all short texts in the place of a number, numbers of
// all lengths, every odd byte at every place of a long string, and written
// numbers whose digits carry.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "tests/json/fuzz/document_input.h"
#include "tests/json/fuzz/reference_check.h"
#include "tests/json/fuzz/write_check.h"
#include "tests/support/seed.h"

namespace tokenusage {
namespace testing {
namespace {

// The first two characters for ReadDocumentInput: the type, and not strict.
constexpr char kUsage[] = "A0";
constexpr char kSingular[] = "B0";
constexpr char kRepeated[] = "C0";

void Check(const std::string& input) {
  CheckAgainstReference(ReadDocumentInput(input));
}

// Checks a number in three places: far from the document's end, near the end,
// and in a usage object whose members are in the order of declaration.
void CheckNumber(const std::string& number) {
  const std::string rest(40, ' ');
  Check(kRepeated + ("{\"double_list\":[" + number + "]}" + rest));
  Check(kRepeated + ("{\"double_list\":[7," + number + "]}"));
  Check(kUsage + ("{\"total_tokens\":" + number +
                  ",\"input_tokens\":50,\"output_tokens\":50,\"input_tokens_"
                  "details\":{\"text_tokens\":10,\"image_tokens\":" +
                  number + "}}"));
}

// Returns the n-th of all texts of `length` letters of an alphabet.
std::string NthText(std::string_view alphabet, std::size_t length,
                    std::size_t n) {
  std::string text;
  for (; length > 0; --length, n /= alphabet.size()) {
    text += alphabet[n % alphabet.size()];
  }
  return text;
}

TEST(SystematicTest, AllShortTextsInThePlaceOfANumber) {
  constexpr std::string_view kAlphabet = "019.eE+-/:";
  std::size_t count = 1;
  for (std::size_t length = 1; length <= 3; ++length) {
    count *= kAlphabet.size();
    for (std::size_t n = 0; n < count; ++n) {
      CheckNumber(NthText(kAlphabet, length, n));
    }
  }
}

TEST(SystematicTest, EveryByteBehindANumber) {
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::string number :
         {"1", "12345678", "1.5", "1234567.125", "-1"}) {
      CheckNumber(number + static_cast<char>(static_cast<unsigned char>(byte)));
    }
  }
}

std::string Digits(std::size_t count, std::mt19937_64* random) {
  // Random digits, or all alike: zeros and nines are the ones that carry.
  const std::uint64_t kind = (*random)() % 4;
  std::string digits;
  for (; count > 0; --count) {
    digits += kind == 0   ? '0'
              : kind == 1 ? '9'
                          : static_cast<char>('0' + (*random)() % 10);
  }
  return digits;
}

TEST(SystematicTest, NumbersOfAllLengths) {
  std::mt19937_64 random(TestSeed());
  for (std::size_t whole = 1; whole <= 24; ++whole) {
    for (std::size_t decimals = 0; decimals <= 24; ++decimals) {
      for (int round = 0; round < 3; ++round) {
        std::string number = random() % 4 == 0 ? "-" : "";
        // Only a single digit before the point may be 0.
        number += static_cast<char>('0' + random() % 9 + (whole > 1 ? 1 : 0));
        number += Digits(whole - 1, &random);
        if (decimals > 0) number += "." + Digits(decimals, &random);
        if (round == 2) {
          number +=
              (random() % 2 == 0 ? "e" : "E-") + std::to_string(random() % 330);
        }
        CheckNumber(number);
      }
    }
  }
}

TEST(SystematicTest, IntegersAtTheirLimits) {
  for (const std::string limit :
       {"2147483647", "2147483648", "2147483649", "4294967295", "4294967296",
        "9007199254740992", "9007199254740993", "9223372036854775807",
        "9223372036854775808", "9223372036854775809", "18446744073709551615",
        "18446744073709551616", "99999999999999999999", "0", "1"}) {
    for (const std::string sign : {"", "-"}) {
      for (const std::string tail : {"", ".0", "e0", "0e-1", ".5", "e1"}) {
        const std::string number = sign + limit + tail;
        for (const std::string field : {"a_int32", "a_int64", "a_uint32",
                                        "a_uint64", "a_float", "a_double"}) {
          Check(kSingular + ("{\"" + field + "\":" + number + "}"));
          Check(kSingular + ("{\"" + field + "\":\"" + number + "\"}"));
        }
      }
    }
  }
}

TEST(SystematicTest, EveryOddByteAtEveryPlaceOfALongString) {
  for (const std::string odd :
       {"\"", "\\", "\\n", "\\u00e9", "\\ud83d\\ude00", "\\ud83d", "\x1F",
        "\x7F", "\x80", "\u00fc", "\u20ac", "\xE2\x82", "\U0001F600", "\xFF"}) {
    for (std::size_t at = 0; at <= 180; ++at) {
      std::string text(180, 'a');
      text.insert(at, odd);
      Check(kSingular + ("{\"a_string\":\"" + text + "\"}"));
      Check(kSingular + ("{\"x\":\"" + text + "\",\"a_bool\":true}"));
    }
  }
}

TEST(SystematicTest, EveryCutOfADocument) {
  const std::string document =
      "{\"total_tokens\":8105.75,\"input_tokens\":7451.29,\"output_tokens\":"
      "1442.01,\"input_tokens_details\":{\"text_tokens\":5727.82,\"image_"
      "tokens\":1501.66}}";
  for (std::size_t size = 0; size <= document.size(); ++size) {
    Check(kUsage + document.substr(0, size));
    for (const char c : {'0', '}', '"', ' ', ',', '\n', '\0', 'e'}) {
      std::string changed = document.substr(0, size);
      changed += c;
      Check(kUsage + changed);
      if (size < document.size()) {
        Check(kUsage + changed + document.substr(size + 1));
        Check(kUsage + changed + document.substr(size));
      }
    }
  }
}

// Around 64 KiB: generated code reads a larger document into a new message.
TEST(SystematicTest, LargeDocuments) {
  const std::string usage =
      "{\"total_tokens\":8105.75,\"input_tokens\":7451.29,\"output_tokens\":"
      "1442.01,\"input_tokens_details\":{\"text_tokens\":5727.82,\"image_"
      "tokens\":1501.66}}";
  for (const std::size_t size : {65400U, 65536U, 65537U, 400000U}) {
    const std::string large = "{\"data\":\"" + std::string(size, 'A') + "\"";
    Check("A2" + large + ",\"usage\":" + usage + "}");
    Check("A2" + large + ",\"usage\":" + usage);
    Check("A2" + large + ",\"usage\":{}}");
    Check("A2{\"usage\":" + usage + "," + large.substr(1) + "}");
    Check("A2{\"usage\":" + usage + "," + large.substr(1) + "\x01}");
    Check(kUsage + usage + std::string(size, ' '));
    Check(kUsage + usage + std::string(size, ' ') + "1");
    Check(kUsage + ("{\"x\":\"" + std::string(size, '\xFF') + "\"}"));
    std::string list = "{\"double_list\":[1";
    while (list.size() < size) list += ",8105.75";
    Check(kRepeated + list + "]}");
    Check(kRepeated + list + ",true]}");
  }
}

// ------------------------------------------------------------------- writing

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

// Returns the prototypes of the type that a letter of ReadDocumentInput means.
const std::vector<const Message*>& PrototypesOfLetter(const char* letters) {
  return PrototypesOf(static_cast<std::size_t>(letters[0] - 'A'));
}

// Sets every double of the message, and of the messages in it, to `value`.
void SetNumbers(double value, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message->GetDescriptor()->field(i);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
      reflection.SetDouble(message, &field, value);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      SetNumbers(value, reflection.MutableMessage(message, &field));
    }
  }
}

// Checks the numbers as a list of doubles, and as one of floats.
void CheckWrittenAsList(const std::vector<double>& values) {
  CheckAgainstReferenceWriter(
      PrototypesOfLetter(kRepeated), [&values](Message* message) {
        const Reflection& reflection = *message->GetReflection();
        for (const double value : values) {
          reflection.AddDouble(message, message->GetDescriptor()->field(0),
                               value);
          reflection.AddFloat(
              message, message->GetDescriptor()->field(1),
              std::clamp(static_cast<float>(value), -3e38F, 3e38F));
        }
      });
}

// Checks the numbers as lists, and each number in all fields of a usage.
void CheckWritten(const std::vector<double>& values) {
  CheckWrittenAsList(values);
  for (const double value : values) {
    CheckAgainstReferenceWriter(
        PrototypesOfLetter(kUsage),
        [value](Message* message) { SetNumbers(value, message); });
  }
}

// Returns the number and those a hundredth and a unit away, each with its two
// neighbours.
std::vector<double> Around(double value) {
  constexpr double kLargest = std::numeric_limits<double>::max();
  std::vector<double> values;
  for (const double near :
       {value, value - 0.01, value + 0.01, value - 1, value + 1}) {
    values.push_back(std::min(near, kLargest));
    values.push_back(std::nextafter(near, 0.0));
    values.push_back(std::min(std::nextafter(near, 2 * near), kLargest));
  }
  return values;
}

TEST(SystematicTest, WritesNumbersAroundPowersOfTen) {
  for (int exponent = -9; exponent <= 25; ++exponent) {
    CheckWritten(Around(std::pow(10.0, exponent)));
  }
  for (int exponent = -323; exponent <= 308; exponent += 7) {
    CheckWritten({std::pow(10.0, exponent), -5 * std::pow(10.0, exponent - 1)});
  }
}

TEST(SystematicTest, WritesNumbersAroundPowersOfTwo) {
  for (int exponent = 40; exponent <= 66; ++exponent) {
    CheckWritten(Around(std::ldexp(1.0, exponent)));
  }
  for (int exponent = -1074; exponent <= 1023; ++exponent) {
    const double power = std::ldexp(1.0, exponent);
    CheckWrittenAsList({power, std::nextafter(power, 0.0)});
  }
}

TEST(SystematicTest, WritesEveryCentAroundCarries) {
  for (const int cents :
       {0, 100, 1000, 10000, 100000, 1000000, 10000000, 99999999, 100000000}) {
    std::vector<double> values;
    for (int near = std::max(0, cents - 101); near <= cents + 101; ++near) {
      values.push_back(near / 100.0);
    }
    CheckWritten(values);
  }
}

}  // namespace
}  // namespace testing
}  // namespace tokenusage
