import { backupRestore } from "./backup-restore";
import { alertsKill } from "./alerts-kill";
import { archiveMergeKill } from "./archive-merge-kill";
import { brokerKill } from "./broker-kill";
import { brokerStop } from "./broker-stop";
import { clockJump } from "./clock-jump";
import { coldKill } from "./cold-kill";
import { connections } from "./connections";
import { type Drill, readOptions, runDrills } from "./drill";
import { hostile } from "./hostile";
import { kafkaSource } from "./kafka-source";
import { killRounds } from "./kill-rounds";
import { ifKillable } from "./mongodb-kill";
import { mergeKill } from "./merge-kill";
import { mqttBridge } from "./mqtt-bridge";
import { mqttKill } from "./mqtt-kill";
import { otherProducers } from "./other-producers";
import { outboxFull } from "./outbox-full";
import { postgresKill } from "./postgres-kill";
import { rebalances } from "./rebalances";
import { resendLetters } from "./resend-letters";
import { retentionKill } from "./retention-kill";
import type { Row } from "./rows";
import { silence } from "./silence";
import { slowStore } from "./slow-store";
import { telegraf } from "./telegraf";
import { upgrade } from "./upgrade";
import { webKill } from "./web-kill";
import { workerKills } from "./worker-kills";

/** Ordered so that drills on the same kind of stage follow each other. */
const DRILLS: readonly Drill[] = [
  workerKills,
  archiveMergeKill,
  mergeKill,
  rebalances,
  webKill,
  postgresKill,
  brokerKill,
  brokerStop,
  outboxFull,
  connections,
  slowStore,
  clockJump,
];

/** What these break lies before any engine, or in PostgreSQL alone. */
const OF_ALL_ENGINES: readonly Drill[] = [mergeKill, outboxFull, clockJump];

/** What these break when nothing is outside is broken by another: the log is carried by PostgreSQL, which postgres-kill kills. */
const OF_OUTSIDE_ENGINES: readonly Drill[] = [brokerKill];

/**
 * Every drill one after the other, on the engines of one mode. Short, it leaves out what CI runs by itself: kill-rounds with replay-exact,
 * hostile and resend-letters; and alerts-kill and silence, which take minutes.
 */
export async function main(argv: string[]): Promise<number> {
  const options = readOptions(argv);
  const { mode, short, seed } = options;
  const others: Row[] = [];
  const add = (row: Row | undefined | null) => void (row && others.push(row));
  // Only Kafka has producers of others, and topics of others.
  if (mode === "kafka" || mode === "real") {
    add(await otherProducers({ mode, short }));
    add(await kafkaSource({ mode, short, seed }));
  } else console.log(`other-producers, kafka-source: left out on ${mode} engines, where there is no Kafka`);
  add(await backupRestore({ mode, short }));
  // What lies in PostgreSQL alone, or before any engine, is the same on all engines.
  const isRepeat = short && mode !== "embedded";
  if (isRepeat)
    console.log(
      `cold-kill, retention-kill, merge-kill, mqtt-kill, mqtt-bridge, telegraf, upgrade, outbox-full, clock-jump: short on embedded engines only, left out on ${mode}`,
    );
  else {
    add(await coldKill({ mode, short, seed }));
    add(await retentionKill({ mode, short, seed }));
    add(await mqttKill({ mode, short, seed }));
    add(await mqttBridge({ mode, short }));
    add(await telegraf({ mode, short }));
    add(await upgrade({ short }));
  }
  if (short && !isRepeat) console.log("broker-kill: short on real engines only, left out on embedded");
  const leftOut = isRepeat ? OF_ALL_ENGINES : short ? OF_OUTSIDE_ENGINES : [];
  const drills = [...(await ifKillable(mode)), ...DRILLS.filter((drill) => !leftOut.includes(drill))];
  if (short) return runDrills(drills, options, others);
  const file = "e2e/fixtures/environment.ndjson";
  const targets = ["worker", "web", "postgres", "kafka", "tree"] as const;
  const rows = [
    ...(await killRounds({ mode, file, rounds: 3, targets, seed })),
    await alertsKill({ mode, short, seed }),
    await silence({ mode, short, seed }),
    await hostile(mode, 50_000, 1),
    await resendLetters({ mode, short, seed }),
    ...others,
  ];
  return runDrills(drills, options, rows);
}
