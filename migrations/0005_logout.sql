-- The clients that were signed in to in a session and want to be told when it ends. Grants would
-- know, but they are swept away before a long session ends.
CREATE TABLE session_clients (
    session_id TEXT   NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    client_id  TEXT   NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX session_clients_session_id_client_id ON session_clients (session_id, client_id);
CREATE INDEX session_clients_client_id ON session_clients (client_id);

-- Logout tokens on their way to clients. The session and its user may be gone before they arrive.
CREATE TABLE logout_deliveries (
    id              TEXT   NOT NULL PRIMARY KEY,
    client_id       TEXT   NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    session_id      TEXT   NOT NULL,
    user_id         TEXT   NOT NULL,
    target          TEXT   NOT NULL,
    attempts        BIGINT NOT NULL,
    last_status     TEXT,
    created_at      BIGINT NOT NULL,
    next_attempt_at BIGINT,
    delivered_at    BIGINT,
    failed_at       BIGINT
);

CREATE INDEX logout_deliveries_client_id ON logout_deliveries (client_id);
CREATE INDEX logout_deliveries_created_at ON logout_deliveries (created_at);
CREATE INDEX logout_deliveries_next_attempt_at ON logout_deliveries (next_attempt_at);
