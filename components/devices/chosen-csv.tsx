"use client";
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useMay } from "../queries/access";
import { chosenDevicesCsv } from "../queries/devices";
import { saidOf } from "../queries/request";
import { saveFile } from "../ui/save-file";

interface ChosenCsvProps {
  chosen: readonly string[];
  /** The metrics whose latest values the list shows. */
  metrics: readonly string[];
}

/** The chosen devices with the values shown, as a file. */
export function ChosenCsv({ chosen, metrics }: ChosenCsvProps) {
  const mayDownload = useMay("view-messages");
  const download = useMutation({
    mutationFn: () => chosenDevicesCsv(chosen, metrics),
    onSuccess: (text) => saveFile(`devices-${chosen.length}.csv`, text, "text/csv;charset=utf-8"),
  });
  if (!mayDownload) return null;
  return (
    <>
      <Button size="compact-xs" variant="default" loading={download.isPending} onClick={() => download.mutate()}>
        CSV
      </Button>
      {download.error ? <p role="alert">There is no file: {saidOf(download.error)}</p> : null}
    </>
  );
}
