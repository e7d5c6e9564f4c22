import path from "node:path";
import type { Config } from "./config";

/** Where the keys and the anchors of the audit record are. */
export interface AuditFiles {
  /** Keys, one a line: the first seals, all of them vouch. */
  readonly keyFile: string;
  /** True for the one in the data folder, which is made when it isn't there. */
  readonly makesKey: boolean;
  /** Seals as they are told outside of the database, one a line. */
  readonly anchorFile: string;
}

export function auditFiles({ access, dataDir }: Pick<Config, "access" | "dataDir">): AuditFiles {
  const { FIELDWATCH_AUDIT_KEY_FILE: key, FIELDWATCH_AUDIT_ANCHOR_FILE: anchor } = access;
  return {
    keyFile: path.resolve(key ?? path.join(dataDir, "audit.key")),
    makesKey: key === undefined,
    anchorFile: path.resolve(anchor ?? path.join(dataDir, "audit-anchors.ndjson")),
  };
}
