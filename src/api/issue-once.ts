import type { Actor, IssuedKeyView, IssueKeyRequest } from "../operate/control-plane.ts";
import { RememberedAnswers, type Repeatable } from "../operate/remembered-answers.ts";
import type { ApiSetting } from "./setting.ts";

/** One key for all requests with the same `Idempotency-Key` and body within 24 h, by the same operator. */
export class KeyIssuer {
  readonly #setting: ApiSetting;
  readonly #answers: RememberedAnswers;

  constructor(setting: ApiSetting) {
    this.#setting = setting;
    this.#answers = new RememberedAnswers(setting.store, setting.masterKey);
  }

  /** @throws Problem `conflict` where the idempotency key was used for another request. */
  async issue(
    request: IssueKeyRequest,
    actor: Actor,
    idempotencyKey: string | undefined,
    body: unknown,
  ): Promise<IssuedKeyView> {
    const { control, clock } = this.#setting;
    if (idempotencyKey === undefined) return control.issueKey(request, actor);
    const asked: Repeatable = { scope: `issue-key ${actor.tokenId ?? "local"}`, key: idempotencyKey, body };
    const earlier = await this.#answers.recall<IssuedKeyView>(asked, clock.now());
    return earlier ?? this.#issueAndRemember(request, actor, asked);
  }

  async #issueAndRemember(request: IssueKeyRequest, actor: Actor, asked: Repeatable): Promise<IssuedKeyView> {
    const { control, clock } = this.#setting;
    let issued: IssuedKeyView;
    try {
      issued = await control.issueKey(request, actor);
    } catch (cause) {
      // A twin of this request may have taken the unique label a moment ago.
      const earlier = await this.#answers.recall<IssuedKeyView>(asked, clock.now());
      if (earlier) return earlier;
      throw cause;
    }
    try {
      const earlier = await this.#answers.remember(asked, issued, clock.now());
      if (!earlier) return issued;
      await this.#withdraw(issued, actor);
      return earlier;
    } catch (cause) {
      await this.#withdraw(issued, actor);
      throw cause;
    }
  }

  /** A key that nobody is going to be told of must not stay good. */
  async #withdraw({ id }: IssuedKeyView, actor: Actor): Promise<void> {
    await this.#setting.control.revokeKeys({ ids: [id], reason: "a twin of the request was answered" }, actor);
  }
}
