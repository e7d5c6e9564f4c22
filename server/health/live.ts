import { counted } from "@/server/domain/counted";
import type { EpochMs } from "@/server/domain/terms";
import { type Finding, pass, type Probe } from "./probe";

/** The live channel's state, by its own account. */
export interface LiveChannelState {
  /** True while it reads the workers' live frames. */
  readonly listening: boolean;
  /** The error that broke it last, until frames came again. */
  readonly lastError: string | null;
  readonly lastFrame: EpochMs | null;
  readonly browsers: number;
}

/** Browsers get what workers commit. */
export function liveProbes(state: () => LiveChannelState): readonly Probe[] {
  return [
    {
      name: "live.frames",
      title: "Live frames arrive",
      group: "Live channel",
      timeoutMs: 1000,
      run: async () => judgeLive(state()),
    },
  ];
}

function judgeLive({ listening, lastError, browsers }: LiveChannelState): Finding {
  if (listening && lastError === null) return pass(`${counted(browsers, "browser is", "browsers are")} connected.`);
  if (lastError === null) {
    return {
      status: "unknown",
      summary: "The live channel is starting.",
      cause: "The server has only just begun to read live frames.",
      fix: "Wait a few seconds.",
    };
  }
  return {
    status: "warn",
    summary: "Live frames cannot be read.",
    cause: lastError,
    fix: "Pages show stored values meanwhile and need no reload. First mend the event log: see its failing probes.",
  };
}
