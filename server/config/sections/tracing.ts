import { z } from "zod";
import { variable, whole } from "../variables";

const NAMES = ["always_on", "always_off", "traceidratio"] as const;
const SAMPLERS = [...NAMES, "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"] as const;

/** Where traces go, and which. The names are OpenTelemetry's. */
export const tracing = {
  OTEL_EXPORTER_OTLP_ENDPOINT: variable(
    z
      .url({ protocol: /^https?$/, error: "must be an http:// or https:// address" })
      .regex(/^[^@]*$/, "must be without a user and password: OTEL_EXPORTER_OTLP_HEADERS is the place of secrets")
      .optional(),
    "Where traces are sent to by OTLP over HTTP; `/v1/traces` is added. Not set: there are none, and they cost nothing. Metrics alone: OTEL_TRACES_SAMPLER=always_off.",
    "http://127.0.0.1:4318",
  ),
  OTEL_EXPORTER_OTLP_HEADERS: variable(
    z
      .string()
      .regex(/^([^=,\s]+=[^,]*)(,[^=,\s]+=[^,]*)*$/, "must be name=value with commas between")
      .optional(),
    "Headers of what is sent there, as name=value with commas between; values as in addresses (%20).",
    "authorization=Bearer%20abc",
    { secret: true },
  ),
  OTEL_TRACES_SAMPLER: variable(
    z.enum(SAMPLERS).default("parentbased_traceidratio"),
    "Which requests are traced: with parentbased_ those whose sender says so, and of those that say nothing all, none, or a share.",
    "parentbased_traceidratio",
  ),
  OTEL_TRACES_SAMPLER_ARG: variable(
    z.coerce.number("must be a number").min(0, "must be from 0 to 1").max(1, "must be from 0 to 1").default(0.01),
    "That share, from 0 to 1.",
    "0.01",
  ),
  TRACE_URL: variable(
    z
      .string()
      .regex(/^https?:\/\/\S*\{trace\}\S*$/, "must be an http:// or https:// address with {trace} in it")
      .optional(),
    "Where people look at a trace; {trace} stands for its id. The way of a test message links there.",
    "https://jaeger.example.org/trace/{trace}",
  ),
  TRACE_SLOW_MS: variable(
    whole(1, 3_600_000).default(1000),
    "Requests and batches that take longer are traced whatever the sampler says, as those are that fail.",
    "1000",
  ),
} as const;
