import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { readJson, RequestError } from "./request";

const replace = vi.fn();
const answer = (make: () => Response) => vi.stubGlobal("fetch", async () => make());
const read = () => readJson("/api/v1/devices", new AbortController().signal);

beforeEach(() => {
  replace.mockReset();
  vi.stubGlobal("window", { location: { pathname: "/devices", search: "?q=a", hash: "", replace } });
});
afterEach(() => vi.unstubAllGlobals());

it("takes only a refusal for want of a sign-in for being signed out", async () => {
  answer(() => {
    throw new TypeError("Failed to fetch");
  });
  await expect(read()).rejects.toMatchObject({ status: null });
  for (const status of [403, 404, 429, 500, 503]) {
    answer(() => new Response("", { status }));
    await expect(read()).rejects.toMatchObject({ status });
  }
  expect(replace).not.toHaveBeenCalled();
});

it("leads to the sign-in page once, however many requests are refused", async () => {
  answer(() => Response.json({ title: "Sign in first", detail: "The session has ended." }, { status: 401 }));
  const refused = await Promise.allSettled([read(), read(), read()]);
  expect(refused.map((one) => one.status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(replace.mock.calls).toEqual([["/sign-in?to=%2Fdevices%3Fq%3Da"]]);
});

it("tells what the server says, and how long to wait", async () => {
  const headers = { "retry-after": "8" };
  answer(() => Response.json({ title: "Too many", detail: "Try again in 8 s." }, { status: 429, headers }));
  const error: unknown = await read().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RequestError);
  expect(error).toMatchObject({
    message: "Too many: Try again in 8 s.",
    problem: { detail: "Try again in 8 s." },
    waitSeconds: 8,
  });
});
