/** Rules of this repository for oxlint, as a plugin of it (https://oxc.rs/docs/guide/usage/linter/js-plugins). */
const message = "A browser's clock may be wrong: take the server's time from components/ui/server-time.ts.";
const isDate = (node) => node.type === "Identifier" && node.name === "Date";

export default {
  meta: { name: "fieldwatch" },
  rules: {
    /** Refuses to read the machine's clock: `Date.now()`, `new Date()` and `Date()`. */
    "no-own-clock": {
      create: (context) => ({
        NewExpression(node) {
          if (isDate(node.callee) && node.arguments.length === 0) context.report({ node, message });
        },
        CallExpression(node) {
          const { callee } = node;
          const isNow = callee.type === "MemberExpression" && isDate(callee.object) && callee.property.name === "now";
          if (isNow || isDate(callee)) context.report({ node, message });
        },
      }),
    },
  },
};
