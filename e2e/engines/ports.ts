import { createServer } from "node:net";

/** A range below what systems give to outgoing connections (32768 and up), so that none takes the port while its engine is down. */
const [FIRST, LAST] = [20_000, 32_000];
/** Each process begins at another stretch of it: an engine may take seconds to open its port, in which no other process is to choose it. */
const STRETCH = 280;
let next = (process.pid * STRETCH) % (LAST - FIRST);

/** A port that is free on loopback and that this process didn't get before. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < LAST - FIRST; attempt++) {
    const port = FIRST + next;
    next = (next + 1) % (LAST - FIRST);
    if (await isFree(port)) return port;
  }
  throw new Error(`There is no free port between ${FIRST} and ${LAST}.`);
}

/** True if a server could listen on the port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
