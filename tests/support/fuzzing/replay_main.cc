// SPDX-License-Identifier: Apache-2.0

// Runs a fuzz target as an ordinary test: on its seeds, the inputs in its
// corpus, and random changes of both.
//
//   replay CORPUS_DIR [--dictionary=FILE] [--write_seeds=DIR]
//
// With --write_seeds it only writes the seeds to files, for libFuzzer. To
// repeat a run, set the environment variable TOKENUSAGE_TEST_SEED to the seed
// that it printed. If an input fails, prints it.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/fuzzing/fuzz_target.h"
#include "tests/support/fuzzing/mutation.h"
#include "tests/support/seed.h"

namespace tokenusage {
namespace testing {
namespace {

namespace fs = std::filesystem;

constexpr int kMutations = 50000;
constexpr std::chrono::seconds kMaxTime(4);

struct Input {
  std::string name;
  std::string data;
};

// The input that is being tried, for PrintInput.
const Input* current_input = nullptr;

void Print(std::string_view text) {
  // There is nowhere to report an error.
  const auto written = write(STDERR_FILENO, text.data(), text.size());
  static_cast<void>(written);
}

// Prints the current input, its bytes escaped as in C, and raises the signal
// again. As a signal handler, calls only async-signal-safe functions.
void PrintInput(int signal_number) {
  if (current_input != nullptr) {
    Print("INPUT ");
    Print(current_input->name);
    Print(": \"");
    for (const char c : current_input->data) {
      const auto byte = static_cast<unsigned char>(c);
      const char octal[] = {'\\', static_cast<char>('0' + byte / 64),
                            static_cast<char>('0' + byte / 8 % 8),
                            static_cast<char>('0' + byte % 8)};
      const bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
      Print(plain ? std::string_view(&c, 1)
                  : std::string_view(octal, sizeof(octal)));
    }
    Print("\"\n");
  }
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

// Installs PrintInput for fatal signals, except those that a sanitizer handles:
// the sanitizer aborts after its report (see __asan_default_options).
void PrintInputOnCrash() {
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    struct sigaction before;
    if (sigaction(number, nullptr, &before) == 0 &&
        before.sa_handler == SIG_DFL) {
      signal(number, PrintInput);
    }
  }
}

// Copies the input to a block of exactly its size, so that a sanitizer guards
// its end.
void Try(const Input& input) {
  current_input = &input;
  const std::vector<std::uint8_t> block(input.data.begin(), input.data.end());
  LLVMFuzzerTestOneInput(block.data(), block.size());
  current_input = nullptr;
}

std::vector<Input> Seeds() {
  std::vector<Input> inputs;
  for (std::string& data : SeedInputs()) {
    const std::string number = std::to_string(inputs.size());
    inputs.push_back({"seed" + number, std::move(data)});
  }
  return inputs;
}

std::vector<Input> FilesIn(const std::string& folder) {
  std::vector<Input> inputs;
  if (!fs::exists(folder)) return inputs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    inputs.push_back({entry.path().filename().string(),
                      std::string(std::istreambuf_iterator<char>(file), {})});
  }
  std::sort(inputs.begin(), inputs.end(),
            [](const Input& a, const Input& b) { return a.name < b.name; });
  return inputs;
}

int TryMutations(const std::vector<Input>& inputs,
                 const std::vector<std::string>& tokens) {
  std::mt19937_64 random(TestSeed());
  const auto end = std::chrono::steady_clock::now() + kMaxTime;
  int tried = 0;
  while (tried < kMutations && std::chrono::steady_clock::now() < end) {
    const std::string& other = inputs[random() % inputs.size()].data;
    Input input = inputs[random() % inputs.size()];
    input.name += ", mutation " + std::to_string(++tried);
    Mutate(tokens, other, &random, &input.data);
    Try(input);
  }
  return tried;
}

int WriteFiles(const std::vector<Input>& inputs, const std::string& folder) {
  fs::create_directories(folder);
  for (const Input& input : inputs) {
    std::ofstream file(fs::path(folder) / input.name, std::ios::binary);
    if (!file.write(input.data.data(),
                    static_cast<std::streamsize>(input.data.size()))) {
      std::fprintf(stderr, "cannot write %s\n", input.name.c_str());
      return 1;
    }
  }
  return 0;
}

int Run(const std::vector<std::string_view>& arguments) {
  std::vector<Input> inputs = Seeds();
  std::vector<std::string> tokens;
  for (const std::string_view argument : arguments) {
    constexpr std::string_view kDictionary = "--dictionary=";
    constexpr std::string_view kWriteSeeds = "--write_seeds=";
    const std::string value(argument.substr(argument.find('=') + 1));
    if (argument.substr(0, kDictionary.size()) == kDictionary) {
      tokens = ReadDictionary(value);
    } else if (argument.substr(0, kWriteSeeds.size()) == kWriteSeeds) {
      return WriteFiles(inputs, value);
    } else {
      for (Input& input : FilesIn(value)) inputs.push_back(std::move(input));
    }
  }
  if (inputs.empty()) {
    std::fprintf(stderr, "no inputs\n");
    return 1;
  }
  PrintInputOnCrash();
  for (const Input& input : inputs) Try(input);
  const int mutations = TryMutations(inputs, tokens);
  std::printf("tried %zu inputs and %d mutations\n", inputs.size(), mutations);
  return 0;
}

}  // namespace
}  // namespace testing
}  // namespace tokenusage

// A report of AddressSanitizer ends in SIGABRT, so that the input is printed.
extern "C" const char* __asan_default_options() { return "abort_on_error=1"; }

int main(int argc, char** argv) {
  return tokenusage::testing::Run({argv + 1, argv + argc});
}
