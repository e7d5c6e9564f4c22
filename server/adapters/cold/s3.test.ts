import { expect, it } from "vitest";
import { ColdUnavailableError } from "@/server/ports/cold-store";
import { coldStoreContract } from "@/server/testing/cold-store.contract";
import { describeWithS3 } from "@/server/testing/engines";
import { createS3ColdStore } from "./s3";

const credentials = () => ({ accessKeyId: "key", secretAccessKey: "secret" });
const region = "eu-central-1";

describeWithS3("on real storage", ({ endpoint, bucket }) => {
  for (const prefix of ["", "plant a/cold"])
    coldStoreContract(`S3, ${prefix === "" ? "no prefix" : "a prefix"}`, async () => ({
      store: createS3ColdStore({ bucket, prefix, endpoint, region, credentials }),
      away: createS3ColdStore({ bucket, prefix, endpoint: "http://127.0.0.1:9", region, credentials }),
      close: async () => {},
    }));

  it("lists more files than one answer holds", async () => {
    const store = createS3ColdStore({ bucket, prefix: "many", endpoint, region, credentials });
    const names = Array.from({ length: 1001 }, (_, i) => `readings/${String(i).padStart(4, "0")}.parquet`);
    for (let i = 0; i < names.length; i += 100)
      await Promise.all(names.slice(i, i + 100).map((name) => store.put(name, Uint8Array.of(1))));
    expect((await store.list("readings")).map(({ name }) => name)).toEqual(names);
  });

  it("says that the bucket isn't there", async () => {
    const store = createS3ColdStore({ bucket: "no-such-bucket", prefix: "", endpoint, region, credentials });
    const outage = { name: "ColdUnavailableError", fix: expect.stringContaining("bucket") };
    await expect(store.read("a.parquet", 0, 1)).rejects.toMatchObject(outage);
    await expect(store.put("a.parquet", Uint8Array.of(1))).rejects.toThrow(ColdUnavailableError);
    await expect(store.list("readings")).rejects.toMatchObject(outage);
  });
});
