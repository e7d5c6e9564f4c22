import { parseArgs } from "node:util";
import { newKeyBody } from "@/server/contracts/access";
import { isRole, ROLES } from "@/server/domain/access";
import { StartError } from "@/server/postgres/start-error";

const OPTIONS = {
  name: { type: "string" },
  role: { type: "string" },
  site: { type: "string" },
  "new-site": { type: "boolean" },
  device: { type: "string" },
  "any-site": { type: "boolean" },
  days: { type: "string" },
  network: { type: "string", multiple: true },
} as const;

/** Reads what key `npm run key` is to make: of a program with a role, of one device, or of the devices of a site. @throws StartError */
export function readKeyOptions(argv: string[]) {
  let options;
  try {
    options = parseArgs({ args: argv, options: OPTIONS }).values;
  } catch (error) {
    throw usage((error as Error).message);
  }
  const { name, role, site, device, days, network = [] } = options;
  if (!name?.trim()) throw usage("--name says what the key is for.");
  if (role !== undefined && !isRole(role)) throw usage(`--role is one of ${ROLES.join(", ")}.`);
  if (role !== undefined && device !== undefined) throw usage("A key has a --role, or is for one --device.");
  if (site !== undefined && options["any-site"]) throw usage("A key is for one --site, or for --any-site.");
  const kind = role !== undefined ? "service" : device !== undefined ? "device" : "site";
  if (kind === "site" && site === undefined && !options["any-site"])
    throw usage(
      "--role makes the key of a program, --device of one device, --site of a site's devices, --any-site of all.",
    );
  if (days !== undefined && days !== "never" && !/^[1-9]\d{0,3}$/.test(days))
    throw usage("--days is a whole number from 1 to 3650, or never.");
  const read = newKeyBody.safeParse({
    ...{ kind, name, role: role ?? null, device: device ?? null, site: site ?? null, networks: network },
    newSite: options["new-site"] === true,
    ...(days !== undefined && { days: days === "never" ? null : Number(days) }),
  });
  if (options["new-site"] && site === undefined) throw usage("--new-site adds the --site that it is given with.");
  if (read.success) return read.data;
  const { path, message } = read.error.issues[0]!;
  throw usage(`--${path[0] === "networks" ? "network" : String(path[0])} ${message}.`);
}

function usage(why: string): StartError {
  return new StartError("No key was made", why, "`npm run -s key -- --name grafana --role viewer --days 90`");
}
