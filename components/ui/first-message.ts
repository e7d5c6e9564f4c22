/**
 * The command that sends a first message to this server, for a terminal on its machine, whose programs share a key;
 * without the server's address while rendering on the server.
 */
export function firstMessage(): string {
  const origin = typeof window === "undefined" ? "" : window.location.origin;
  const body = `{"device":"press-07","time":'$(date +%s)',"readings":{"temperature":21.3,"motion":false}}`;
  const key = `-H "Authorization: Bearer $(cat "\${FIELDWATCH_DATA_DIR:-.fieldwatch}/ingest.key")"`;
  return `curl ${origin}/api/v1/telemetry ${key} -H 'content-type: application/json' -d '${body}'`;
}
