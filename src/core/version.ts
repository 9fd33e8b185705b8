/** Put in by scripts/build.ts from package.json. */
declare const KEYBRAKE_VERSION: string | undefined;

/** The release, as in `0.1.0`; `0.0.0-source` where the program runs from its sources and not from the binary. */
export const VERSION: string = typeof KEYBRAKE_VERSION === "string" ? KEYBRAKE_VERSION : "0.0.0-source";
