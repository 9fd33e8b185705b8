/** Where a secret is to be found: it is not in the configuration itself. */
export type SecretPlace = { readonly file: string } | { readonly environment: string };

/** Where alerts are sent, as `keybrake.yaml` says it. */
export type AlertTarget = WebhookTarget | SlackTarget;

export interface WebhookTarget {
  readonly type: "webhook";
  readonly name: string;
  readonly url: string | SecretPlace;
  /** What requests are signed with. */
  readonly secret: SecretPlace;
  /** Allows addresses that are not on the public internet, and plain HTTP to loopback. */
  readonly isPrivate: boolean;
}

/** An incoming webhook of Slack: who knows its URL can post, so it is a secret. */
export interface SlackTarget {
  readonly type: "slack";
  readonly name: string;
  readonly url: SecretPlace;
  readonly isPrivate: boolean;
}
