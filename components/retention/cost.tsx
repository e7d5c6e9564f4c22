"use client";
import { useQuery } from "@tanstack/react-query";
import type { CostAnswer } from "@/server/contracts/cost";
import { keptWords } from "@/server/domain/kept-words";
import { costQuery } from "../queries/cost";
import { adviceOn } from "../queries/request";
import { OfAllSites } from "../shell/of-all-sites";
import { Page } from "../shell/page";
import { RetentionPages } from "../shell/sub-pages";
import { Age } from "../ui/age";
import { Empty, Failure, Loading, StaleNotice } from "../ui/feedback";
import { formatCount, formatExact, formatMeasure } from "../ui/format";
import { Section } from "../ui/section";
import { WideTable } from "../ui/wide-table";
import { Bytes } from "./bytes";
import { formatMoney, leverWords, NOT_KNOWN, STORE_WORDS, unknownWords } from "./cost-words";
import classes from "./cost.module.css";

/** What is stored takes, will take in a month and in a year, what that costs, and what would cost less. */
export function Cost() {
  return (
    <OfAllSites title="Cost" what="Seeing what is stored takes and costs">
      <Whole />
    </OfAllSites>
  );
}

function Whole() {
  const { data, error, refetch, isFetching } = useQuery(costQuery());
  return (
    <Page title="Cost">
      <RetentionPages />
      {data ? (
        <>
          {error ? (
            <StaleNotice onRetry={() => void refetch()}>
              This is from <Age time={data.time} />: {error.message}
            </StaleNotice>
          ) : null}
          {data.messages === 0 ? (
            <Empty>Nothing to reckon with yet: sizes are measured on the messages that come.</Empty>
          ) : (
            <>
              <Growth cost={data} />
              <Month cost={data} />
              <Levers cost={data} />
            </>
          )}
        </>
      ) : error ? (
        <Failure
          what="What is stored could not be measured"
          why={error.message}
          advice={adviceOn(error)}
          onRetry={() => void refetch()}
          retrying={isFetching}
        />
      ) : (
        <Loading rows={8} height={32} label="Loading what is stored" />
      )}
    </Page>
  );
}

interface PartProps {
  cost: CostAnswer;
}

/** Free bytes that are worth a sentence. */
const WORTH_TELLING = 1e6;
/** What to do about a file of prices that can't be used. */
const NO_PRICES = "Mend the file: it is read again each time this page asks. docs/cost.md has its form.";
const ELSEWHERE = { messages: "archived messages", deadLetters: "dead letters", log: "the event log" } as const;

function Growth({ cost }: PartProps) {
  const { stores, total, messagesPerDay, readingsPerMessage, elsewhere } = cost;
  const free = stores.reduce((sum, store) => sum + store.free, 0);
  return (
    <Section title="Room">
      <p className={classes.about}>
        As measured here
        {messagesPerDay === null
          ? null
          : `, with ${formatCount(Math.round(messagesPerDay))} messages a day of ${formatMeasure(readingsPerMessage ?? 0)} readings each, and each kept as long as now`}
        . {unknownWords(cost)}
        {free >= WORTH_TELLING ? (
          <>
            {" "}
            Of what it takes now, some <Bytes bytes={free} /> are free: merging left them, and they are taken again
            first.
          </>
        ) : null}
        {elsewhere.length > 0
          ? ` Not counted: ${elsewhere.map((one) => ELSEWHERE[one]).join(", ")}, which ${elsewhere.includes("log") ? "lie in Kafka and MongoDB" : "lie in MongoDB"}.`
          : null}
      </p>
      <WideTable
        label="Room by what takes it"
        hasFigures
        head={
          <>
            <th scope="col">What</th>
            <th scope="col">Kept</th>
            <th scope="col">Bytes a message</th>
            <th scope="col">Now</th>
            <th scope="col">In 30 days</th>
            <th scope="col">In 365 days</th>
          </>
        }
      >
        <tbody>
          {stores.map(({ store, days, perMessage, bytes, in30Days, in365Days }) => (
            <tr key={store}>
              <th scope="row">{STORE_WORDS[store]}</th>
              <td data-label="Kept">{keptWords(days)}</td>
              <td data-label="Bytes a message" title={perMessage === null ? undefined : formatExact(perMessage)}>
                {perMessage === null ? NOT_KNOWN : formatMeasure(perMessage)}
              </td>
              <td data-label="Now">
                <Bytes bytes={bytes} />
              </td>
              <td data-label="In 30 days">
                <Later bytes={in30Days} />
              </td>
              <td data-label="In 365 days">
                <Later bytes={in365Days} />
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Together</th>
            <td data-label="Kept" />
            <td data-label="Bytes a message" />
            <td data-label="Now">
              <Bytes bytes={total.bytes} />
            </td>
            <td data-label="In 30 days">
              <Later bytes={total.in30Days} />
            </td>
            <td data-label="In 365 days">
              <Later bytes={total.in365Days} />
            </td>
          </tr>
        </tfoot>
      </WideTable>
    </Section>
  );
}

function Later({ bytes }: { bytes: number | null }) {
  return bytes === null ? NOT_KNOWN : <Bytes bytes={bytes} />;
}

function Month({ cost: { estimates, prices, trouble, machine } }: PartProps) {
  const money = (amount: number | null) => {
    if (amount === null) return NOT_KNOWN;
    return prices ? formatMoney(amount, prices.currency) : "";
  };
  return (
    <Section title="A month">
      {prices === null ? (
        <Failure what="There are no prices to reckon with" why={trouble ?? ""} advice={NO_PRICES} />
      ) : (
        <>
          <p className={classes.about}>
            {prices.isOwn ? "Your prices" : "Example prices"} of {prices.date} ({prices.source}), for a machine like the
            one web runs on, with {machine.vcpus} processors and {Math.round(machine.memoryGiB)} GiB, and a disk with a
            third to spare. Traffic, backups and engines beside PostgreSQL come on top.
          </p>
          <WideTable
            label="A month by provider"
            hasFigures
            head={
              <>
                <th scope="col">Provider</th>
                <th scope="col">Machine</th>
                <th scope="col">Disk</th>
                <th scope="col">Cold storage</th>
                <th scope="col">Now</th>
                <th scope="col">In 365 days</th>
              </>
            }
          >
            <tbody>
              {estimates.map(({ provider, now, machine: ofMachine, disk, objects, in365Days }) => (
                <tr key={provider}>
                  <th scope="row">{provider}</th>
                  <td data-label="Machine">{money(ofMachine)}</td>
                  <td data-label="Disk">{money(disk)}</td>
                  <td data-label="Cold storage">{money(objects)}</td>
                  <td data-label="Now">{money(now)}</td>
                  <td data-label="In 365 days">{money(in365Days)}</td>
                </tr>
              ))}
            </tbody>
          </WideTable>
        </>
      )}
    </Section>
  );
}

function Levers({ cost }: PartProps) {
  const { levers, prices } = cost;
  return (
    <Section title="What would cost less">
      {levers.length === 0 ? (
        <Empty>Nothing that this page knows would save anything here.</Empty>
      ) : (
        <WideTable
          label="What each lever saves"
          hasFigures
          head={
            <>
              <th scope="col">What to do</th>
              <th scope="col" className={classes.how}>
                How
              </th>
              <th scope="col">Room saved in a year</th>
              {prices
                ? levers[0]!.saved.map(({ provider }) => (
                    <th key={provider} scope="col">
                      {provider}, a month
                    </th>
                  ))
                : null}
            </>
          }
        >
          <tbody>
            {levers.map(({ lever, bytesSaved, saved }) => {
              const { what, how } = leverWords(lever, cost);
              return (
                <tr key={lever}>
                  <th scope="row">{what}</th>
                  <td className={classes.how}>{how}</td>
                  <td data-label="Room saved in a year">{bytesSaved > 0 ? <Bytes bytes={bytesSaved} /> : "none"}</td>
                  {prices
                    ? saved.map(({ provider, amount }) => (
                        <td data-label={`${provider}, a month`} key={provider}>
                          {formatMoney(amount, prices.currency)}
                        </td>
                      ))
                    : null}
                </tr>
              );
            })}
          </tbody>
        </WideTable>
      )}
    </Section>
  );
}
