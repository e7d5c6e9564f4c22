import next from "eslint-config-next/core-web-vitals";
import typescript from "eslint-config-next/typescript";

const source = ["**/*.ts", "**/*.tsx"];
/** Where React is: its rules run its compiler on each file they look at. */
const screens = ["app/**", "components/**"];

const config = [
  {
    ignores: [
      ".next/**",
      "dist/**",
      ".fieldwatch/**",
      ".engines/**",
      "coverage/**",
      "next-env.d.ts",
      "server/postgres/generated/**",
    ],
  },
  ...next.map((one) => (one.rules ? { ...one, files: screens } : one)),
  ...typescript,
  {
    files: source,
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A rejected promise nobody awaits ends the process, or is lost.
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "no-console": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
    },
  },
  {
    files: source,
    ignores: ["server/config/**", "server/testing/**", "e2e/**", "**/*.test.ts", "**/*.test.tsx", "*.config.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "Only server/config reads the environment." },
      ],
    },
  },
  {
    files: ["components/**"],
    ignores: ["components/ui/server-time.ts", "**/*.test.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        ...[
          "CallExpression[callee.object.name='Date'][callee.property.name='now']",
          "NewExpression[callee.name='Date'][arguments.length=0]",
          "CallExpression[callee.name='Date']",
        ].map((selector) => ({
          selector,
          message: "A browser's clock may be wrong: take the server's time from components/ui/server-time.ts.",
        })),
        {
          selector: "CallExpression[callee.name='fetch']",
          message: "Ask by fetchTimed: every answer tells the server's time.",
        },
      ],
    },
  },
  // Command lines speak to the terminal.
  {
    files: ["e2e/**", "server/testing/**", "server/main.ts", "server/supervisor*.ts", "server/replay/**"],
    rules: { "no-console": "off" },
  },
];

export default config;
