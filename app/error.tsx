"use client";
import { Button } from "@mantine/core";
import { Standalone } from "@/components/shell/standalone";

/** A fault in showing a page. Nothing here writes data, so the pipeline is untouched by it. */
export default function ErrorPage({ error, retry }: { error: Error & { digest?: string }; retry: () => void }) {
  return (
    <Standalone title="This page failed to show">
      <p>{error.message || "No cause was given."}</p>
      <p>Only the display is concerned: messages are still taken in and stored.</p>
      <p>
        <Button size="xs" onClick={() => retry()}>
          Try again
        </Button>
      </p>
      {error.digest ? <p>The server&apos;s log has the details under {error.digest}.</p> : null}
    </Standalone>
  );
}
