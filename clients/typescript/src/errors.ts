/** The parent of all errors of this package. */
export class KeybrakeError extends Error {
  override name = "KeybrakeError";
  /** What to do next, where that is known. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(hint === undefined ? message : `${message} (${hint})`, options);
    this.hint = hint;
  }
}

/** The address or the token is missing, or must not be used as it stands. */
export class Misconfigured extends KeybrakeError {
  override name = "Misconfigured";
}

/** Keybrake did not answer. Whether it has done what was asked is not known. */
export class Unreachable extends KeybrakeError {
  override name = "Unreachable";
}

/** Keybrake's control API refused. `code` is stable: `forbidden`, `invalid`, `not_found`, `conflict`, and others. */
export class ApiError extends KeybrakeError {
  override name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    hint?: string,
    /** What else the error says: `problems` with each wrong field, `key_id` of the active key that has the label. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message, hint);
  }
}
