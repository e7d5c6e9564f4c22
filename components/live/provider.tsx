"use client";
import { type QueryKey, useQueryClient } from "@tanstack/react-query";
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
import type { FrameData, Room } from "@/server/contracts/live";
import { type Connection, createLiveClient, type LiveClient } from "./client";

const LiveContext = createContext<LiveClient | null>(null);

/** One live channel for everything below. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const [client] = useState(() =>
    createLiveClient(() => io({ transports: ["websocket"], forceNew: true, reconnectionDelayMax: 5000 })),
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

const STARTING: Connection = { phase: "connecting", since: 0, heardAt: null };

/** The phase of the channel and since when; renders again on changes of the phase only, not on every frame. */
export function useConnectionPhase(): Connection["phase"] {
  const live = useLive();
  return useSyncExternalStore(
    (listener) => live.onConnection(listener),
    () => live.connection().phase,
    () => STARTING.phase,
  );
}

/**
 * Keeps a query's data up to date with a room, and loads it again after missed frames or when `mustReload` says that a
 * frame doesn't hold everything.
 */
export function useRoom<T>(
  room: Room,
  queryKey: QueryKey,
  apply: (state: T, data: FrameData) => T,
  mustReload?: (state: T, data: FrameData) => boolean,
): void {
  const live = useLive();
  const queries = useQueryClient();
  const onFrame = useEffectEvent((data: FrameData) => {
    // Without data there is nothing to apply to; a frame during the first load is folded in by `snapshot`.
    queries.setQueryData<T>(queryKey, (state) => (state === undefined ? undefined : apply(state, data)));
    const state = queries.getQueryData<T>(queryKey);
    if (state !== undefined && mustReload?.(state, data)) void queries.invalidateQueries({ queryKey });
  });
  const onMissed = useEffectEvent(() => void queries.invalidateQueries({ queryKey }));
  useEffect(() => live.watch(room, { onFrame: (data) => onFrame(data), onMissed: () => onMissed() }), [live, room]);
}
