import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { openChannel } from "@/server/adapters/channels/open";
import { createAddressCheck } from "@/server/adapters/channels/address-check";
import type { OpenedChannel } from "@/server/domain/notifications/channel";
import type { AlertMessage } from "@/server/domain/notifications/message";
import { alertMessage } from "@/server/testing/alert-channel.contract";
import { startReceiver } from "@/server/testing/receiver";
import { cache } from "../made-programs";
import { createChecks } from "./checks";

const VERSION = "2.3.0";
/** Sends by Apprise what its API would be asked to: a request in, whether each service took it out. */
const NOTIFY = `
import json, sys, apprise
asked = json.load(sys.stdin)
one = apprise.Apprise()
assert one.add(asked["urls"]), "an address was refused: " + str(asked["urls"])
kinds, formats = list(apprise.NOTIFY_TYPES), list(apprise.NOTIFY_FORMATS)
assert asked["type"] in kinds, asked["type"] + " is none of " + str(kinds)
assert asked["format"] in formats, asked["format"] + " is none of " + str(formats)
sent = one.notify(body=asked["body"], title=asked["title"], notify_type=asked["type"], body_format=asked["format"])
sys.exit(0 if sent else 1)
`;

/**
 * Holds what our channels send against what Apprise, which others wrote, sends to the same services: the same fields of the same types. And gives it
 * what our channel asks an Apprise API for. Left out, and named, where Python or the package isn't to be had.
 */
export async function main(): Promise<number> {
  const python = findApprise();
  if ("missing" in python) {
    console.log(`apprise: left out, ${python.missing}`);
    return 0;
  }
  const checks = createChecks(`apprise ${VERSION}`);
  const receiver = await startReceiver();
  const out = { check: createAddressCheck({ ownPorts: [], allowed: ["127.0.0.1"] }), timeoutMs: 10_000 };
  const ours = async (opened: OpenedChannel, message: AlertMessage) => {
    const channel = openChannel(opened, out);
    const from = receiver.got.length;
    const delivery = { id: "0", at: Date.now(), signal: AbortSignal.timeout(10_000) };
    const outcome = await channel.send(channel.render(message), delivery);
    channel.close();
    if (outcome.outcome !== "sent") throw new Error(`${opened.kind}: ${JSON.stringify(outcome)}`);
    return receiver.got[from]!;
  };
  const theirs = async (address: string, asked: Asked) => {
    const from = receiver.got.length;
    const { code, error } = await notify(python.program, { ...asked, urls: address });
    checks.that(`Apprise takes what it is asked for, for ${address.split(":")[0]}`, code === 0, error);
    return receiver.got[from];
  };
  const { port, url } = receiver;
  try {
    for (const severity of ["critical", "warning", "info"] as const) {
      const message = { ...alertMessage(), severity };
      const api = await ours({ kind: "apprise", settings: { url }, secrets: { key: "k" } }, message);
      const asked = JSON.parse(api.body) as Asked;

      const own = await ours({ kind: "ntfy", settings: { url }, secrets: { topic: "plant", token: "tk_1" } }, message);
      const other = await theirs(`ntfy://tk_1@127.0.0.1:${port}/plant?priority=high&tags=warning`, asked);
      compare(`ntfy, ${severity}`, own, other, ["topic", "title", "message"], ["topic", "title"]);
      checks.equal("ntfy: how it shows who it is", own.headers.authorization, other?.headers.authorization);

      const slack: OpenedChannel = { kind: "slack", settings: {}, secrets: { url: `${url}/hooks/${"a".repeat(26)}` } };
      const mattermost = await theirs(`mmost://127.0.0.1:${port}/${"a".repeat(26)}`, asked);
      compare(`Slack-compatible, ${severity}`, await ours(slack, message), mattermost, ["text"], []);
    }
  } catch (error) {
    checks.that("it goes through", false, (error as Error).stack);
  } finally {
    await receiver.close();
  }
  return checks.finish();

  /** @param fields that have to be there, of the same type. @param equal those that have to say the same */
  function compare(
    what: string,
    own: Request,
    other: Request | undefined,
    fields: readonly string[],
    equal: readonly string[],
  ): void {
    if (other === undefined) return checks.that(`${what}: Apprise sends something`, false);
    const [mine, its] = [own, other].map(({ body }) => JSON.parse(body) as Record<string, unknown>) as [
      Record<string, unknown>,
      Record<string, unknown>,
    ];
    checks.equal(`${what}: path`, own.path.replace(/\/$/, ""), other.path.replace(/\/$/, ""));
    const types = (of: Record<string, unknown>) => fields.map((field) => `${field}: ${typeof of[field]}`);
    checks.equal(`${what}: fields`, types(mine), types(its));
    const shared = Object.keys(mine).filter((field) => field in its);
    const differing = shared.filter((field) => typeof mine[field] !== typeof its[field]);
    checks.equal(`${what}: fields of both that are of different types`, differing, []);
    for (const field of equal) checks.equal(`${what}: ${field}`, mine[field], its[field]);
  }
}

interface Asked {
  readonly title: string;
  readonly body: string;
  readonly type: string;
  readonly format: string;
}

interface Request {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A Python with Apprise in it, fetched once. */
function findApprise(): { readonly program: string } | { readonly missing: string } {
  const folder = path.join(cache(), `apprise-${VERSION}`);
  const program = path.join(folder, "bin", "python");
  const has = () => existsSync(program) && spawnSync(program, ["-c", "import apprise"]).status === 0;
  if (has()) return { program };
  for (const [command, args] of [
    ["python3", ["-m", "venv", folder]],
    [program, ["-m", "pip", "install", "--quiet", `apprise==${VERSION}`]],
  ] as const) {
    const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
    if (status !== 0)
      return { missing: `${command} ${args.join(" ")}: ${stderr?.trim().split("\n").at(-1) ?? "not there"}` };
  }
  return has() ? { program } : { missing: "the package can't be loaded" };
}

/** Asked beside our event loop: what it sends comes to a server of this process. */
async function notify(program: string, asked: Asked & { readonly urls: string }) {
  const child = spawn(program, ["-c", NOTIFY], { stdio: ["pipe", "ignore", "pipe"] });
  let error = "";
  child.stderr.on("data", (part: Buffer) => (error += part.toString()));
  child.stdin.end(JSON.stringify(asked));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, error: error.trim().split("\n").at(-1) ?? "" };
}
