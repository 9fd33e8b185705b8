import { ApiError } from "../client.ts";

/** What went wrong, in the API's own words, and what to do. */
export function Failure({ error, retry }: { readonly error: Error; readonly retry?: (() => void) | undefined }) {
  return (
    <div class="failure" role="alert">
      <p class="failure-message">{error.message}</p>
      {error instanceof ApiError && error.hint !== undefined && <p class="failure-hint">{error.hint}</p>}
      {retry && (
        <button type="button" class="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}
