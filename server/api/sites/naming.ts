import type { Pool, PoolClient } from "pg";
import { renameInRules, rulesNaming } from "@/server/alerting/renames";
import { isFree } from "@/server/catalog/other-names";
import type { NamingEffects } from "@/server/contracts/names";
import type { Caller } from "@/server/domain/access";
import { countMatchers, renameInMatchers } from "@/server/notifications/renames";
import { hasSeriesRule, renameSeriesRule } from "@/server/readings/series-rules";
import { viewsNaming } from "@/server/views/naming";
import { accountOf } from "../views/list";

/** A site, or a type of devices. */
interface Called {
  readonly id: number;
  readonly name: string;
  readonly others: readonly string[];
  readonly devices: number;
}

const IN_RULES = { site: "sites", type: "types" } as const;

/** Tells what another name for a site or type does. */
export async function effectsOfName(
  db: Pool | PoolClient,
  caller: Caller,
  of: "site" | "type",
  { id, name, others, devices }: Called,
  to: string,
): Promise<NamingEffects> {
  return {
    ...{ refused: (await isFree(db, of, id, to)) ? null : takenWords(of, to), devices },
    rules: await rulesNaming(db, IN_RULES[of], name),
    matchers: await countMatchers(db, of, name),
    retention: (await hasSeriesRule(db, of, name)) ? 1 : 0,
    views: await viewsNaming(db, accountOf(caller), of, [name, ...others]),
  };
}

/** Why a site or type can't have a name that another has, or had. */
export function takenWords(of: "site" | "type", name: string): string {
  const instead = of === "site" ? "set its devices to that site instead" : "give its devices that type instead";
  return `There is a ${of} ${name}, or one that had that name: ${instead}.`;
}

/** Has all that goes by the name of a site or type, but views, which find it by any, go by another one. */
export async function renameWhereNamed(tx: PoolClient, of: "site" | "type", from: string, to: string): Promise<void> {
  await renameInRules(tx, IN_RULES[of], from, to);
  await renameSeriesRule(tx, of, from, to);
  await renameInMatchers(tx, of, from, to);
}
