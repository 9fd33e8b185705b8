import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Properties {
  readonly title: string;
  /** What the title is of, where it is somebody's own text. */
  readonly over?: string;
  readonly children?: ComponentChildren;
}

/** The head of a page. It takes the focus, so that a reader of the screen hears where they are. */
export function PageHead({ title, over, children }: Properties) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Keybrake`;
    heading.current?.focus();
  }, [title]);
  return (
    <header class="page-head">
      <div>
        {over && <p class="page-over">{over}</p>}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
      </div>
      {children !== undefined && <div class="page-acts">{children}</div>}
    </header>
  );
}
