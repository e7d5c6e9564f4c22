import { queryOptions } from "@tanstack/react-query";
import type { ProbeMessagesAnswer, ProbeMessageView } from "@/server/contracts/test-message";
import { postJson, readJson } from "./request";
import { serverNow } from "../ui/server-time";

/** A message is looked for often while it moves, and less often once it hangs. */
const CLOSE_MS = 300;
const FAR_MS = 3000;
const CLOSE_FOR_MS = 15_000;

/** The latest test messages, newest first; looked for again and again while the newest is under way. */
export const testMessagesQuery = () =>
  queryOptions({
    queryKey: ["test messages"],
    queryFn: ({ signal }) => readJson<ProbeMessagesAnswer>("/api/v1/test-message", signal),
    refetchInterval({ state: { data } }) {
      const newest = data?.items[0];
      if (!newest || newest.state === "done") return 30_000;
      return serverNow() - Date.parse(newest.acceptedAt) < CLOSE_FOR_MS ? CLOSE_MS : FAR_MS;
    },
  });

/** Sends a test message from its usual device. @throws RequestError with what the server says is wrong. */
export function sendTestMessage(): Promise<ProbeMessageView> {
  return postJson("/api/v1/test-message", {});
}
