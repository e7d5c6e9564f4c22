"use client";
import { useQuery } from "@tanstack/react-query";
import type { AlertMessages } from "@/server/contracts/notifications";
import { counted } from "@/server/domain/counted";
import { formatDuration } from "@/server/domain/duration";
import { alertMessagesQuery } from "../queries/alerts";
import { Age } from "../ui/age";
import { Loading } from "../ui/feedback";
import { type Mark, StateMark } from "../ui/state-mark";
import classes from "./alert.module.css";
import { nobodyTold, untoldOf } from "./untold";

type Message = AlertMessages["messages"][number];

const ATTEMPTS: Record<NonNullable<Message["attempts"][number]["outcome"]>, readonly [Mark, string]> = {
  sent: ["ok", "Sent"],
  retry: ["warning", "To be tried again"],
  failed: ["failing", "Failed"],
};

/** Why a message was sent, where that isn't that something happened. */
const OCCASION_WORDS: Readonly<Record<Message["occasion"], string>> = {
  ...{ news: "", repeat: "again ", escalation: "as nobody acknowledged, " },
  ...{ test: "a test ", trouble: "a channel in trouble, " },
};

/** What was decided about an alert's events, and each message about it with every attempt and the other side's answer. */
export function Messages({ id }: { id: string }) {
  const { data, error } = useQuery(alertMessagesQuery(id));
  if (!data)
    return error ? <p role="alert">{error.message}</p> : <Loading rows={2} height={32} label="Loading the messages" />;
  // What was replaced before it went out was told with what took its place.
  const messages = data.messages.filter(({ state }) => state !== "replaced");
  return (
    <>
      {messages.length === 0 ? <p className={classes.muted}>{nobodyTold(data.verdicts)}</p> : null}
      <ol className={classes.messages}>
        {messages.map((message) => (
          <li key={message.id}>
            <p>
              {message.title}{" "}
              <small>
                {OCCASION_WORDS[message.occasion]}to {message.channel}
              </small>
            </p>
            {message.attempts.length === 0 ? (
              <small>
                {message.state}
                {message.nextTryAt === null ? null : (
                  <>
                    , made <Age time={message.madeAt} />
                  </>
                )}
              </small>
            ) : null}
            <ul>
              {message.attempts.map(({ at, outcome, status, answer, tookMs }) => {
                const [mark, word] = outcome === null ? (["unknown", "Not known"] as const) : ATTEMPTS[outcome];
                return (
                  <li key={at}>
                    <StateMark mark={mark} word={word} /> <Age time={at} />
                    <small>
                      {[status, answer, tookMs === null ? null : formatDuration(tookMs)]
                        .filter((part) => part !== null && part !== "")
                        .join(" · ")}
                    </small>
                  </li>
                );
              })}
            </ul>
          </li>
        ))}
      </ol>
      <Untold verdicts={data.verdicts} />
    </>
  );
}

/** What happened to the alert and nobody was told of, with why: the other half of what was told. */
function Untold({ verdicts }: Pick<AlertMessages, "verdicts">) {
  const untold = untoldOf(verdicts);
  if (untold.length === 0) return null;
  return (
    <ul className={classes.untold} aria-label="Not told">
      {untold.map(({ event, what, why, more }) => (
        <li key={event}>
          <span>Not told: {what}</span>{" "}
          <small>
            {why}
            {more === 0 ? "" : `, and ${counted(more, "more time")}`}
          </small>
        </li>
      ))}
    </ul>
  );
}
