import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { mappingSchema } from "@/server/domain/mapping/mapping";
import { deliveryOf } from "./decoders/testing";
import { readDelivery } from "./read";

const mapping = mappingSchema.parse({ decode: "json", device: ["{id}"], readings: [{ root: "" }] });
const BODY = '{"id":"barn-1","t":21.5}';
const read = (body: Uint8Array, encoding: string) =>
  readDelivery({ mapping, labels: {} }, deliveryOf(body, { headers: { "content-encoding": encoding } }));

test.each([
  ["gzip", gzipSync(BODY)],
  ["x-gzip", gzipSync(BODY)],
  ["deflate", deflateSync(BODY)],
  ["br", brotliCompressSync(BODY)],
])("a body that was kept packed by %s is read as it is unpacked", (encoding, body) => {
  const { messages, refused } = read(body, encoding);
  expect([refused, messages[0]?.device, messages[0]?.readings]).toMatchObject([[], "barn-1", [{ value: 21.5 }]]);
});

test("what isn't whole, too large unpacked, or packed in an unknown way is refused by name", () => {
  const why = (body: Uint8Array, encoding: string) => read(body, encoding).refused[0]?.detail;
  expect(why(gzipSync(BODY).subarray(0, 20), "gzip")).toBe(
    "it came packed as gzip, and can't be unpacked: unexpected end of file",
  );
  expect(why(gzipSync(Buffer.alloc(3_000_000, " ")), "gzip")).toContain("can't be unpacked: Cannot create a Buffer");
  expect(why(Buffer.from(BODY), "zstd")).toBe("it came packed as zstd, which is none of gzip, deflate and br");
  expect(why(Buffer.from(BODY), "constructor")).toContain("which is none of");
});
