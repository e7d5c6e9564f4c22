import type { Pool } from "pg";
import { z } from "zod";
import { sourceHandshake } from "@/server/contracts/sources";
import {
  type Fetch,
  fetchHandshake,
  listHandshakes,
  noteConfirmed,
  NotConfirmedError,
} from "@/server/sources/handshakes";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb } from "../verb";
import { sourceAt, sourceParams, toHandshake } from "./view";

export interface HandshakeDeps {
  readonly pool: Pool;
  /** Fetches an address of a sender's service. */
  readonly fetchOutside: Fetch;
}

export const confirmHandshake = verb(
  {
    method: "POST",
    path: "/api/v1/sources/{source}/handshakes/{id}/confirm",
    access: "edit",
    bySite: true,
    audited: "changed",
    summary: "Confirms to a sender's service that it may send here",
    description:
      "Fetches the address that AWS IoT or AWS SNS gave when it asked, once: at hosts of AWS alone, without following where they point. " +
      "One that is confirmed already is fetched no more.",
    params: sourceParams.extend({ id: z.coerce.number().pipe(z.int32().min(1)).describe("Of the handshake") }),
    query: NO_PARAMETERS,
    answer: sourceHandshake,
    status: 200,
    problems: ["not-found", "not-confirmed"],
  },
  ({ pool, fetchOutside }: HandshakeDeps) =>
    async (ctx, { params, attempt }) => {
      const row = await sourceAt(ctx, params.source);
      const handshake = (await listHandshakes(pool, row.id)).find(({ id }) => id === params.id);
      if (handshake === undefined)
        throw new ProblemError("not-found", `${row.name} has no handshake ${params.id} any more.`);
      const { sender, url } = handshake;
      // The address holds a token that works once; the host is what a person decided about.
      await attempt({
        target: row.name,
        detail: { asked: { handshake: params.id, sender, host: new URL(url).hostname } },
      });
      if (handshake.confirmedAt !== null) return toHandshake(handshake);
      try {
        await fetchHandshake(handshake, fetchOutside);
      } catch (error) {
        if (error instanceof NotConfirmedError) throw new ProblemError("not-confirmed", error.message);
        throw error;
      }
      return toHandshake({ ...handshake, confirmedAt: await noteConfirmed(pool, handshake.id) });
    },
);
