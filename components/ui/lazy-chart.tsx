"use client";
import dynamic from "next/dynamic";

/** The chart, loaded when a page shows one: the charting code is most of its page's weight. */
export const LazyTimeChart = dynamic(() => import("./time-chart"), { ssr: false, loading: () => null });
