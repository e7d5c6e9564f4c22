"use client";
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { SourceHandshake } from "@/server/contracts/sources";
import { saidOf } from "../queries/request";
import { confirmHandshake, SOURCES } from "../queries/sources";
import { Age } from "../ui/age";
import { Failure } from "../ui/feedback";
import { MarkShape } from "../ui/state-mark";
import classes from "./sources.module.css";

const FROM: Record<SourceHandshake["sender"], string> = { "aws-iot": "AWS IoT", "aws-sns": "AWS SNS" };

interface HandshakesProps {
  name: string;
  handshakes: readonly SourceHandshake[];
}

/** Confirmations that a source's sender asked for and waits for; told only to who may give them. */
export function Handshakes({ name, handshakes }: HandshakesProps) {
  const pending = handshakes.filter(({ confirmedAt }) => confirmedAt === null);
  return pending.map((handshake) => <Pending key={handshake.id} name={name} handshake={handshake} />);
}

function Pending({
  name,
  handshake: { id, sender, at, url },
}: Omit<HandshakesProps, "handshakes"> & { handshake: SourceHandshake }) {
  const queries = useQueryClient();
  const confirm = useMutation({
    mutationFn: () => confirmHandshake(name, id),
    onSettled: () => queries.invalidateQueries({ queryKey: [SOURCES] }),
  });
  return (
    <div className={classes.handshake} role="status">
      <MarkShape mark="warning" />
      <div>
        <p>
          <b>{FROM[sender]} asks to be confirmed before it sends</b>, <Age time={at} />. Confirm it if this is yours:
          Fieldwatch fetches this address once.
        </p>
        <p className={classes.mono}>{url}</p>
        {confirm.error ? (
          <Failure what="It was not confirmed" why={saidOf(confirm.error)} advice="Its sender can ask again." />
        ) : null}
      </div>
      <Button size="xs" loading={confirm.isPending} onClick={() => confirm.mutate()}>
        Confirm
      </Button>
    </div>
  );
}
