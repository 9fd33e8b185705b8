/** The big red button and its undo: a part of `ControlPlane`. */
export interface BrakeVerbs {
  engageBrake(request: BrakeRequest): Promise<BrakeView>;
  releaseBrake(request: { vendor?: string; label_prefix?: string }): Promise<readonly BrakeView[]>;
  listBrakes(): Promise<readonly BrakeView[]>;
}

export interface BrakeRequest {
  readonly vendor?: string;
  readonly label_prefix?: string;
  readonly hard?: boolean;
  readonly reason?: string;
}

export interface BrakeView {
  readonly id: string;
  readonly vendor: string | null;
  readonly label_prefix: string | null;
  readonly reason: string | null;
  readonly engaged_at: string;
}
