/** The most levels of a topic, and the most bytes. */
const MOST_LEVELS = 100;
const MOST_TOPIC_BYTES = 1024;

const utf8 = new TextEncoder();

/** True if something may be published to `topic`. The codec replaces bad UTF-8 by U+FFFD, so a topic that has it was broken or may as well be. */
export function isTopic(topic: string): boolean {
  if (topic === "" || (topic.length * 3 > MOST_TOPIC_BYTES && utf8.encode(topic).length > MOST_TOPIC_BYTES))
    return false;
  if (/[+#\u0000\uFFFD]/.test(topic)) return false;
  return topic.split("/", MOST_LEVELS + 1).length <= MOST_LEVELS;
}

/** True if `text` is a filter of topics: `+` and `#` stand for whole levels, and `#` only last. */
export function isTopicFilter(text: string): boolean {
  const levels = text.split("/");
  return (
    isTopic(text.replace(/[+#]/g, "x")) &&
    levels.every((level, i) => !/[+#]/.test(level) || level === "+" || (level === "#" && i === levels.length - 1))
  );
}
