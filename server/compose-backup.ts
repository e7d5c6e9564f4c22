import { existsSync } from "node:fs";
import { addDeed } from "./access/audit/deeds";
import { readAnchors } from "./access/audit/anchors";
import { readAuditKeys } from "./access/audit/keys";
import { verdictOn, verifyRecord } from "./access/audit/verify";
import { openColdStore } from "./compose";
import type { Means } from "./backup/restored";
import { SYSTEM } from "./domain/access";
import { beginEpochs } from "./pipeline/positions";
import { readTotals } from "./pipeline/pipeline-state";
import { noteMovedTo, readKeptFiles } from "./readings/cold/manifest";
import { countReadings } from "./readings/stored";
import { openOutbox } from "./simulator/outbox";

/** What backup and restore need of each subject. */
export const backupMeans: Means = {
  async handled(tx) {
    const { messages, readings, deadLetters } = await readTotals(tx);
    return { messages, readings, deadLetters };
  },
  countReadings,
  openCold: openColdStore,
  coldFiles: readKeptFiles,
  moveCold: noteMovedTo,
  async countOutbox(folder) {
    if (!existsSync(folder)) return 0;
    const outbox = await openOutbox(folder, Infinity);
    await outbox.close();
    return outbox.waiting.messages;
  },
  async judgeAudit(tx, { keyFile, anchorFile }) {
    const anchors = existsSync(anchorFile) ? readAnchors(anchorFile) : [];
    return verdictOn(await verifyRecord(tx, { keys: readAuditKeys(keyFile), anchors }), keyFile);
  },
  async beginEpochs(tx) {
    const { rows } = await tx.query<{ id: string }>("SELECT id FROM log_cluster");
    for (const { id } of rows) await beginEpochs(tx, id);
  },
  note: (tx, deed) => addDeed(tx, SYSTEM, { ...deed, address: null }),
};
