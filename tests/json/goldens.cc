// SPDX-License-Identifier: Apache-2.0

#include "tests/json/goldens.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string_view>

namespace tokenusage {
namespace testing {
namespace {

namespace fs = std::filesystem;

constexpr char kTestData[] = "tests/json/testdata/";
constexpr std::string_view kTypeMark = "# proto-message: ";

void Require(bool good, const std::string& path, const char* expected) {
  if (good) return;
  std::cerr << path << ": expected " << expected << "\n";
  std::abort();
}

Golden ReadGolden(const std::string& name) {
  Golden golden;
  golden.name = name;
  const std::string base = kTestData + name;
  Require(fs::exists(base + ".json"), base + ".json", "a file");
  golden.json = ReadWholeFile(base + ".json");
  if (fs::exists(base + ".error")) {
    std::istringstream lines(ReadWholeFile(base + ".error"));
    std::string mode;
    std::getline(lines, golden.message_type);
    std::getline(lines, mode);
    std::getline(lines, golden.error);
    golden.strict = mode == "strict";
    Require(golden.strict || mode == "default", base + ".error",
            "\"default\" or \"strict\" in the second line");
    Require(!golden.error.empty(), base + ".error", "an error");
    return golden;
  }
  golden.message_text = ReadWholeFile(base + ".txtpb");
  std::istringstream lines(golden.message_text);
  std::getline(lines, golden.message_type);
  Require(golden.message_type.compare(0, kTypeMark.size(), kTypeMark) == 0,
          base + ".txtpb", "the message's type in the first line");
  golden.message_type.erase(0, kTypeMark.size());
  const std::string written = base + ".written.json";
  golden.written = fs::exists(written) ? ReadWholeFile(written) : golden.json;
  return golden;
}

}  // namespace

std::string ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<Golden> ReadGoldens() {
  std::vector<std::string> names;
  for (const std::string folder : {"invalid", "valid"}) {
    for (const auto& entry : fs::directory_iterator(kTestData + folder)) {
      const std::string extension = entry.path().extension();
      if (extension == ".txtpb" || extension == ".error") {
        names.push_back(folder + "/" + entry.path().stem().string());
      }
    }
  }
  std::sort(names.begin(), names.end());
  std::vector<Golden> goldens;
  for (const std::string& name : names) goldens.push_back(ReadGolden(name));
  return goldens;
}

}  // namespace testing
}  // namespace tokenusage
