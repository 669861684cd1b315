// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/record_counts.h"

#include "tokenusage/usage/anthropic.h"
#include "tokenusage/usage/bedrock.h"
#include "tokenusage/usage/cohere.h"
#include "tokenusage/usage/deepseek.h"
#include "tokenusage/usage/google.h"
#include "tokenusage/usage/groq.h"
#include "tokenusage/usage/mistral.h"
#include "tokenusage/usage/ollama.h"
#include "tokenusage/usage/openai.h"
#include "tokenusage/usage/openai_compatible.h"
#include "tokenusage/usage/openrouter.h"
#include "tokenusage/usage/orq.h"
#include "tokenusage/usage/perplexity.h"
#include "tokenusage/usage/sglang.h"
#include "tokenusage/usage/token_usage.h"
#include "tokenusage/usage/xai.h"

namespace tokenusage {

UsageCounts CountRecord(const v1::UsageRecord& record,
                        std::vector<v1::UsageInconsistency>* why) {
  switch (record.usage_case()) {
#define MEMBER(Name, name)       \
  case v1::UsageRecord::k##Name: \
    return CountUsage(record.name(), why)
    MEMBER(TokenUsage, token_usage);

    MEMBER(OrqImagesEdits, orq_images_edits);
    MEMBER(OrqImagesVariations, orq_images_variations);
    MEMBER(OrqImagesGenerations, orq_images_generations);
    MEMBER(OrqChat, orq_chat);
    MEMBER(OrqEmbeddings, orq_embeddings);
    MEMBER(OrqRerank, orq_rerank);
    MEMBER(OrqOcr, orq_ocr);
    MEMBER(OrqResponses, orq_responses);

    MEMBER(OpenaiChat, openai_chat);
    MEMBER(OpenaiResponses, openai_responses);
    MEMBER(OpenaiResponsesToolUsage, openai_responses_tool_usage);
    MEMBER(OpenaiImages, openai_images);
    MEMBER(OpenaiEmbeddings, openai_embeddings);
    MEMBER(OpenaiTranscription, openai_transcription);
    MEMBER(OpenaiSpeech, openai_speech);
    MEMBER(OpenaiRealtime, openai_realtime);
    MEMBER(OpenaiBatch, openai_batch);

    MEMBER(AnthropicMessages, anthropic_messages);

    MEMBER(OpenrouterChat, openrouter_chat);
    MEMBER(OpenrouterResponses, openrouter_responses);
    MEMBER(OpenrouterMessages, openrouter_messages);
    MEMBER(OpenrouterImages, openrouter_images);
    MEMBER(OpenrouterEmbeddings, openrouter_embeddings);
    MEMBER(OpenrouterRerank, openrouter_rerank);
    MEMBER(OpenrouterTranscription, openrouter_transcription);
    MEMBER(OpenrouterVideo, openrouter_video);

    MEMBER(GoogleGenerateContent, google_generate_content);
    MEMBER(GoogleLive, google_live);
    MEMBER(GoogleInteractions, google_interactions);
    MEMBER(GooglePredictEmbeddings, google_predict_embeddings);

    MEMBER(BedrockConverse, bedrock_converse);
    MEMBER(BedrockInvokeModel, bedrock_invoke_model);

    MEMBER(CohereChat, cohere_chat);
    MEMBER(CohereMeta, cohere_meta);

    MEMBER(MistralChat, mistral_chat);
    MEMBER(MistralConversations, mistral_conversations);
    MEMBER(MistralOcr, mistral_ocr);

    MEMBER(XaiChat, xai_chat);
    MEMBER(XaiResponses, xai_responses);
    MEMBER(XaiImages, xai_images);
    MEMBER(XaiSampling, xai_sampling);

    MEMBER(DeepseekChat, deepseek_chat);

    MEMBER(GroqChat, groq_chat);

    MEMBER(OllamaChat, ollama_chat);
    MEMBER(OllamaEmbed, ollama_embed);

    MEMBER(OpenaiCompatibleChat, openai_compatible_chat);

    MEMBER(SglangChat, sglang_chat);

    MEMBER(PerplexityChat, perplexity_chat);
#undef MEMBER

    case v1::UsageRecord::kUsageUnknown: {
      UsageCounts counts;
      counts.set_unknown();
      return counts;
    }
    case v1::UsageRecord::USAGE_NOT_SET:
      return UsageCounts();
  }
  return UsageCounts();
}

bool IsVoid(const v1::UsageRecord& record) {
  return record.usage_case() == v1::UsageRecord::USAGE_NOT_SET &&
         !record.corrects().empty();
}

bool Counts(const v1::UsageRecord& record) {
  return record.corrected_by().empty() && !IsVoid(record);
}

void SetInconsistencies(v1::UsageRecord* record) {
  std::vector<v1::UsageInconsistency> why;
  CountRecord(*record, &why);
  record->mutable_inconsistencies()->Assign(why.begin(), why.end());
}

}  // namespace tokenusage
