/** How each command is called, and what for; `replay` has a help of its own. */
const USAGES: Readonly<Record<string, readonly [call: string, does: string]>> = {
  "sign-in-link": [
    "npm run -s sign-in-link",
    "Prints a link that signs in once, as the owner or, before there is one, to become it.",
  ],
  key: [
    "npm run -s key -- --name NAME (--role ROLE | --device NAME | --site NAME [--new-site] | --any-site) [--days N] [--network CIDR]…",
    "Prints a new key, and nothing else.",
  ],
  "audit-verify": [
    "npm run audit:verify [-- --anchor FILE] [--key FILE]",
    "Reads the whole audit record, and says what of it isn't as it was sealed.",
  ],
  backup: [
    "npm run backup [-- --to DIR] [--keep N] [--with-cold]",
    "Writes a backup while everything runs, and restores it beside to verify it.",
  ],
  restore: ["npm run restore -- --from DIR", "Makes the data folder, which must be empty, of a backup."],
  cold: [
    "npm run cold -- list | verify [--month YYYY-MM] | restore --month YYYY-MM | release --month YYYY-MM",
    "Says what is in cold storage and whether it is whole, and brings months back from there.",
  ],
  doctor: ["npm run -s doctor [-- --json] [--strict]", "Asks once what the page Health asks all the time."],
  "support-bundle": [
    "npm run support-bundle [-- --log FILE] [--out FILE]",
    "Writes what somebody who helps has to know into one file, without secrets, readings and names.",
  ],
};

/** What a command prints for --help or -h; null: it isn't asked for, or the command has none of its own here. */
export function usageFor(role: string, argv: readonly string[]): string | null {
  const usage = Object.hasOwn(USAGES, role) ? USAGES[role] : undefined;
  if (usage === undefined || !argv.some((one) => one === "--help" || one === "-h")) return null;
  return `${usage[1]}\n\n  ${usage[0]}\n`;
}
