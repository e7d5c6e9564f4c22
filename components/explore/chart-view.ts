import type { ExploreAnswer } from "@/server/contracts/explore";
import type { Zone } from "../ui/format";
import type { TimeMark } from "../ui/time-chart-data";
import type { Crosshair } from "../ui/time-chart-crosshair";
import type { Order } from "./drawn";

/** What all charts of the page share. Times in epoch ms. */
export interface ChartView {
  readonly answer: ExploreAnswer;
  readonly from: number;
  readonly to: number;
  readonly zone: Zone;
  readonly marks: readonly TimeMark[];
  readonly crosshair: Crosshair;
  readonly zoom: (from: number, to: number) => void;
  readonly zoomOut: () => void;
  readonly isStale: boolean;
  readonly order: Order;
}
