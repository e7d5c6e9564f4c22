"use client";
import { Modal, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { usePathname } from "next/navigation";
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { deviceInAddress } from "../device-in-address";
import { useOpenPages } from "../pages";
import { metricInAddress, usePins } from "../pins";
import { useSignOut } from "../sign-out";
import { sitesQuery } from "../../queries/device";
import { deviceSearchQuery } from "../../queries/devices";
import { metricsQuery } from "../../queries/metrics";
import { sourcesQuery } from "../../queries/sources";
import { printPage } from "../print";
import { useRecentDevices } from "../recent-devices";
import { useGo } from "../../ui/use-leave-guard";
import { useZone } from "../../ui/zone";
import type { DeviceView } from "@/server/contracts/devices";
import {
  deviceItem,
  exploreItems,
  labelled,
  metricItems,
  type PaletteAction,
  type PaletteItem,
  rank,
  type RankedItem,
  sourceItems,
  standingItems,
} from "./items";
import { match } from "./match";
import classes from "./palette.module.css";

/** A search waits for the next key so long. */
const TYPING_MS = 80;
const NAME = "Find a device, a page or an action";

interface PaletteProps {
  opened: boolean;
  onClose: () => void;
  onHelp: () => void;
  /** The keys typed while this was being loaded. */
  readAhead: () => string;
}

/** Finds a device, a page or an action by what is typed. Load it when it is first asked for. */
export function Palette({ opened, ...rest }: PaletteProps) {
  return (
    <Modal.Root
      opened={opened}
      onClose={rest.onClose}
      size={560}
      yOffset="12vh"
      padding={0}
      returnFocus={false}
      transitionProps={{ duration: 0 }}
    >
      <Modal.Overlay />
      <Modal.Content aria-label={NAME}>
        <Modal.Body>
          <Finder {...rest} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Finder({ onClose, onHelp, readAhead }: Omit<PaletteProps, "opened">) {
  const go = useGo();
  const id = useId();
  const [typed, setTyped] = useState(readAhead);
  const [chosen, setChosen] = useState<string | null>(null);
  const [told, setTold] = useState("");
  const { items, context, isSearching, error } = useItems(typed);
  const act = useActions(context.device, setTold);
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  // The field takes the focus at once, not when the dialog does: a key pressed in between would go nowhere.
  useLayoutEffect(() => input.current?.focus(), []);
  const at = Math.max(
    0,
    items.findIndex((item) => item.id === chosen),
  );
  const current = items[at];
  useEffect(() => {
    box.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [current?.id]);

  const run = (item: PaletteItem, inNewTab: boolean) => {
    if ("href" in item.to) {
      if (inNewTab) window.open(item.to.href, "_blank", "noopener");
      else go(item.to.href);
      return onClose();
    }
    if (item.to.action === "help") return onHelp();
    // A choice that only says it is done stays open until it was seen.
    if (!act(item.to.action)) onClose();
  };
  const onKey = (event: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move !== undefined && items.length > 0) setChosen(items[(at + move + items.length) % items.length]!.id);
    else if (event.key === "PageDown" || event.key === "PageUp")
      setChosen(items[event.key === "PageUp" ? 0 : items.length - 1]?.id ?? null);
    else if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      if (current) run(current, event.ctrlKey || event.metaKey);
    } else return;
    event.preventDefault();
  };
  return (
    <div className={classes.finder}>
      <input
        ref={input}
        className={classes.input}
        data-autofocus
        type="text"
        role="combobox"
        aria-label={NAME}
        aria-expanded="true"
        aria-controls={`${id}list`}
        aria-autocomplete="list"
        aria-activedescendant={current ? `${id}${at}` : undefined}
        placeholder={NAME}
        autoComplete="off"
        spellCheck={false}
        maxLength={128}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setChosen(null);
          setTold("");
        }}
        onKeyDown={onKey}
      />
      <div className={classes.list} ref={box} role="listbox" id={`${id}list`} aria-label="What was found">
        {grouped(items).map(([group, members], place) => (
          <div key={group} role="group" aria-labelledby={`${id}group${place}`}>
            <p className={classes.group} id={`${id}group${place}`} role="presentation">
              {group}
            </p>
            {members.map(({ item, index }) => (
              <div
                key={item.id}
                id={`${id}${index}`}
                role="option"
                aria-selected={index === at}
                className={classes.item}
                onMouseMove={() => setChosen(item.id)}
                onClick={(event) => run(item, event.ctrlKey || event.metaKey)}
              >
                <span className={classes.label}>
                  <Marked text={item.label} at={item.at} />
                </span>
                {item.detail ? <span className={classes.detail}>{item.detail}</span> : null}
                {item.keys ? (
                  <span className={classes.keys} aria-hidden="true">
                    {item.keys.split(" ").map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </span>
                ) : null}
              </div>
            ))}
          </div>
        ))}
      </div>
      <p className={classes.foot} role="status">
        {told || (error ? `Devices could not be searched: ${error.message}` : tell(items.length, isSearching))}
      </p>
    </div>
  );
}

function tell(count: number, isSearching: boolean): string {
  if (count > 0) return "↑ ↓ choose · Enter opens · Ctrl Enter opens a new tab · Esc closes";
  return isSearching ? "Searching" : "Nothing is called that.";
}

function useItems(typed: string) {
  const path = usePathname();
  const { zone } = useZone();
  const scheme = useComputedColorScheme("light");
  const recent = useRecentDevices();
  const [pins] = usePins();
  const [search] = useDebouncedValue(typed.trim(), TYPING_MS);
  const found = useQuery(deviceSearchQuery(search));
  const device = path.startsWith("/devices/") ? deviceInAddress(path.slice("/devices/".length)) : null;
  const isPinned = pins.some((pin) => pin.device === device);
  const { all: pages } = useOpenPages();
  const context = useMemo(() => ({ pages, scheme, zone, device, isPinned }), [pages, scheme, zone, device, isPinned]);
  const metrics = useQuery({ ...metricsQuery(), enabled: search !== "" }).data?.items;
  const sources = useQuery({ ...sourcesQuery(), enabled: search !== "", refetchInterval: false }).data?.items;
  const sites = useQuery({ ...sitesQuery(), enabled: search !== "" }).data;
  const standing = useMemo(
    () => [
      ...standingItems(context),
      ...metricItems(metrics ?? []),
      ...exploreItems(typed, metrics ?? [], sites ?? []),
      ...sourceItems(sources ?? []),
    ],
    [context, metrics, sites, sources, typed],
  );
  const devices = useMemo(() => {
    if (typed.trim() === "") return recent.filter((id) => id !== device).map((id) => deviceItem(id, "Recent devices"));
    // Results for an earlier text stay only while they match the new one.
    const fits = ({ id, site, type, labels }: DeviceView) =>
      !found.isPlaceholderData || [id, site, type, ...labelled(labels)].some((text) => text && match(typed, text));
    return (found.data?.items ?? []).filter(fits).map((one) => deviceItem(one.id, "Devices", one, typed));
  }, [typed, recent, device, found.data, found.isPlaceholderData]);
  const items = useMemo(() => rank(typed, standing, devices), [typed, standing, devices]);
  return { items, context, isSearching: search !== typed.trim() || found.isFetching, error: found.error };
}

/** Does an action; true when the palette stays to tell what came of it. */
function useActions(device: string | null, tell: (text: string) => void): (action: PaletteAction) => boolean {
  const { setColorScheme } = useMantineColorScheme();
  const { setZone } = useZone();
  const [, togglePin] = usePins();
  const { signOut, trouble } = useSignOut();
  useEffect(() => {
    if (trouble !== null) tell(trouble);
  }, [trouble, tell]);
  return (action) => {
    switch (action) {
      case "light":
      case "dark":
      case "auto":
        setColorScheme(action);
        return false;
      case "local":
      case "UTC":
        setZone(action);
        return false;
      case "print":
        printPage();
        return false;
      case "pin":
      case "unpin":
        if (device) togglePin({ device, metric: metricInAddress() });
        return false;
      case "copy":
        tell("Copying the link");
        // A page that isn't served by HTTPS or from this machine has no clipboard.
        void (navigator.clipboard?.writeText(window.location.href) ?? Promise.reject(new Error("no clipboard"))).then(
          () => tell("The link to this page is copied."),
          () => tell(`The browser gives no clipboard here. The link: ${window.location.href}`),
        );
        return true;
      case "signOut":
        tell("Signing out");
        signOut();
        return true;
      case "help":
        return false;
    }
  };
}

function grouped(items: readonly RankedItem[]): [string, { item: RankedItem; index: number }[]][] {
  const groups = new Map<string, { item: RankedItem; index: number }[]>();
  items.forEach((item, index) => groups.set(item.group, [...(groups.get(item.group) ?? []), { item, index }]));
  return [...groups];
}

/** A text with the letters that matched. */
function Marked({ text, at }: { text: string; at: readonly number[] }) {
  if (at.length === 0) return text;
  const marked = new Set(at);
  const runs: { text: string; isMarked: boolean }[] = [];
  [...text].forEach((letter, i) => {
    const last = runs.at(-1);
    if (last && last.isMarked === marked.has(i)) last.text += letter;
    else runs.push({ text: letter, isMarked: marked.has(i) });
  });
  return runs.map((run, i) => (run.isMarked ? <mark key={i}>{run.text}</mark> : <span key={i}>{run.text}</span>));
}
