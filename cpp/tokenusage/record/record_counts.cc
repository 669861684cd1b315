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
    case v1::UsageRecord::kTokenUsage:
      return CountUsage(record.token_usage(), why);
    case v1::UsageRecord::kUsageUnknown: {
      UsageCounts counts;
      counts.set_unknown();
      return counts;
    }
    case v1::UsageRecord::USAGE_NOT_SET:
      return UsageCounts();

    case v1::UsageRecord::kOrqImagesEdits:
      return CountUsage(record.orq_images_edits(), why);
    case v1::UsageRecord::kOrqImagesVariations:
      return CountUsage(record.orq_images_variations(), why);
    case v1::UsageRecord::kOrqImagesGenerations:
      return CountUsage(record.orq_images_generations(), why);
    case v1::UsageRecord::kOrqChat:
      return CountUsage(record.orq_chat(), why);
    case v1::UsageRecord::kOrqEmbeddings:
      return CountUsage(record.orq_embeddings(), why);
    case v1::UsageRecord::kOrqRerank:
      return CountUsage(record.orq_rerank(), why);
    case v1::UsageRecord::kOrqOcr:
      return CountUsage(record.orq_ocr(), why);
    case v1::UsageRecord::kOrqResponses:
      return CountUsage(record.orq_responses(), why);

    case v1::UsageRecord::kOpenaiChat:
      return CountUsage(record.openai_chat(), why);
    case v1::UsageRecord::kOpenaiResponses:
      return CountUsage(record.openai_responses(), why);
    case v1::UsageRecord::kOpenaiResponsesToolUsage:
      return CountUsage(record.openai_responses_tool_usage(), why);
    case v1::UsageRecord::kOpenaiImages:
      return CountUsage(record.openai_images(), why);
    case v1::UsageRecord::kOpenaiEmbeddings:
      return CountUsage(record.openai_embeddings(), why);
    case v1::UsageRecord::kOpenaiTranscription:
      return CountUsage(record.openai_transcription(), why);
    case v1::UsageRecord::kOpenaiSpeech:
      return CountUsage(record.openai_speech(), why);
    case v1::UsageRecord::kOpenaiRealtime:
      return CountUsage(record.openai_realtime(), why);
    case v1::UsageRecord::kOpenaiBatch:
      return CountUsage(record.openai_batch(), why);

    case v1::UsageRecord::kAnthropicMessages:
      return CountUsage(record.anthropic_messages(), why);

    case v1::UsageRecord::kOpenrouterChat:
      return CountUsage(record.openrouter_chat(), why);
    case v1::UsageRecord::kOpenrouterResponses:
      return CountUsage(record.openrouter_responses(), why);
    case v1::UsageRecord::kOpenrouterMessages:
      return CountUsage(record.openrouter_messages(), why);
    case v1::UsageRecord::kOpenrouterImages:
      return CountUsage(record.openrouter_images(), why);
    case v1::UsageRecord::kOpenrouterEmbeddings:
      return CountUsage(record.openrouter_embeddings(), why);
    case v1::UsageRecord::kOpenrouterRerank:
      return CountUsage(record.openrouter_rerank(), why);
    case v1::UsageRecord::kOpenrouterTranscription:
      return CountUsage(record.openrouter_transcription(), why);
    case v1::UsageRecord::kOpenrouterVideo:
      return CountUsage(record.openrouter_video(), why);

    case v1::UsageRecord::kGoogleGenerateContent:
      return CountUsage(record.google_generate_content(), why);
    case v1::UsageRecord::kGoogleLive:
      return CountUsage(record.google_live(), why);
    case v1::UsageRecord::kGoogleInteractions:
      return CountUsage(record.google_interactions(), why);
    case v1::UsageRecord::kGooglePredictEmbeddings:
      return CountUsage(record.google_predict_embeddings(), why);

    case v1::UsageRecord::kBedrockConverse:
      return CountUsage(record.bedrock_converse(), why);
    case v1::UsageRecord::kBedrockInvokeModel:
      return CountUsage(record.bedrock_invoke_model(), why);

    case v1::UsageRecord::kCohereChat:
      return CountUsage(record.cohere_chat(), why);
    case v1::UsageRecord::kCohereMeta:
      return CountUsage(record.cohere_meta(), why);

    case v1::UsageRecord::kMistralChat:
      return CountUsage(record.mistral_chat(), why);
    case v1::UsageRecord::kMistralConversations:
      return CountUsage(record.mistral_conversations(), why);
    case v1::UsageRecord::kMistralOcr:
      return CountUsage(record.mistral_ocr(), why);

    case v1::UsageRecord::kXaiChat:
      return CountUsage(record.xai_chat(), why);
    case v1::UsageRecord::kXaiResponses:
      return CountUsage(record.xai_responses(), why);
    case v1::UsageRecord::kXaiImages:
      return CountUsage(record.xai_images(), why);
    case v1::UsageRecord::kXaiSampling:
      return CountUsage(record.xai_sampling(), why);

    case v1::UsageRecord::kDeepseekChat:
      return CountUsage(record.deepseek_chat(), why);

    case v1::UsageRecord::kGroqChat:
      return CountUsage(record.groq_chat(), why);

    case v1::UsageRecord::kOllamaChat:
      return CountUsage(record.ollama_chat(), why);
    case v1::UsageRecord::kOllamaEmbed:
      return CountUsage(record.ollama_embed(), why);

    case v1::UsageRecord::kOpenaiCompatibleChat:
      return CountUsage(record.openai_compatible_chat(), why);

    case v1::UsageRecord::kSglangChat:
      return CountUsage(record.sglang_chat(), why);

    case v1::UsageRecord::kPerplexityChat:
      return CountUsage(record.perplexity_chat(), why);
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
