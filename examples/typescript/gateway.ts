// SPDX-License-Identifier: Apache-2.0

// A gateway in miniature: reports the usage of OpenAI chat completions that it passes on.
//
//   const gateway = new Gateway(new UsageReporter("http://127.0.0.1:8105", "demo"));
//   gateway.onResponse(body, "acme");
//
// or, for a response that is a stream of events:
//
//   const stream = gateway.stream("acme");
//   for await (const chunk of response) {
//     sendToCaller(chunk);
//     stream.onChunk(chunk);
//   }
//   stream.onEnd();
//
// Errors of reporting are only logged: they never fail the caller's call.

import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { UsageRecordSchema } from "./generated/tokenusage/v1/usage_record_pb.js";
import type { UsageReporter } from "./usage_reporter.js";

// The members that are read of a completion, or of an event of its stream.
interface Completion {
  id?: string;
  model?: string;
  usage?: JsonValue;
}

export class Gateway {
  constructor(readonly reporter: UsageReporter) {}

  // Reports the usage of a whole response.
  onResponse(body: string, customer: string): void {
    this.#report(parse(body), customer);
  }

  // Returns a Stream for a response that arrives in chunks.
  stream(customer: string): Stream {
    return new Stream((completion) => this.#report(completion, customer));
  }

  #report({ id, model, usage }: Completion, customer: string): void {
    if (!usage) return console.warn("no usage in the response");
    try {
      const fields = {
        record_id: id ?? null, // the provider's: the same response is never counted twice
        operation: "chat",
        provider: "openai",
        model: model ?? null,
        labels: { customer },
        openai_chat: usage,
      };
      const record = fromJson(UsageRecordSchema, fields, { ignoreUnknownFields: true });
      if (!this.reporter.report(record)) console.error("usage is lost: too many are pending");
    } catch (error) {
      console.warn(`no usage: ${error}`);
    }
  }
}

export class Stream {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #last: Completion = {};

  constructor(readonly report: (completion: Completion) => void) {}

  onChunk(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) {
      if (!line.startsWith("data:")) continue;
      const event = parse(line.slice("data:".length));
      // Usage is null in all events but the last.
      if (event.usage) this.#last = event;
    }
  }

  // Reports what was seen, even if the stream was interrupted.
  onEnd(): void {
    this.report(this.#last);
  }
}

// Parses a JSON object. Returns an empty one for other text, such as [DONE].
function parse(text: string): Completion {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
