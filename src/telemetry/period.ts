/** From when to when something lasted, as `Clock.elapsed()`. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}
