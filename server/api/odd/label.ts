import { z } from "zod";
import { labelBody, oddStretch, stretchPath } from "@/server/contracts/odd";
import { signatureOf } from "@/server/domain/access";
import { labelOdd } from "@/server/oddness/label";
import { findOdd } from "@/server/oddness/list";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { toStretch } from "./view";

const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(labelBody, { io: "input" });

export const labelOddness = writingVerb(
  {
    method: "POST",
    path: "/api/v1/odd/{stretch}/label",
    access: "operate",
    bySite: true,
    summary: "Says of an odd stretch that it was normal or real, or takes that back",
    description:
      "Normal ends it, and what it reached is usual from the next step on. Of a real one nothing is learned: the same is as odd when it comes again. Both are kept with who " +
      "said it, so that it can be told how precise the detector is here.",
    params: stretchPath,
    query: NO_PARAMETERS,
    answer: oddStretch,
    status: 200,
    problems: ["not-found", ...BODY_PROBLEMS],
    bodies: { "application/json": BODY_SCHEMA },
  },
  () =>
    async ({ tx, sites, caller }, { params: { stretch: id }, request, note }) => {
      const { said } = await parseJsonBody(labelBody, request);
      const stretch = await findOdd(tx, id, sites);
      if (stretch === null) throw new ProblemError("not-found", `There is no odd stretch ${id}.`);
      await labelOdd(tx, stretch, said, signatureOf(caller).text);
      note({
        target: `${stretch.metric} of ${stretch.device}`,
        detail: { before: stretch.said?.what ?? null, after: said },
      });
      return toStretch((await findOdd(tx, id, sites))!);
    },
);
