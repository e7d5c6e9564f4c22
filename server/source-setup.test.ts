import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { type SetupFacts, setupLines } from "@/components/sources/setup-lines";
import { besideOf } from "./api/sources/beside";
import { compileMapping } from "./domain/mapping/compile";
import type { Delivery } from "./domain/mapping/delivery";
import { SOURCE_KINDS } from "./domain/source";
import { DECODER_OF } from "./sources/decoders/decoders";
import { deliveryOf } from "./sources/decoders/testing";
import { KNOWN_SENDERS } from "./sources/templates/templates";

/** What a command gives its program: its words, and its input as bytes. */
function run(command: string): { readonly words: readonly string[]; readonly input: Buffer } {
  const program = `() { printf '%s\\0' "$@"; printf '\\0'; cat; }`;
  const out = execFileSync("sh", ["-c", `curl${program}; mosquitto_pub${program}; ${command}`], { input: "" });
  const end = out.indexOf("\0\0");
  return { words: out.subarray(0, end).toString().split("\0"), input: out.subarray(end + 2) };
}

/** The delivery that a door makes of what the page's last line sends. */
function sent(command: string): Delivery {
  const { words, input } = run(command);
  const after = (word: string) => words[words.indexOf(word) + 1];
  if (command.includes("mosquitto_pub")) {
    const topic = after("-t")!;
    return deliveryOf(words.includes("-s") ? input : after("-m")!, { topic });
  }
  const given = words.flatMap((word, i) => (words[i - 1] === "-H" ? [word] : []));
  const headers = new Headers(given.map((text) => text.split(/: (.*)/s).slice(0, 2) as [string, string]));
  const body = after("--data-binary")!;
  const url = words[0]!;
  return deliveryOf(body === "@-" ? input : body, besideOf({ url, headers }, url.includes("/ingest/") ? 2 : 9));
}

describe.each(SOURCE_KINDS)("the line of the page that tries %s", (kind) => {
  const { mapping, sample, doors } = KNOWN_SENDERS.templates.find((template) => template.kind === kind)!;
  const facts: Omit<SetupFacts, "door"> = {
    ...{ kind, name: "barn", secret: "fwi_1_abc", origin: "http://localhost:3000", sample },
    mqtt: { host: "localhost", port: 1883, isSecure: false },
  };

  const tried = (["http", "mqtt"] as const).filter((door) =>
    doors.some((one) => one === door || (door === "http" && (one === "influx" || one === "otlp"))),
  );

  it.each(tried)("sends by %s what its template reads", (door) => {
    const delivery = sent(setupLines({ ...facts, door }).at(-1)!.text);
    const mapped = compileMapping(mapping)(DECODER_OF[mapping.decode](delivery), delivery);
    expect(mapped.refused).toEqual([]);
    expect(mapped.messages.flatMap(({ readings }) => readings).length).toBeGreaterThan(0);
  });
});
