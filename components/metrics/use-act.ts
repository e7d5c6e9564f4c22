import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { MetricView } from "@/server/contracts/metrics";

/** A dialog about one metric. */
export interface DialogProps {
  metric: MetricView;
  onClose: () => void;
}

/** Does what `act` does; then everything is asked for again: metrics and types stand on every screen. */
export function useAct<T>(act: (wanted: T) => Promise<unknown>, onDone: () => void) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: act, onSuccess: onDone, onSettled: () => void queries.invalidateQueries() });
}
