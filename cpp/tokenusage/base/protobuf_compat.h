// SPDX-License-Identifier: Apache-2.0

// Differences between the versions of protobuf that this project builds with,
// from 3.21 on.
//
//   tokenusage::SilenceProtobuf();
//   tokenusage::ProtoTextError error;
//   ::google::protobuf::TextFormat::Parser parser;
//   parser.RecordErrorsTo(&error);
//   if (!parser.ParseFromString(text, &message)) Show(error.message());

#ifndef TOKENUSAGE_BASE_PROTOBUF_COMPAT_H_
#define TOKENUSAGE_BASE_PROTOBUF_COMPAT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/stubs/common.h"
#if GOOGLE_PROTOBUF_VERSION < 4022000
#include "google/protobuf/stubs/logging.h"
#endif

namespace tokenusage {

// Keeps protobuf from writing to stderr. Since version 22 it logs through
// abseil, whose settings apply. Call it before any thread is started.
inline void SilenceProtobuf() {
#if GOOGLE_PROTOBUF_VERSION < 4022000
  ::google::protobuf::SetLogHandler(nullptr);
#endif
}

// Returns whether the accessors of a string or bytes field use std::string, as
// they do unless [ctype] or the feature string_type says otherwise.
inline bool IsStdString(const ::google::protobuf::FieldDescriptor& field) {
#if GOOGLE_PROTOBUF_VERSION < 6030000
  return field.options().ctype() == ::google::protobuf::FieldOptions::STRING;
#else
  using Field = ::google::protobuf::FieldDescriptor;
  return field.cpp_string_type() == Field::CppStringType::kString;
#endif
}

// The first error that protobuf finds in a text format document. Not
// thread-safe.
class ProtoTextError : public ::google::protobuf::io::ErrorCollector {
 public:
#if GOOGLE_PROTOBUF_VERSION < 4022000
  void AddError(int line, ::google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    Keep(line, column, message);
  }
#else
  void RecordError(int line, ::google::protobuf::io::ColumnNumber column,
                   absl::string_view message) override {
    Keep(line, column, std::string(message));
  }
#endif

  // Returns protobuf's error message, in which message types have their full
  // names. Empty if there was no error.
  const std::string& message() const { return message_; }
  // Return the position, counted from 1; 0 if there was no error.
  int line() const { return line_; }
  int column() const { return column_; }

 private:
  void Keep(int line, int column, const std::string& message) {
    if (!message_.empty()) return;
    line_ = line + 1;
    column_ = column + 1;
    message_ = message;
  }

  int line_ = 0;
  int column_ = 0;
  std::string message_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_PROTOBUF_COMPAT_H_
