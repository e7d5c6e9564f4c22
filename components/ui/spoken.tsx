import type { ReactNode } from "react";
import classes from "./ui.module.css";

/** Words for those who don't see what they stand beside. */
export function Spoken({ as: Tag = "span", children }: { as?: "span" | "p" | "h1"; children: ReactNode }) {
  return <Tag className={classes.spoken}>{children}</Tag>;
}
