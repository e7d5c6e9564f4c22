import {
  type BulkWriteResult,
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoErrorLabel,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoNotConnectedError,
  MongoParseError,
  MongoServerError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from "mongodb";
import { describe, expect, it, vi } from "vitest";
import { DocumentsUnavailableError } from "@/server/domain/unavailable";
import { documentsError, onlyDuplicates, withDocumentErrors } from "./errors";

const NETWORK = new MongoNetworkError("read ECONNRESET");
const DUPLICATE = 11000;
const WRITE_CONCERN = { code: 64, errmsg: "waiting for replication timed out" };

/** Makes the server's judgement of the documents: these codes, and perhaps a write concern that was not met. */
function bulk(codes: readonly number[], writeConcern?: typeof WRITE_CONCERN): MongoBulkWriteError {
  const writeErrors = codes.map((code, index) => ({ index, code, errmsg: `error ${code}` }));
  return new MongoBulkWriteError(
    { message: "write operation failed", code: codes[0] ?? 64, writeErrors } as never,
    { getWriteConcernError: () => writeConcern } as unknown as BulkWriteResult,
  );
}

/** Makes the driver's error of a bulk write that failed as a whole. */
function bulkOf(error: Error): MongoBulkWriteError {
  return new MongoBulkWriteError(
    error as MongoNetworkError,
    {
      getWriteConcernError: () => undefined,
    } as unknown as BulkWriteResult,
  );
}

function server(code: number): MongoServerError {
  return new MongoServerError({ message: `error ${code}`, code });
}

function labelled(label: string): MongoServerError {
  return new MongoServerError({ message: "labelled", code: 1, errorLabels: [label] });
}

describe("errors of MongoDB", () => {
  const outages: [name: string, error: Error][] = [
    ["a lost connection", NETWORK],
    ["a silent connection", new MongoNetworkTimeoutError("timed out")],
    ["a client not connected", new MongoNotConnectedError("not connected")],
    ["a closed topology", new MongoTopologyClosedError("Topology is closed")],
    ["a closed client", new MongoClientClosedError()],
    ["a write concern not met", new MongoWriteConcernError({ writeConcernError: WRITE_CONCERN, ok: 1 })],
    ["a label of the server", labelled(MongoErrorLabel.RetryableWriteError)],
    ["an overloaded server", labelled(MongoErrorLabel.SystemOverloadedError)],
    ["a name that isn't found", Object.assign(new Error("queryTxt"), { code: "ENOTFOUND" })],
    ...[13, 18, 50, 91, 189, 262, 8000, 10107, 11600, 13435, 13436, 14031].map((code): [string, Error] => [
      `code ${code}`,
      server(code),
    ]),
    ["a bulk write on a lost connection", bulkOf(NETWORK)],
    ["a bulk write that was refused sign-in", bulkOf(server(18))],
    ["a bulk write on a full disk", bulk([14031, 14031])],
    ["a bulk write with duplicates on a full disk", bulk([DUPLICATE, 14031])],
    ["a bulk write not known to be durable", bulk([], WRITE_CONCERN)],
    ["duplicates not known to be durable", bulk([DUPLICATE], WRITE_CONCERN)],
  ];
  it.each(outages)("%s is an outage", (_, error) => {
    const told = documentsError(error);
    expect(told).toBeInstanceOf(DocumentsUnavailableError);
    expect((told as Error).cause).toBe(error);
    expect(onlyDuplicates(error)).toBe(false);
    expect(documentsError(told)).toBe(told);
  });

  const others: [name: string, error: unknown][] = [
    ["a refused document", server(121)],
    ["a bad value", server(2)],
    ["a refused document in a bulk write", bulk([121])],
    ["a refused document beside a full disk", bulk([14031, 121])],
    ["a refused document beside duplicates", bulk([DUPLICATE, 121])],
    ["a bulk write the driver refuses", bulkOf(new MongoInvalidArgumentError("too large"))],
    ["a wrong URI", new MongoParseError("invalid")],
    ["a mistake in the program", new TypeError("x is not a function")],
    ["a missing file", Object.assign(new Error("ca.pem"), { code: "ENOENT" })],
    ["no error at all", "text"],
  ];
  it.each(others)("%s stays what it is", async (_, error) => {
    expect(documentsError(error)).toBe(error);
    expect(onlyDuplicates(error)).toBe(false);
    await expect(withDocumentErrors(() => Promise.reject(error as Error))).rejects.toBe(error);
  });

  it("knows documents that were there already", () => {
    expect(onlyDuplicates(bulk([DUPLICATE, DUPLICATE]))).toBe(true);
    expect(onlyDuplicates(bulk([]))).toBe(false);
    expect(onlyDuplicates(server(DUPLICATE))).toBe(false);
  });
});

it("takes a driver that neither answers nor fails for an outage, after a while", async () => {
  vi.useFakeTimers();
  try {
    const failed = expect(withDocumentErrors(() => new Promise(() => {}))).rejects.toThrow(DocumentsUnavailableError);
    await vi.advanceTimersByTimeAsync(120_000);
    await failed;
  } finally {
    vi.useRealTimers();
  }
});
