import { refuseUnsafeEnvironment } from "../config.ts";
import type { AlertTarget } from "../core/alert-target.ts";
import { testNews } from "./news.ts";
import { type PostOptions, type PostResult, postAlert } from "./post.ts";

/**
 * Sends the test event to a target, once, past the queue.
 * @throws Problem where an environment variable would take it another way.
 */
export function alertTrier(options: PostOptions): (target: AlertTarget) => Promise<PostResult> {
  return async (target) => {
    refuseUnsafeEnvironment(options.environment);
    return postAlert(options, target, testNews(options.clock.now()));
  };
}
