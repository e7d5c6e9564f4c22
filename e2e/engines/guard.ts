import { spawn } from "node:child_process";
import type { Socket } from "node:net";

/**
 * Ends an engine when the process that started it is gone, however it went (also by kill -9), and removes its temporary
 * folder. The pipe to it closes at that moment; until then it is told which processes there are.
 */
export interface Guard {
  /** The engine's processes now, the one to be told to stop first; none when it isn't running. */
  watch(pids: readonly number[]): void;
  /** The engine is gone for good. */
  end(): void;
}

// $1 signal that stops the engine · $2 temporary folder, or nothing. CONT comes first: it may be suspended.
const SCRIPT = `
pids=
while read -r line; do pids=$line; done
if [ -n "$pids" ]; then
  main=\${pids%% *}
  for pid in $pids; do kill -CONT "$pid"; done
  kill -"$1" "$main"
  n=0
  while kill -0 "$main" && [ "$n" -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
  for pid in $pids; do kill -KILL "$pid"; done
fi
[ -z "$2" ] || rm -rf -- "$2"
`;

/** Starts a guard; `temporary` is the folder it removes at the end. */
export function createGuard(stopSignal: "TERM" | "INT", temporary: string | undefined): Guard {
  // A session of its own: Ctrl-C in the terminal is not meant for it.
  const child = spawn("/bin/sh", ["-c", SCRIPT, "engine-guard", stopSignal, temporary ?? ""], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
  const pipe = child.stdin as Socket;
  pipe.unref();
  pipe.on("error", () => {}); // Someone ended the guard; the engine itself is not concerned.
  return {
    watch: (pids) => void pipe.write(`${pids.join(" ")}\n`),
    end: () => void pipe.end("\n"),
  };
}
