import { statSync } from "node:fs";
import { fileVariable, type SecretFiles } from "@/server/config/secret-files";
import { command } from "@/server/domain/fix";
import { type Finding, pass, type Probe } from "./probe";

/** Whether the files that hold secrets are read by more than those they are for. None without such files. */
export function secretProbes(files: SecretFiles): readonly Probe[] {
  if (Object.keys(files).length === 0) return [];
  return [
    {
      name: "machine.secrets",
      title: "Files of secrets",
      group: "This machine",
      timeoutMs: 1000,
      run: async () => judgeSecrets(files),
    },
  ];
}

function judgeSecrets(files: SecretFiles): Finding {
  const open = Object.entries(files).filter(
    ([, file]) => ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) !== 0,
  );
  if (open.length === 0) return pass("They can't be read by everybody.");
  return {
    status: "warn",
    summary: "Everybody on this machine can read secrets.",
    cause: `The files of ${open.map(([variable]) => fileVariable(variable)).join(", ")} can be read by all users.`,
    fix: open.map(([, file]) => command`chmod o= ${file}`).join("\n"),
  };
}
