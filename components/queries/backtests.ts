import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Backtest, BacktestJob } from "@/server/contracts/backtests";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import { toSegment } from "@/server/domain/segment";
import { postJson, readJson } from "./request";

const ROOT = "/api/v1/rule-backtests";
const LOOK_MS = 400;

/** A range of time, in epoch milliseconds. */
interface Range {
  readonly from: number;
  readonly to: number;
}

const rangeOf = ({ from, to }: Range) => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });

/** What a rule would have done with one device. @param spec null: nothing is asked, as is with no device */
export const backtestQuery = (spec: RuleSpec | null, device: string | null, range: Range) =>
  queryOptions({
    queryKey: ["backtest", spec, device, range.from, range.to],
    queryFn: () => postJson<Backtest>("/api/v1/rule-backtest", { spec, device, ...rangeOf(range) }),
    enabled: spec !== null && device !== null,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  });

/** Has a rule tried on all its devices. @throws RequestError: 409 when too many are tried at once. */
export function startBacktest(spec: RuleSpec, name: string, range: Range): Promise<BacktestJob> {
  return postJson(ROOT, { spec, name, ...rangeOf(range) });
}

/** How far that is. @param id null: there is none */
export const backtestJobQuery = (id: string | null) =>
  queryOptions({
    queryKey: ["backtest job", id],
    queryFn: ({ signal }) => readJson<BacktestJob>(`${ROOT}/${toSegment(id ?? "")}`, signal),
    enabled: id !== null,
    refetchInterval: ({ state: { data } }) =>
      data && data.status !== "waiting" && data.status !== "running" ? false : LOOK_MS,
  });

/** Stops it; what it has found stays. */
export function stopBacktest(id: string): Promise<BacktestJob> {
  return postJson(`${ROOT}/${toSegment(id)}/stop`, {});
}
