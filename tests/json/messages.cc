// SPDX-License-Identifier: Apache-2.0

#include "tests/json/messages.h"

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "gtest/gtest.h"
#include "tests/json/kinds.pb.h"
#include "tests/json/required_label.pb.h"
#include "tokenusage/orq/v2/images.pb.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {
namespace testing {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::DescriptorPool;
using ::google::protobuf::DynamicMessageFactory;
using ::google::protobuf::FileDescriptor;
using ::google::protobuf::FileDescriptorProto;
using ::google::protobuf::Message;
using ::google::protobuf::MessageFactory;

void CopyFile(const FileDescriptor& file, DescriptorPool* pool) {
  if (pool->FindFileByName(std::string(file.name())) != nullptr) return;
  for (int i = 0; i < file.dependency_count(); ++i) {
    CopyFile(*file.dependency(i), pool);
  }
  FileDescriptorProto proto;
  file.CopyTo(&proto);
  file.CopyJsonNameTo(&proto);
  ASSERT_NE(pool->BuildFile(proto), nullptr) << file.name();
}

DescriptorPool* CopyOfGeneratedPool() {
  auto* const pool = new DescriptorPool;
  CopyFile(*Singular::descriptor()->file(), pool);
  CopyFile(*RequiredLabel::descriptor()->file(), pool);
  CopyFile(*v1::UsageRecord::descriptor()->file(), pool);
  return pool;
}

}  // namespace

std::vector<std::unique_ptr<Message>> NewMessages(
    const std::string& full_name) {
  static DescriptorPool* const dynamic_pool = CopyOfGeneratedPool();
  static auto* const dynamic_factory = new DynamicMessageFactory;
  std::vector<std::unique_ptr<Message>> messages;
  const Descriptor* const compiled_in =
      DescriptorPool::generated_pool()->FindMessageTypeByName(full_name);
  const Descriptor* const dynamic =
      dynamic_pool->FindMessageTypeByName(full_name);
  if (compiled_in == nullptr || dynamic == nullptr) {
    ADD_FAILURE() << "no message type " << full_name;
    return messages;
  }
  messages.emplace_back(
      MessageFactory::generated_factory()->GetPrototype(compiled_in)->New());
  messages.emplace_back(dynamic_factory->GetPrototype(dynamic)->New());
  return messages;
}

std::string Bits(const Message& message) {
  std::string bits;
  ::google::protobuf::io::StringOutputStream stream(&bits);
  ::google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  EXPECT_TRUE(message.SerializePartialToCodedStream(&coded));
  coded.Trim();
  return bits;
}

}  // namespace testing
}  // namespace tokenusage
