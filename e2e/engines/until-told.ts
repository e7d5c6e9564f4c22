import { watchParent } from "@/server/boot/parent-watch";
import { startedByNpm } from "@/server/config/launch";

/**
 * Resolves at the first Ctrl-C, SIGTERM or SIGHUP, or when the npm that started this process is gone. A second signal ends
 * the process at once; the engines' guards see to the rest.
 */
export function untilToldToStop(): Promise<void> {
  return new Promise((resolve) => {
    let told = false;
    const stop = () => {
      if (told) process.exit(130);
      told = true;
      resolve();
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
    if (startedByNpm()) watchParent(() => void (told || stop()));
  });
}
