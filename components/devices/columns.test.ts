import { describe, expect, it } from "vitest";
import { NO_CHOICE, nextSort, readChoice, resolveChoice } from "./columns";

const ids = (choice: Parameters<typeof resolveChoice>[0], common: string[] = []) =>
  resolveChoice(choice, common).columns.map(({ id }) => id);

describe("columns", () => {
  it("shows what most devices report, housekeeping last, and the first of it as the trend", () => {
    const { columns, trend } = resolveChoice(NO_CHOICE, ["battery", "temperature", "humidity", "co2"]);
    expect(columns.map(({ id }) => id)).toEqual([
      ...["lastSeen", "site", "type"],
      ...["value:humidity", "value:temperature", "value:battery"],
      ...["trend", "messages"],
    ]);
    expect(trend).toBe("humidity");
    expect(resolveChoice(NO_CHOICE, []).trend).toBeNull();
  });

  it("keeps its order, however columns were chosen", () => {
    expect(ids({ columns: ["messages", "value:b", "type", "value:a"], trend: null })).toEqual([
      ...["type", "value:a", "value:b", "messages"],
    ]);
    expect(ids({ columns: ["value:b"], trend: null })).toEqual(["value:b"]);
    expect(ids({ columns: [], trend: null }, ["a"])).toEqual([]);
  });

  it("reads a kept choice, and takes what can't be read for none", () => {
    expect(readChoice(JSON.stringify({ columns: ["site", "gone", 5, "value:a b", "value:t"], trend: "t" }))).toEqual({
      columns: ["site", "value:t"],
      trend: "t",
    });
    for (const text of [null, "", "{", "5", "null", '{"columns":5,"trend":"a b"}'])
      expect(readChoice(text)).toEqual(NO_CHOICE);
  });

  it("sorts by what matters first, and turns around on a second click", () => {
    expect(nextSort("state", "lastSeen")).toBe("-lastSeen");
    expect(nextSort("-lastSeen", "lastSeen")).toBe("lastSeen");
    expect(nextSort("lastSeen", "lastSeen")).toBe("-lastSeen");
    expect(nextSort("messages", "id")).toBe("id");
    expect(nextSort("id", "id")).toBe("-id");
    expect(nextSort("state", "state")).toBe("-state");
  });
});
