import { z } from "zod";
import { type Receiver, startReceiver } from "./receiver";

/** The key that it knows. */
export const ROUTING_KEY = "planted1planted2planted3planted4";
const MOST_BYTES = 512 * 1024;

const key = z.string().length(32);
const event = z.discriminatedUnion("event_action", [
  z.object({
    event_action: z.literal("trigger"),
    routing_key: key,
    dedup_key: z.string().min(1).max(255).optional(),
    payload: z.object({
      summary: z.string().min(1).max(1024),
      source: z.string().min(1),
      severity: z.enum(["critical", "error", "warning", "info"]),
      timestamp: z.iso.datetime({ offset: true }).optional(),
      component: z.string().optional(),
      group: z.string().optional(),
      class: z.string().optional(),
      custom_details: z.looseObject({}).optional(),
    }),
    client: z.string().optional(),
    client_url: z.url().optional(),
    links: z.array(z.object({ href: z.url(), text: z.string().optional() })).optional(),
  }),
  z.object({
    event_action: z.enum(["acknowledge", "resolve"]),
    routing_key: key,
    dedup_key: z.string().min(1).max(255),
  }),
]);

/** An incident as somebody on call sees it; each trigger of it after the first is only noted. */
export interface Incident {
  readonly key: string;
  status: "triggered" | "acknowledged" | "resolved";
  summary: string;
  severity: string;
  triggers: number;
}

/**
 * A server that keeps to what PagerDuty says of its Events API v2: 202 with the key for what is well formed, 400 with what is wrong, 413 beyond
 * 512 KB, 429 while it is asked too much. A trigger opens an incident unless one of its key is open; acknowledging and resolving what isn't open
 * does nothing.
 */
export async function startPagerDuty(): Promise<
  Receiver & {
    readonly incidents: Incident[];
    /** How it answers: as documented, or by refusing so many of the next calls as too many, saying how long to wait where it says so. */
    throttle(calls: number, retryAfterSeconds?: number): void;
    /** Handles the next calls, but their answers get lost on the way. */
    loseAnswers(calls: number): void;
  }
> {
  const receiver = await startReceiver();
  const incidents: Incident[] = [];
  let throttled = { calls: 0, retryAfter: undefined as number | undefined };
  let lost = 0;
  const answer = (status: number, body: object, headers: Record<string, string> = {}) => ({
    ...{ status, body: JSON.stringify(body) },
    headers: { "content-type": "application/json", ...headers },
  });
  const invalid = (errors: readonly string[]) =>
    answer(400, { status: "invalid event", message: "Event object is invalid", errors });

  receiver.answer(({ path, body }) => {
    if (path !== "/v2/enqueue") return answer(404, {});
    if (throttled.calls > 0) {
      throttled.calls--;
      return answer(
        429,
        { status: "throttle exceeded", message: "Requests for this service are arriving too quickly." },
        throttled.retryAfter === undefined ? {} : { "retry-after": String(throttled.retryAfter) },
      );
    }
    if (Buffer.byteLength(body) > MOST_BYTES) return answer(413, {});
    const read = event.safeParse(parsed(body));
    if (!read.success)
      return invalid(read.error.issues.map(({ path: at, message }) => `'${at.join(".")}': ${message}`));
    if (read.data.routing_key !== ROUTING_KEY) return invalid(["'routing_key' is invalid"]);
    const dedupKey = read.data.dedup_key ?? `made-${incidents.length}`;
    const open = incidents.find(({ key: of, status }) => of === dedupKey && status !== "resolved");
    if (read.data.event_action !== "trigger") {
      if (open) open.status = read.data.event_action === "resolve" ? "resolved" : "acknowledged";
    } else {
      const { summary, severity } = read.data.payload;
      if (open) Object.assign(open, { summary, severity, triggers: open.triggers + 1 });
      else incidents.push({ key: dedupKey, status: "triggered", summary, severity, triggers: 1 });
    }
    if (lost > 0) {
      lost--;
      return "reset";
    }
    return answer(202, { status: "success", message: "Event processed", dedup_key: dedupKey });
  });
  return {
    ...receiver,
    incidents,
    throttle: (calls, retryAfter) => void (throttled = { calls, retryAfter }),
    loseAnswers: (calls) => void (lost = calls),
  };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
