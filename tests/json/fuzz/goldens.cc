#include "tests/json/fuzz/goldens.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace tokenusage {
namespace testing {
namespace {

namespace fs = std::filesystem;

constexpr char kTestData[] = "tests/json/testdata/";

Golden ReadGolden(const std::string& name) {
  Golden golden;
  golden.name = name;
  const std::string base = kTestData + name;
  golden.json = ReadWholeFile(base + ".json");
  if (fs::exists(base + ".error")) {
    std::istringstream lines(ReadWholeFile(base + ".error"));
    std::string mode;
    std::getline(lines, golden.message_type);
    std::getline(lines, mode);
    std::getline(lines, golden.error);
    golden.strict = mode == "strict";
    return golden;
  }
  golden.message_text = ReadWholeFile(base + ".txtpb");
  std::istringstream lines(golden.message_text);
  std::getline(lines, golden.message_type);
  golden.message_type.erase(0, std::string("# proto-message: ").size());
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
