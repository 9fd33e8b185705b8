import type { TemplateView } from "../../operate/control-plane.ts";
import { Lines } from "./lines.tsx";

/** A template's file, folded away. */
export function TemplateSource({ template: { name, source } }: { readonly template: TemplateView }) {
  return (
    <details>
      <summary>What the template says</summary>
      <Lines title={`policies/${name}.yaml`} lines={source.trimEnd().split("\n")} />
    </details>
  );
}
