import { useState } from "preact/hooks";
import { useCell } from "./cell.ts";
import { Brand } from "./parts/brand.tsx";
import { Failure } from "./parts/failure.tsx";
import { TextField } from "./parts/text-field.tsx";
import { ThemeSwitch } from "./parts/theme-switch.tsx";
import { endedBecause, signIn } from "./session.ts";

/** Takes a control token. */
export function SignIn() {
  const [token, setToken] = useState("");
  const [error, setError] = useState<Error>();
  const [isAsking, setAsking] = useState(false);
  const ended = useCell(endedBecause);
  const submit = async (event: Event) => {
    event.preventDefault();
    setAsking(true);
    try {
      await signIn(token.trim());
    } catch (cause) {
      setError(cause as Error);
      setAsking(false);
    }
  };
  return (
    <div class="sign-in">
      <main>
        <Brand />
        <h1>Sign in</h1>
        <form onSubmit={submit}>
          <TextField
            label="Control token"
            isSecret
            value={token}
            onValue={setToken}
            required
            note={
              <>
                The first start printed one. <code>keybrake token issue --role admin</code> makes another.
              </>
            }
          />
          {ended !== undefined && !error && (
            <p class="failure" role="alert">
              You were signed out: {ended}
            </p>
          )}
          {error && <Failure error={error} />}
          <button type="submit" class="button is-main" disabled={isAsking}>
            {isAsking ? "Signing in…" : "Sign in"}
          </button>
        </form>
      </main>
      <ThemeSwitch />
    </div>
  );
}
