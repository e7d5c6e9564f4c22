import { EVENT_KINDS, type EventKind } from "@/server/domain/events/event";
import { ownMember } from "@/server/domain/own-member";
import type { EpochMs } from "@/server/domain/terms";
import type { EventsFilter } from "./events";

const HOUR_MS = 3_600_000;

/** The spans that the list can be of, in hours. */
const SPANS = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 } as const;

/** The kinds that an address names. */
export function kindsIn(text: string | null): readonly EventKind[] {
  return EVENT_KINDS.filter((kind) => (text ?? "").split(",").includes(kind));
}

/** The span that an address names; a week unless it names one. */
export function spanOf(address: URLSearchParams): keyof typeof SPANS {
  const span = address.get("span") ?? "";
  return ownMember(SPANS, span) ? (span as keyof typeof SPANS) : "7d";
}

/** Reads what the address of the events asks for. @param now the end of its span */
export function wantedEvents(address: URLSearchParams, now: EpochMs): EventsFilter {
  return {
    from: address.get("from") ?? new Date(now - SPANS[spanOf(address)] * HOUR_MS).toISOString(),
    to: address.get("to") ?? undefined,
    kinds: kindsIn(address.get("kinds")).join(",") || undefined,
    severity: address.get("severity") ?? undefined,
    site: address.get("site") ?? undefined,
    devices: address.get("device") ?? undefined,
    text: address.get("q") ?? undefined,
  };
}
