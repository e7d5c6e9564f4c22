import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import type { FrameData } from "@/server/contracts/live";
import type { ProbeMessagesAnswer, ProbeMessageView } from "@/server/contracts/test-message";
import { TEST_DEVICE, TEST_METRIC } from "@/server/domain/probe-message";
import { useLive } from "../live/provider";
import { deviceQuery } from "../queries/device";
import { sendTestMessage, testMessagesQuery } from "../queries/test-message";

/** When this browser showed the message, in milliseconds from the press of the button; null while it hasn't. */
export interface SeenHere {
  readonly id: string;
  readonly ms: number | null;
}

export interface TestMessage {
  /** The latest one, whoever sent it; undefined while that isn't known. */
  readonly followed: ProbeMessageView | null | undefined;
  /** What this page saw of it; null for a message that was sent elsewhere. */
  readonly seen: SeenHere | null;
  readonly send: () => void;
  readonly isSending: boolean;
  /** The reason why the last one could not be sent. */
  readonly error: Error | null;
}

/** A message sent from this page that this browser hasn't seen yet. */
interface Awaited {
  readonly id: string;
  readonly eventTime: number;
  readonly pressedAt: number;
}

/** Event times of frames that are remembered: a frame may come before the answer that tells which one to look for. */
const REMEMBERED = 20;

/** The latest test message and its way, and how to send another. */
export function useTestMessage(): TestMessage {
  const live = useLive();
  const queries = useQueryClient();
  const { data, error: unknown } = useQuery(testMessagesQuery());
  const [seen, setSeen] = useState<SeenHere | null>(null);
  /** Arrival times of frames with a test message, by its event time. */
  const frames = useRef(new Map<number, number>());
  const awaited = useRef<Awaited | null>(null);

  function look(): void {
    const wanted = awaited.current;
    const at = wanted ? frames.current.get(wanted.eventTime) : undefined;
    if (!wanted || at === undefined) return;
    awaited.current = null;
    setSeen({ id: wanted.id, ms: Math.max(0, at - wanted.pressedAt) });
  }
  const onFrame = useEffectEvent((frame: FrameData) => {
    if (frame.kind !== "devices") return;
    const times = frame.devices.flatMap(({ points }) => (points[TEST_METRIC] ?? []).map(([time]) => time));
    for (const time of times) frames.current.set(time, performance.now());
    for (const time of [...frames.current.keys()].slice(0, -REMEMBERED)) frames.current.delete(time);
    look();
  });
  /** A frame that was missed may have held the message: then the snapshot does. */
  const onMissed = useEffectEvent(async () => {
    if (awaited.current === null) return;
    const { values } = await queries.fetchQuery({ ...deviceQuery(live, TEST_DEVICE), staleTime: 0 });
    const shown = values[TEST_METRIC];
    if (shown) frames.current.set(Date.parse(shown.time), performance.now());
    look();
  });
  useEffect(
    () =>
      live.watch(`device:${TEST_DEVICE}`, {
        onFrame: (frame) => onFrame(frame),
        // A snapshot that can't be had is as if the message hadn't come yet.
        onMissed: () => void onMissed().catch(() => undefined),
      }),
    [live],
  );

  const { mutate, isPending, error } = useMutation({
    networkMode: "always",
    mutationFn: async () => {
      const pressedAt = performance.now();
      return { followed: await sendTestMessage(), pressedAt };
    },
    onSuccess({ followed, pressedAt }) {
      const { id, eventTime } = followed;
      setSeen({ id, ms: null });
      awaited.current = { id, eventTime: Date.parse(eventTime), pressedAt };
      look();
      const { queryKey } = testMessagesQuery();
      queries.setQueryData<ProbeMessagesAnswer>(queryKey, (before) => ({
        items: [followed, ...(before?.items ?? [])],
      }));
      void queries.invalidateQueries({ queryKey });
    },
  });
  const followed = data ? (data.items[0] ?? null) : unknown ? null : undefined;
  return {
    followed,
    seen: seen && seen.id === followed?.id ? seen : null,
    send: () => mutate(),
    isSending: isPending,
    error,
  };
}
