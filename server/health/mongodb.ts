import { formatBytes } from "@/server/domain/bytes";
import { formatDuration } from "@/server/domain/duration";
import { counted } from "@/server/domain/counted";
import { command, safeName } from "@/server/domain/fix";
import type { EpochMs } from "@/server/domain/terms";
import { onceAtATime } from "@/server/async/once-at-a-time";
import {
  InspectionError,
  type MongoIndexState,
  type MongoInspection,
  type MongoServer,
} from "@/server/ports/inspection";
import { mongoNames, SIGN_IN_TROUBLES, troubleWords } from "@/server/ports/trouble-words";
import { judgeClock } from "./clock";
import { dependentOn, remedy } from "./engine-trouble";
import { keptFor } from "@/server/async/kept-for";
import { judgeDisk } from "./machine";
import { type Finding, pass, type Probe } from "./probe";

export interface MongoProbesDeps {
  readonly inspection: MongoInspection;
  readonly group: string;
  readonly now: () => EpochMs;
}

/** A limit longer than an inspection's own, in milliseconds, so that its own words come first. */
const TIMEOUT_MS = 6000;
const MINUTE_MS = 60_000;
const LEAST_MAJOR = 5;
const SLOW_MS = 500;

/** MongoDB answers, lets us in, can be written to, has its indexes, room, connections, and the same time. */
export function mongoProbes({ inspection, group, now }: MongoProbesDeps): readonly Probe[] {
  const names = mongoNames(inspection);
  const { address, user } = inspection;
  const server = onceAtATime(() => inspection.server());
  const storage = keptFor(MINUTE_MS, now, () => inspection.storage());
  const dependent = dependentOn(group, names);
  const probe = (
    name: string,
    title: string,
    run: () => Promise<Finding>,
    whenDown: (error: Error) => Finding = dependent,
  ): Probe => ({ name: `mongodb.${name}`, title, group, timeoutMs: TIMEOUT_MS, run, whenDown });
  const refused = (error: Error) => error instanceof InspectionError && SIGN_IN_TROUBLES.has(error.kind);
  return [
    probe(
      "reachable",
      "Answers",
      async () => judgeServer(address, await server()),
      (error) =>
        refused(error)
          ? pass(`${address} answers.`)
          : { status: "fail", summary: "MongoDB does not answer.", ...remedy(error, names) },
    ),
    probe(
      "signed-in",
      "Signed in",
      async () => {
        await server();
        return pass(user === null ? "No sign-in is set, none is asked for." : `Signed in as ${user}.`);
      },
      (error) =>
        refused(error)
          ? { status: "fail", summary: "MongoDB refuses the sign-in.", ...remedy(error, names) }
          : dependent(error),
    ),
    probe("writable", "Can be written to", async () => judgeWritable(await server())),
    probe(
      "indexes",
      "Indexes",
      async () => judgeIndexes(await inspection.indexes()),
      (error) =>
        refused(error) && (error as InspectionError).kind === "forbidden"
          ? {
              status: "fail",
              summary: "This user may not see the indexes.",
              ...troubleWords(error as InspectionError, names),
            }
          : dependent(error),
    ),
    probe("connections", "Connections", async () => judgeConnections(await server())),
    probe("disk", "Room on its disk", async () => {
      const { data, disk } = await storage();
      if (disk === null) return pass(`Holds ${formatBytes(data)}; it doesn't tell how much room is left.`);
      return judgeDisk(disk.total - disk.used, disk.total, {
        of: "MongoDB",
        whenFull: "messages wait in the event log",
        fix: "Free space on it, or keep less: lower ARCHIVE_RETENTION_DAYS or DEAD_LETTER_RETENTION_DAYS and run: `npm run migrate`",
      });
    }),
    probe("clock", "Clock agrees", async () => judgeClock("MongoDB", (await server()).clock)),
  ];
}

function judgeServer(address: string, { version, answerMs, replicaSet }: MongoServer): Finding {
  if (Number(version.split(".")[0]) < LEAST_MAJOR) {
    return {
      status: "fail",
      summary: `MongoDB ${version} is too old.`,
      cause: `Fieldwatch needs ${LEAST_MAJOR}.0 or later.`,
      fix: "Upgrade MongoDB, or unset MONGODB_URI to keep messages in PostgreSQL.",
    };
  }
  if (answerMs > SLOW_MS) {
    return {
      status: "warn",
      summary: `MongoDB answers slowly: ${Math.round(answerMs)} ms.`,
      cause: "MongoDB or its machine is busy.",
      fix: "Look at the load of the machine MongoDB runs on, and in mongosh at `db.currentOp()` for long operations.",
    };
  }
  const set = replicaSet === null ? "" : `, replica set ${replicaSet}`;
  return pass(`MongoDB ${version} at ${address} answers in ${formatDuration(answerMs)}${set}.`);
}

function judgeWritable({ writable, replicaSet }: MongoServer): Finding {
  if (writable)
    return pass(replicaSet === null ? "A server of its own, which takes writes." : "The primary takes writes.");
  return {
    status: "fail",
    summary: "MongoDB takes no writes.",
    cause: "The server that answers is a secondary: no primary can be reached.",
    fix:
      replicaSet === null
        ? "See in mongosh: `rs.status()`"
        : `Name all members in MONGODB_URI and add replicaSet=${safeName(replicaSet)}; see in mongosh: ${command`rs.status()`}`,
  };
}

/** @param indexes every wanted one, with what is there. */
function judgeIndexes(indexes: readonly MongoIndexState[]): Finding {
  const missing = indexes.filter(({ found }) => found === null);
  const other = indexes.filter(({ found, wanted }) => found !== null && found !== wanted);
  if (missing.length === 0 && other.length === 0)
    return pass(`${counted(indexes.length, "index", "indexes")}, none missing.`);
  const name = ({ collection, index }: MongoIndexState) => `${collection}.${index}`;
  const parts = [
    ...(missing.length > 0 ? [`Missing: ${missing.map(name).join(", ")}.`] : []),
    ...other.map((each) => `${name(each)} is "${each.found}", configured "${each.wanted}".`),
  ];
  return {
    status: "warn",
    summary: `${counted(missing.length + other.length, "index", "indexes")} of ${indexes.length} not as wanted.`,
    cause: `${parts.join(" ")} Questions are slow, or messages are kept longer or shorter than configured.`,
    fix: "`npm run migrate`",
  };
}

function judgeConnections({ connections }: MongoServer): Finding {
  if (connections === null) return pass("MongoDB doesn't tell this user.");
  const { current, available } = connections;
  const words = `${current} open, ${available} more can be.`;
  if (available >= (current + available) * 0.1) return pass(words);
  return {
    status: "warn",
    summary: words,
    cause: "MongoDB is nearly out of connections; then Fieldwatch can't reconnect.",
    fix: "Close clients that aren't needed, or raise net.maxIncomingConnections in mongod.conf.",
  };
}
