/** What programs of others need to run at all. */
const NEEDED = ["PATH", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SystemRoot", "ComSpec", "TEMP", "TMP"];

/** The environment for a program that is none of ours: secrets of engines above all are none of its business. */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const { env } = process;
  return Object.fromEntries(NEEDED.flatMap((name) => (name in env ? [[name, env[name]]] : []))) as NodeJS.ProcessEnv;
}
