"use client";
import dynamic from "next/dynamic";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useEffectEvent,
  useMemo,
  useRef,
  useState,
} from "react";
import { isKeyTaken } from "../ui/key-target";
import type { KeyHint } from "../ui/keyboard-help";
import { useGo } from "../ui/use-leave-guard";
import { type GoState, readGoKey } from "./go-keys";
import { type PageLink, useOpenPages } from "./pages";

const KeyboardHelp = dynamic(() => import("../ui/keyboard-help").then((help) => help.KeyboardHelp), { ssr: false });
const Palette = dynamic(() => import("./palette/palette").then((palette) => palette.Palette), { ssr: false });

/** A closed dialog and its focus are gone after this many milliseconds. */
const FOCUS_MS = 30;

interface HintGroup {
  readonly title: string;
  readonly hints: readonly KeyHint[];
}

interface Keyboard {
  openHelp: () => void;
  openPalette: () => void;
  /** Adds a page's own keys to the help until the returned function is called. */
  addGroup: (group: HintGroup) => () => void;
}

const KeyboardContext = createContext<Keyboard>({
  openHelp: () => {},
  openPalette: () => {},
  addGroup: () => () => {},
});

function everywhere(pages: readonly PageLink[]): HintGroup {
  return {
    title: "Everywhere",
    hints: [
      { keys: ["Ctrl K"], does: "Find a device, a page or an action" },
      ...pages.map(({ key, label }) => ({ keys: [`g ${key}`], does: `Go to ${label}` })),
      { keys: ["?"], does: "These keys" },
    ],
  };
}

/** The keys of every page: the palette, the help, and `g` with a page's letter. */
export function KeyboardProvider({ children }: { children: ReactNode }) {
  const goTo = useGo();
  const { all: pages } = useOpenPages();
  const [groups, setGroups] = useState<readonly HintGroup[]>([]);
  const [shown, setShown] = useState<"help" | "palette" | null>(null);
  // It isn't loaded before it is first asked for.
  const [isPaletteUsed, setPaletteUsed] = useState(false);
  const go = useRef<GoState>(null);

  const ahead = useRef("");
  const readAhead = useCallback(() => ahead.current, []);
  const returnTo = useRef<Element | null>(null);

  const show = useCallback((what: "help" | "palette") => {
    if (document.querySelector("[role=dialog]") === null) returnTo.current = document.activeElement;
    ahead.current = "";
    if (what === "palette") setPaletteUsed(true);
    setShown(what);
  }, []);
  const close = useCallback(() => setShown(null), []);
  const openHelp = useCallback(() => show("help"), [show]);
  const openPalette = useCallback(() => show("palette"), [show]);
  const addGroup = useCallback((group: HintGroup) => {
    setGroups((all) => [...all, group]);
    return () => setGroups((all) => all.filter((one) => one !== group));
  }, []);

  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
      const isElsewhere = shown !== "palette" && document.querySelector("[role=dialog]") !== null;
      event.preventDefault();
      if (isElsewhere) return;
      if (shown === "palette") close();
      else openPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || isKeyTaken(event)) {
      go.current = null;
      return;
    }
    if (shown === "palette") {
      // It is still being loaded: what is typed meanwhile is for it.
      if (event.key === "Escape") close();
      else if (event.key.length === 1) ahead.current += event.key;
      else return;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (event.key === "?") {
      event.preventDefault();
      openHelp();
      return;
    }
    if (event.key === "Shift") return;
    const { state, href } = readGoKey(pages, go.current, event.key, performance.now());
    go.current = state;
    if (href === null) return;
    event.preventDefault();
    event.stopPropagation();
    goTo(href);
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKey(event);
    // Before any page's own keys: what follows a `g` is not for them.
    document.addEventListener("keydown", listener, true);
    return () => document.removeEventListener("keydown", listener, true);
  }, []);

  // Back to where it was, unless something else took the focus: the heading of a page that was gone to.
  useEffect(() => {
    if (shown !== null) return;
    const timer = setTimeout(() => {
      const isFree = document.activeElement === null || document.activeElement === document.body;
      if (isFree && returnTo.current instanceof HTMLElement) returnTo.current.focus({ preventScroll: true });
      returnTo.current = null;
    }, FOCUS_MS);
    return () => clearTimeout(timer);
  }, [shown]);

  const keyboard = useMemo(() => ({ openHelp, openPalette, addGroup }), [openHelp, openPalette, addGroup]);
  return (
    <KeyboardContext value={keyboard}>
      {children}
      {shown === "help" ? <KeyboardHelp onClose={close} groups={[...groups, everywhere(pages)]} /> : null}
      {isPaletteUsed ? (
        <Palette opened={shown === "palette"} onClose={close} onHelp={openHelp} readAhead={readAhead} />
      ) : null}
    </KeyboardContext>
  );
}

/** Opens the help or the palette. */
export function useKeyboard(): Pick<Keyboard, "openHelp" | "openPalette"> {
  return useContext(KeyboardContext);
}

/** Shows a page's own keys in the keyboard help while the page is shown. `hints` must stay the same object. */
export function useKeyHints(title: string, hints: readonly KeyHint[]): void {
  const { addGroup } = useContext(KeyboardContext);
  useEffect(() => addGroup({ title, hints }), [addGroup, title, hints]);
}
