import { expect, it } from "vitest";
import { eachIngestTime } from "./ingest-times";

it("records that follow each other at one moment are told of together, every record once", () => {
  const records = [5, 5, 6, 5, 5, 5].map((ingestTime, i) => ({ ingestTime, value: Buffer.alloc(i) }));
  const told: number[][] = [];
  eachIngestTime(records, (...one) => told.push(one));
  expect(told).toEqual([
    [5, 2, 1],
    [6, 1, 2],
    [5, 3, 12],
  ]);
  eachIngestTime([], () => expect.unreachable());
});
