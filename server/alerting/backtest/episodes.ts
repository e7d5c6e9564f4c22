import type { AlertEvent, AlertState, Episode } from "@/server/domain/alerts/state";
import type { EpochMs } from "@/server/domain/terms";

/** An episode with the fields an alert of it would have. */
export interface FoundEpisode extends Episode {
  readonly firedAt: EpochMs;
  readonly closedReason: string | null;
}

/** Collects the episodes of one instance from what the machine says. */
export function createEpisodes() {
  const found: FoundEpisode[] = [];
  let open: FoundEpisode | null = null;
  return {
    take(events: readonly AlertEvent[]): void {
      for (const { kind, episode, reason } of events) {
        open = { ...episode, firedAt: episode.firedAt!, closedReason: reason ?? null };
        if (kind !== "resolved" && kind !== "closed") continue;
        found.push(open);
        open = null;
      }
    },
    /** All of them; one that isn't over is as the state has it. */
    end({ episode }: AlertState): FoundEpisode[] {
      return open === null || episode === null ? found : [...found, { ...open, ...episode, firedAt: open.firedAt }];
    },
  };
}
