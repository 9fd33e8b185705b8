import { useCell } from "../cell.ts";
import { dismiss, toasts } from "../toasts.ts";

/** What was just done, in a corner of the page. */
export function ToastList() {
  const shown = useCell(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, act }) => (
        <div class="toast" key={id}>
          <span>{text}</span>
          {act && (
            <button
              type="button"
              class="button is-small"
              onClick={() => {
                dismiss(id);
                act.run();
              }}
            >
              {act.text}
            </button>
          )}
          <button type="button" class="button is-small is-quiet" aria-label="Dismiss" onClick={() => dismiss(id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
