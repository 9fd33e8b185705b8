/** Prefixes of credentials (Stripe, Resend, Twilio API keys, Keybrake's own) and anything else that is long and random. */
const SECRET_WORD =
  /\b(?:sk|rk|pk|re|whsec|vault_key|kb_(?:admin|issuer|auditor))_[A-Za-z0-9_]{4,}|\b(?=[A-Za-z]*[0-9])[A-Za-z0-9+/=]{28,}\b/g;

/**
 * What Commander says of a wrong command line, without values: it repeats the words that it does not know, and one of
 * them may be a secret that was typed in the wrong place.
 */
export function withoutSecrets(message: string): string {
  return message
    .replace(/(but got \d+): .*$/, "$1")
    .replace(/(--?[\w-]+=)[^'\s]+/g, "$1…")
    .replace(SECRET_WORD, "[redacted]");
}

/** Whether `text` could be a secret, and is therefore not repeated in a message. */
export function looksLikeSecret(text: string): boolean {
  return text.length > 24 || text.search(SECRET_WORD) !== -1 || /_[A-Za-z0-9]*[0-9]/.test(text);
}
