/** The command that sends a first message to this server, for a terminal; without the server's address while rendering on the server. */
export function firstMessage(): string {
  const origin = typeof window === "undefined" ? "" : window.location.origin;
  const body = `{"device":"press-07","time":'$(date +%s)',"readings":{"temperature":21.3,"motion":false}}`;
  return `curl ${origin}/api/v1/telemetry -H 'content-type: application/json' -d '${body}'`;
}
