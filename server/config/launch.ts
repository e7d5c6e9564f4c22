/** True if this process was started by an npm script, so that npm (or its shell) is its parent. */
export function startedByNpm(env: NodeJS.Dict<string> = process.env): boolean {
  return env.npm_lifecycle_event !== undefined;
}
