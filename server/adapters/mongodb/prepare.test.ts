import { afterEach, beforeEach, expect, it } from "vitest";
import { describeWithMongo } from "@/server/testing/engines";
import type { MongoConnection } from "./connection";
import { FORMER_INDEXES, wantedIndexes } from "./indexes";
import { prepareMongo } from "./prepare";
import { connectPatiently } from "./test-connection";

const DAY = 24 * 3600;

describeWithMongo("preparing MongoDB", (uri) => {
  let mongo: MongoConnection;
  beforeEach(async () => {
    mongo = connectPatiently(uri);
    await mongo.db.dropDatabase();
  });
  afterEach(() => mongo.close());

  async function indexesNow() {
    const found = await Promise.all(
      ["archive", "messages", "deadLetters"].map(async (collection) =>
        (await mongo.db.collection(collection).listIndexes().toArray())
          .filter(({ name }) => name !== "_id_")
          .map(({ name, key, expireAfterSeconds }) => ({
            collection,
            name,
            key,
            ...(expireAfterSeconds !== undefined && { expireAfterSeconds }),
          })),
      ),
    );
    return found.flat();
  }

  function byName(indexes: readonly { collection: string; name: string }[]) {
    return [...indexes].sort((a, b) => (`${a.collection}.${a.name}` < `${b.collection}.${b.name}` ? -1 : 1));
  }

  it("twice at once and again makes each wanted index once", async () => {
    const retention = { archiveDays: 3 };
    await Promise.all([prepareMongo(mongo.db, retention), prepareMongo(mongo.db, retention)]);
    await prepareMongo(mongo.db, retention);
    expect(byName(await indexesNow())).toEqual(byName(wantedIndexes(retention)));
    expect(wantedIndexes(retention).flatMap((index) => index.expireAfterSeconds ?? [])).toEqual([3 * DAY, 3 * DAY]);
  });

  // MongoDB moves and drops an index in one step; the MongoDB-wire server breaks when two drop the same one, so these come one after the other.
  it("moves the days when they changed, once", async () => {
    await prepareMongo(mongo.db, { archiveDays: 3 });
    const changed = { archiveDays: 36_500 };
    await prepareMongo(mongo.db, changed);
    await prepareMongo(mongo.db, changed);
    expect(byName(await indexesNow())).toEqual(byName(wantedIndexes(changed)));
    // MongoDB takes no more than 2³¹ − 1 seconds.
    expect(wantedIndexes(changed).flatMap((index) => index.expireAfterSeconds ?? [])).toEqual([
      2_147_483_647, 2_147_483_647,
    ]);
  });

  it("takes an index of another name for what it is, and leaves other people's alone", async () => {
    const messages = mongo.db.collection("messages");
    await messages.createIndex({ ingestTime: 1 }, { name: "theirs", expireAfterSeconds: 5 * DAY });
    await messages.createIndex({ eventTime: 1 }, { name: "own question" });
    await prepareMongo(mongo.db, { archiveDays: 5 });
    const names = (await indexesNow()).filter(({ collection }) => collection === "messages").map(({ name }) => name);
    expect(names.sort()).toEqual(["device_newest", "own question", "theirs"]);
  });

  it("refuses what stands in the way, with the line that removes it", async () => {
    const messages = mongo.db.collection("messages");
    const retention = { archiveDays: 5 };
    await messages.createIndex({ body: 1 }, { name: "retention" });
    await expect(prepareMongo(mongo.db, retention)).rejects.toThrow('db.messages.dropIndex("retention")');
    await messages.dropIndex("retention");
    await messages.createIndex({ device: 1, eventTime: 1 }, { name: "once", unique: true });
    await expect(prepareMongo(mongo.db, retention)).rejects.toThrow('db.messages.dropIndex("once")');
    await messages.dropIndex("once");
    await prepareMongo(mongo.db, retention);
    expect(byName(await indexesNow())).toEqual(byName(wantedIndexes(retention)));
  });

  it("drops an index that another took the place of, and only if it is that one", async () => {
    const letters = mongo.db.collection("deadLetters");
    const [former] = FORMER_INDEXES;
    await letters.createIndex(former!.key, { name: former!.name });
    const retention = { archiveDays: 3 };
    await prepareMongo(mongo.db, retention);
    await prepareMongo(mongo.db, retention);
    expect(byName(await indexesNow())).toEqual(byName(wantedIndexes(retention)));
    await letters.createIndex({ status: 1 }, { name: former!.name });
    await prepareMongo(mongo.db, retention);
    expect((await indexesNow()).map(({ name }) => name)).toContain(former!.name);
  });

  it("no longer lets MongoDB remove dead letters, of which one may be on its way", async () => {
    const letters = mongo.db.collection("deadLetters");
    // The MongoDB-wire server mixes up indexes of one name in two collections once one of them is dropped.
    await mongo.db.collection("messages").createIndex({ ingestTime: 1 }, { name: "age", expireAfterSeconds: 5 * DAY });
    await letters.createIndex({ ingestTime: 1 }, { name: "retention", expireAfterSeconds: 5 * DAY });
    await prepareMongo(mongo.db, { archiveDays: 5 });
    const ofLetters = ({ collection }: { collection: string }) => collection === "deadLetters";
    expect(byName((await indexesNow()).filter(ofLetters))).toEqual(
      byName(wantedIndexes({ archiveDays: 5 }).filter(ofLetters)),
    );
  });
});
