import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { useLoaded } from "../data.ts";
import { Choice } from "../parts/choice.tsx";
import { Empty } from "../parts/empty.tsx";
import { IssueForm } from "../parts/issue-form.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { Shown } from "../parts/shown.tsx";

/** A vault key from a template. */
export function IssuePage() {
  const [name, setName] = useState("");
  const loaded = useLoaded((signal) => api.templates(signal), []);
  return (
    <>
      <PageHead title="Issue a key" />
      <Shown loaded={loaded}>
        {({ policies }) => {
          const template = policies.find((one) => one.name === name) ?? policies[0];
          if (!template) {
            return (
              <Empty title="There is no template">
                Write one: <code>keybrake policy new</code>.
              </Empty>
            );
          }
          return (
            <div class="narrow">
              <Choice
                label="Template"
                value={template.name}
                choices={policies.map((one) => [one.name, `${one.name} · ${one.vendor}`] as const)}
                onValue={setName}
              />
              <IssueForm key={template.name} template={template} />
            </div>
          );
        }}
      </Shown>
    </>
  );
}
