import net from "node:net";
import { createTransport } from "nodemailer";
import type { ChannelSecrets, ChannelSettings } from "@/server/domain/notifications/channel";
import { type AlertMessage, textOf } from "@/server/domain/notifications/message";
import type { AlertChannel, SendOutcome } from "@/server/ports/alert-channel";
import { assertAddress, checkedLookup, RefusedAddressError } from "./checked-lookup";
import { linesOf } from "./fit";
import { type Outgoing, unanswered } from "./post-json";

const MOST_TEXT = 100_000;
/** Alerts that a message refers to: mail programs show messages of one alert together. */
const MOST_REFERENCES = 20;

/** A message as it is kept. */
interface Rendered {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly references: readonly string[];
  readonly date: string;
}

/** E-mail by SMTP. Every attempt has the same Message-ID and the same bytes. */
export function createEmail(
  { host, port, security, ca, user, from, to }: ChannelSettings<"email">,
  { password }: ChannelSecrets<"email">,
  out: Outgoing,
): AlertChannel {
  const domain = from.slice(from.indexOf("@") + 1);
  let transport: ReturnType<typeof open> | null = null;

  function open() {
    return createTransport({
      pool: true,
      maxConnections: 1,
      ...{
        host,
        port,
        secure: security === "tls",
        requireTLS: security === "starttls",
        ignoreTLS: security === "none",
      },
      ...(user !== null && { auth: { user, pass: password ?? "" } }),
      ...(ca !== null && { tls: { ca } }),
      ...{ connectionTimeout: out.timeoutMs, greetingTimeout: out.timeoutMs, socketTimeout: out.timeoutMs },
      // Nothing of a message may name a file or an address to take something from.
      ...{ disableFileAccess: true, disableUrlAccess: true },
      getSocket: (_: unknown, done: (error: Error | null, socket: { connection: net.Socket } | false) => void) => {
        connect(out, host, port).then(
          (connection) => done(null, { connection }),
          (error: Error) => done(error, false),
        );
      },
    });
  }

  return {
    render(message) {
      const rendered: Rendered = {
        subject: message.title,
        text: textOf(linesOf(message), MOST_TEXT),
        html: htmlOf(message),
        references: message.alerts.slice(0, MOST_REFERENCES).map(({ id }) => `<alert-${id}@${domain}>`),
        date: new Date(message.at).toUTCString(),
      };
      return JSON.stringify(rendered);
    },
    async send(rendered, { id, signal }) {
      const { subject, text, html, references, date } = JSON.parse(rendered) as Rendered;
      transport ??= open();
      const cut = () => {
        transport?.close();
        transport = null;
      };
      signal.addEventListener("abort", cut, { once: true });
      const timer = setTimeout(cut, out.timeoutMs);
      try {
        const info = await transport.sendMail({
          ...{ from, to: [...to], subject, text, html, date },
          messageId: `<${id}@${domain}>`,
          references: [...references],
          baseBoundary: id,
          headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
        });
        const rejected = info.rejected?.length ? ` Not taken for ${info.rejected.length} of them.` : "";
        return { outcome: "sent", answer: { status: 250, text: `${info.response ?? ""}${rejected}` } };
      } catch (error) {
        return outcomeOf(error);
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", cut);
      }
    },
    close() {
      transport?.close();
    },
  };
}

/** A connection to an address that was checked; the server's name is still checked by its certificate. */
function connect(out: Outgoing, host: string, port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    assertAddress(out.check, host, port);
    const socket = net.connect({ host, port, lookup: checkedLookup(out.check, port) });
    socket.setTimeout(out.timeoutMs, () =>
      socket.destroy(new Error(`No connection within ${out.timeoutMs / 1000} s.`)),
    );
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.removeListener("error", reject);
      const why = out.check(socket.remoteAddress ?? "", port);
      if (why === null) return resolve(socket);
      socket.destroy();
      reject(new RefusedAddressError(host, socket.remoteAddress ?? "nowhere", why));
    });
  });
}

/** 5xx to a message or its addresses is for ever, 4xx for now. Signing in or TLS refused is the channel's fault, which a person mends. */
function outcomeOf(error: unknown): SendOutcome {
  const { responseCode: status, response, code } = error as { responseCode?: number; response?: string; code?: string };
  if (status === undefined) return unanswered(error);
  const answer = { status, text: (response ?? "").replace(/^\d{3}[ -]?/, "") };
  const isOfMessage = code === "EENVELOPE" || code === "EMESSAGE";
  return status >= 500 && isOfMessage ? { outcome: "failed", answer } : { outcome: "retry", answer, afterMs: null };
}

function htmlOf({ title, lines, url }: AlertMessage): string {
  const kept = textOf(lines, MOST_TEXT).split("\n");
  return [
    `<div style="font:15px/1.5 system-ui,sans-serif"><p style="font-size:17px"><b>${escaped(title)}</b></p>`,
    `<ul>${kept.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul>`,
    url === null ? "" : `<p><a href="${escaped(url)}">${escaped(url)}</a></p>`,
    "</div>",
  ].join("");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
