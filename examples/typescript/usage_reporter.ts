// SPDX-License-Identifier: Apache-2.0

// Sends usage to a tokenusage service in batches, each until the service has answered.
//
//   const reporter = new UsageReporter("http://127.0.0.1:8105", "demo");
//   reporter.report(create(UsageRecordSchema, { operation: "images.edits", ... }));
//   ...
//   await reporter.close(10_000);
//
// Records are in memory only: those that the service has not answered for are lost if the
// process ends without close(). The C++ library keeps them on disk (docs/client.md).

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { toBinary } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { type UsageRecord, UsageRecordSchema } from "./generated/tokenusage/v1/usage_record_pb.js";
import {
  type RecordError,
  UsageReportingService,
} from "./generated/tokenusage/v1/usage_reporting_service_pb.js";

const MAX_RECORDS = 1000;
const MAX_BYTES = 1_000_000;
const MIN_DELAY = 100; // milliseconds, as MAX_DELAY
const MAX_DELAY = 30_000;

export interface UsageReporterOptions {
  token?: string;
  // Called with each record that the service refuses, and why.
  onRefused?: (record: UsageRecord, why: string) => void;
  maxPending?: number;
  maxBatchAge?: number; // in milliseconds
}

export class UsageReporter {
  readonly #connection: Http2SessionManager;
  readonly #client;
  readonly #options: Required<UsageReporterOptions>;
  readonly #done: Promise<boolean>;
  readonly #stopped = new AbortController();
  #pending: UsageRecord[] = [];
  #closing = false;
  #wake = () => {};

  constructor(
    server: string,
    readonly project: string,
    options: UsageReporterOptions = {},
  ) {
    this.#connection = new Http2SessionManager(server);
    this.#client = createClient(
      UsageReportingService,
      createGrpcTransport({ baseUrl: server, sessionManager: this.#connection }),
    );
    this.#options = {
      token: "",
      onRefused: (record, why) => console.error(record.recordId, why),
      maxPending: 100_000,
      maxBatchAge: 100,
      ...options,
    };
    this.#done = this.#run();
  }

  // Takes a record; returns false if too many are pending, or after close(). Sets the id and
  // the time if they are missing; a record that is sent again counts once.
  report(record: UsageRecord): boolean {
    record.recordId ||= newRecordId();
    record.eventTime ??= timestampNow();
    if (this.#closing || this.#pending.length >= this.#options.maxPending) return false;
    const count = this.#pending.push(record);
    if (count === 1 || count >= MAX_RECORDS) this.#wake();
    return true;
  }

  // Sends what is left; returns whether all of it was answered within `timeout` milliseconds.
  async close(timeout: number): Promise<boolean> {
    this.#closing = true;
    this.#wake();
    const timer = setTimeout(() => this.#stopped.abort(), timeout);
    const isDone = await this.#done;
    clearTimeout(timer);
    this.#connection.abort();
    return isDone;
  }

  async #run(): Promise<boolean> {
    while (true) {
      if (this.#pending.length === 0) {
        if (this.#closing) return true;
        await this.#woken();
      } else {
        if (this.#pending.length < MAX_RECORDS && !this.#closing) {
          await Promise.race([this.#woken(), sleep(this.#options.maxBatchAge)]);
        }
        if (!(await this.#deliver(this.#takeBatch()))) return false;
      }
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #takeBatch(): UsageRecord[] {
    let count = 0;
    for (let bytes = 0; count < Math.min(this.#pending.length, MAX_RECORDS); ++count) {
      // A record's tag and length take at most 6 bytes of the request.
      bytes += toBinary(UsageRecordSchema, this.#pending[count]).length + 6;
      if (count > 0 && bytes > MAX_BYTES) break;
    }
    return this.#pending.splice(0, count);
  }

  // Sends the batch until it is answered; returns false if the reporter stopped.
  async #deliver(batch: UsageRecord[]): Promise<boolean> {
    const { signal } = this.#stopped;
    for (let delay = MIN_DELAY; !signal.aborted; delay = Math.min(2 * delay, MAX_DELAY)) {
      const result = await this.#call(batch);
      if (!(result instanceof ConnectError)) {
        for (const refused of result) {
          this.#options.onRefused(batch[refused.index], refused.message);
        }
        return true;
      }
      if (result.code === Code.InvalidArgument) return this.#split(batch, result);
      // The service is away or busy, or the outcome is unknown: send the same again.
      const pushback = Number(result.metadata.get("grpc-retry-pushback-ms"));
      const wait = Math.max(delay * (0.5 + Math.random() / 2), pushback);
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
    return false;
  }

  // Returns the errors of the records that were refused, or why the call failed.
  async #call(records: UsageRecord[]): Promise<RecordError[] | ConnectError> {
    const { token } = this.#options;
    try {
      const answer = await this.#client.reportUsage(
        { project: this.project, records },
        {
          headers: token ? { authorization: `Bearer ${token}` } : {},
          signal: this.#stopped.signal,
          timeoutMs: 30_000,
        },
      );
      return answer.errors;
    } catch (error) {
      return ConnectError.from(error);
    }
  }

  // Finds the record for which the service refuses the batch.
  async #split(batch: UsageRecord[], error: ConnectError): Promise<boolean> {
    if (batch.length === 1) {
      this.#options.onRefused(batch[0], error.rawMessage);
      return true;
    }
    const middle = batch.length >> 1;
    return (
      (await this.#deliver(batch.slice(0, middle))) && (await this.#deliver(batch.slice(middle)))
    );
  }
}

// Returns a UUIDv7.
function newRecordId(): string {
  const id = randomBytes(16);
  id.writeUIntBE(Date.now(), 0, 6);
  id[6] = 0x70 | (id[6] & 0x0f);
  id[8] = 0x80 | (id[8] & 0x3f);
  return id.toString("hex").replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
