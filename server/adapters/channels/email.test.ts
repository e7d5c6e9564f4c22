import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { AddressInfo } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { afterAll, afterEach, expect, test } from "vitest";
import { alertMessage, toldAlert } from "@/server/testing/alert-channel.contract";
import { makeCertificate } from "@/server/testing/certificate";
import { createAddressCheck } from "./address-check";
import { openChannel } from "./open";

const PASSWORD = "planted-password";
const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-email-"));
const files = makeCertificate(folder, "localhost");
const [cert, key] = [readFileSync(files.cert, "utf8"), readFileSync(files.key, "utf8")];

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A real SMTP server; `judge` says which code a recipient is answered with, null for taken. */
async function startSmtp({
  judge = () => null,
  withTls = true,
  hangs = false,
}: { judge?: (attempt: number) => number | null; withTls?: boolean; hangs?: boolean } = {}) {
  const got: { mail: ParsedMail; isSecure: boolean; user: unknown; raw: string }[] = [];
  let attempts = 0;
  const refusal = (code: number) => Object.assign(new Error("so it is"), { responseCode: code });
  const server = new SMTPServer({
    ...(withTls ? { cert, key } : { disabledCommands: ["STARTTLS"] }),
    authOptional: true,
    onAuth: ({ username, password }, _, done) =>
      password === PASSWORD ? done(null, { user: username }) : done(refusal(535)),
    onRcptTo(_, __, done) {
      if (hangs) return;
      const code = judge(++attempts);
      done(code === null ? null : refusal(code));
    },
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        const raw = Buffer.concat(parts).toString("utf8");
        void simpleParser(raw).then((mail) => {
          got.push({ mail, isSecure: session.secure, user: session.user, raw });
          done();
        });
      });
    },
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  closing.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port, got, attempts: () => attempts };
}

function channelTo(port: number, more: object = {}, timeoutMs = 5000, ownPorts: number[] = [], password = PASSWORD) {
  const settings = {
    host: "localhost",
    port,
    security: "starttls",
    ca: cert,
    user: "me",
    from: "fw@plant.example",
    to: ["ada@plant.example"],
  };
  const channel = openChannel(
    { kind: "email", settings: { ...settings, ...more } as never, secrets: { password } },
    { check: createAddressCheck({ ownPorts, allowed: [] }), timeoutMs },
  );
  closing.unshift(() => channel.close());
  const rendered = channel.render(alertMessage([toldAlert({ site: "<b>north</b>" })]));
  const id = "0b7a2d64-7d7e-4f0e-8a6f-0d5b0a9c1e11";
  return {
    rendered,
    send: (as = id) => channel.send(rendered, { id: as, at: Date.now(), signal: new AbortController().signal }),
  };
}

test("a message goes over STARTTLS, with an id of its own, and refers to its alert", async () => {
  const smtp = await startSmtp();
  const { send, rendered } = channelTo(smtp.port);
  expect(rendered).not.toContain(PASSWORD);
  expect(await send()).toMatchObject({ outcome: "sent", answer: { status: 250 } });
  const [{ mail, isSecure, user, raw }] = smtp.got as [(typeof smtp.got)[0]];
  expect({ isSecure, user }).toEqual({ isSecure: true, user: "me" });
  expect(mail.messageId).toBe("<0b7a2d64-7d7e-4f0e-8a6f-0d5b0a9c1e11@plant.example>");
  expect(mail.references).toBe("<alert-41@plant.example>");
  expect(mail.headers.get("auto-submitted")).toBe("auto-generated");
  expect(mail.subject).toBe("Critical: too hot, press-07 at <b>north</b>");
  expect(mail.text).toContain("https://fieldwatch.example/alerts/41");
  expect(mail.html).toContain("&lt;b&gt;north&lt;/b&gt;");
  await send();
  expect(smtp.got[1]!.raw).toBe(raw);
});

test("451 twice is tried again and stored once, with the same id", async () => {
  const smtp = await startSmtp({ judge: (attempt) => (attempt <= 2 ? 451 : null) });
  const { send } = channelTo(smtp.port);
  expect(await send()).toEqual({ outcome: "retry", answer: { status: 451, text: "so it is" }, afterMs: null });
  expect(await send()).toMatchObject({ outcome: "retry" });
  expect(await send()).toMatchObject({ outcome: "sent" });
  expect(smtp.got).toHaveLength(1);
});

test("550 is for ever; a wrong password, no STARTTLS and an unknown certificate are for later", async () => {
  const refusing = await startSmtp({ judge: () => 550 });
  expect(await channelTo(refusing.port).send()).toMatchObject({ outcome: "failed", answer: { status: 550 } });
  const smtp = await startSmtp();
  expect(await channelTo(smtp.port, { ca: null }).send()).toMatchObject({ outcome: "retry" });
  expect(await channelTo(smtp.port, {}, 5000, [], "wrong").send()).toMatchObject({
    outcome: "retry",
    answer: { status: 535 },
  });
  const plain = await startSmtp({ withTls: false });
  expect(await channelTo(plain.port).send()).toMatchObject({ outcome: "retry" });
  expect(plain.got).toHaveLength(0);
  expect(await channelTo(plain.port, { security: "none", user: null }).send()).toMatchObject({ outcome: "sent" });
});

test("a server that hangs, or isn't there, is for later; our own and metadata addresses are for never", async () => {
  const smtp = await startSmtp({ hangs: true });
  expect(await channelTo(smtp.port, {}, 500).send()).toMatchObject({ outcome: "retry" });
  expect(await channelTo(9).send()).toMatchObject({ outcome: "retry", answer: { status: null } });
  expect(await channelTo(smtp.port, {}, 500, [smtp.port]).send()).toMatchObject({
    outcome: "failed",
    answer: { status: null, text: expect.stringContaining("Fieldwatch itself") as string },
  });
  expect(await channelTo(25, { host: "169.254.169.254" }).send()).toMatchObject({ outcome: "failed" });
});

test("a thousand messages take less than a minute", async () => {
  const smtp = await startSmtp();
  const { send } = channelTo(smtp.port);
  const began = performance.now();
  for (let i = 0; i < 1000; i++) expect((await send(`id-${i}`)).outcome).toBe("sent");
  expect(performance.now() - began).toBeLessThan(60_000);
  expect(new Set(smtp.got.map(({ mail }) => mail.messageId)).size).toBe(1000);
}, 90_000);
