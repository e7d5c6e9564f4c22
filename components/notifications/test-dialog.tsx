"use client";
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ChannelTest, ChannelView } from "@/server/contracts/notifications";
import { formatDuration } from "@/server/domain/duration";
import { NOTIFICATIONS, testChannel } from "../queries/notifications";
import { saidOf } from "../queries/request";
import { Dialog } from "../ui/dialog";
import { Failure } from "../ui/feedback";
import form from "../ui/form.module.css";
import { StateMark } from "../ui/state-mark";
import classes from "./notifications.module.css";

interface TestDialogProps {
  channel: ChannelView;
  /** True right after it was made. */
  isNew: boolean;
  onClose: () => void;
}

/** Sends a test message by a channel, and shows what the other side said as it came. */
export function TestDialog({ channel: { id, name }, isNew, onClose }: TestDialogProps) {
  const queries = useQueryClient();
  const test = useMutation({
    mutationFn: () => testChannel(id),
    onSettled: () => queries.invalidateQueries({ queryKey: [NOTIFICATIONS, "channels"] }),
  });
  return (
    <Dialog title={isNew ? `${name} is saved` : `Test ${name}`} size={560} onClose={onClose}>
      <div className={form.dialog}>
        <p>This sends one message by it as it is saved: “Test of the channel {name}”. It says that nothing is wrong.</p>
        <div role="status">{test.data ? <Answer test={test.data} /> : null}</div>
        {test.error ? (
          <Failure what="No test was sent" why={saidOf(test.error)} advice="The channel stays as it is saved." />
        ) : null}
        <div className={form.buttons}>
          <Button size="sm" variant="default" onClick={onClose}>
            {test.data ? "Close" : isNew ? "Not now" : "Cancel"}
          </Button>
          <Button size="sm" onClick={() => test.mutate()} loading={test.isPending} data-autofocus>
            {test.data ? "Send another" : "Send a test message"}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

const OUTCOMES = {
  sent: { mark: "ok", word: "It was taken" },
  retry: { mark: "warning", word: "It was not taken; it may be later" },
  failed: { mark: "failing", word: "It was refused" },
} as const;

function Answer({ test: { outcome, status, answer, tookMs } }: { test: ChannelTest }) {
  const { mark, word } = OUTCOMES[outcome];
  return (
    <div className={classes.answer} data-outcome={outcome}>
      <p>
        <StateMark mark={mark} word={status === null && outcome === "failed" ? "It could not be sent" : word} />{" "}
        <small>
          {status === null ? "no answer" : `status ${status}`}, {formatDuration(tookMs)}
        </small>
      </p>
      <pre tabIndex={0} aria-label="The answer as it came">
        {answer === "" ? "(an empty answer)" : answer}
      </pre>
    </div>
  );
}
