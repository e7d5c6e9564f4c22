/** The server's place, by which the front door knows its own names. */
export interface Place {
  /** The address it listens on. */
  readonly HOST: string;
  readonly PORT: number;
  /** The origin people open, such as `https://iot.example`. */
  readonly PUBLIC_URL?: string | undefined;
  /** Further hosts; one without a port is allowed at any. */
  readonly ALLOWED_HOSTS: readonly string[];
}

interface Hosts {
  /** True if a request for this host (a Host header) is meant for this server. */
  isOwn(host: string): boolean;
  /** True if a page of this origin is a page of this server, asked for as `host`. What came encrypted comes from no plain page. */
  isOwnOrigin(origin: string, host: string, isHttps: boolean): boolean;
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const ANY_ADDRESS = new Set(["0.0.0.0", "::", "[::]"]);
/** Matches a host without a port: the browser left out the one its scheme stands for. */
const USUAL_PORTS = [80, 443];

/** Knows the hosts this server answers for. Any other may be a foreign page that reached it by its own name (DNS rebinding). */
export function createHosts({ HOST, PORT, PUBLIC_URL, ALLOWED_HOSTS }: Place): Hosts {
  const atAnyPort = new Set<string>();
  const atPort = new Set(LOOPBACK.map((name) => `${name}:${PORT}`));
  if (!ANY_ADDRESS.has(HOST)) atPort.add(`${bracketed(HOST.toLowerCase())}:${PORT}`);
  if (PUBLIC_URL !== undefined) atAnyPort.add(new URL(PUBLIC_URL).hostname);
  for (const host of ALLOWED_HOSTS) {
    const { name, port } = readHost(host)!;
    if (port === null) atAnyPort.add(name);
    else atPort.add(`${name}:${port}`);
  }
  return {
    isOwn(host) {
      const read = readHost(host);
      if (read === null) return false;
      const ports = read.port === null ? USUAL_PORTS : [read.port];
      return atAnyPort.has(read.name) || ports.some((port) => atPort.has(`${read.name}:${port}`));
    },
    isOwnOrigin(origin, host, isHttps) {
      const from = readOrigin(origin);
      if (from === null || (isHttps && from.protocol !== "https:")) return false;
      // Read with the origin's scheme, so that `iot.example` and `iot.example:443` are the same.
      const address = `${from.protocol}//${host}`;
      return from.origin === PUBLIC_URL || (URL.canParse(address) && new URL(address).host === from.host);
    },
  };
}

/** Reads a host as it stands in a Host header: the name in lower case, and the port if there is one. Null if it isn't a host. */
function readHost(host: string): { name: string; port: number | null } | null {
  const [, name, port] = /^(\[[\da-f:.]+\]|[\da-z._-]+)(?::(\d{1,5}))?$/.exec(host.toLowerCase()) ?? [];
  return name === undefined ? null : { name, port: port === undefined ? null : Number(port) };
}

function readOrigin(origin: string): URL | null {
  const url = URL.canParse(origin) ? new URL(origin) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
