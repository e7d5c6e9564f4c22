"use client";
import { focusManager, hashKey, type QueryKey, useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useEffectEvent,
  useState,
  useSyncExternalStore,
} from "react";
import { io } from "socket.io-client";
import type { Problem } from "@/server/contracts/common";
import type { FrameData, Room } from "@/server/contracts/live";
import { fetchTimed } from "../ui/server-time";
import { type Connection, createLiveClient, type LiveClient } from "./client";

const LiveContext = createContext<LiveClient | null>(null);

/** One live channel for everything below. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const [client] = useState(() =>
    createLiveClient(
      () => io({ transports: ["websocket"], forceNew: true, reconnectionDelayMax: 5000 }),
      undefined,
      createAskRefusal(),
    ),
  );
  useEffect(() => {
    client.start();
    return () => client.stop();
  }, [client]);
  return <LiveContext value={client}>{children}</LiveContext>;
}

/** The tab's live client. */
export function useLive(): LiveClient {
  const client = useContext(LiveContext);
  if (!client) throw new Error("useLive is used outside of LiveProvider");
  return client;
}

/** So often in a row no socket comes through, though the server answers, before that is no coincidence with its start. */
const TRIES = 3;

/** Asks by a request that changes nothing and passes the front door exactly when a socket of this page does. */
function createAskRefusal(): (tries: number) => Promise<string | null> {
  let answered = 0;
  return async (tries) => {
    if (tries === 1) answered = 0;
    const answer = await fetchTimed("/api/livez", { method: "POST" }).catch(() => null);
    answered = answer === null || answer.status >= 500 ? 0 : answered + 1;
    if (answer?.status === 403) return ((await answer.json().catch(() => ({}))) as Partial<Problem>).detail ?? null;
    return answered < TRIES
      ? null
      : "the server answers, but no WebSocket gets to it. The proxy in between may pass none: the server's log says what to set.";
  };
}

/** Returns why the server lets no socket of this page in; null when it does. */
export function useRefusal(): string | null {
  const live = useLive();
  return useSyncExternalStore(
    (listener) => live.onConnection(listener),
    () => live.connection().refusal,
    () => null,
  );
}

const STARTING: Connection = { phase: "connecting", since: 0, heardAt: null, refusal: null };

/** The phase of the channel and since when; renders again on changes of the phase only, not on every frame. */
export function useConnectionPhase(): Connection["phase"] {
  const live = useLive();
  return useSyncExternalStore(
    (listener) => live.onConnection(listener),
    () => live.connection().phase,
    () => STARTING.phase,
  );
}

/** Interval after which a snapshot is loaded again, for what frames don't tell. */
const RELOAD_MS = 15_000;

/**
 * Keeps a query's data up to date with a room. Loads it again after missed frames, when `mustReload` says that a frame
 * doesn't hold everything, and every `reloadMs` (null: never): the query's own `refetchInterval` begins anew with every
 * frame, and so would never come.
 */
export function useRoom<T>(
  room: Room,
  queryKey: QueryKey,
  apply: (state: T, data: FrameData) => T,
  {
    reloadMs = RELOAD_MS,
    mustReload,
  }: { reloadMs?: number | null; mustReload?: ((state: T, data: FrameData) => boolean) | undefined } = {},
): void {
  const live = useLive();
  const queries = useQueryClient();
  const onFrame = useEffectEvent((data: FrameData) => {
    // A frame has nothing to apply to before there is data; one that comes during the first load is folded in by `snapshot`.
    queries.setQueryData<T>(queryKey, (state) => (state === undefined ? undefined : apply(state, data)));
    const state = queries.getQueryData<T>(queryKey);
    if (state !== undefined && mustReload?.(state, data)) void queries.invalidateQueries({ queryKey });
  });
  const onMissed = useEffectEvent(() => void queries.invalidateQueries({ queryKey }));
  useEffect(() => live.watch(room, { onFrame: (data) => onFrame(data), onMissed: () => onMissed() }), [live, room]);
  const onReload = useEffectEvent(() => {
    if (focusManager.isFocused())
      void queries.refetchQueries({ queryKey, exact: true, type: "active" }, { cancelRefetch: false });
  });
  const key = hashKey(queryKey);
  useEffect(() => {
    if (reloadMs === null) return;
    const timer = setInterval(() => onReload(), reloadMs);
    return () => clearInterval(timer);
  }, [key, reloadMs]);
}

/**
 * Loads what begins with a key again whenever a room says that it has changed, and after missed frames: one load at a time,
 * and one more for what came meanwhile.
 */
export function useRoomNews(room: Room, queryKey: QueryKey): void {
  const live = useLive();
  const queries = useQueryClient();
  const load = useEffectEvent(async () => {
    await queries.invalidateQueries({ queryKey }, { cancelRefetch: false });
  });
  useEffect(() => {
    let isLoading = false;
    let isStale = false;
    const refresh = async () => {
      isStale = true;
      if (isLoading) return;
      isLoading = true;
      while (isStale) {
        isStale = false;
        // A page nobody looks at loads when somebody does.
        if (focusManager.isFocused()) await load();
      }
      isLoading = false;
    };
    return live.watch(room, { onFrame: () => void refresh(), onMissed: () => void refresh() });
  }, [live, room]);
}
