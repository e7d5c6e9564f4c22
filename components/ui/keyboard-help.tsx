"use client";
import { Dialog } from "./dialog";
import classes from "./keyboard-help.module.css";

/** One key, or several that do the same, and what they do. */
export interface KeyHint {
  readonly keys: readonly string[];
  readonly does: string;
}

interface KeyboardHelpProps {
  onClose: () => void;
  /** Groups under a heading each, e.g. those of this page and those of every page. */
  groups: readonly { readonly title: string; readonly hints: readonly KeyHint[] }[];
}

/** All keys of a page. Load it when it is first asked for; the shell, which opens it, gives the focus back. */
export function KeyboardHelp({ onClose, groups }: KeyboardHelpProps) {
  return (
    <Dialog title="Keyboard" size={420} onClose={onClose}>
      {groups.map(({ title, hints }) => (
        <section key={title} className={classes.group}>
          <h3>{title}</h3>
          <dl>
            {hints.map(({ keys, does }) => (
              <div key={does}>
                <dt>
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
