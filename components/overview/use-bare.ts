"use client";
import { useRouter } from "next/navigation";
import { useContext, useEffect, useEffectEvent, useLayoutEffect, useState } from "react";
import { ShellContext } from "../shell/shell-context";
import { isKeyTaken } from "../ui/key-target";

/** The time for which the pointer and the way out are shown after a move, in milliseconds. */
const IDLE_MS = 3000;
const SCHEME = "data-mantine-color-scheme";

/** Takes the navigation away and the screen dark while this is shown; Escape leaves. True while nobody moves the pointer. */
export function useBareAndIdle(): boolean {
  const { goBare, arrive } = useContext(ShellContext);
  const router = useRouter();
  const [isIdle, setIdle] = useState(true);
  useLayoutEffect(() => goBare(), [goBare]);
  useEffect(() => void arrive(), [arrive]);
  useLayoutEffect(() => {
    const root = document.documentElement;
    const before = root.getAttribute(SCHEME);
    const darken = () => {
      if (root.getAttribute(SCHEME) !== "dark") root.setAttribute(SCHEME, "dark");
    };
    darken();
    // The component library writes it again when it starts, and when the system's scheme changes.
    const watch = new MutationObserver(darken);
    watch.observe(root, { attributeFilter: [SCHEME] });
    return () => {
      watch.disconnect();
      if (before !== null) root.setAttribute(SCHEME, before);
    };
  }, []);
  const leave = useEffectEvent((event: KeyboardEvent) => {
    if (event.key === "Escape" && !event.defaultPrevented && !isKeyTaken(event)) router.push("/");
  });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const moved = () => {
      setIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => setIdle(true), IDLE_MS);
    };
    const pressed = (event: KeyboardEvent) => {
      leave(event);
      if (event.key === "Tab") moved();
    };
    window.addEventListener("pointermove", moved);
    window.addEventListener("keydown", pressed);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("pointermove", moved);
      window.removeEventListener("keydown", pressed);
    };
  }, []);
  return isIdle;
}
