"use client";
import { Button, Select } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { DeviceView } from "@/server/contracts/devices";
import type { MetricView } from "@/server/contracts/metrics";
import { saveMetric } from "../queries/metrics";
import { Dialog } from "../ui/dialog";
import { Failure } from "../ui/feedback";
import form from "../ui/form.module.css";
import { isGuessed, unitOf } from "../ui/meaning";
import { UnitField } from "../ui/unit-field";
import classes from "./units.module.css";

type Scope = "all" | "own";

interface Line {
  readonly name: string;
  readonly unit: string;
  readonly scope: Scope;
}

interface UnitsProps {
  device: DeviceView;
  /** The device's metrics, in order. */
  metrics: readonly MetricView[];
  onClose: () => void;
}

/** Says the units of a device's metrics, for all devices or for this one alone. */
export function Units({ device, metrics, onClose }: UnitsProps) {
  const queries = useQueryClient();
  const [before] = useState(() => metrics.map((metric) => lineOf(device, metric)));
  const [lines, setLines] = useState(before);
  const [failure, setFailure] = useState<{ readonly metric: string; readonly why: string } | null>(null);
  const [isSaving, setSaving] = useState(false);
  const guesses = metrics.filter((metric) => isGuessed(device, metric));
  const changed = lines.filter((line, i) => line.unit.trim() !== before[i]!.unit || line.scope !== before[i]!.scope);

  const save = async (wanted: readonly Line[]) => {
    setSaving(true);
    setFailure(null);
    let metric = "";
    try {
      for (const line of wanted) {
        metric = line.name;
        await write(device, line);
      }
      onClose();
    } catch (error) {
      setFailure({ metric, why: (error as Error).message });
      setSaving(false);
    } finally {
      // Units stand on every screen: in charts, lists and values alike.
      void queries.invalidateQueries();
    }
  };
  const change = (name: string, changes: Partial<Line>) =>
    setLines((now) => now.map((line) => (line.name === name ? { ...line, ...changes } : line)));

  return (
    <Dialog title="Units" size={600} onClose={onClose}>
      <form
        className={classes.units}
        onSubmit={(event) => {
          event.preventDefault();
          void save(changed);
        }}
      >
        <p className={classes.note}>Values stay as they were sent, whatever the unit: nothing is converted.</p>
        <ul className={classes.lines}>
          {lines.map(({ name, unit, scope }) => {
            const guess = guesses.find((metric) => metric.name === name);
            return (
              <li key={name}>
                <span className={classes.name} title={name}>
                  {name}
                  {guess ? <small>Guessed by an earlier version</small> : null}
                </span>
                <UnitField
                  size="xs"
                  aria-label={`Unit of ${name}`}
                  value={unit}
                  error={failure?.metric === name}
                  onChange={(value) => change(name, { unit: value })}
                />
                <Select
                  size="xs"
                  aria-label={`Devices with this unit of ${name}`}
                  data={[
                    { value: "all", label: "All devices" },
                    { value: "own", label: "Only this device" },
                  ]}
                  allowDeselect={false}
                  value={scope}
                  onChange={(value) => change(name, { scope: value as Scope })}
                />
              </li>
            );
          })}
        </ul>
        {failure ? (
          <Failure
            what={`The unit of ${failure.metric} was not saved`}
            why={failure.why}
            advice="What you wrote is kept here. Saving it again does no harm."
          />
        ) : null}
        <div className={form.foot}>
          <small className={classes.note}>A device&apos;s own unit comes before the one of all devices.</small>
          <span className={form.buttons}>
            {guesses.length > 0 && changed.length === 0 ? (
              <Button
                size="xs"
                variant="default"
                loading={isSaving}
                onClick={() => void save(lines.filter(({ name }) => guesses.some((metric) => metric.name === name)))}
              >
                The guesses are right
              </Button>
            ) : null}
            <Button size="xs" variant="default" onClick={onClose} disabled={isSaving}>
              Cancel
            </Button>
            <Button size="xs" type="submit" loading={isSaving} disabled={changed.length === 0}>
              Save
            </Button>
          </span>
        </div>
      </form>
    </Dialog>
  );
}

function lineOf(device: DeviceView, metric: MetricView): Line {
  const scope = Object.hasOwn(device.units, metric.name) ? "own" : "all";
  return { name: metric.name, unit: unitOf(device, metric.name, metric) ?? "", scope };
}

async function write(device: DeviceView, { name, unit, scope }: Line): Promise<void> {
  const wanted = unit.trim() || null;
  if (scope === "own") return saveMetric(name, { unit: wanted, devices: [device.id] });
  if (Object.hasOwn(device.units, name)) await saveMetric(name, { unit: null, devices: [device.id] });
  await saveMetric(name, { unit: wanted });
}
