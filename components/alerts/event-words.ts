/** What happened to an alert, in a word or two, by the kind of the event. */
export const EVENT_WORDS: Readonly<Record<string, string>> = {
  ...{ fired: "Fired", severity: "Severity changed", resolved: "Over", closed: "Closed", stale: "No data any more" },
  ...{ flapping: "Flapping", steady: "Steady again", "rule-changed": "Rule changed", recovering: "Recovering" },
  ...{
    acknowledged: "Acknowledged",
    unacknowledged: "Acknowledgement taken back",
    note: "Note",
    child: "Joined by another",
  },
};
