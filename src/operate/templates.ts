import type { Template } from "../policy/template.ts";
import type { TemplateView } from "./control-plane.ts";
import type { ControlPlaneOptions } from "./options.ts";

/** The templates that can be used; one that is broken is left out, and `doctor` says why. */
export async function listTemplates({ templates }: ControlPlaneOptions): Promise<readonly TemplateView[]> {
  return templates.all().map(templateView);
}

/** @throws Problem `not_found`, or `invalid` where the file is there and broken. */
export async function showTemplate({ templates }: ControlPlaneOptions, name: string): Promise<TemplateView> {
  return templateView(templates.get(name));
}

function templateView({ name, description, vendors, inputs, text }: Template): TemplateView {
  return {
    name,
    description: description ?? "",
    vendor: vendors.length === 1 ? vendors[0]! : null,
    vendors,
    inputs: inputs.map((input) => ({
      name: input.name,
      description: input.description ?? "",
      required: input.default.kind === "required",
    })),
    source: text,
  };
}
