import { queryOptions } from "@tanstack/react-query";
import type { Problem } from "@/server/contracts/common";
import type { ProbeMessagesAnswer, ProbeMessageView } from "@/server/contracts/test-message";
import { readJson, RequestError } from "./request";
import { fetchTimed, serverNow } from "../ui/server-time";

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
export async function sendTestMessage(): Promise<ProbeMessageView> {
  const headers = { "content-type": "application/json" };
  const response = await fetchTimed("/api/v1/test-message", { method: "POST", headers, body: "{}" }).catch(
    (error: unknown) => {
      throw new RequestError(null, "The server does not answer.", { cause: error });
    },
  );
  const body = (await response.json().catch(() => null)) as unknown;
  if (response.ok) return body as ProbeMessageView;
  const problem = body as Problem | null;
  const said = problem && [problem.title, problem.detail].filter(Boolean).join(": ");
  throw new RequestError(response.status, said || `The server answered ${response.status} ${response.statusText}.`);
}
