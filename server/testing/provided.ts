/** The reason why an engine that tests need isn't there. */
export interface MissingEngine {
  readonly missing: string;
}

/** The real engines of a test run, as the global setup found or started them. */
export interface TestEngines {
  readonly kafka: { readonly brokers: string } | MissingEngine;
  readonly mongodb: { readonly uri: string } | MissingEngine;
  readonly s3: { readonly endpoint: string; readonly bucket: string } | MissingEngine;
  /** True if tests can start engines of their own (e2e/engines), to kill and reconfigure. */
  readonly startable: true | MissingEngine;
}

declare module "vitest" {
  interface ProvidedContext {
    /** How to connect to the test server as its administrator and as the role the product runs as, and the name of the migrated template. */
    testDatabase: { adminUrl: string; appUrl: string; template: string };
    testEngines: TestEngines;
  }
}
