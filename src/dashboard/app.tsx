import { useCell } from "./cell.ts";
import { session } from "./session.ts";
import { Shell } from "./shell.tsx";
import { SignIn } from "./sign-in.tsx";

/** The page: for whom it is not known, for nobody, or for an operator. */
export function App() {
  const who = useCell(session);
  if (who === "unknown") return null;
  return who === undefined ? <SignIn /> : <Shell role={who.role} />;
}
