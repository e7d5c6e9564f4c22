"use client";
import { createContext } from "react";

/** Whether the navigation is open on a narrow screen. */
export const NavContext = createContext<{ opened: boolean; toggle: () => void }>({ opened: false, toggle: () => {} });
