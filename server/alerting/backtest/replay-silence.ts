import { silenceOf } from "@/server/domain/alerts/judged";
import type { SilenceRule } from "@/server/domain/alerts/rule";
import { silentSince } from "@/server/domain/alerts/episode";
import { type AlertState, restState } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import { silentAt } from "../silence";
import type { Open } from "../telemetry-open";
import { createEpisodes } from "./episodes";
import type { Replay } from "./replay";

const DAY = 86_400_000;

export interface SilenceTask {
  readonly spec: SilenceRule;
  /** The silence that the device may keep. */
  readonly afterMs: number;
  /** The stretches in which messages were taken. */
  readonly open: readonly Open[];
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** Runs the machine over the times of a device's messages: their event times, as those of ingest are not kept with readings. */
export function* replaySilence({ spec, afterMs, open, from, to }: SilenceTask): Replay {
  const judged = silenceOf(spec, afterMs);
  const episodes = createEpisodes();
  let state: AlertState = restState(judged);
  let last: EpochMs | null = null;
  const fallSilent = (until: EpochMs) => {
    if (last === null || until - last < afterMs) return;
    const end = silentAt(open, last, until, afterMs);
    if (end === null) return;
    const rule = silenceOf(spec, end - last);
    const [next, events] = step({ ...silentSince(rule, last), fires: state.fires }, { kind: "tick", time: end }, rule);
    state = next;
    episodes.take(events);
  };
  for (let at = from; at < to; at += DAY) {
    const [{ times } = { times: [] }] = (yield { from: at, to: Math.min(to, at + DAY) }).values();
    for (let i = 0; i < times.length; i++) {
      const time = times[i]!;
      fallSilent(time);
      if (state.phase === "firing") {
        const [next, events] = step(state, { kind: "heard", time }, judged);
        state = next;
        episodes.take(events);
      }
      last = time;
    }
  }
  fallSilent(to);
  return { episodes: episodes.end(state), unknownHours: 0 };
}
