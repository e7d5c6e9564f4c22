import { MongoClient } from "mongodb";
import pino from "pino";
import { expect, test } from "vitest";
import { startMongo } from "@/e2e/engines/mongodb";
import { describeStartingEngines } from "@/server/testing/engines";
import { connectMongo } from "./connection";

const SLOW = 240_000;

describeStartingEngines("a MongoDB that wants a sign-in", () => {
  test(
    "lets in by SCRAM-SHA-256, by a password that changes meanwhile, and nobody else",
    { timeout: SLOW },
    async () => {
      const server = await startMongo({ killable: true });
      try {
        const users = new MongoClient(server.uri);
        const roles = [{ role: "readWrite", db: "fieldwatch" }];
        await users.db("admin").command({ createUser: "fieldwatch", pwd: "p@ss/w:rd?", roles });
        await users.close();
        await server.stop();
        server.demandSignIn();
        await server.start();

        const uriOf = (password: string) =>
          `${server.uri.replace("//", `//fieldwatch:${encodeURIComponent(password)}@`)}?authSource=admin`;
        const logger = pino({ level: "silent" });
        const insert = async (uri: string, current?: () => string) => {
          const { db, close } = connectMongo(uri, "test", logger, current);
          try {
            return (await db.collection("kept").insertOne({ at: new Date() })).acknowledged;
          } finally {
            await close();
          }
        };
        const right = uriOf("p@ss/w:rd?");
        expect(await insert(right)).toBe(true);
        // The file of the URI was replaced since.
        const wrong = uriOf("of yesterday");
        expect(await insert(wrong, () => right)).toBe(true);
        await expect(insert(wrong)).rejects.toMatchObject({ code: 18 });
        await expect(insert(server.uri)).rejects.toMatchObject({ code: 13 });
      } finally {
        await server.remove();
      }
    },
  );
});
