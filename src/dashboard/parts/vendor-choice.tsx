import { api } from "../api.ts";
import { useLoaded } from "../data.ts";
import { Choice } from "./choice.tsx";

interface Properties {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly any?: string;
}

/** One of the vendors, or any. */
export function VendorChoice({ value, onValue, any = "Every vendor" }: Properties) {
  const { value: known } = useLoaded((signal) => api.vendors(signal), []);
  const choices = (known?.vendors ?? []).map(({ name, title }) => [name, title] as const);
  return <Choice label="Vendor" value={value} choices={[["", any], ...choices]} onValue={onValue} />;
}
