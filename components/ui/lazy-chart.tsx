"use client";
import dynamic from "next/dynamic";

const RETRY_MS = 2000;

/** The chart, loaded when a page shows one: the charting code is most of its page's weight. */
export const LazyTimeChart = dynamic(() => untilLoaded(() => import("./time-chart")), {
  ssr: false,
  loading: () => null,
});

/** A page opened just before the server went away must not fail for a part that it can still get later. */
export async function untilLoaded<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await load();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
