"use client";
import { Button } from "@mantine/core";
import dynamic from "next/dynamic";
import { memo, type ReactNode, useState } from "react";
import { readable } from "@/server/domain/readable";
import { useMay } from "../queries/access";
import type { DescribedDevice } from "../queries/device";
import { Age } from "../ui/age";
import form from "../ui/form.module.css";
import { Section } from "../ui/section";
import { DeviceLabels } from "./device-labels";
import classes from "./properties.module.css";

const DeleteDevice = dynamic(() => import("./delete-device").then((dialog) => dialog.DeleteDevice), { ssr: false });
const PropertiesForm = dynamic(() => import("./properties-form").then((form) => form.PropertiesForm), { ssr: false });

/** Shows what people say about a device: where it stands, what it is, and anything worth knowing. */
export const Properties = memo(function Properties({ device }: { device: DescribedDevice }) {
  const mayEdit = useMay("edit", device.site);
  const mayDelete = useMay("administer", device.site);
  const [isDeleting, setDeleting] = useState(false);
  const [isEditing, setEditing] = useState(false);
  return (
    <Section
      title="Properties"
      aside={
        isEditing ? null : (
          <span className={form.buttons}>
            {mayDelete ? (
              <Button size="xs" variant="default" onClick={() => setDeleting(true)}>
                Delete…
              </Button>
            ) : null}
            {mayEdit ? (
              <Button size="xs" variant="default" onClick={() => setEditing(true)}>
                Edit
              </Button>
            ) : null}
          </span>
        )
      }
    >
      {isEditing ? <PropertiesForm device={device} onDone={() => setEditing(false)} /> : <Words device={device} />}
      <dl className={classes.labels}>
        <dt>Labels</dt>
        <dd data-property="labels">
          <DeviceLabels device={device} mayEdit={mayEdit} />
        </dd>
      </dl>
      {isDeleting ? <DeleteDevice device={device} onClose={() => setDeleting(false)} /> : null}
    </Section>
  );
});

function Words({ device }: { device: DescribedDevice }) {
  const { site, type, notes, setByPerson, updatedAt } = device;
  const word = (value: string | null, isSet: boolean): ReactNode => (
    <>
      {value === null ? <span className={classes.muted}>not given</span> : readable(value)}{" "}
      <small className={classes.muted}>{isSet ? "set by hand" : value === null ? "" : "from its messages"}</small>
    </>
  );
  return (
    <dl className={classes.properties}>
      <div>
        <dt>Site</dt>
        <dd data-property="site">{word(site, setByPerson.includes("site"))}</dd>
      </div>
      <div>
        <dt>Type</dt>
        <dd data-property="type">{word(type, setByPerson.includes("type"))}</dd>
      </div>
      <div>
        <dt>Changed</dt>
        <dd>
          <Age time={updatedAt} />
        </dd>
      </div>
      <div className={classes.notes}>
        <dt>Notes</dt>
        <dd data-property="notes">{notes === null ? <span className={classes.muted}>none</span> : readable(notes)}</dd>
      </div>
    </dl>
  );
}
