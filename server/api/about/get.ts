import { type About, aboutAnswer } from "@/server/contracts/about";
import { NO_PARAMETERS, verb } from "../verb";

export interface AboutDeps {
  /** What is said of this version; asks no engine. */
  readonly about: () => About;
}

export const getAbout = verb(
  {
    method: "GET",
    path: "/api/v1/about",
    access: "administer",
    summary: "The version, and what changed since those before",
    description: "Answered also while engines are down.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: aboutAnswer,
    status: 200,
    problems: [],
  },
  ({ about }: AboutDeps) =>
    () =>
      Promise.resolve(about()),
);
