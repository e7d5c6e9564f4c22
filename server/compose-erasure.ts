import type { Pool } from "pg";
import { addDeed, countName, eraseName } from "./access/audit/deeds";
import { countInLog, eraseFromLog } from "./adapters/postgres/event-log";
import type { ErasingDeps } from "./catalog/erasing";
import type { Remaining } from "./catalog/erasures";
import type { Engines } from "./compose";
import type { Config } from "./config/config";
import { counted } from "./domain/counted";
import { SYSTEM } from "./domain/access";
import { notificationStore } from "./erasure/notifications";
import { readTold, tableStores } from "./erasure/words";
import { requestRun } from "./jobs/requests";
import { type ErasureStore, type ErasureSubject, TWINS_STORE } from "./postgres/erasure";
import { withTransaction } from "./postgres/transaction";

const HOUR = 3_600_000;
/** Longer than any write of documents takes. */
const SETTLE_MS = 20_000;

interface ErasureParts extends Pick<Engines, "archive" | "deadLetters" | "twins"> {
  readonly config: Pick<Config, "eventLog">;
  readonly engines: Pick<Engines, "inspection">;
}

/** What erasures work on, on the engines there are. */
export function composeErasure({ config, engines, archive, deadLetters, twins }: ErasureParts): ErasingDeps {
  const isKafka = engines.inspection.kafka !== null;
  const stores: ErasureStore[] = [
    notificationStore,
    ...tableStores(),
    {
      name: "Message archive",
      async erase(_, { name }) {
        let messages = 0;
        for await (const some of archive.erase(name)) messages += some;
        return messages;
      },
      count: (_, { name }) => archive.count(name),
    },
    {
      name: "Dead letters",
      erase: (_, { name }) => deadLetters.erase(name),
      count: (_, { name }) => deadLetters.countOf(name),
    },
    {
      name: TWINS_STORE,
      async erase(_, { name }) {
        const there = (await twins.get([name])).size;
        await twins.forget([name], null);
        return there;
      },
      count: async (_, { name }) => (await twins.get([name])).size,
    },
    ...(isKafka ? [] : [logStore]),
    coldStore,
    auditStore,
  ];
  return {
    stores,
    settleMs: SETTLE_MS,
    async remains(pool, subject, now) {
      const kept = config.eventLog.LOG_RETENTION_HOURS * HOUR;
      const { rows } = await countName(pool, subject.name);
      const told = await readTold(pool, subject);
      const came = isKafka ? 0 : await countInLog(pool, subject.name, { from: subject.began });
      return [
        ...(isKafka ? [kafkaRemains(now + kept)] : []),
        ...(came > 0 ? [logRemains(now + kept)] : []),
        ...told.map(({ table, rows: n, why }): Remaining => ({
          what: `${counted(n, "row")} of the table ${table}`,
          until: null,
          why: `${why}: change it there.`,
        })),
        ...(rows > 0
          ? [
              {
                what: `${counted(rows, "row")} of the audit record`,
                until: null,
                why: "They were written by a version before 0.2, or before the device had sent anything. Sealed rows can't be changed without breaking the seals.",
              },
            ]
          : []),
        BACKUPS,
        freedPages(engines.inspection.mongodb !== null),
      ];
    },
    async record(tx, { id, looks, dropped, readings, createdAt, mark }, { stores: proof, remains }) {
      await addDeed(tx, SYSTEM, {
        ...{ verb: "proveErasure", target: `erasures/${id}`, outcome: "done", address: null },
        detail: {
          after: {
            begun: new Date(createdAt).toISOString(),
            looks: looks + 1,
            readings,
            dropped,
            mark,
          },
          stores: proof,
          remains: remains.map(({ what, until }) => ({
            what,
            until: until === null ? null : new Date(until).toISOString(),
          })),
        },
      });
    },
  };
}

const logStore: ErasureStore = {
  name: "Event log",
  erase: (pool, { name }) => eraseFromLog(pool, name),
  count: (pool, { name, began }) => countInLog(pool, name, { before: began }),
};

/** Its rows are out of the index of cold storage; the job that moves months writes their files anew without them. */
const coldStore: ErasureStore = {
  name: "Cold files",
  async erase(pool, subject) {
    const files = await this.count(pool, subject);
    if (files > 0 && (await isTimeToAsk(pool, subject)))
      await requestRun(pool, { job: "cold-readings", requestedBy: { text: SYSTEM.kind, accountId: null } });
    return 0;
  },
  count: async (pool, { key, coldFiles }) => await countFiles(pool, key, coldFiles),
  gone: ({ coldFiles }, left) => Math.max(0, coldFiles.length - left),
};

/** A file stays an hour for those who read it, or for as long as its store is away: each pause is as long as all before it, up to an hour. */
async function isTimeToAsk(pool: Pool, { erasure }: ErasureSubject): Promise<boolean> {
  const { rows } = await pool.query<{ yes: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM erasure e JOIN job_run r ON r.job = 'cold-readings'
       WHERE e.id = $1 AND r.created_at > now() - least((now() - e.created_at) / 2, interval '1 hour')) AS yes`,
    [erasure],
  );
  return rows[0]!.yes;
}

async function countFiles(pool: Pool, key: number, files: readonly number[]): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(
    `SELECT count(*)::integer AS n FROM cold_file WHERE id = ANY ($2::integer[]) OR id IN (SELECT file_id FROM cold_device WHERE device_id = $1)`,
    [key, files],
  );
  return rows[0]!.n;
}

/** Names stand apart from the sealed rows, and are erased with a row that says from which. */
const auditStore: ErasureStore = {
  name: "Audit record",
  erase: (pool, { name, erasure }) =>
    withTransaction(pool, async (tx) => {
      const erased = await eraseName(tx, name);
      if (erased.values > 0)
        await addDeed(tx, SYSTEM, {
          ...{ verb: "eraseDevice", target: `erasures/${erasure}`, outcome: "done", address: null },
          detail: { erased },
        });
      return erased.values;
    }),
  count: async (pool, { name }) => (await countName(pool, name)).values,
};

function kafkaRemains(until: number): Remaining {
  return {
    what: "Messages in Kafka",
    until,
    why: "Kafka removes them when the topic's retention ends, and their bytes with the segment they are in; nobody who reads them again stores them.",
  };
}

function logRemains(until: number): Remaining {
  return {
    what: "Messages that came under its name while the stores were looked through, in the event log",
    until,
    why: "They are dropped and stored nowhere else; the log removes them when its retention ends. Have the device send no more.",
  };
}

const BACKUPS: Remaining = {
  what: "Backups made before",
  until: null,
  why: "They have what was there then, until you delete them (--keep of npm run backup). After restoring one, erase again.",
};

function freedPages(isMongo: boolean): Remaining {
  return {
    what: `Freed pages and the write-ahead log of PostgreSQL${isMongo ? ", and of MongoDB" : ""}`,
    until: null,
    why: "The engines write over what was deleted as they go on; VACUUM FULL does it at once for a table of PostgreSQL.",
  };
}
