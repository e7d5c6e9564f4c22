import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import pg from "pg";
import { safeName } from "@/server/domain/fix";
import { type ConnectionString, connectionStringOf } from "./client";
import { MIGRATION_LOCK, withClient } from "./migrate";
import { StartError } from "./start-error";

/** What the runtime role may do with tables where it isn't all: it can't bend the record it writes. */
const RIGHTS: Readonly<Record<string, readonly string[]>> = {
  audit_row: ["SELECT", "INSERT"],
  audit_seal: ["SELECT", "INSERT"],
  // Personal values may be erased.
  audit_value: ["SELECT", "INSERT", "DELETE"],
  log_key: ["SELECT"],
  _prisma_migrations: ["SELECT"],
};
/** Functions by which it has made, with the owner's rights, what it may not make itself. */
const CALLED = [
  "make_month(text, integer, integer)",
  "drop_month(text, integer, integer)",
  "drop_dead_letter_month(integer, integer)",
  "make_archive_days(integer, integer)",
  "drop_archive_days(integer)",
  "shrink_message_archive()",
  "watch_month(integer, integer)",
];

const SCRAM_ROUNDS = 4096;

const ALL = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/** Makes the role that `runtime` signs in as, or gives it that password: no superuser, and owner of nothing. */
export function setRuntimeRole(owner: ConnectionString, runtime: ConnectionString): Promise<void> {
  const { user, password } = new pg.Client({ connectionString: connectionStringOf(runtime) });
  const verifier = pg.escapeLiteral(scramVerifier(password ?? ""));
  return withClient(owner, async (client) => {
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
    const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [user]);
    await client.query(
      `${rowCount === 0 ? "CREATE" : "ALTER"} ROLE ${pg.escapeIdentifier(user!)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD ${verifier}`,
    );
  });
}

/**
 * Gives the role that `runtime` signs in as the rights it needs on tables the owner has migrated, and takes what is too much; makes the
 * role where it isn't there. Nothing to do where both are the same. Safe to run twice at once.
 * @throws StartError when the role isn't there and the owner may not make it.
 */
export async function admitRuntimeRole(owner: ConnectionString, runtime: ConnectionString): Promise<void> {
  const { user = "" } = new pg.Client({ connectionString: connectionStringOf(runtime) });
  const isOwner = await withClient(owner, async (client) => {
    const { rows } = await client.query<{ own: string; there: boolean; may: boolean }>(
      `SELECT current_user AS own, EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS there,
         (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) AS may`,
      [user],
    );
    const { own, there, may } = rows[0]!;
    if (own !== user && !there && !may) throw noRole(user, own);
    return own === user ? true : there ? false : null;
  });
  if (isOwner === true) return;
  if (isOwner === null) await setRuntimeRole(owner, runtime);
  await withClient(owner, async (client) => {
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await client.query("BEGIN");
    for (const change of await missingRights(client, user)) await client.query(change);
    await client.query("COMMIT");
  });
}

/** The statements that make the rights of `role` what they should be. Months are reached through their table, and have none of their own. */
async function missingRights(client: pg.Client, role: string): Promise<string[]> {
  const to = pg.escapeIdentifier(role);
  const { rows: tables } = await client.query<{ name: string; rights: string[] }>(
    `SELECT c.relname AS name, ARRAY(
       SELECT right_name FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) right_name
       WHERE has_table_privilege($1, c.oid, right_name)) AS rights
     FROM pg_class c
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v')
       AND (NOT c.relispartition OR c.relname LIKE ANY ('{%\\_other,%\\_before}'))`,
    [role],
  );
  const changes = tables.flatMap(({ name, rights }) => {
    const wanted = RIGHTS[name] ?? ALL;
    const table = pg.escapeIdentifier(name);
    const missing = wanted.filter((right) => !rights.includes(right));
    const tooMuch = rights.filter((right) => !wanted.includes(right));
    return [
      ...(missing.length > 0 ? [`GRANT ${missing.join(", ")} ON ${table} TO ${to}`] : []),
      ...(tooMuch.length > 0 ? [`REVOKE ${tooMuch.join(", ")} ON ${table} FROM ${to}`] : []),
    ];
  });
  const { rows: others } = await client.query<{ schema: string; change: string }>(
    `SELECT format('GRANT USAGE ON SEQUENCE %I TO ', relname) AS change FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace 
       AND CASE relkind WHEN 'S' THEN NOT has_sequence_privilege($1, oid, 'USAGE') END
     UNION ALL
     SELECT format('GRANT EXECUTE ON FUNCTION %s TO ', f) FROM unnest($2::text[]) f
     WHERE NOT has_function_privilege($1, f, 'EXECUTE')
     UNION ALL
     SELECT format('GRANT USAGE ON SCHEMA %I TO ', current_schema())
     WHERE NOT has_schema_privilege($1, current_schema(), 'USAGE')`,
    [role, CALLED],
  );
  return [...changes, ...others.map(({ change }) => `${change}${to}`)];
}

/** What PostgreSQL keeps of a password, made here so that no log of statements has the password itself. RFC 5803. */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, SCRAM_ROUNDS, 32, "sha256");
  const keyed = (words: string) => createHmac("sha256", salted).update(words).digest();
  const stored = createHash("sha256").update(keyed("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${SCRAM_ROUNDS}:${salt.toString("base64")}$${stored}:${keyed("Server Key").toString("base64")}`;
}

function noRole(user: string, own: string): StartError {
  return new StartError(
    "The role Fieldwatch runs as isn't there",
    `DATABASE_URL signs in as ${user}, which that PostgreSQL doesn't know, and ${own} of MIGRATION_DATABASE_URL may not make roles.`,
    `Make it as an administrator: CREATE ROLE ${safeName(user)} LOGIN PASSWORD '…';\nThen start again; the rights it needs are given to it.`,
  );
}
