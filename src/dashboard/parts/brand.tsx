import { linkTo } from "../route.ts";

/** Name and sign; leads to the first page. */
export function Brand() {
  return (
    <a class="brand" href={linkTo("")}>
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
        <rect width="32" height="32" rx="8" class="brand-field" />
        <circle cx="16" cy="16" r="8.5" class="brand-ring" />
        <path d="M16 10.5v7" class="brand-stroke" />
        <circle cx="16" cy="21" r="1.4" class="brand-dot" />
      </svg>
      Keybrake
    </a>
  );
}
