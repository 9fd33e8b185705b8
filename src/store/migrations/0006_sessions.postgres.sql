-- Browsers that are signed in to the control plane, by the SHA-256 of the id in their cookie. They end with their token.
CREATE TABLE control_sessions (
  id_hash    BYTEA PRIMARY KEY,
  token_id   TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX control_sessions_token ON control_sessions (token_id, created_at);
CREATE INDEX control_sessions_expires ON control_sessions (expires_at);
