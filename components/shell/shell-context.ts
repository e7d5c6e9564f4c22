"use client";
import { createContext } from "react";

interface ShellState {
  /** True if the navigation is open on a narrow screen. */
  readonly opened: boolean;
  readonly toggle: () => void;
  /** Takes away everything but the page until the returned function is called. */
  readonly goBare: () => () => void;
  /** Tells that a page is shown; false for the first one of a visit. */
  readonly arrive: () => boolean;
}

/** The state that pages share with the shell around them. */
export const ShellContext = createContext<ShellState>({
  opened: false,
  toggle: () => {},
  goBare: () => () => {},
  arrive: () => false,
});
