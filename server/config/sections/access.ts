import { z } from "zod";
import { flag, issuer, networks, roleRules, variable } from "../variables";

/** Who may come in. */
export const access = {
  FIELDWATCH_KEY: variable(
    z.string().min(1).optional(),
    "Key by which the simulator and replay send. Not set: the one in the data folder, ingest.key, which each start sees to.",
    "fws_…",
    { secret: true },
  ),
  ADMIN_EMAIL: variable(
    z.email().toLowerCase().optional(),
    "With ADMIN_PASSWORD_FILE: the first account, made at the first start instead of by the link it prints.",
    "ada@example.org",
  ),
  ADMIN_PASSWORD_FILE: variable(
    z.string().min(1).optional(),
    "File with that account's first password, of 12 characters or more.",
    "/run/secrets/admin_password",
  ),
  FIELDWATCH_AUDIT_KEY_FILE: variable(
    z.string().min(1).optional(),
    "File with the key that seals the audit record, of 32 characters or more; further lines are keys of before. All workers need the same. Not set: audit.key in the data folder, made by the worker.",
    "/run/secrets/audit_key",
  ),
  FIELDWATCH_AUDIT_ANCHOR_FILE: variable(
    z.string().min(1).optional(),
    "File to which the worker adds each seal of the audit record; best where nobody can change it. Not set: audit-anchors.ndjson in the data folder.",
    "/var/log/fieldwatch/audit-anchors.ndjson",
  ),
  SECRETS_KEY_FILE: variable(
    z.string().min(1).optional(),
    "File with the key that encrypts the passwords of sources and the secrets of channels in the database, of 32 characters or more; further lines are keys of before. Web, worker and intake need the same. Not set: secrets.key in the data folder, made when it is needed.",
    "/run/secrets/secrets_key",
  ),
  ALLOW_CHANNEL_ADDRESSES: variable(
    z.string().default("").transform(networks),
    "Addresses and networks, with commas between, that messages about alerts may be sent to though they are link-local, a cloud's metadata or Fieldwatch itself.",
    "169.254.10.0/24",
  ),
  PASSWORD_SIGN_IN: variable(
    flag().default(true),
    "false: passwords are not taken, only sign-in links and the identity provider.",
    "false",
  ),
} as const;

/** Signing in at an identity provider, by OpenID Connect. */
export const provider = {
  OIDC_ISSUER: variable(
    z.string().transform(issuer).optional(),
    "The identity provider's address, exactly as it names itself. Not set: nobody signs in there.",
    "https://login.example/realms/plant",
  ),
  OIDC_CLIENT_ID: variable(z.string().min(1).optional(), "The name the provider knows Fieldwatch by.", "fieldwatch"),
  OIDC_CLIENT_SECRET: variable(
    z.string().min(1).optional(),
    "The secret it knows Fieldwatch by. Not set: a public client, by PKCE alone.",
    "secret",
    { secret: true },
  ),
  OIDC_NAME: variable(
    z.string().trim().min(1).max(60).optional(),
    "What people call it, for the button. Not set: the host of OIDC_ISSUER.",
    "Plant login",
  ),
  OIDC_SCOPE: variable(
    z.string().trim().min(1).default("openid profile"),
    "What is asked of the provider; openid is always asked.",
    "openid profile groups",
  ),
  OIDC_ROLES_CLAIM: variable(
    z.string().trim().min(1).default("groups"),
    "The claim that says somebody's groups, of the ID token or of userinfo; with dots, the way to it.",
    "realm_access.roles",
  ),
  OIDC_ROLES: variable(
    z.string().default("").transform(roleRules),
    "Which groups have which role, everywhere or at one site. Whoever is in none of them may sign in, and sees nothing.",
    "fieldwatch-admins=admin;plant-a-ops=operator:plant-a",
  ),
} as const;
