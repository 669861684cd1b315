// All the ways there are to read one document: calls and code paths, which must
// come to the same.

#ifndef TESTS_JSON_FUZZ_READING_WAYS_H_
#define TESTS_JSON_FUZZ_READING_WAYS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "tests/json/fuzz/document_input.h"
#include "tokenusage/json/path_choice.h"

namespace tokenusage {
namespace testing {

// The path of messages with a table, as long as this lives.
class ScopedPath {
 public:
  explicit ScopedPath(json_internal::PathChoice path);
  ~ScopedPath();
  ScopedPath(const ScopedPath&) = delete;
  ScopedPath& operator=(const ScopedPath&) = delete;

 private:
  const json_internal::PathChoice path_before_;
  const bool avx2_before_;
};

// Calls `call` on each path with the path's name and an empty message of a
// class that takes it.
void OnEveryPath(
    const std::vector<const google::protobuf::Message*>& prototypes,
    const std::function<void(const std::string& path,
                             const google::protobuf::Message& prototype)>&
        call);

// Reads the document in each way into a message that `prepare` has filled.
// `check` gets the way's name, what came of it, and the message.
void ReadInEveryWay(
    const DocumentInput& input,
    const std::function<void(google::protobuf::Message* message)>& prepare,
    const std::function<void(const std::string& way, const absl::Status& status,
                             const google::protobuf::Message& message)>& check);

}  // namespace testing
}  // namespace tokenusage

#endif  // TESTS_JSON_FUZZ_READING_WAYS_H_
