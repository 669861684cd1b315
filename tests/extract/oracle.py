# SPDX-License-Identifier: Apache-2.0
"""Counts usage objects by rules that were written a second time, in Python.

count(member, text) takes the member of UsageRecord that holds the usage, and the object as
JSON. It returns the counts by measure, as Decimals. Contradictions are not looked for.
"""

import json
import re
from decimal import Decimal


def _first(usage, *paths):
    """Returns the number at the first field path that has one, or None."""
    for path in paths:
        value = usage
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            return Decimal(value)
    return None


def _sum(*numbers):
    """Returns the sum of the numbers that are stated, or None if none is."""
    stated = [number for number in numbers if number is not None]
    return sum(stated, Decimal(0)) if stated else None


def _whole(counts):
    """Sets the total to input plus output if none is stated."""
    if counts.get("total_tokens") is not None:
        return counts
    if counts.get("input_tokens") is not None and counts.get("output_tokens") is not None:
        counts["total_tokens"] = counts["input_tokens"] + counts["output_tokens"]
    return counts


_IN = ("prompt_tokens_details", "prompt_token_details", "input_tokens_details")
_IN += ("input_token_details",)
_OUT = ("completion_tokens_details", "output_tokens_details", "output_token_details")


def _openai(usage):
    """Counts OpenAI's shape: wholes include their parts."""

    def part(details, *names):
        return _first(usage, *[f"{detail}.{name}" for name in names for detail in details])

    writes = ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens")
    counts = {
        "input_tokens": _first(usage, "prompt_tokens", "input_tokens"),
        "output_tokens": _first(usage, "completion_tokens", "output_tokens"),
        "total_tokens": _first(usage, "total_tokens"),
        "cache_read_tokens": part(_IN, "cached_tokens"),
        "cache_write_tokens": part(_IN, *writes, "created_cache_tokens"),
        "cache_write_5m_tokens": part(_IN, "cache_creation_5m_tokens"),
        "cache_write_1h_tokens": part(_IN, "cache_creation_1h_tokens"),
        "reasoning_tokens": part(_OUT, "reasoning_tokens"),
        "accepted_prediction_tokens": part(_OUT, "accepted_prediction_tokens"),
        "rejected_prediction_tokens": part(_OUT, "rejected_prediction_tokens"),
    }
    for modality in ("text", "image", "audio", "video"):
        counts[f"input_{modality}_tokens"] = part(_IN, f"{modality}_tokens")
        counts[f"output_{modality}_tokens"] = part(_OUT, f"{modality}_tokens")
        counts[f"cache_read_{modality}_tokens"] = part(
            _IN, f"cached_tokens_details.{modality}_tokens"
        )
    return _whole(counts)


def _images(usage):
    """Derives an input that Orq does not state: text and image tokens, if both are there."""
    counts = _openai(usage)
    details = [counts[f"input_{modality}_tokens"] for modality in ("text", "image")]
    if counts["input_tokens"] is None and None not in details:
        counts["input_tokens"] = _sum(*details)
    return _whole(counts)


def _additive(counts):
    """Adds the reasoning to the output if the total shows that the output leaves it out."""
    whole = _sum(counts["input_tokens"], counts["output_tokens"])
    reasoning = counts["reasoning_tokens"]
    if reasoning and counts["total_tokens"] == _sum(whole, reasoning):
        counts["output_tokens"] = _sum(counts["output_tokens"], reasoning)
    return counts


def _openrouter(usage):
    searches = [
        f"{name}.web_search_requests" for name in ("server_tool_use_details", "server_tool_use")
    ]
    executed = [
        f"{name}.tool_calls_executed" for name in ("server_tool_use_details", "server_tool_use")
    ]
    return {
        **_openai(usage),
        "cost_usd": _first(usage, "cost"),
        "web_search_requests": _first(usage, *searches),
        "tool_calls": _first(usage, *executed),
        "search_units": _first(usage, "search_units"),
        "input_audio_seconds": _first(usage, "seconds"),
        "input_document_tokens": _first(usage, "prompt_tokens_details.file_tokens"),
        "cache_write_5m_tokens": _first(usage, "cache_creation.ephemeral_5m_input_tokens"),
        "cache_write_1h_tokens": _first(usage, "cache_creation.ephemeral_1h_input_tokens"),
    }


def _messages(usage):
    read = _first(usage, "cache_read_input_tokens")
    five = _first(usage, "cache_creation.ephemeral_5m_input_tokens")
    hour = _first(usage, "cache_creation.ephemeral_1h_input_tokens")
    write = _first(usage, "cache_creation_input_tokens")
    write = _sum(five, hour) if write is None else write
    searches = _first(usage, "server_tool_use.web_search_requests")
    fetches = _first(usage, "server_tool_use.web_fetch_requests")
    return _whole(
        {
            "input_tokens": _sum(_first(usage, "input_tokens"), read, write),
            "output_tokens": _first(usage, "output_tokens"),
            "cache_read_tokens": read,
            "cache_write_tokens": write,
            "cache_write_5m_tokens": five,
            "cache_write_1h_tokens": hour,
            "reasoning_tokens": _first(usage, "output_tokens_details.thinking_tokens"),
            "web_search_requests": searches,
            "tool_calls": _sum(searches, fetches),
            "cost_usd": _first(usage, "cost"),
        }
    )


def _modalities(prefix, elements, name, number):
    """Sums a list by modality; an unspecified modality is text."""
    counts = {}
    for element in elements or []:
        modality = (element.get(name) or "").lower()
        modality = "text" if modality in ("", "modality_unspecified") else modality
        if element.get(number) is None:
            continue
        measure = f"{prefix}_{modality}_tokens"
        counts[measure] = counts.get(measure, Decimal(0)) + element[number]
    return counts


def _google(usage, candidates="candidates"):
    prompt = _first(usage, "promptTokenCount")
    tools = _first(usage, "toolUsePromptTokenCount")
    answer = _first(usage, f"{candidates}TokenCount")
    thoughts = _first(usage, "thoughtsTokenCount")
    total = _first(usage, "totalTokenCount")
    inside = None not in (total, prompt, answer) and total == _sum(prompt, tools, answer)
    output = answer if inside else _sum(answer, thoughts)
    counts = {
        "input_tokens": _sum(prompt, tools),
        "output_tokens": output,
        "total_tokens": total,
        "reasoning_tokens": thoughts,
        "cache_read_tokens": _first(usage, "cachedContentTokenCount"),
        "tool_result_tokens": tools,
    }
    inputs = list(usage.get("promptTokensDetails") or [])
    inputs += usage.get("toolUsePromptTokensDetails") or []
    counts.update(_modalities("input", inputs, "modality", "tokenCount"))
    cached = usage.get("cacheTokensDetails")
    counts.update(_modalities("cache_read", cached, "modality", "tokenCount"))
    answers = usage.get(f"{candidates}TokensDetails")
    counts.update(_modalities("output", answers, "modality", "tokenCount"))
    return counts


def _interactions(usage):
    tools = _first(usage, "total_tool_use_tokens")
    thoughts = _first(usage, "total_thought_tokens")
    inputs = list(usage.get("input_tokens_by_modality") or [])
    inputs += usage.get("tool_use_tokens_by_modality") or []
    tools_called = [tool for tool in usage.get("grounding_tool_count") or [] if "count" in tool]
    searches = [tool["count"] for tool in tools_called if tool.get("type") == "google_search"]
    counts = {
        "input_tokens": _sum(_first(usage, "total_input_tokens"), tools),
        "output_tokens": _sum(_first(usage, "total_output_tokens"), thoughts),
        "total_tokens": _first(usage, "total_tokens"),
        "reasoning_tokens": thoughts,
        "tool_result_tokens": tools,
        "cache_read_tokens": _first(usage, "total_cached_tokens"),
        "web_search_requests": _sum(*searches),
        "tool_calls": _sum(*[tool["count"] for tool in tools_called]),
    }
    counts.update(_modalities("input", inputs, "modality", "tokens"))
    for prefix, name in (("cache_read", "cached"), ("output", "output")):
        elements = usage.get(f"{name}_tokens_by_modality")
        counts.update(_modalities(prefix, elements, "modality", "tokens"))
    return counts


def _predict(usage):
    tokens = [
        _first(prediction, "embeddings.statistics.token_count")
        for prediction in usage.get("predictions") or []
    ]
    total = _sum(*tokens)
    return {
        "input_tokens": total,
        "total_tokens": total,
        "characters": _first(usage, "metadata.billableCharacterCount"),
    }


def _bedrock(usage, suffix="Tokens"):
    read = _first(usage, "cacheReadInputTokens", "cacheReadInputTokenCount")
    write = _first(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    details = {}
    for detail in usage.get("cacheDetails") or []:
        measure = f"cache_write_{detail.get('ttl')}_tokens"
        if detail.get("inputTokens") is not None:
            details[measure] = details.get(measure, Decimal(0)) + detail["inputTokens"]
    uncached = _first(usage, f"input{suffix}")
    counts = {
        "input_tokens": None if uncached is None else _sum(uncached, read, write),
        "output_tokens": _first(usage, f"output{suffix}"),
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        **details,
    }
    total = _first(usage, "totalTokens")
    return _whole(counts) if total is None else {**counts, "total_tokens": total}


def _cohere(usage):
    return _whole(
        {
            "input_tokens": _first(usage, "tokens.input_tokens"),
            "output_tokens": _first(usage, "tokens.output_tokens"),
            "cache_read_tokens": _first(usage, "cached_tokens"),
            "billed_input_tokens": _sum(
                _first(usage, "billed_units.input_tokens"),
                _first(usage, "billed_units.image_tokens"),
            ),
            "billed_output_tokens": _first(usage, "billed_units.output_tokens"),
            "images": _first(usage, "billed_units.images"),
            "search_units": _first(usage, "billed_units.search_units"),
        }
    )


def _mistral(usage):
    return {
        **_openai(usage),
        "cache_read_tokens": _first(
            usage,
            "prompt_tokens_details.cached_tokens",
            "prompt_token_details.cached_tokens",
            "num_cached_tokens",
        ),
        "input_audio_seconds": _first(usage, "prompt_audio_seconds"),
        "pages": _first(usage, "pages_processed"),
    }


def _ticks(usage, name="cost_in_usd_ticks"):
    ticks = _first(usage, name)
    return None if ticks is None else ticks * Decimal("1e-10")


def _xai_chat(usage):
    counts = _openai(usage)
    if counts["total_tokens"] != _sum(counts["input_tokens"], counts["output_tokens"]):
        counts["output_tokens"] = _sum(counts["output_tokens"], counts["reasoning_tokens"])
    return {**counts, "cost_usd": _ticks(usage)}


def _xai_responses(usage):
    details = "server_side_tool_usage_details"
    return {
        **_openai(usage),
        "cost_usd": _ticks(usage),
        "tool_calls": _first(usage, "num_server_side_tools_used"),
        "web_search_requests": _first(usage, f"{details}.web_search_calls"),
    }


def _xai_sampling(usage):
    """Adds cached tokens to text tokens if the prompt is the sum of its parts, or absent."""
    prompt = _first(usage, "promptTokens")
    text = _first(usage, "promptTextTokens")
    cached = _first(usage, "cachedPromptTextTokens")
    images = _first(usage, "promptImageTokens")
    completion = _first(usage, "completionTokens")
    reasoning = _first(usage, "reasoningTokens")
    total = _first(usage, "totalTokens")
    inside = None not in (total, prompt, completion) and total == prompt + completion
    tools = usage.get("serverSideToolsUsed") or []
    searches = tools.count("SERVER_SIDE_TOOL_WEB_SEARCH")
    counts = {
        "input_tokens": prompt,
        "input_text_tokens": text,
        "input_image_tokens": images,
        "cache_read_tokens": cached,
        "cache_read_text_tokens": cached,
        "output_tokens": completion if inside else _sum(completion, reasoning),
        "reasoning_tokens": reasoning,
        "total_tokens": total,
        "tool_calls": Decimal(len(tools)) if tools else None,
        "web_search_requests": Decimal(searches) if searches else None,
        "cost_usd": _ticks(usage, "costInUsdTicks"),
    }
    if prompt in (None, _sum(text, cached, images)):
        counts["input_text_tokens"] = _sum(text, cached)
    return _whole(counts)


def _deepseek(usage):
    read = _first(usage, "prompt_cache_hit_tokens", "prompt_tokens_details.cached_tokens")
    return {**_openai(usage), "cache_read_tokens": read}


def _compatible(usage):
    multimodal = "prompt_tokens_details.multimodal_tokens"
    counts = _openai(usage)
    read = counts["cache_read_tokens"]
    counts["cache_read_tokens"] = _first(usage, "cached_tokens") if read is None else read
    if counts["reasoning_tokens"] is None:
        counts["reasoning_tokens"] = _first(usage, "reasoning_tokens")
    for modality in ("text", "image", "audio", "video"):
        name = f"input_{modality}_tokens"
        if counts[name] is None:
            counts[name] = _first(usage, f"{multimodal}.{modality}")
    if counts["input_audio_tokens"] is None:
        counts["input_audio_tokens"] = _first(usage, "audio_prompt_tokens")
    return _additive(counts)


def _perplexity(usage):
    """Citations and reasoning are not in the other counts, nor in the total."""
    citations = _first(usage, "citation_tokens")
    reasoning = _first(usage, "reasoning_tokens")
    return {
        "input_tokens": _sum(_first(usage, "prompt_tokens"), citations),
        "output_tokens": _sum(_first(usage, "completion_tokens"), reasoning),
        "total_tokens": _first(usage, "total_tokens"),
        "tool_result_tokens": citations,
        "reasoning_tokens": reasoning,
        "web_search_requests": _first(usage, "num_search_queries"),
        "cost_usd": _first(usage, "cost.total_cost"),
    }


def _sglang(usage):
    drafts = ("accepted_prediction_tokens", "rejected_prediction_tokens")
    counts = {k: v for k, v in _openai(usage).items() if k not in drafts}
    return {**counts, "reasoning_tokens": _first(usage, "reasoning_tokens")}


def _ollama(usage):
    counts = {
        "input_tokens": _first(usage, "prompt_eval_count"),
        "cache_read_tokens": _first(usage, "prompt_eval_cached_count"),
        "output_tokens": _first(usage, "eval_count"),
    }
    return _whole(counts)


def _orq_responses(usage):
    return {
        **_openai(usage),
        "cost_usd": _first(usage, "total_cost"),
        "web_search_requests": _first(usage, "web_search_requests"),
    }


def _transcription(usage):
    return {**_openai(usage), "input_audio_seconds": _first(usage, "seconds", "duration")}


def _tool_usage(usage):
    searches = _first(usage, "web_search.num_requests")
    return {**_openai(usage.get("image_gen") or {}), "web_search_requests": searches}


_RULES = {
    "orq_images_generations": _images,
    "orq_ocr": lambda usage: {
        "pages": _first(usage, "pages_processed"),
        "total_tokens": _first(usage, "tokens_processed"),
    },
    "orq_responses": _orq_responses,
    "openai_responses_tool_usage": _tool_usage,
    "openai_transcription": _transcription,
    "anthropic_messages": _messages,
    "google_generate_content": _google,
    "google_live": lambda usage: _google(usage, "response"),
    "google_interactions": _interactions,
    "google_predict_embeddings": _predict,
    "bedrock_converse": _bedrock,
    "bedrock_invoke_model": lambda usage: _bedrock(usage, "TokenCount"),
    "cohere_chat": _cohere,
    "cohere_meta": _cohere,
    "mistral_chat": _mistral,
    "mistral_conversations": _mistral,
    "mistral_ocr": _mistral,
    "xai_chat": _xai_chat,
    "xai_responses": _xai_responses,
    "xai_images": lambda usage: {"cost_usd": _ticks(usage)},
    "xai_sampling": _xai_sampling,
    "deepseek_chat": _deepseek,
    "openrouter_messages": _messages,
    "ollama_chat": _ollama,
    "ollama_embed": lambda usage: {
        "input_tokens": _first(usage, "prompt_eval_count"),
        "total_tokens": _first(usage, "prompt_eval_count"),
    },
    "openai_compatible_chat": _compatible,
    "sglang_chat": _sglang,
    "perplexity_chat": _perplexity,
}
# Counts by modality or cache lifetime for which there is no measure.
_NO_MEASURE = re.compile(
    "(input|output)_(?!text|image|audio|video|document)[a-z]+_tokens"
    "|cache_read_(?!text|image|audio|video)[a-z]+_tokens"
    "|cache_write_(?!5m|1h)[0-9a-z]+_tokens"
)


def _amount(number):
    """Returns a double as it is counted: its shortest decimal, rounded to 12 decimals."""
    return Decimal(repr(float(number))).quantize(Decimal("1e-12"))


def count(member, text):
    """Returns the counts of a usage by measure."""
    usage = json.loads(text, parse_int=Decimal, parse_float=_amount)
    rule = _RULES.get(member)
    if rule is None:
        rule = _openrouter if member.startswith("openrouter_") else _openai
    return {
        measure: amount
        for measure, amount in rule(usage).items()
        if amount is not None and not _NO_MEASURE.fullmatch(measure)
    }
