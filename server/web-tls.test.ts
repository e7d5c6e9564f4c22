import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect, type TLSSocket } from "node:tls";
import pino from "pino";
import { io } from "socket.io-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "@/e2e/product";
import { makeLink } from "./access/links";
import { loadConfig } from "./config/config";
import { ask } from "./delivery/ask";
import { createSender } from "./delivery/sender";
import { ownAddress, telemetryRoute } from "./delivery/target";
import { withTransaction } from "./postgres/transaction";
import { adminHeader } from "./testing/key-header";
import { makeCertificate } from "./testing/certificate";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { makeTopics } from "./testing/topics";
import { until } from "./testing/until";
import { runWeb } from "./web";

// The pages must be built: `npm test` sees to that.
const logger = pino({ level: "silent" });
const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-web-tls-"));
const files = { cert: path.join(folder, "tls.crt"), key: path.join(folder, "tls.key") };
let db: TestDatabase;
let web: Awaited<ReturnType<typeof runWeb>>;
let own: string;
let who: { readonly authorization: string };

function put(name: string): void {
  const { cert, key } = makeCertificate(folder, name);
  copyFileSync(cert, files.cert);
  copyFileSync(key, files.key);
}

beforeAll(async () => {
  put("first.example");
  db = await freshDatabase();
  who = await adminHeader(db.pool);
  const config = loadConfig(
    {
      ...{ DATABASE_URL: db.appUrl, PORT: String(await freePort()), HOST: "0.0.0.0" },
      ...{ TLS_CERT_FILE: files.cert, TLS_KEY_FILE: files.key },
    },
    "",
  );
  own = ownAddress(config);
  await makeTopics(config, logger);
  web = await runWeb(config, logger);
});
afterAll(async () => {
  await web?.stop();
  await db?.drop();
  rmSync(folder, { recursive: true });
});

const signal = () => AbortSignal.timeout(10_000);

/** A connection, and the name of the certificate it was shown. */
async function shown(options: { maxVersion?: "TLSv1.1" } = {}): Promise<{ socket: TLSSocket; name: string }> {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(own).port), rejectUnauthorized: false, ...options });
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return { socket, name: String(socket.getPeerCertificate().subject.CN) };
}

function headersOf(address: string, headers: Record<string, string> = {}, method = "GET", body = "") {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
    const sent = request(address, { method, headers, rejectUnauthorized: false }, (answer) => {
      answer.resume().on("end", () => resolve({ status: answer.statusCode!, headers: answer.headers }));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

test("it speaks HTTPS alone, of TLS 1.2 and later, and browsers are to come back the same way", async () => {
  expect(own).toMatch(/^https:\/\/127\.0\.0\.1:/);
  const page = await headersOf(`${own}/sign-in`);
  expect(page.status).toBe(200);
  expect(page.headers["strict-transport-security"]).toMatch(/max-age=\d{8}/);
  await expect(shown({ maxVersion: "TLSv1.1" })).rejects.toThrow();
  await expect(fetch(own.replace("https", "http"))).rejects.toThrow();
});

test("its own programs send to it, though the certificate is made out to another name", async () => {
  const sender = createSender({ url: telemetryRoute(own), gzip: false, authorization: () => who });
  const message = { device: "tls-1", time: new Date().toISOString(), readings: { temperature: 1 } };
  expect(await sender.send([Buffer.from(JSON.stringify(message))])).toMatchObject({ kind: "delivered", accepted: 1 });
  sender.close();
  expect((await ask(new URL("/api/v1/devices", own), { headers: who, signal: signal() })).status).toBe(200);
});

test("signing in sets the cookie that plain HTTP can neither read nor set, and a plain page's origin is foreign", async () => {
  const secret = await withTransaction(db.pool, (tx) => makeLink(tx, null));
  const signIn = (origin: string) =>
    headersOf(
      `${own}/api/v1/sign-in/link`,
      { "content-type": "application/json", origin },
      "POST",
      JSON.stringify({ secret }),
    );
  expect((await signIn(own.replace("https", "http"))).status).toBe(403);
  const { headers } = await signIn(own);
  const cookie = String(headers["set-cookie"]);
  expect(cookie).toMatch(/^__Host-fieldwatch=.*; Path=\/; HttpOnly; SameSite=Lax; Secure/);
});

test("live pages connect", async () => {
  const socket = io(own, {
    transports: ["websocket"],
    rejectUnauthorized: false,
    extraHeaders: { ...who, origin: own },
  } as Parameters<typeof io>[1]);
  await until(() => socket.connected, { what: "the live channel opens" });
  socket.disconnect();
});

test("a new certificate is taken up while open connections go on, and one that can't be used is not", async () => {
  const open = await shown();
  expect(open.name).toBe("first.example");
  put("second.example");
  await until(async () => (await shown()).name === "second.example", {
    what: "the second is shown",
    timeoutMs: 20_000,
  });
  const answered = new Promise<string>((resolve) => open.socket.once("data", (part: Buffer) => resolve(String(part))));
  open.socket.write(`GET /api/livez HTTP/1.1\r\nHost: ${new URL(own).host}\r\n\r\n`);
  expect(await answered).toMatch(/^HTTP\/1\.1 200 /);

  writeFileSync(files.cert, "no certificate");
  const probe = async () => {
    const { text } = await ask(new URL("/api/v1/health", own), { headers: who, signal: signal() });
    const { probes } = JSON.parse(text) as { probes: { name: string; status: string }[] };
    return probes.find(({ name }) => name === "front-door.encryption")!.status;
  };
  await until(async () => (await probe()) === "warn", { what: "health warns", timeoutMs: 30_000 });
  expect((await shown()).name).toBe("second.example");
  put("third.example");
  await until(async () => (await probe()) === "pass", { what: "health is well again", timeoutMs: 30_000 });
  expect((await shown()).name).toBe("third.example");
});
