import { expect, test } from "vitest";
import { breaks } from "./breaking-migrations";
import { readMigrations } from "./migrate";

/** What takes away or gives another form to what a running process may lean on. */
const TAKES_AWAY =
  /^\s*(DROP (TABLE|VIEW|COLUMN)|ALTER TABLE \w+ (DROP COLUMN|RENAME|ALTER COLUMN \w+ (TYPE|SET NOT NULL)))|RENAME (TO|COLUMN)/m;
/** Those that look so and aren't, and why. */
const HARMLESS: Readonly<Record<string, string>> = {
  "20261204040000_refused_totals": "a column of totals gets a wider type, which reads and writes as before",
};

test("each migration tells whether the version before can go on beside it", () => {
  for (const migration of readMigrations()) {
    const said = breaks(migration);
    const looksBreaking = TAKES_AWAY.test(migration.sql) && !(migration.name in HARMLESS);
    expect([migration.name, looksBreaking && said === null]).toEqual([migration.name, false]);
  }
});

test("one that doesn't say so is refused, and one that says what it changes is breaking", () => {
  expect(() => breaks({ name: "20990101000000_x", sql: "SELECT 1;" })).toThrow("doesn't begin with");
  expect(breaks({ name: "20990101000000_x", sql: "-- Breaking: no\nSELECT 1;" })).toBeNull();
  expect(breaks({ name: "20990101000000_x", sql: "-- Breaking: a name changes\nSELECT 1;" })).toBe("a name changes");
});
