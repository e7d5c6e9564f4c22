import type { EpochMs } from "../terms";
import type { NotificationState, Verdict } from "./verdict";

/** A message about an alert, as whoever asks is told of it. */
interface ToldMessage {
  readonly channel: string;
  readonly state: NotificationState;
  readonly sentAt: EpochMs | null;
  readonly madeAt: EpochMs;
  readonly nextTryAt: EpochMs | null;
  /** Newest first. */
  readonly attempts: readonly {
    readonly at: EpochMs;
    readonly status: number | null;
    readonly answer: string | null;
  }[];
}

/** What was decided about an alert that fired, and its messages, oldest first. */
export interface Telling {
  readonly verdict: Verdict | null;
  readonly decidedAt: EpochMs | null;
  readonly route: string | null;
  /** The silence, the window or the alert that is why. */
  readonly by: string | null;
  readonly byId: string | null;
  readonly byUntil: EpochMs | null;
  /** When its group is told next. */
  readonly groupAt: EpochMs | null;
  readonly late: boolean;
  readonly messages: readonly ToldMessage[];
}

/** The end of a sentence that says that an alert fired, and what programs go by. */
export interface ToldWords {
  readonly clause: string;
  readonly numbers: Readonly<Record<string, number>>;
  readonly times: Readonly<Record<string, EpochMs>>;
  readonly words: Readonly<Record<string, string>>;
  readonly steps: readonly { readonly at: EpochMs; readonly words: string }[];
}

/** Says who was told, or why nobody was. @param time writes a moment */
export function toldWords(telling: Telling, time: (at: EpochMs) => string): ToldWords {
  const { verdict, by, byId, byUntil, messages, route } = telling;
  const sent = messages.filter(({ state }) => state === "sent");
  const steps = messages.flatMap(({ channel, attempts, sentAt }) => {
    const last = attempts[0];
    const at = sentAt ?? last?.at;
    if (at === undefined) return [];
    return [{ at, words: `${sentAt === null ? `Tried to tell ${channel}` : `Told ${channel}`}${answered(last)}` }];
  });
  const held = heldWords(telling, time);
  const base = {
    numbers: { messages: messages.length, attempts: messages.reduce((sum, { attempts }) => sum + attempts.length, 0) },
    words: {
      verdict: verdict ?? "undecided",
      ...(route !== null && { route }),
      ...(by !== null && { by }),
      ...(byId !== null && { byId }),
    },
    times: { ...(byUntil !== null && { byUntil }) },
    steps,
  };
  if (sent.length > 0) {
    const { sentAt, channel, attempts } = sent[0]!;
    const others = new Set(sent.map((one) => one.channel)).size - 1;
    const more = others === 0 ? "" : `, and ${others} more`;
    const whom = `told ${channel} at ${time(sentAt!)}${answered(attempts[0])}${more}`;
    return {
      ...base,
      clause: held === null ? `and ${whom}` : `${held}, and ${whom}`,
      times: { ...base.times, told: sentAt! },
      words: { ...base.words, channel, outcome: "sent", ...answerOf(attempts[0]) },
    };
  }
  if (held !== null) return { ...base, clause: held };
  const open = messages.findLast(({ state }) => state !== "replaced") ?? messages.at(-1);
  if (!open)
    return { ...base, clause: `and was told by route ${route ?? "that is gone"}; its messages aren’t kept any more` };
  return {
    ...base,
    clause: fateWords(open, time),
    times: { ...base.times, ...(open.nextTryAt !== null && { nextTry: open.nextTryAt }) },
    words: { ...base.words, channel: open.channel, outcome: open.state, ...answerOf(open.attempts[0]) },
  };
}

/** Why an alert that fired wasn't told then; null: it was to be. */
function heldWords(
  { verdict, by, byId, byUntil, route, groupAt, late }: Telling,
  time: (at: EpochMs) => string,
): string | null {
  const until = byUntil === null ? "" : ` until ${time(byUntil)}`;
  const named = by === null ? "" : ` “${by}”`;
  const next = groupAt === null ? "" : `, at ${time(groupAt)}`;
  switch (verdict) {
    case null:
      return "and nobody has decided yet whom to tell";
    case "silenced":
      return `but silenced by${named || " a silence"}${until}`;
    case "maintenance":
      return `but in the maintenance window${named}`;
    case "inhibited":
      return `but told by the alert of its site${byId === null ? "" : ` (alert ${byId})`} instead`;
    case "acknowledged":
      return "but somebody had acknowledged it";
    case "no-route":
      return "but no route takes it: nobody is told";
    case "channel-off":
      return `but all channels of route ${route ?? "that is gone"} are off: nobody is told`;
    case "kept":
      return `but route ${route ?? "that is gone"} doesn’t tell ${late ? "what is found late" : "such events"}`;
    case "grouped":
      return `and waits to be told together with others by route ${route ?? "that is gone"}${next}`;
    case "rate-limited":
      return `and waits${next}, as its channels have been told as much as they take in an hour`;
    default:
      return null;
  }
}

function fateWords({ channel, state, attempts, nextTryAt }: ToldMessage, time: (at: EpochMs) => string): string {
  const [last] = attempts;
  const tries = attempts.length === 1 ? "1 attempt" : `${attempts.length} attempts`;
  switch (state) {
    case "failed":
      return `but ${channel} refused the message${answered(last)}`;
    case "given-up":
      return `but the message to ${channel} was given up after ${tries}${answered(last)}`;
    case "replaced":
      return `and the message to ${channel} went into a later one`;
    default:
      if (!last) return `and the message to ${channel} waits to be sent`;
      return `but the message to ${channel} waits after ${tries}${answered(last)}${nextTryAt === null ? "" : `; next at ${time(nextTryAt)}`}`;
  }
}

type Attempt = ToldMessage["attempts"][number] | undefined;

/** The other side's answer, as the end of a clause. */
function answered(attempt: Attempt): string {
  const { answer = "" } = answerOf(attempt);
  return answer === "" ? "" : `, which answered ${answer}`;
}

function answerOf(attempt: Attempt): { answer?: string } {
  if (!attempt) return {};
  const { status, answer } = attempt;
  const text = `${status ?? ""} ${answer ?? ""}`.replace(/\s+/g, " ").trim();
  return text === "" ? {} : { answer: text.length > 80 ? `${text.slice(0, 79)}…` : text };
}
