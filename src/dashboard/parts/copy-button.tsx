import { useState } from "preact/hooks";

/** Puts a text on the clipboard, and says so. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [said, setSaid] = useState("Copy");
  const copy = () => {
    // Without https there is no clipboard but on this machine: the text stands there to be marked.
    const copied = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"));
    copied.then(
      () => setSaid("Copied"),
      () => setSaid("Mark and copy by hand"),
    );
  };
  return (
    <button type="button" class="button is-small" aria-label={`${said} ${what}`} onClick={copy}>
      {said}
    </button>
  );
}
