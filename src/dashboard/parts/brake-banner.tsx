import { reachOf, useBrakes } from "../brakes.ts";
import { linkTo } from "../route.ts";

/** Stands above every page while a brake is engaged. */
export function BrakeBanner() {
  const { value: brakes = [] } = useBrakes();
  if (brakes.length === 0) return null;
  return (
    <div class="brake-banner" role="status">
      <strong>Brake engaged:</strong> {brakes.map(reachOf).join("; ")} {brakes.length === 1 ? "is" : "are"} refused.{" "}
      <a class="brake-link" href={linkTo("brake")}>
        Look at it
      </a>
    </div>
  );
}
