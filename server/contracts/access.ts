import { z } from "zod";
import { KEY_KINDS, ROLES } from "@/server/domain/access";
import { isName } from "@/server/domain/terms";
import { readable } from "@/server/domain/readable";
import { instant, moment, text } from "./common";
import { label } from "./devices";

const role = z.enum(ROLES).describe("Each may do all that those before it may");
const grant = z.strictObject({
  role,
  site: text(128).min(1).nullable().describe("Name of the site; null: all of them, and what belongs to none"),
});
const grants = z.array(grant).min(1).max(200).describe("Roles at sites; a role counts only at its site");
const email = z.email().max(254).toLowerCase();
const personName = text(100)
  .trim()
  .min(1)
  .refine((name) => readable(name) === name, "must not hold control characters");
const secret = z.string().min(1).max(200);
/** Bounds of NIST SP 800-63B: long rather than odd. */
const newPassword = z.string().min(12, "must have 12 characters or more").max(200);

const ONE_OF_BOTH = { path: ["role"], message: "or grants: exactly one of both" };

export const linkBody = z.strictObject({ secret: secret.describe("What stands behind #k= in the link") });
export const passwordBody = z.strictObject({ email: text(254).trim().toLowerCase(), password: secret });
export const ownPasswordBody = z.strictObject({
  email: email.describe("What to sign in with from now on"),
  password: newPassword,
});

export const waysIn = z
  .object({
    password: z.boolean().describe("Whether passwords are taken; links always are"),
    provider: z
      .object({ name: z.string(), isAway: z.boolean().describe("It doesn't answer at the moment") })
      .nullable()
      .describe("The identity provider"),
  })
  .meta({ id: "WaysIn" });
export const signedOut = z.object({
  next: z.string().nullable().describe("Where to sign out of the identity provider too; null for nowhere"),
});

export const signInSettings = z
  .object({
    passwordSignIn: z.boolean(),
    provider: z
      .object({
        name: z.string(),
        issuer: z.string(),
        clientId: z.string(),
        hasSecret: z.boolean(),
        scope: z.string(),
        rolesClaim: z.string(),
        rules: z.array(z.object({ group: z.string(), role, site: z.string().nullable(), isThere: z.boolean() })),
        addresses: z.object({ callback: z.string(), logout: z.string(), signedOut: z.string() }),
        asked: z.object({ at: instant, why: z.string().nullable().describe("Why it didn't answer as it should") }),
        signsOut: z.boolean().describe("Whether signing out here can sign out there"),
        people: z.int().describe("Accounts that came from it"),
      })
      .nullable(),
  })
  .meta({ id: "SignInSettings" });

export const me = z
  .object({
    kind: z.enum(["user", "key", "system"]),
    accountId: z.int().nullable().describe("Of a user"),
    name: z.string(),
    email: z.string().nullable(),
    hasPassword: z.boolean(),
    provider: z
      .object({
        groups: z.array(z.string()),
        missingSites: z.array(z.string()).describe("Sites that roles of these groups are for, which aren't known yet"),
      })
      .nullable()
      .describe("What the identity provider said at the latest sign-in; null for who isn't from there"),
    isProven: z.boolean().describe("Signed in so recently that nothing asks for it again"),
    role: role.nullable().describe("The greatest; null: none yet"),
    permissions: z
      .array(z.string())
      .describe("What may be done somewhere; each address of the API document names the one it takes"),
    everywhere: z.array(z.string()).describe("Those of them that are held at all sites, and for what belongs to none"),
    sites: z
      .array(z.object({ site: z.string(), permissions: z.array(z.string()) }))
      .describe("What may be done at single sites, besides"),
  })
  .meta({ id: "Me" });

const sessionView = z
  .object({
    id: z.string(),
    current: z.boolean().describe("The one that asks"),
    address: z.string().nullable(),
    agent: z.string().nullable().describe("What the browser calls itself"),
    createdAt: instant,
    lastUsedAt: instant.describe("To the minute"),
    endsAt: instant,
  })
  .meta({ id: "Session" });

export const sessionsAnswer = z.object({ items: z.array(sessionView) });
export const ended = z.object({ ended: z.int().describe("Sessions that were ended") });

export const user = z
  .object({
    id: z.int(),
    name: z.string(),
    email: z.string().nullable(),
    hasPassword: z.boolean(),
    fromProvider: z.boolean().describe("Name and role come from the identity provider, and are changed there"),
    role: role.nullable().describe("The greatest"),
    grants: z.array(grant),
    createdAt: instant,
    disabledAt: instant.nullable(),
  })
  .meta({ id: "User" });

export const usersAnswer = z.object({ items: z.array(user) });
const wantedRole = role.describe("At all sites; or say `grants`");
export const newUserBody = z
  .strictObject({
    name: personName,
    email: email.nullable().default(null),
    role: wantedRole.optional(),
    grants: grants.optional(),
  })
  .refine(({ role, grants }) => (role === undefined) !== (grants === undefined), ONE_OF_BOTH);
export const userChanges = z
  .strictObject({ name: personName, email: email.nullable(), role: wantedRole, grants, disabled: z.boolean() })
  .partial()
  .refine(({ role, grants }) => role === undefined || grants === undefined, ONE_OF_BOTH);
export const erased = z.object({ erased: z.int().describe("Personal values of the audit record that were erased") });
export const userLink = z
  .object({ user, link: z.string().describe("Signs in once, within the hour; it is not shown again") })
  .meta({ id: "UserLink" });

const network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], "must be an address or a block like 10.1.0.0/16");

export const keyView = z
  .object({
    id: z.string().describe("Its public part, as in <prefix>_<id>_…"),
    kind: z
      .enum(KEY_KINDS)
      .describe(
        "service: a program with a role; site: sends for the devices of a site, or for any; device: sends for one; source: sends to that source",
      ),
    name: z.string(),
    role: role.nullable(),
    device: z.string().nullable(),
    source: z.string().nullable().describe("Name of the source it sends to, of a source's key"),
    site: z.string().nullable().describe("The site whose devices it sends for, or where its role holds; null: all"),
    networks: z.array(z.string()).describe("Where it may be used from; none: anywhere"),
    madeBy: z.string(),
    createdAt: instant,
    expiresAt: instant.nullable(),
    revokedAt: instant.nullable(),
    lastUsedAt: instant.nullable().describe("To the minute"),
    lastUsedFrom: z.string().nullable(),
  })
  .meta({ id: "Key" });

const newNames = z.object({ devices: z.int(), metrics: z.int() });
const listedKey = keyView
  .extend({ newNames: newNames.describe("What it was the first to name, within the hour") })
  .meta({ id: "ListedKey" });
export const keysAnswer = z.object({
  items: z.array(listedKey),
  newNamesLimits: newNames.describe("The most that each key may be the first to name within an hour"),
});
export const newKeyBody = z
  .strictObject({
    kind: z.enum(KEY_KINDS).exclude(["source"]).describe("Keys of sources are made at their source"),
    name: personName,
    role: role.nullable().default(null).describe("Of a service key"),
    device: z.string().nullable().default(null).describe("Of a device key"),
    site: label.default(null).describe("The site whose devices it sends for, or where the role holds; null: all"),
    newSite: z.boolean().default(false).describe("Adds the site if it isn't there; otherwise such a one is refused"),
    networks: z.array(network).max(20).default([]),
    days: z
      .int()
      .min(1)
      .max(3650)
      .nullable()
      .optional()
      .describe("Until it expires; null: never. Left out: 90 for service keys, never for the others"),
  })
  .refine(({ site, newSite }) => !newSite || site !== null, { path: ["newSite"], message: "takes the name of a site" })
  .refine(({ kind, role }) => (kind === "service") === (role !== null), {
    path: ["role"],
    message: "belongs to service keys, which need one",
  })
  .refine(({ kind, device }) => (kind === "device") === (device !== null && isName(device)), {
    path: ["device"],
    message: "belongs to device keys, which need the id of one",
  });
export const madeKey = z
  .object({ key: keyView, text: z.string().describe("The key itself; it is not shown again") })
  .meta({ id: "MadeKey" });

const auditRow = z
  .object({
    id: z.int(),
    time: instant,
    actorKind: z.string(),
    actorId: z.string().nullable().describe("Number of the account, or id of the key"),
    actor: z.string(),
    verb: z.string(),
    target: z.string().nullable(),
    outcome: z
      .enum(["tried", "done", "denied", "failed"])
      .describe("tried: told before what another engine holds is changed; a row of its own tells the outcome"),
    address: z.string().nullable(),
    detail: z.unknown().describe("What was there before and after, or what was asked for"),
    attempt: z.int().nullable().describe("Of an outcome: the row that told that it was tried"),
    unsettled: z.boolean().describe("It was tried, and nobody has told what came of it"),
    sealed: z.boolean().describe("False until the worker's next seal, within a minute or two"),
  })
  .meta({ id: "AuditRow" });
export const auditAnswer = z.object({
  items: z.array(auditRow),
  next: z.int().nullable().describe("Give it as `before` for the page that follows; null on the last"),
});
const searched = text(200).min(1).optional();
const auditMoment = moment
  .transform((time) => Date.parse(time))
  .refine((at) => Math.abs(at) < 8e12, "is out of reach")
  .optional();
export const auditFilter = z.object({
  actor: searched.describe("Exactly this name"),
  verb: searched.describe("Exactly this verb"),
  target: searched.describe("Holds this text"),
  outcome: z.enum(["tried", "done", "denied", "failed"]).optional(),
  from: auditMoment.describe("Rows of this moment or later"),
  to: auditMoment.describe("Rows before this moment"),
});
export const auditQuery = auditFilter.extend({
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().describe("Rows older than this id"),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

export type WaysIn = z.infer<typeof waysIn>;
export type SignInSettings = z.infer<typeof signInSettings>;
export type Me = z.infer<typeof me>;
export type SessionView = z.infer<typeof sessionView>;
export type User = z.infer<typeof user>;
export type UserGrant = User["grants"][number];
export type UserLink = z.infer<typeof userLink>;
export type KeyView = z.infer<typeof keyView>;
export type ListedKey = z.infer<typeof listedKey>;
export type KeysAnswer = z.infer<typeof keysAnswer>;
export type MadeKey = z.infer<typeof madeKey>;
export type AuditRowView = z.infer<typeof auditRow>;
