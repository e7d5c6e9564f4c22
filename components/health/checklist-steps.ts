import type { HealthAnswer, ProbeResult } from "@/server/contracts/health";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import type { SetupAttemptView } from "@/server/contracts/setup";
import type { ProbeMessageView } from "@/server/contracts/test-message";
import { counted } from "@/server/domain/counted";

export type StepState = "done" | "waiting" | "failing" | "unknown";

/** Advice as the server gives it. */
export interface Advice {
  readonly cause: string | null;
  readonly fix: string | null;
  /** Parts of fix that can be copied and run or set as they are. */
  readonly commands: readonly string[];
}

/** One line of the first-run checklist. */
export interface ChecklistStep extends Advice {
  readonly key: StepKey;
  readonly title: string;
  readonly state: StepState;
  /** The finding, in one sentence. */
  readonly found: string;
  /** The time it took, in milliseconds; null when that means nothing or isn't known. */
  readonly tookMs: number | null;
}

export type StepKey =
  | "configuration"
  | "engines"
  | "topics"
  | "migrations"
  | "worker"
  | "message"
  | "frame"
  | "round-trip";

/** The facts the steps are judged by; null where the server can't be asked. */
export interface ChecklistFacts {
  readonly health: Pick<HealthAnswer, "engines" | "probes"> | null;
  readonly totals: Pick<PipelineAnswer["totals"], "messages" | "deadLetters" | "devices"> | null;
  /** The latest start that worked. */
  readonly attempt: SetupAttemptView | null;
  /** The latest test message. */
  readonly followed: ProbeMessageView | null;
  /** The first live frame in this browser: how long it waited for it, in milliseconds. */
  readonly frame: { readonly ms: number } | null;
  readonly isConnected: boolean;
  /** Whether who is signed in may send a test message. */
  readonly maySend: boolean;
  /** A command that sends a first message here. */
  readonly firstMessage: string;
}

const NOTHING = { cause: null, fix: null, commands: [] as readonly string[] };

/** The way from a fresh start to readings on the screen, each step judged by what is known of it. */
export function checklist(facts: ChecklistFacts): ChecklistStep[] {
  const { health, attempt } = facts;
  const probes = health?.probes ?? null;
  const took = (...names: string[]) => durationOf(attempt, names);
  return [
    { key: "configuration", title: "Configuration", ...configuration(health), tookMs: took("configuration") },
    {
      ...{ key: "engines", title: "Engines answer" },
      ...judged(
        probes,
        ENGINES,
        (found) => `${groups(found)} ${groupCount(found) === 1 ? "answers and lets" : "answer and let"} Fieldwatch in.`,
      ),
      tookMs: slowest(probes, /\.reachable$/),
    },
    { key: "topics", title: "Topics", ...judged(probes, TOPICS, topicWords), tookMs: took("topics") },
    {
      ...{ key: "migrations", title: "Tables up to date" },
      ...judged(probes, MIGRATIONS, ([found]) => found!.summary),
      tookMs: took("migrations"),
    },
    {
      ...{ key: "worker", title: "Worker" },
      ...judged(probes, WORKER, ([found]) => found!.summary),
      tookMs: took("worker"),
    },
    { key: "message", title: "First message stored", ...firstMessage(facts), tookMs: null },
    { key: "frame", title: "First live frame in this browser", ...firstFrame(facts), tookMs: facts.frame?.ms ?? null },
    {
      key: "round-trip",
      title: "Test message, end to end",
      ...roundTrip(facts),
      tookMs: facts.followed?.totalMs ?? null,
    },
  ];
}

/** Returns true if nothing is left to do. */
export function isComplete(steps: readonly ChecklistStep[]): boolean {
  return steps.every(({ state }) => state === "done");
}

const ENGINES = /\.(reachable|signed-in|advertised|writable)$/;
const TOPICS = /^log\./;
const MIGRATIONS = /^postgres\.migrations$/;
const WORKER = /^pipeline\.workers$/;

type Judgement = Pick<ChecklistStep, "state" | "found" | "cause" | "fix" | "commands">;

const UNASKED: Judgement = { state: "unknown", found: "Can't be asked: the server does not answer.", ...NOTHING };

/** A step that some probes stand for: as good as the worst of them; a warning doesn't hold it up. */
function judged(
  probes: readonly ProbeResult[] | null,
  names: RegExp,
  words: (found: readonly ProbeResult[]) => string,
): Judgement {
  if (probes === null) return UNASKED;
  const found = probes.filter(({ name }) => names.test(name));
  const failing = found.find(({ status }) => status === "fail");
  if (failing) return { state: "failing", found: `${failing.group}: ${failing.summary}`, ...adviceOf(failing) };
  const unknown = found.find(({ status }) => status === "unknown");
  if (unknown) return { state: "unknown", found: `${unknown.group}: ${unknown.summary}`, ...adviceOf(unknown) };
  if (found.length === 0) return { state: "unknown", found: "No probe has looked at it yet.", ...NOTHING };
  return { state: "done", found: words(found), ...NOTHING };
}

function adviceOf({ cause, fix, commands }: Advice): Advice {
  return { cause, fix, commands };
}

function configuration(health: ChecklistFacts["health"]): Judgement {
  if (health === null)
    return {
      ...{ state: "unknown", found: "The server does not answer." },
      cause: "It isn't running, or this browser can't reach it.",
      fix: "Look where it was started: it says why it can't run. To start it again: npm start",
      commands: ["npm start"],
    };
  const { eventLog, documents, database } = health.engines;
  const all = new Set([eventLog, documents, database]);
  const words =
    all.size === 1
      ? `everything on ${eventLog}`
      : `event log on ${eventLog}, messages on ${documents}, readings on ${database}`;
  return { state: "done", found: `Accepted: ${words}.`, ...NOTHING };
}

function topicWords(found: readonly ProbeResult[]): string {
  const names = found.map(({ title }) => title.replace(/^Topic /, ""));
  return `${names.join(", ")}.`;
}

function groupCount(found: readonly ProbeResult[]): number {
  return new Set(found.map(({ group }) => group)).size;
}

function groups(found: readonly ProbeResult[]): string {
  const names = [...new Set(found.map(({ group }) => group))];
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function firstMessage({ health, totals, maySend, firstMessage: command }: ChecklistFacts): Judgement {
  if (totals === null)
    return health === null ? UNASKED : { ...UNASKED, found: "Can't be asked: see the engines above." };
  const { messages, deadLetters, devices } = totals;
  if (messages > deadLetters || devices > 0) {
    const words = `${counted(messages, "message")} from ${counted(devices, "device")}.`;
    return { state: "done", found: words, ...NOTHING };
  }
  if (messages > 0)
    return {
      ...{ state: "failing", found: `${counted(messages, "message")}, and each became a dead letter.` },
      cause: "Nothing could be made of what came.",
      fix: "Read the reasons under Dead letters.",
      commands: [],
    };
  return {
    ...{ state: "waiting", found: "No message has come yet." },
    cause: null,
    fix: `${maySend ? "Send a test message by the button above, or one of your own" : "Send one"}: ${command}`,
    commands: [command],
  };
}

function firstFrame({ health, totals, frame, isConnected }: ChecklistFacts): Judgement {
  if (health === null) return UNASKED;
  const hasMessages = totals !== null && totals.messages > 0;
  if (frame && (totals === null || hasMessages))
    return { state: "done", found: "Stored readings came to this page by themselves.", ...NOTHING };
  if (!isConnected)
    return {
      ...{ state: "failing", found: "This browser has no live connection." },
      cause: "The WebSocket to the server can't be opened; a proxy in between may not pass it on.",
      fix: "Let the proxy pass on WebSocket upgrades of /socket.io/, or open the dashboard without it.",
      commands: [],
    };
  const broken = health.probes.find(
    ({ name, status }) => name.startsWith("live.") && (status === "fail" || status === "warn"),
  );
  if (broken) return { state: "failing", found: broken.summary, ...adviceOf(broken) };
  const found = hasMessages ? "It comes with the next message that is stored." : "It comes with the first message.";
  return { state: "waiting", found, ...NOTHING };
}

function roundTrip({ health, followed, maySend }: ChecklistFacts): Judgement {
  if (followed === null)
    return health === null
      ? UNASKED
      : {
          state: "waiting",
          found: "None was sent yet.",
          ...NOTHING,
          fix: maySend ? "Press Send a test message." : "It takes the role Operator to send one.",
        };
  const held = followed.stations.find(({ state }) => state !== "done");
  if (!held) return { state: "done", found: "It came all the way from the route to the live frame.", ...NOTHING };
  const found = `${held.title}: ${lowered(held.found)}`;
  return { state: held.state, found, ...adviceOf(held) };
}

function lowered(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

function durationOf(attempt: SetupAttemptView | null, names: readonly string[]): number | null {
  return attempt?.steps.find(({ name }) => names.includes(name))?.durationMs ?? null;
}

function slowest(probes: readonly ProbeResult[] | null, names: RegExp): number | null {
  const took = (probes ?? []).flatMap(({ name, latencyMs }) =>
    names.test(name) && latencyMs !== null ? [latencyMs] : [],
  );
  return took.length === 0 ? null : Math.max(...took);
}
