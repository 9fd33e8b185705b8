/** What operators can ask of the alerts: a part of `ControlPlane`. */
export interface AlertVerbs {
  /** Alerts that wait for a target, and the newest of those that do not, `limit` at most. */
  listAlerts(limit: number): Promise<readonly AlertDeliveryView[]>;
  /**
   * Sends a test event to every target of `keybrake.yaml`, or to `target` alone. What does not arrive is an answer, no
   * error. @throws Problem `not_found` where there is no such target, or none at all.
   */
  testAlerts(target?: string): Promise<readonly AlertTestView[]>;
}

export interface AlertDeliveryView {
  readonly event_id: string;
  readonly type: string;
  readonly at: string;
  readonly text: string;
  readonly target: string;
  readonly state: string;
  readonly attempts: number;
  readonly next_try_at: string | null;
  readonly http_status: number | null;
  readonly problem: string | null;
}

export interface AlertTestView {
  readonly target: string;
  readonly type: string;
  readonly ok: boolean;
  readonly http_status: number | null;
  readonly problem: string | null;
}
