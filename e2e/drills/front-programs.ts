import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cache, type Found, fromDebian, fromGo } from "../made-programs";

const CADDY = "github.com/caddyserver/caddy/v2";
const CADDY_VERSION = "v2.10.2";

const CADDY_MAIN = `package main

import (
	caddycmd "${CADDY}/cmd"
	_ "${CADDY}/modules/standard"
)

func main() { caddycmd.Main() }
`;

/** The nginx that is installed, or else Debian's package, unpacked and not installed; it stays in the user's cache folder. */
export function findNginx(): Found {
  for (const program of ["/usr/sbin/nginx", path.join(cache(), "nginx")]) if (existsSync(program)) return { program };
  return fromDebian("nginx", "usr/sbin/nginx");
}

/** Caddy as released, built once through the Go module proxy, if `mayBuild`; it stays in the user's cache folder. */
export function findCaddy(mayBuild: boolean): Found {
  return fromGo(`caddy-${CADDY_VERSION}`, { onlyBy: mayBuild ? null : "fronts", main: CADDY_MAIN }, [
    ["get", `${CADDY}@${CADDY_VERSION}`],
    ["mod", "tidy"],
    ["build", "-p", "1", "-o", "made", "."],
  ]);
}

/** Where a front listens, what it is in front of, and its certificate. */
export interface FrontPlace {
  readonly folder: string;
  readonly port: number;
  readonly upstream: number;
  readonly cert: string;
  readonly key: string;
}

/** A running reverse proxy. */
export interface Front {
  /** What it has printed. */
  said(): string;
  stop(): Promise<void>;
}

/** The recipes of docs/exposing.md in this language, in their order, as they stand there. */
export function recipes(language: "nginx" | "caddyfile"): string[] {
  const text = readFileSync("docs/exposing.md", "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "gm"))].map(([, recipe]) => recipe!);
}

/** Runs nginx with a recipe, in what Debian's own nginx.conf has around it; ports and files are those of `place`. */
export function startNginx(program: string, recipe: string, place: FrontPlace): Front {
  const own = recipe
    .replaceAll("listen 443 ssl", `listen 127.0.0.1:${place.port} ssl`)
    .replaceAll("127.0.0.1:3000", `127.0.0.1:${place.upstream}`)
    .replaceAll("/etc/ssl/iot.example.crt", place.cert)
    .replaceAll("/etc/ssl/iot.example.key", place.key);
  const temporary = ["client_body", "proxy", "fastcgi", "scgi", "uwsgi"].map(
    (kind) => `${kind}_temp_path ${place.folder}/${kind};`,
  );
  const file = path.join(place.folder, "nginx.conf");
  writeFileSync(
    file,
    `daemon off; pid ${place.folder}/nginx.pid; error_log stderr warn; ${process.getuid?.() === 0 ? "user root;" : ""}
events { worker_connections 768; }
http { sendfile on; tcp_nopush on; gzip on; access_log off; ${temporary.join(" ")}
${own}}
`,
  );
  return start(program, ["-c", file], place);
}

/** Runs Caddy with a recipe; ports are those of `place`, and its certificates of an authority of its own. */
export function startCaddy(program: string, recipe: string, place: FrontPlace): Front {
  const file = path.join(place.folder, "Caddyfile");
  const settings = `{\n  admin off\n  auto_https disable_redirects\n  https_port ${place.port}\n  local_certs\n  skip_install_trust\n}\n`;
  writeFileSync(file, settings + recipe.replaceAll("127.0.0.1:3000", `127.0.0.1:${place.upstream}`));
  return start(program, ["run", "--config", file, "--adapter", "caddyfile"], place);
}

function start(program: string, args: readonly string[], { folder }: FrontPlace): Front {
  const env = { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child: ChildProcess = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    said: () => said,
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}
