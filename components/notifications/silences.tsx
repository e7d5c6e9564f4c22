"use client";
import { AlertPages } from "../shell/alert-pages";
import { Page } from "../shell/page";

/** What keeps alerts from being told: silences, and maintenance that comes again. */
export function Silences() {
  return (
    <Page title="Silences and maintenance">
      <AlertPages />
    </Page>
  );
}
