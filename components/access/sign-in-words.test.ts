import { describe, expect, it } from "vitest";
import { RequestError } from "../queries/request";
import { secretIn, troubleOf, twoCookies } from "./sign-in-words";

describe("secretIn", () => {
  it("finds the secret behind #k=, and nothing elsewhere", () => {
    expect(secretIn("#k=aB-_9")).toBe("aB-_9");
    expect(secretIn("#x=1&k=s")).toBe("s");
    for (const hash of ["", "#", "#k=", "#checklist"]) expect(secretIn(hash)).toBeNull();
  });
});

describe("twoCookies", () => {
  it("says how to get out where signing in again changes nothing", () => {
    const problem = { type: "/problems/not-signed-in", title: "x", status: 401, ambiguous: true };
    expect(twoCookies(new RequestError(401, "said", { problem }))?.why).toContain("clear this host’s cookies");
    expect(twoCookies(new RequestError(401, "said", { problem: { ...problem, ambiguous: undefined } }))).toBeNull();
    expect(twoCookies(new Error("x"))).toBeNull();
  });
});

describe("troubleOf", () => {
  const refused = (status: number | null, waitSeconds: number | null = null) =>
    new RequestError(status, "said", { waitSeconds });

  it("doesn't take a stopped server for a refusal, and lets the link be tried again", () => {
    const trouble = troubleOf(refused(null), "link");
    expect(trouble).toMatchObject({ what: "The server does not answer", isPassing: true, needsLink: false });
    expect(troubleOf(refused(503), "link")).toMatchObject({ isPassing: true, needsLink: false, why: "said" });
  });

  it("tells a used link from a wrong password", () => {
    expect(troubleOf(refused(401), "link")).toMatchObject({ needsLink: true, isPassing: false });
    expect(troubleOf(refused(401), "password")).toMatchObject({ what: "E-mail address or password is wrong" });
  });

  it("knows how long to wait after too many guesses", () => {
    expect(troubleOf(refused(429, 8), "password")).toMatchObject({ waitSeconds: 8, isPassing: false });
  });
});
