import pino from "pino";
import { expect, test } from "vitest";
import { until } from "@/server/testing/until";
import type { Child, ChildOptions } from "./children";
import { createOnDemand } from "./on-demand";

/** Starts stand-ins for processes, and keeps what was asked of them. */
function starter(ready: () => Promise<void> = async () => {}) {
  const started: { readonly options: ChildOptions; stopped: boolean }[] = [];
  return {
    started,
    start(options: ChildOptions): Child {
      const one = { options, stopped: false };
      started.push(one);
      const stop = async () => void (one.stopped = true);
      return { role: options.role, ready: ready(), stop, kill: () => (one.stopped = true), tell: () => {} };
    },
  };
}

const logger = pino({ level: "silent" });
const running = (started: readonly { readonly stopped: boolean }[]) => started.filter(({ stopped }) => !stopped).length;

test("runs one process for as long as it is wanted", async () => {
  const { started, start } = starter();
  const role = createOnDemand({ role: "intake", program: "", logger, start });
  for (const wanted of [false, true, true, false, true]) role.want(wanted);
  await until(() => started.length > 0);
  expect(running(started)).toBe(1);
  role.want(false);
  await until(() => running(started) === 0);
  role.want(true);
  await until(() => running(started) === 1);
  await role.stop(100);
  role.want(true);
  await Promise.resolve();
  expect(running(started)).toBe(0);
});

test("one that fails ends nothing else, and is started again when it is wanted the next time", async () => {
  let starts = 0;
  const { started, start } = starter(async () => {
    starts += 1;
    if (starts === 1) throw new Error("can't be started");
  });
  const role = createOnDemand({ role: "intake", program: "", logger, start });
  role.want(true);
  await until(() => started.length === 1);
  await until(() => {
    role.want(true);
    return started.length === 2;
  });
  started[1]!.options.onFailure(new Error("keeps ending"));
  role.want(true);
  await until(() => started.length === 3);
  await role.stop(100);
});
