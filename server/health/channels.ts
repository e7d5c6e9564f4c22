import { counted } from "@/server/domain/counted";
import type { EpochMs } from "@/server/domain/terms";
import { type Finding, pass, type Probe } from "./probe";

/** What was seen of channels, and of what waits to be decided. */
export interface ChannelsSeen {
  readonly channels: readonly {
    readonly name: string;
    readonly enabled: boolean;
    readonly failingSince: EpochMs | null;
    readonly trouble: string | null;
    readonly waiting: number;
  }[];
  /** Whether a route that is on leads to a channel that is on. */
  readonly tellsAnybody: boolean;
  /** Since when the oldest event waits that nobody has decided about; null: none does. */
  readonly undecidedSince: EpochMs | null;
}

/** An event that waits for so long is one that nobody decides about. */
const UNDECIDED_MS = 30_000;

/** Channels by which people are told of alerts: whether messages go out. */
export function channelsProbe(read: () => Promise<ChannelsSeen>, now: () => EpochMs): Probe {
  return {
    ...{ name: "alerts.channels", title: "Channels", group: "Alerts", timeoutMs: 3000 },
    run: async () => judgeChannels(await read(), now()),
  };
}

/** Judges what was seen. Exported for its test. */
export function judgeChannels({ channels, tellsAnybody, undecidedSince }: ChannelsSeen, now: EpochMs): Finding {
  if (undecidedSince !== null && now - undecidedSince > UNDECIDED_MS)
    return {
      status: "fail",
      summary: "Nobody is told of alerts.",
      cause: `An event waits to be decided about since ${new Date(undecidedSince).toISOString()}.`,
      fix: "The worker does that: look for its lines in the log.",
    };
  const on = channels.filter(({ enabled }) => enabled);
  const failing = on.filter(({ failingSince }) => failingSince !== null);
  const [first] = failing;
  if (first !== undefined) {
    const waiting = failing.reduce((sum, channel) => sum + channel.waiting, 0);
    return {
      status: failing.length === on.length ? "fail" : "warn",
      summary: `${counted(failing.length, "channel")} can't be used${waiting > 0 ? `; ${counted(waiting, "message")} ${waiting === 1 ? "waits" : "wait"}` : ""}.`,
      cause: `${first.name} since ${new Date(first.failingSince!).toISOString()}: ${first.trouble ?? "no answer"}`,
      fix: "Test it on the page of channels. Messages that wait are tried again for a day.",
    };
  }
  if (on.length === 0) return pass("Not in use: there is no channel by which anybody would be told of alerts.");
  if (!tellsAnybody)
    return {
      status: "warn",
      summary: "Nobody is told of alerts: no route leads to a channel.",
      cause: `${counted(on.length, "channel")} ${on.length === 1 ? "is" : "are"} on, but no route that is on names one.`,
      fix: "Add a route that takes alerts to a channel, or turn the channels off.",
    };
  return pass(`${counted(on.length, "channel")}; nothing is wrong with them.`);
}
