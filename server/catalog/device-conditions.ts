import type { Condition, Operator } from "@/server/domain/device-filter";
import type { EpochMs } from "@/server/domain/terms";
import { compares } from "@/server/domain/device-filter";

/** What narrows a list of devices beyond its own parameters. */
interface Narrowing {
  readonly where: readonly Condition[];
  readonly among: readonly string[] | undefined;
  readonly notAmong: readonly string[] | undefined;
  readonly withRetired: boolean;
  readonly now: EpochMs;
}

/** Of an age, as of the moment it began. */
const TURNED: Readonly<Record<Operator, Operator>> = {
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
  "=": "=",
  "!=": "!=",
};

/** Devices with alerts that fire, by their number. */
const FIRING = `SELECT device_id FROM alert WHERE ended_at IS NULL AND state IN ('firing', 'recovering') AND device_id IS NOT NULL GROUP BY device_id`;

/**
 * Writes conditions as SQL about the rows d of device and s of their site, each with AND before it. Those of metrics are left out:
 * their values are in another store.
 * @param given parameters there are already.
 */
export function conditionsSql(
  { where, among, notAmong, withRetired, now }: Narrowing,
  given: number,
): { sql: string; values: unknown[] } {
  const values: unknown[] = [];
  const parameter = (value: unknown, type: string) => `$${given + values.push(value)}::${type}`;
  const said = where.flatMap((one) => sqlOf(one, parameter, now) ?? []);
  if (!withRetired && !where.some((one) => one.of === "retired")) said.push("d.retired_at IS NULL");
  if (among !== undefined) said.push(`d.name = ANY (${parameter(among, "text[]")})`);
  if (notAmong !== undefined) said.push(`d.name <> ALL (${parameter(notAmong, "text[]")})`);
  return { sql: said.map((one) => `AND ${one}`).join(" "), values };
}

function sqlOf(one: Condition, parameter: (value: unknown, type: string) => string, now: EpochMs): string | null {
  switch (one.of) {
    case "metric":
      return null;
    case "silent":
      return `d.last_seen ${TURNED[one.operator]} ${parameter(new Date(now - one.ms), "timestamptz")}`;
    case "retired":
      return `d.retired_at IS ${one.is ? "NOT NULL" : "NULL"}`;
    case "site":
    case "type": {
      const column = one.of === "site" ? "s.name" : "d.type";
      const text = `(SELECT ${one.of}_now(${parameter(one.text, "text")}))`;
      return one.operator === "=" ? `${column} = ${text}` : `${column} IS DISTINCT FROM ${text}`;
    }
    case "label":
      return `${one.operator === "=" ? "" : "NOT "}EXISTS (SELECT FROM device_label l WHERE l.device_id = d.id AND l.key = ${parameter(one.key, "text")}
        AND l.value = ${parameter(one.text, "text")})`;
    case "alerts": {
      const some = `d.id IN (${FIRING} HAVING count(*) ${sign(one.operator)} ${parameter(one.value, "float8")})`;
      return compares(0, one.operator, one.value) ? `(${some} OR d.id NOT IN (${FIRING}))` : some;
    }
    case "quality":
      return `d.id IN (SELECT device_id FROM quality_day WHERE bucket = (SELECT max(bucket) FROM quality_day)
        GROUP BY device_id HAVING min(score) ${sign(one.operator)} ${parameter(one.value, "float8")})`;
    default:
      return `d.${one.of} ${sign(one.operator)} ${parameter(one.value, "float8")}`;
  }
}

function sign(operator: Operator): string {
  return operator === "!=" ? "<>" : operator;
}
