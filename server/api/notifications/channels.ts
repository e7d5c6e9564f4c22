import { randomUUID } from "node:crypto";
import type { PoolClient } from "pg";
import { z } from "zod";
import { type KeptSecrets, KeptSecretError } from "@/server/config/kept-secrets";
import {
  channelChanges,
  channelProblems,
  channelsAnswer,
  channelTest,
  channelView,
  deletedNumber,
  newChannelBody,
  numberedPath,
} from "@/server/contracts/notifications";
import { type Caller, sitesOf } from "@/server/domain/access";
import { type ChannelKind, CHANNELS, type OpenedChannel } from "@/server/domain/notifications/channel";
import type { AlertMessage } from "@/server/domain/notifications/message";
import {
  channelHolder,
  type ChannelRow,
  deleteChannel,
  findChannel,
  insertChannel,
  listChannels,
  openedChannel,
  readWaiting,
  updateChannel,
} from "@/server/notifications/channels";
import { listRoutes } from "@/server/notifications/routes";
import type { AlertChannel } from "@/server/ports/alert-channel";
import { toInstantOrNull } from "../instant";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { defined, isTaken, missing, mustBeAt, mustBeChannels, taken } from "./shared";

const { $schema: _, ...NEW_SCHEMA } = z.toJSONSchema(newChannelBody, { io: "input" });
const { $schema: __, ...CHANGES_SCHEMA } = z.toJSONSchema(channelChanges, { io: "input" });

export interface ChannelDeps {
  readonly keptSecrets: KeptSecrets;
  readonly openChannel: (opened: OpenedChannel) => AlertChannel;
}

export const listChannelsVerb = verb(
  {
    method: "GET",
    path: "/api/v1/channels",
    access: "view",
    summary: "Where people and programs are told of alerts, and whether that works",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: channelsAnswer,
    status: 200,
    problems: [],
  },
  ({ keptSecrets }: ChannelDeps) =>
    async ({ tx, caller }) => {
      const waiting = await readWaiting(tx);
      const rows = await listChannels(tx);
      return { items: rows.map((row) => told(row, waiting.get(row.id) ?? 0, caller, keptSecrets)) };
    },
);

export const addChannel = writingVerb(
  {
    method: "POST",
    path: "/api/v1/channels",
    access: "edit",
    stepUp: true,
    summary: "Adds a channel",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: channelView,
    status: 200,
    problems: ["taken", "wrong-status", ...BODY_PROBLEMS],
    bodies: { "application/json": NEW_SCHEMA },
  },
  ({ keptSecrets }: ChannelDeps) =>
    async ({ tx, caller }, { request, note }) => {
      const { kind, secrets, fallback, ...said } = await parseJsonBody(newChannelBody, request);
      note({ target: said.name });
      const given = withoutNulls(secrets);
      const settings = checked(kind, said.settings, given);
      if (fallback !== null) await mustBeChannels(tx, "fallback", [fallback]);
      const id = await insertChannel(tx, kind, { ...said, settings, fallbackId: fallback });
      if (id === null) throw taken("channel", said.name);
      // Whose the secrets are is its number, which is known only now.
      await updateChannel(tx, id, { ...said, settings, fallbackId: fallback }, sealed(keptSecrets, given, id));
      const row = (await findChannel(tx, id))!;
      note({ target: said.name, detail: { after: noteOf(row, Object.keys(given)) } });
      return told(row, 0, caller, keptSecrets);
    },
);

export const updateChannelVerb = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/channels/{id}",
    access: "edit",
    stepUp: true,
    summary: "Changes a channel; what is left out stays, secrets too",
    description: "What waits for it is tried again at once.",
    params: numberedPath,
    query: NO_PARAMETERS,
    answer: channelView,
    status: 200,
    problems: ["not-found", "taken", "wrong-status", "changed-meanwhile", ...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  ({ keptSecrets }: ChannelDeps) =>
    async ({ tx, caller }, { params: { id }, request, note }) => {
      const { revision, secrets, fallback, ...changes } = await parseJsonBody(channelChanges, request);
      const before = await channelAt(tx, id, true);
      mustBeAt(before, revision);
      const had = secretsOf(before, keptSecrets);
      const given = withoutNulls({ ...had, ...secrets });
      const said = { ...before, ...defined(changes), ...(fallback !== undefined && { fallbackId: fallback }) };
      const settings = checked(before.kind, said.settings, given);
      if (said.fallbackId === id) throw invalid([{ at: "fallback", message: "must be another channel" }]);
      if (said.fallbackId !== null) await mustBeChannels(tx, "fallback", [said.fallbackId]);
      if (await isTaken(tx, "channel", said.name, id)) throw taken("channel", said.name);
      await updateChannel(
        tx,
        id,
        { ...said, settings },
        secrets === undefined ? before.secret : sealed(keptSecrets, given, id),
      );
      const after = (await findChannel(tx, id))!;
      note({
        target: before.name,
        detail: {
          before: noteOf(before, Object.keys(had)),
          after: { ...noteOf(after, Object.keys(given)), secretsChanged: Object.keys(secrets ?? {}) },
        },
      });
      return told(after, (await readWaiting(tx)).get(id) ?? 0, caller, keptSecrets);
    },
);

export const deleteChannelVerb = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/channels/{id}",
    access: "edit",
    stepUp: true,
    summary: "Removes a channel with its messages, those that wait too",
    description: "Not while a route names it.",
    params: numberedPath,
    query: NO_PARAMETERS,
    answer: deletedNumber,
    status: 200,
    problems: ["not-found", "wrong-status"],
  },
  () =>
    async ({ tx }, { params: { id }, note }) => {
      const before = await channelAt(tx, id, true);
      const used = (await listRoutes(tx)).filter(({ channels, escalateTo }) =>
        [...channels, ...escalateTo].includes(id),
      );
      if (used.length > 0)
        throw new ProblemError(
          "wrong-status",
          `Routes name it: ${used.map(({ name }) => name).join(", ")}. Take it out of them first.`,
        );
      await deleteChannel(tx, id);
      note({ target: before.name, detail: { before: noteOf(before, []) } });
      return { id };
    },
);

export const testChannel = verb(
  {
    method: "POST",
    path: "/api/v1/channels/{id}/test",
    access: "edit",
    audited: "changed",
    summary: "Sends a test message by a channel as it is saved, and tells what the other side answered",
    params: numberedPath,
    query: NO_PARAMETERS,
    answer: channelTest,
    status: 200,
    problems: ["not-found"],
  },
  ({ keptSecrets, openChannel, publicUrl }: ChannelDeps & { readonly publicUrl: string | undefined }) =>
    async ({ tx, now, signal }, { params: { id }, attempt }) => {
      const row = await findChannel(tx, id);
      if (row === null) throw missing("channel", id);
      await attempt({ target: row.name });
      const began = performance.now();
      const tell = (outcome: "sent" | "retry" | "failed", status: number | null, answer: string) => ({
        ...{ outcome, status, answer },
        tookMs: Math.round(performance.now() - began),
      });
      let channel: AlertChannel;
      try {
        channel = openChannel(openedChannel(row, keptSecrets));
      } catch (error) {
        if (error instanceof KeptSecretError) return tell("failed", null, `${error.message} ${error.fix}`);
        throw error;
      }
      try {
        const message = testMessage(row.name, now, publicUrl ?? null);
        const { outcome, answer } = await channel.send(channel.render(message), { id: message.id, at: now, signal });
        return tell(outcome, answer.status, answer.text);
      } finally {
        channel.close();
      }
    },
);

function testMessage(name: string, at: number, url: string | null): AlertMessage {
  return {
    ...{
      id: randomUUID(),
      occasion: "test",
      at,
      thread: `fieldwatch-test-${at}`,
      status: "resolved",
      severity: "info",
    },
    title: `Test of the channel ${name}`,
    lines: ["Nothing is wrong: somebody tries whether Fieldwatch's messages come here."],
    ...{ alerts: [], more: 0, url },
  };
}

async function channelAt(tx: PoolClient, id: number, lock: boolean): Promise<ChannelRow> {
  const row = await findChannel(tx, id, lock);
  if (row === null) throw missing("channel", id);
  return row;
}

/** The settings as the kind has them, with what it leaves out. @throws ProblemError naming all that is wrong. */
function checked(kind: ChannelKind, settings: object, secrets: object): object {
  const problems = channelProblems(kind, { settings, secrets });
  if (problems.length > 0) throw invalid(problems);
  return CHANNELS[kind].settings.parse(settings);
}

function withoutNulls(secrets: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(secrets).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Its secrets; none when they can't be opened: then a person gives them anew. */
function secretsOf(row: ChannelRow, keptSecrets: KeptSecrets): Record<string, string> {
  try {
    return openedChannel(row, keptSecrets).secrets as Record<string, string>;
  } catch (error) {
    if (error instanceof KeptSecretError) return {};
    throw error;
  }
}

/** @throws ProblemError when there is no key to encrypt them with. */
function sealed(keptSecrets: KeptSecrets, secrets: object, id: number): string {
  try {
    return keptSecrets.seal(JSON.stringify(secrets), channelHolder(id));
  } catch (error) {
    if (error instanceof KeptSecretError) throw new ProblemError("wrong-status", `${error.message} ${error.fix}`);
    throw error;
  }
}

function told(row: ChannelRow, waiting: number, caller: Caller, keptSecrets: KeptSecrets): z.input<typeof channelView> {
  const mayEdit = sitesOf(caller, "edit") === "all";
  const { id, name, kind, enabled, mostPerHour, revision } = row;
  return {
    ...{ id, name, kind, enabled, mostPerHour, revision, waiting },
    title: CHANNELS[kind].title,
    settings: mayEdit ? (row.settings as Record<string, unknown>) : null,
    secrets: Object.keys(secretsOf(row, keptSecrets)),
    fallback: row.fallbackId,
    failingSince: toInstantOrNull(row.failingSince),
    // An answer may name who it was for.
    trouble: mayEdit ? row.trouble : row.trouble === null ? null : "It doesn't take messages.",
    nextTryAt: toInstantOrNull(row.restsUntil),
    lastOkAt: toInstantOrNull(row.lastOkAt),
  };
}

/** What the audit record tells of a channel: its addresses are of people. */
function noteOf(
  { name, kind, settings, enabled, fallbackId, mostPerHour }: ChannelRow,
  secrets: readonly string[],
): object {
  const { from: _from, to, user: _user, ...rest } = settings as { from?: string; to?: string[]; user?: string | null };
  return {
    name,
    kind,
    enabled,
    fallbackId,
    mostPerHour,
    secrets,
    settings: { ...rest, ...(to && { recipients: to.length }) },
  };
}
