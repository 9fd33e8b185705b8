import { useId } from "preact/hooks";
import { useCell } from "../cell.ts";
import { THEMES, theme, wear } from "../theme.ts";

const NAMES = { system: "As the system", light: "Light", dark: "Dark" } as const;

/** Dark, light, or as the system says. */
export function ThemeSwitch() {
  const worn = useCell(theme);
  const id = useId();
  return (
    <div class="theme-switch">
      <label for={id} class="hidden">
        Colours
      </label>
      <select
        id={id}
        value={worn}
        onChange={(event) => wear(THEMES.find((one) => one === event.currentTarget.value) ?? "system")}
      >
        {THEMES.map((one) => (
          <option key={one} value={one} selected={one === worn}>
            {NAMES[one]}
          </option>
        ))}
      </select>
    </div>
  );
}
