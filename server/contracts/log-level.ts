import { z } from "zod";
import { LOG_LEVELS } from "@/server/domain/log-level";
import { instant } from "./common";

const level = z.enum(LOG_LEVELS).nullable();

export const logLevelAnswer = z
  .object({
    level: level.describe("Least severe lines that every process writes; null: each by its LOG_LEVEL"),
    until: instant.nullable().describe("When each goes by its LOG_LEVEL again; null: not by itself"),
  })
  .meta({ id: "LogLevel" });

export const logLevelBody = z.strictObject({
  level: level.describe("Least severe lines to write; null: each process by its LOG_LEVEL again"),
  minutes: z.int().min(1).max(10_080).nullable().default(60).describe("For so long; null: until somebody changes it"),
});
