/** Makes this process run React's and Next's production code, which the pages were built for; they look at NODE_ENV. */
export function runAsProduction(): void {
  Object.assign(process.env, { NODE_ENV: "production" });
}
