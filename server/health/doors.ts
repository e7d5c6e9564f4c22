import { counted } from "@/server/domain/counted";
import { type Finding, pass, type Probe } from "./probe";

/** What there should be of doors, and what their process told of them lately. */
export interface DoorsSeen {
  /** Sources that come in by a door of their own, by name. */
  readonly wanted: readonly { readonly source: string; readonly type: "mqtt" | "mqtt-bridge" | "kafka" }[];
  readonly reports: readonly {
    /** Null: the MQTT listener, which many sources share. */
    readonly source: string | null;
    readonly what: string;
    readonly trouble: string | null;
    readonly fix: string | null;
    readonly clients: number | null;
    readonly lag: number | null;
  }[];
}

/** Sources that come by MQTT, from a broker or a log of somebody's: whether anything can come in. */
export function doorsProbe(read: () => Promise<DoorsSeen>): Probe {
  return {
    ...{ name: "sources.doors", title: "Doors of sources", group: "Sources", timeoutMs: 3000 },
    run: async () => judgeDoors(await read()),
  };
}

/** Judges what was seen. Exported for its test. */
export function judgeDoors({ wanted, reports }: DoorsSeen): Finding {
  const missing = wanted.filter(
    ({ source, type }) => !reports.some((one) => one.source === (type === "mqtt" ? null : source)),
  );
  if (missing.length > 0) {
    return {
      status: "fail",
      summary: `Nothing comes in by ${counted(missing.length, "source")}: the process of their doors isn't there.`,
      cause: `None has told of ${named(missing.map(({ source }) => source))} for half a minute.`,
      fix: "`npm start` runs it by itself: look for its lines in the log. Where roles run alone, run `node dist/main.mjs intake` too.",
    };
  }
  const troubled = reports.filter(({ trouble }) => trouble !== null);
  const [first] = troubled;
  if (first !== undefined) {
    const whose = first.source === null ? first.what : `${first.source}, ${first.what}`;
    return {
      status: "warn",
      summary: `Nothing comes in by ${named(troubled.map(({ source, what }) => source ?? what))}.`,
      cause: `${whose}: ${first.trouble}`,
      fix: first.fix ?? "It is tried again by itself.",
    };
  }
  if (reports.length === 0) return pass("Not in use: no source comes by MQTT, from a broker or from a log.");
  return pass(`${reports.map(wordsOf).join("; ")}.`);
}

function wordsOf({ source, what, clients, lag }: DoorsSeen["reports"][number]): string {
  const of = source === null ? "" : `${source}: `;
  const more = [
    ...(clients === null ? [] : [counted(clients, "client")]),
    ...(lag === null ? [] : [`${counted(lag, "message")} behind`]),
  ];
  return `${of}${what}${more.length > 0 ? `, ${more.join(", ")}` : ""}`;
}

function named(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}
