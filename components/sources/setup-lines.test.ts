import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { SOURCE_KINDS } from "@/server/domain/source";
import type { SourcePayload } from "@/server/contracts/sources";
import { type SetupFacts, setupLines } from "./setup-lines";

const sample: SourcePayload = {
  body: `{"temperature":21.5,"note":"it's"}`,
  encoding: "utf-8",
  contentType: "application/json",
  topic: "zigbee2mqtt/Küche Süd",
  retained: false,
  path: [],
  query: { event: "up" },
  headers: {},
  kafka: null,
};
const facts: SetupFacts = {
  kind: "zigbee2mqtt",
  name: "barn",
  door: "mqtt",
  secret: "fwi_1_abc",
  origin: "https://fieldwatch.example:3000",
  mqtt: { host: "fieldwatch.example", port: 1883, isSecure: false },
  sample,
};

/** The words that a shell makes of a command. */
function wordsOf(command: string): string[] {
  const out = execFileSync("sh", ["-c", `for word in ${command}; do printf '%s\\0' "$word"; done`], {
    encoding: "utf8",
  });
  return out.split("\0").slice(0, -1);
}

it("gives a shell exactly the payload, whatever stands in it", () => {
  const { text } = setupLines(facts).at(-1)!;
  expect(wordsOf(text)).toEqual(
    ["mosquitto_pub", "-h", "fieldwatch.example", "-p", "1883", "-u", "barn", "-P", "fwi_1_abc", "-q", "1"].concat([
      "-t",
      sample.topic!,
      "-m",
      sample.body,
    ]),
  );
  const curl = wordsOf(setupLines({ ...facts, door: "http" }).at(-1)!.text);
  expect(curl).toEqual([
    ...["curl", "https://fieldwatch.example:3000/ingest/barn?event=up", "-H", "Authorization: Bearer fwi_1_abc"],
    ...["-H", "content-type: application/json", "--data-binary", sample.body],
  ]);
});

it("sends what is no text as its bytes", () => {
  const binary = { ...sample, body: "AAEC", encoding: "base64" as const };
  expect(setupLines({ ...facts, sample: binary }).at(-1)!.text).toMatch(
    /^echo AAEC \| base64 -d \| mosquitto_pub .* -s$/,
  );
});

it("has key and address for every kind by either door, and nothing for those that are signed in to", () => {
  for (const kind of SOURCE_KINDS)
    for (const door of ["http", "mqtt"] as const) {
      const lines = setupLines({ ...facts, kind, door, sample: null });
      const text = lines.map((line) => line.text).join("\n");
      expect(text, kind).toContain("fwi_1_abc");
      expect(text, kind).toContain("fieldwatch.example");
      expect(new Set(lines.map(({ label }) => label)).size, kind).toBe(lines.length);
    }
  expect(setupLines({ ...facts, door: "kafka" })).toEqual([]);
});
