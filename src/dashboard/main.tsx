import { render } from "preact";
import { App } from "./app.tsx";
import { resume } from "./session.ts";
import { theme, wear } from "./theme.ts";

wear(theme.value);
render(<App />, document.getElementById("page")!);
void resume();
