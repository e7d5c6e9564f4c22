"use client";
import { AlertPages } from "../shell/alert-pages";
import { OfAllSites } from "../shell/of-all-sites";
import { Page } from "../shell/page";

/** Where people and programs are told of alerts, and who is told of which. */
export function Channels() {
  return (
    <OfAllSites title="Channels and routes" what="Seeing channels and routes">
      <Page title="Channels and routes">
        <AlertPages />
      </Page>
    </OfAllSites>
  );
}
