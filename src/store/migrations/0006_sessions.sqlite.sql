-- Browsers that are signed in to the control plane, by the SHA-256 of the id in their cookie. They end with their token.
CREATE TABLE control_sessions (
  id_hash    BLOB PRIMARY KEY,
  token_id   TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX control_sessions_token ON control_sessions (token_id, created_at);
CREATE INDEX control_sessions_expires ON control_sessions (expires_at);
