interface Properties {
  readonly onFirst?: (() => void) | undefined;
  readonly onNext?: (() => void) | undefined;
  readonly onBack?: (() => void) | undefined;
  readonly nextText: string;
  readonly backText: string;
}

/** From page to page of a list that is never loaded whole. */
export function Pager({ onNext, onBack, nextText, backText }: Properties) {
  if (!onNext && !onBack) return null;
  return (
    <nav class="pager" aria-label="Pages">
      <button type="button" class="button" disabled={!onBack} onClick={onBack}>
        ← {backText}
      </button>
      <button type="button" class="button" disabled={!onNext} onClick={onNext}>
        {nextText} →
      </button>
    </nav>
  );
}
