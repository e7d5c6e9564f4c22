import type { Pool, PoolClient } from "pg";
import { addDeed, type Deed } from "@/server/access/audit/deeds";
import { Personal } from "@/server/access/audit/personal";
import { type Caller, NOBODY } from "@/server/domain/access";
import { addressOf } from "../address";

/** Records what was done by verbs that have transactions of their own. */
export async function record(
  tx: Pool | PoolClient,
  caller: Caller,
  verbName: string,
  target: Deed["target"],
  outcome: "done" | "denied",
  request: Request,
  detail: Deed["detail"] = null,
): Promise<void> {
  await addDeed(tx, caller, { verb: verbName, target, outcome, address: addressOf(request), detail });
}

/** Records that somebody was not let in. @param email what was typed; whose it is, is found out when theirs is to be erased. */
export function refuse(
  pool: Pool,
  verbName: string,
  email: string | null,
  request: Request,
  detail: Deed["detail"] = null,
): Promise<void> {
  return record(pool, NOBODY, verbName, email === null ? null : new Personal(email, null), "denied", request, detail);
}
