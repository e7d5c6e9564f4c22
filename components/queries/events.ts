import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import type { EventsAnswer, EventView, LagAnswer } from "@/server/contracts/events";
import type { EpochMs } from "@/server/domain/terms";
import { serverNow } from "../ui/server-time";
import { deleteJson, patchJson, postJson, queryString, readJson } from "./request";

/** The first part of the keys of all that tells of events. */
export const EVENTS = "events";

/** What is asked for; left out: anything. Times in RFC 3339. */
export interface EventsFilter {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly kinds?: string | undefined;
  readonly severity?: string | undefined;
  readonly site?: string | undefined;
  readonly devices?: string | undefined;
  readonly text?: string | undefined;
  readonly grouped?: "yes" | "no" | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

/** Events, the latest first. @param everyMs how often it is asked again */
export const eventsQuery = (filter: EventsFilter, everyMs = 60_000) =>
  queryOptions({
    queryKey: [EVENTS, filter],
    queryFn: ({ signal }) => readJson<EventsAnswer>(`/api/v1/events${queryString({ ...filter })}`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: everyMs,
  });

/** How long messages waited, over the last `hours`. */
export const lagQuery = (hours: number) =>
  queryOptions({
    queryKey: [EVENTS, "lag", hours],
    queryFn: ({ signal }) => {
      const from = new Date(serverNow() - hours * 3_600_000).toISOString();
      return readJson<LagAnswer>(`/api/v1/lag${queryString({ from })}`, signal);
    },
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });

/** What a chart marks: an event or an alert, in epoch milliseconds. */
export interface Mark extends Pick<EventView, "id" | "kind" | "severity" | "sentence" | "device" | "site" | "alert"> {
  readonly from: EpochMs;
  /** Null: it goes on. */
  readonly to: EpochMs | null;
}

interface MarksOf {
  readonly devices?: readonly string[];
  readonly site?: string;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

const STEP_MS = 60_000;

/** The events and alerts of some devices, or of a site, in a range, at most 200, the latest first. Empty until they are known. */
export function useMarks({ devices, site, from, to }: MarksOf): readonly Mark[] {
  // A range that moves with the clock asks once a minute, not with each frame.
  const instant = (ms: EpochMs, round: (n: number) => number) => new Date(round(ms / STEP_MS) * STEP_MS).toISOString();
  const { data } = useQuery({
    ...eventsQuery({
      ...{ from: instant(from, Math.floor), to: instant(to, Math.ceil), grouped: "no", limit: 200 },
      ...{ devices: devices?.join(","), site },
    }),
    select: toMarks,
  });
  return data ?? NONE;
}

const NONE: readonly Mark[] = [];

function toMarks({ items }: EventsAnswer): readonly Mark[] {
  return items.map(({ id, kind, severity, sentence, device, site, alert, from, to }) => ({
    ...{ id, kind, severity, sentence, device, site, alert },
    ...{ from: Date.parse(from), to: to === null ? null : Date.parse(to) },
  }));
}

/** A note as it is written. Times in RFC 3339. */
export interface NoteDraft {
  readonly text: string;
  readonly from: string;
  readonly to: string;
  readonly site: string | null;
  readonly device: string | null;
}

/** Writes a note. */
export function addNote(note: NoteDraft): Promise<unknown> {
  return postJson("/api/v1/notes", note);
}

/** Changes a note's text and time. */
export function changeNote(id: string, note: Pick<NoteDraft, "text" | "from" | "to">): Promise<unknown> {
  return patchJson(`/api/v1/notes/${id}`, note);
}

/** Removes a note. */
export function removeNote(id: string): Promise<unknown> {
  return deleteJson(`/api/v1/notes/${id}`);
}
