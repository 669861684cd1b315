// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/extract/dialect.h"

#include <algorithm>
#include <string>
#include <utility>

#include "tokenusage/extract/layout.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {
namespace {

using extract_internal::Final;
using extract_internal::Layout;
using extract_internal::Merge;
using extract_internal::NameProbe;
using extract_internal::Place;

// Places the usage in the response, and in one event of its stream.
Layout Plain(std::string usage = "usage") {
  return {{Place(usage)}, {Place(usage)}};
}

// Does the same for responses that state neither id nor model.
Layout Anonymous(std::vector<NameProbe> end_types = {}) {
  Layout layout = Plain();
  layout.end_types = std::move(end_types);
  layout.is_anonymous = true;
  return layout;
}

// Adds the lines of a batch's results, which have the response at `path`.
Layout WithBatch(const std::string& path, Layout layout) {
  layout.body.emplace_back(path + ".usage", path);
  return layout;
}

Layout Embeddings() { return WithBatch("response.body", Plain()); }

Layout Images() {
  return Anonymous({NameProbe("image_generation.completed"),
                    NameProbe("image_edit.completed")});
}

Layout Transcription() {
  return Anonymous({NameProbe("transcript.text.done")});
}

// Streams state usage in their last event, or a running total in each.
Layout Chat() {
  Layout layout = WithBatch("response.body", Plain());
  layout.final = Final::kChoices;
  return layout;
}

// Each step of an agent states its own usage, and the last event that of all.
Layout Agents() {
  Layout layout = {{Place("usage")}, {Place("data.usage")}};
  layout.final = Final::kEnded;
  layout.end_types = {NameProbe("response.done")};
  return layout;
}

// Groq's streams state the usage in both places, or only in the second one.
Layout GroqChat() {
  Layout layout = Chat();
  layout.stream.emplace_back("x_groq.usage");
  return layout;
}

Layout Responses() {
  Layout layout =
      WithBatch("response.body",
                {{Place("usage")}, {Place("response.usage", "response")}});
  layout.end_types = {NameProbe("response.completed"),
                      NameProbe("response.incomplete"),
                      NameProbe("response.failed")};
  return layout;
}

// Adds the tools' usage, which OpenAI states beside the usage.
Layout ResponsesWithTools() {
  Layout layout = Responses();
  layout.tool_usage_field = "openai_responses_tool_usage";
  return layout;
}

// Reads the responses of a session, one after the other. The session's log has
// one message a line.
Layout Realtime() {
  Layout layout = {{Place("response.usage", "response")},
                   {Place("response.usage", "response")}};
  layout.merge = Merge::kEach;
  layout.streams_lines = true;
  return layout;
}

// Reads the transcriptions of the input of such a session: another model's
// work.
Layout RealtimeTranscription() {
  Layout layout = Plain();
  layout.merge = Merge::kEach;
  layout.streams_lines = true;
  return layout;
}

// message_start states the whole usage, and message_delta what has changed.
Layout Messages() {
  Layout layout = WithBatch(
      "result.message",
      {{Place("usage")}, {Place("message.usage", "message"), Place("usage")}});
  layout.merge = Merge::kFieldsButZeros;
  layout.final = Final::kEnded;
  layout.end_types = {NameProbe("message_stop")};
  return layout;
}

Layout GenerateContent() {
  Layout layout = Plain("usageMetadata");
  layout.merge = Merge::kFields;
  layout.final = Final::kChoices;
  return layout;
}

// Each message of a session states what it adds. The session's log has one
// message a line.
Layout Live() {
  Layout layout = Plain("usageMetadata");
  layout.merge = Merge::kSum;
  layout.streams_lines = true;
  return layout;
}

// SDKs put the event's payload into a member with the event's name.
Layout Converse() {
  Layout layout = {{Place("usage")},
                   {Place("usage"), Place("metadata.usage", "metadata")}};
  layout.merge = Merge::kEach;
  layout.is_anonymous = true;
  layout.streams_lines = true;
  return layout;
}

Layout InvokeModel() {
  Layout layout = Plain("amazon-bedrock-invocationMetrics");
  layout.merge = Merge::kEach;
  layout.is_anonymous = true;
  layout.streams_lines = true;
  return layout;
}

// The counts are members of the last object itself.
Layout Ollama() {
  Layout layout = Plain("");
  layout.merge = Merge::kEach;
  layout.needs_done = true;
  layout.streams_lines = true;
  return layout;
}

Layout Places(Place body, Place stream) {
  return {{std::move(body)}, {std::move(stream)}};
}

struct Row {
  std::string_view name;
  Layout layout;
  // Default: the dialect's name with an underscore.
  std::string usage_field = "";
  // Default: the endpoint in the dialect's name.
  std::string_view operation = "";
};

std::vector<Row> Rows() {
  return {
      {"alibaba.chat", Chat(), "openai_compatible_chat"},
      {"anthropic.messages", Messages()},
      {"azure.chat", Chat(), "openai_compatible_chat"},
      {"azure.embeddings", Embeddings(), "openai_embeddings"},
      {"azure.images", Images(), "openai_images"},
      {"azure.responses", ResponsesWithTools(), "openai_responses"},
      {"azure.transcription", Transcription(), "openai_transcription"},
      {"bedrock.converse", Converse()},
      {"bedrock.invoke", InvokeModel(), "bedrock_invoke_model"},
      {"bedrock.messages", Messages(), "anthropic_messages"},
      {"cohere.chat", Places(Place("usage"), Place("delta.usage"))},
      {"cohere.chat_v1", Places(Place("meta"), Place("response.meta")),
       "cohere_meta"},
      {"cohere.classify", Plain("meta"), "cohere_meta"},
      {"cohere.embed", Plain("meta"), "cohere_meta"},
      {"cohere.rerank", Plain("meta"), "cohere_meta"},
      {"deepseek.chat", Chat()},
      {"fireworks.chat", Chat(), "openai_compatible_chat"},
      {"google.embed_content", Plain("usageMetadata"),
       "google_generate_content"},
      {"google.generate_content", GenerateContent()},
      {"google.interactions",
       Places(Place("usage"), Place("interaction.usage", "interaction"))},
      {"google.live", Live()},
      {"google.predict_embeddings", Plain("")},
      {"groq.chat", GroqChat()},
      {"groq.embeddings", Plain(), "openai_embeddings"},
      {"mistral.chat", Chat()},
      {"mistral.conversations", Plain()},
      {"mistral.embeddings", Plain(), "mistral_chat"},
      {"mistral.ocr", Plain("usage_info")},
      {"mistral.speech", Anonymous({NameProbe("speech.audio.done")}),
       "mistral_chat"},
      {"mistral.transcription", Plain(), "mistral_chat"},
      {"moonshot.chat", Chat(), "openai_compatible_chat"},
      {"ollama.chat", Ollama()},
      {"ollama.embed", Plain("")},
      {"ollama.generate", Ollama(), "ollama_chat"},
      {"openai.batch", Plain()},
      {"openai.chat", Chat()},
      {"openai.completions", Chat(), "openai_chat"},
      {"openai.embeddings", Embeddings()},
      {"openai.images", Images()},
      {"openai.realtime", Realtime()},
      {"openai.realtime_transcription", RealtimeTranscription(),
       "openai_transcription", "realtime.transcription"},
      {"openai.responses", ResponsesWithTools()},
      {"openai.speech", Anonymous({NameProbe("speech.audio.done")})},
      {"openai.transcription", Transcription()},
      {"openai_compatible.chat", Chat()},
      {"openrouter.chat", Chat()},
      {"openrouter.embeddings", Plain()},
      {"openrouter.images", Plain()},
      {"openrouter.messages", Messages()},
      {"openrouter.rerank", Plain()},
      {"openrouter.responses", Responses()},
      {"openrouter.transcription", Plain()},
      {"openrouter.video", Plain()},
      {"orq.agents", Agents(), "orq_chat"},
      {"orq.chat", Chat()},
      {"orq.completions", Chat(), "orq_chat"},
      {"orq.deployments", Chat(), "orq_chat"},
      {"orq.embeddings", Plain()},
      {"orq.images", Anonymous(), "orq_images_generations"},
      {"orq.images_edits", Anonymous(), "", "images.edits"},
      {"orq.images_variations", Anonymous(), "", "images.variations"},
      {"orq.ocr", Plain()},
      {"orq.rerank", Plain()},
      {"orq.responses", Responses()},
      {"perplexity.chat", Chat()},
      {"sglang.chat", Chat()},
      {"together.chat", Chat(), "openai_compatible_chat"},
      {"together.rerank", Plain(), "openai_compatible_chat"},
      {"vllm.chat", Chat(), "openai_compatible_chat"},
      {"vllm.responses", Responses(), "openai_responses"},
      {"voyage.embeddings", Plain(), "openai_compatible_chat"},
      {"voyage.rerank", Plain(), "openai_compatible_chat"},
      {"xai.chat", Chat()},
      {"xai.images", Anonymous()},
      {"xai.responses", Responses()},
      {"xai.sampling", Chat()},
      {"xai.video", Anonymous(), "xai_images"},
  };
}

std::vector<NameProbe> Marks(const Layout& layout) {
  std::vector<NameProbe> marks;
  for (const Place& place : layout.stream) {
    if (place.names.empty()) return {};
    const NameProbe& name = place.names.front();
    if (marks.empty() || marks.back().name() != name.name()) {
      marks.push_back(name);
    }
  }
  marks.insert(marks.end(), layout.end_types.begin(), layout.end_types.end());
  return marks;
}

Dialect MakeDialect(Row row) {
  row.layout.marks = Marks(row.layout);
  const std::size_t dot = row.name.find('.');
  if (row.usage_field.empty()) {
    row.usage_field = std::string(row.name);
    row.usage_field[dot] = '_';
  }
  const std::string_view provider = row.name.substr(0, dot);
  return {row.name,
          provider == "openai_compatible" ? "" : provider,
          row.operation.empty() ? row.name.substr(dot + 1) : row.operation,
          v1::UsageRecord::descriptor()->FindFieldByName(row.usage_field),
          row.layout.streams_lines,
          new Layout(std::move(row.layout))};
}

std::vector<Dialect> MakeDialects() {
  std::vector<Dialect> dialects;
  for (Row& row : Rows()) dialects.push_back(MakeDialect(std::move(row)));
  return dialects;
}

}  // namespace

const std::vector<Dialect>& Dialects() {
  static const auto* const dialects = new std::vector<Dialect>(MakeDialects());
  return *dialects;
}

const Dialect* FindDialect(std::string_view name) {
  const auto found = std::find_if(
      Dialects().begin(), Dialects().end(),
      [&](const Dialect& dialect) { return dialect.name == name; });
  return found == Dialects().end() ? nullptr : &*found;
}

}  // namespace tokenusage
