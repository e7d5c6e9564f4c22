import type { HealthAnswer } from "@/server/contracts/health";

/** What stands in place of a detail. */
const GONE = "…";

/** The shapes of what tells how the installation is made: hosts, versions, files and settings. Told apart by form, as texts of engines hold them too. */
const DETAILS: readonly RegExp[] = [
  // URLs, files and addresses of the API; not "messages/s".
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s,;)"]+/gi,
  /(?<![\w/.])(?:[A-Za-z]:\\|~?\/|\.{1,2}\/|\.fieldwatch\b)[^\s,;:)"]*/g,
  // Hosts: by their port, as an address, after the words of a failed look-up, or with a domain.
  /\[?\b[\w.-]*[a-z][\w.-]*\]?:\d{1,5}\b/gi,
  /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g,
  /\[?(?:[0-9a-f]{0,4}:){2,}[0-9a-f:.]*\]?(?::\d{1,5})?/gi,
  /(?<=\b(?:ENOTFOUND|EAI_AGAIN) )[\w.-]+/g,
  // Settings of Fieldwatch, and of engines: min.insync.replicas. Topics of Fieldwatch are none.
  /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b(?:=[^\s,;)]*)?/g,
  /\b(?!iot\.)[a-z][\w-]*(?:\.[a-z][\w-]*)+\b(?:=[^\s,;)]*)?/g,
  // Versions.
  /(?<=\b(?:PostgreSQL|Kafka|MongoDB|Fieldwatch|Node|Java) )v?\d+(?:\.\d+)*[\w.-]*/g,
  /\bv?\d+\.\d+\.\d+[\w.-]*/g,
  /(?<=\()\d+\.\d+(?=\))/g,
  // Names of users and databases.
  /(?<=\bSigned in as )[^\s,;.()]+/g,
  /\S+(?= is (?:no|a) superuser)/g,
  /(?<=(?:user|role|database|cluster) )"[^"]*"/g,
  /(?<=\bcluster )[\w-]{16,}/g,
];

/** Makes one text fit for those who may not see details. @param names hosts and users of the configuration, which may look like any word. */
export function withoutDetails(text: string, names: readonly string[] = []): string {
  const rest = DETAILS.reduce((left, shape) => left.replace(shape, GONE), text);
  // Last: a host without its name would still show its port.
  return names.reduce((left, name) => left.replace(wholeWord(name), GONE), rest);
}

function wholeWord(name: string): RegExp {
  return new RegExp(`(?<![\\w-])${name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}(?![\\w-])`, "g");
}

/**
 * The answer for those who see health, and don't administer: every state, cause and fix, without hosts, versions, files and
 * settings. A command that held one can't be copied any more.
 */
export function healthSummary(answer: HealthAnswer, names: readonly string[]): HealthAnswer {
  const clean = (text: string) => withoutDetails(text, names);
  const cleanOrNull = (text: string | null) => text && clean(text);
  const cleanTrouble = ({
    cause,
    fix,
    commands,
  }: Pick<HealthAnswer["probes"][number], "cause" | "fix" | "commands">) => ({
    cause: cleanOrNull(cause),
    fix: cleanOrNull(fix),
    commands: commands.filter((command) => clean(command) === command),
  });
  const { verdict, parts, probes, jobs } = answer;
  return {
    ...answer,
    verdict: clean(verdict),
    parts: { ...parts, what: clean(parts.what), means: clean(parts.means) },
    version: null,
    leftOut: { what: ["hosts", "versions", "files", "settings"], permission: "administer" },
    probes: probes.map((probe) => ({ ...probe, summary: clean(probe.summary), ...cleanTrouble(probe) })),
    jobs: jobs && jobs.map((job) => ({ ...job, ...cleanTrouble(job) })),
  };
}
