import pino from "pino";
import { expect, it } from "vitest";
import { DocumentsUnavailableError } from "@/server/domain/unavailable";
import { connectMongo } from "./connection";
import { createMongoDeviceTwins } from "./device-twins";

const silent = pino({ level: "silent" });

it.each([
  ["mongodb://localhost", "fieldwatch"],
  ["mongodb://localhost:27017/", "fieldwatch"],
  ["mongodb://localhost?tls=true", "fieldwatch"],
  ["mongodb://user:p%2Fw%3F@one:1,two:2/plant%20a?replicaSet=rs", "plant a"],
  ["mongodb://localhost/plant-1?appName=x", "plant-1"],
])("%s names the database %s", async (uri, database) => {
  const { db, close } = connectMongo(uri, "worker", silent);
  expect(db.databaseName).toBe(database);
  await close();
});

it("bounds every wait, and leaves to the URI what the URI says", async () => {
  const own = connectMongo("mongodb://localhost/x", "worker", silent);
  const { appName, serverSelectionTimeoutMS, connectTimeoutMS, socketTimeoutMS, maxPoolSize } = own.client.options;
  expect([appName, serverSelectionTimeoutMS, connectTimeoutMS, socketTimeoutMS, maxPoolSize]).toEqual([
    "fieldwatch-worker",
    3000,
    5000,
    20_000,
    10,
  ]);
  const given = connectMongo("mongodb://localhost/x?appname=a&maxPoolSize=3&socketTimeoutMS=1000", "worker", silent);
  expect(given.client.options).toMatchObject({
    appName: "a",
    maxPoolSize: 3,
    socketTimeoutMS: 1000,
    connectTimeoutMS: 5000,
  });
  await Promise.all([own.close(), given.close()]);
});

it("tells of a server that isn't there, without the password", async () => {
  const lines: string[] = [];
  const logger = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const uri = "mongodb://someone:secret-word@127.0.0.1:1/x?serverSelectionTimeoutMS=300";
  const { db, close } = connectMongo(uri, "worker", logger);
  const twins = createMongoDeviceTwins(db);
  const error: unknown = await twins.get(["d"]).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DocumentsUnavailableError);
  await expect(twins.get(["d"])).rejects.toThrow(DocumentsUnavailableError);
  await close();
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    "MongoDB can't be reached; trying again",
  ]);
  expect(lines.join() + String((error as Error).message)).not.toContain("secret-word");
});

it("each sign-in uses the password of the URI as it is then", async () => {
  let uri = "mongodb://ana:one@127.0.0.1:1/?authSource=admin";
  const connection = connectMongo(uri, "test", silent, () => uri);
  // As the driver does when the server has said which ways to sign in it knows.
  const signIn = () =>
    connection.client.options.credentials!.resolveAuthMechanism({ saslSupportedMechs: ["SCRAM-SHA-256"] });
  expect(signIn()).toMatchObject({ username: "ana", password: "one", source: "admin", mechanism: "SCRAM-SHA-256" });
  uri = "mongodb://ana:two%21@127.0.0.1:1/?authSource=admin";
  expect(signIn()).toMatchObject({ username: "ana", password: "two!" });
  await connection.close();
});
