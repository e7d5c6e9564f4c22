import { useEffect, useMemo } from "react";
import { useLive } from "../live/provider";
import { useKept } from "../ui/kept";

const NAME = "fieldwatch.first-frame";

/** The first live frame with readings that this browser got, and how long after the page opened; null before it. */
export function useFirstFrame(): { readonly ms: number } | null {
  const live = useLive();
  const [kept, keep] = useKept(NAME);
  const frame = useMemo(() => read(kept), [kept]);
  const isWaiting = frame === null;
  useEffect(() => {
    if (!isWaiting) return;
    const leave = live.watch("devices", {
      onFrame(data) {
        if (data.kind !== "devices" || data.devices.length === 0) return;
        keep(JSON.stringify({ ms: Math.round(performance.now()) }));
        leave();
      },
      onMissed: () => {},
    });
    return leave;
  }, [live, isWaiting, keep]);
  return frame;
}

function read(text: string | null): { readonly ms: number } | null {
  try {
    const { ms } = JSON.parse(text ?? "null") as { ms?: unknown };
    return typeof ms === "number" && ms >= 0 ? { ms } : null;
  } catch {
    return null;
  }
}
