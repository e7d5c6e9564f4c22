import type { Pool, PoolClient } from "pg";
import { z } from "zod";
import { logLevelAnswer, logLevelBody } from "@/server/contracts/log-level";
import { LEVEL_LOOK_MS, readLogLevel, writeLogLevel } from "@/server/postgres/log-level";
import { toInstantOrNull } from "../instant";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";

const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(logLevelBody, { io: "input" });

export const getLogLevel = verb(
  {
    method: "GET",
    path: "/api/v1/log-level",
    access: "administer",
    summary: "The least severe log lines that every process writes, if somebody has set that",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: logLevelAnswer,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx }) =>
      answerOf(tx),
);

export const setLogLevel = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/log-level",
    access: "administer",
    summary: "Sets the least severe log lines that every process writes, without a restart",
    description: `For an hour, if nothing else is said; then each process goes by its LOG_LEVEL again. Processes see it within ${LEVEL_LOOK_MS / 1000} s.`,
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: logLevelAnswer,
    status: 200,
    problems: [...BODY_PROBLEMS],
    bodies: { "application/json": BODY_SCHEMA },
  },
  () =>
    async ({ tx }, { request, note }) => {
      const { level, minutes } = await parseJsonBody(logLevelBody, request);
      const before = await readLogLevel(tx);
      await writeLogLevel(tx, level, level === null ? null : minutes);
      const after = await readLogLevel(tx);
      const told = ({ level, until }: typeof after) => ({ level, until: toInstantOrNull(until) });
      note({ target: level ?? "LOG_LEVEL", detail: { before: told(before), after: told(after) } });
      return answerOf(tx);
    },
);

async function answerOf(client: Pool | PoolClient) {
  const { level, until } = await readLogLevel(client);
  return { level, until: toInstantOrNull(until) };
}
