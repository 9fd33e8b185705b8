import { useState } from "preact/hooks";
import { Dialog } from "./dialog.tsx";
import { Failure } from "./failure.tsx";

interface Properties {
  readonly title: string;
  readonly text: string;
  readonly act: string;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

/** Asks once more. It closes when what was confirmed is in force, and says why where it is not. */
export function ConfirmDialog({ title, text, act, onConfirm, onClose }: Properties) {
  const [error, setError] = useState<Error>();
  const confirm = () => {
    onConfirm().then(onClose, (cause: Error) => setError(cause));
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      {error && <Failure error={error} />}
      <div class="dialog-acts">
        <button type="button" class="button is-danger is-full" onClick={confirm}>
          {act}
        </button>
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
