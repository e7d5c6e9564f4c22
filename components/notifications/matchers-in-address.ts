import type { Matcher } from "@/server/domain/notifications/matcher";

const FIELDS = ["rule", "severity", "site", "type", "device", "metric"] as const;

/** What takes the conditions out of an address again. */
export const NO_MATCHERS = Object.fromEntries(FIELDS.map((field) => [field, null]));

/** Conditions that an address names: ?device=press-07&rule=Too+hot; what leads here fills the form that way. */
export function matchersInAddress(address: URLSearchParams): Matcher[] {
  return FIELDS.flatMap((field) => {
    const values = address.getAll(field).filter((value) => value !== "");
    return values.length === 0 ? [] : [{ field, is: "is" as const, values }];
  });
}
