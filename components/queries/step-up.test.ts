import { afterEach, expect, test, vi } from "vitest";
import { postJson } from "./request";
import { askProof, isProofAsked } from "./step-up";

const STEP_UP = { type: "/problems/step-up", title: "Prove again who you are", status: 403, detail: "Sign in again." };
const answers: Response[] = [];
const asked = vi.fn<typeof fetch>(async () => answers.shift()!);
vi.stubGlobal("fetch", asked);
vi.stubGlobal("window", { location: { pathname: "/users", search: "", hash: "", replace: vi.fn() } });
afterEach(() => {
  asked.mockClear();
  answers.length = 0;
});
const refusal = () => Response.json(STEP_UP, { status: 403 });

/** Answers the question that is open. */
async function settle(isProven: boolean): Promise<void> {
  await vi.waitFor(() => expect(isProofAsked()).toBe(true));
  // The same question, whoever asks.
  const again = askProof();
  const { settle: end } = await import("./step-up").then((all) => all.openQuestion()!);
  end(isProven);
  expect(await again).toBe(isProven);
}

test("what was refused for want of proof is sent again once it is there, all of it by one question", async () => {
  answers.push(refusal(), refusal(), Response.json({ ok: 1 }), Response.json({ ok: 2 }));
  const both = Promise.all([postJson("/api/v1/users", {}), postJson("/api/v1/keys", {})]);
  await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(2));
  await settle(true);
  expect(await both).toEqual([{ ok: 1 }, { ok: 2 }]);
  expect(asked).toHaveBeenCalledTimes(4);
});

test("who would rather not prove it gets the refusal", async () => {
  answers.push(refusal());
  const sending = expect(postJson("/api/v1/users", {})).rejects.toMatchObject({ status: 403 });
  await settle(false);
  await sending;
  expect(asked).toHaveBeenCalledTimes(1);
});
