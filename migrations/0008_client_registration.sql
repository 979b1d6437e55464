-- Clients that register themselves: since when, and the token with which each manages its own
-- registration. Both are null of a client that an operator registered.
ALTER TABLE clients ADD COLUMN self_registered_at BIGINT;
ALTER TABLE clients ADD COLUMN registration_token_digest TEXT;

CREATE INDEX clients_self_registered_at ON clients (self_registered_at);

-- Who has one of these may register clients, so many and for so long.
CREATE TABLE initial_access_tokens (
    id         TEXT   NOT NULL PRIMARY KEY,
    digest     TEXT   NOT NULL UNIQUE,
    note       TEXT,
    uses_left  BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX initial_access_tokens_expires_at ON initial_access_tokens (expires_at);
