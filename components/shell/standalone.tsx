import type { ReactNode } from "react";
import classes from "./shell.module.css";

/** A page of a few words, without the shell around it. */
export function Standalone({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={classes.standalone}>
      <h1>{title}</h1>
      {children}
    </main>
  );
}
