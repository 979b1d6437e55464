-- The secrets of clients that sign with them: an HMAC cannot be verified with a digest, so they are
-- kept too, encrypted under the master key.
CREATE TABLE client_signing_secrets (
    client_id           TEXT   NOT NULL PRIMARY KEY REFERENCES clients (id) ON DELETE CASCADE,
    sealed              TEXT   NOT NULL,
    previous_sealed     TEXT,
    previous_expires_at BIGINT
);

-- The assertions that clients have used, for as long as they could be used again. The digest is of
-- the client_id and the jti.
CREATE TABLE used_assertions (
    digest     TEXT   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX used_assertions_expires_at ON used_assertions (expires_at);
