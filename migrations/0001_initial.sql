-- One schema for SQLite and PostgreSQL.
--
-- Only TEXT and BIGINT appear below: they mean the same thing to both databases. Instants are
-- Unix seconds (the NumericDate of RFC 7519 section 2), identifiers and digests are text, lists
-- and objects are JSON text, and a state that could be a flag is the nullable instant at which
-- it was entered. A key of several columns is a unique index, so that every line of a table is
-- a column.

CREATE TABLE users (
    id            TEXT   NOT NULL PRIMARY KEY,
    username      TEXT   NOT NULL UNIQUE,
    email_key     TEXT   UNIQUE,
    password_hash TEXT,
    claims        TEXT   NOT NULL,
    group_names   TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    disabled_at   BIGINT
);

CREATE TABLE clients (
    id                         TEXT   NOT NULL PRIMARY KEY,
    metadata                   TEXT   NOT NULL,
    secret_digest              TEXT,
    previous_secret_digest     TEXT,
    previous_secret_expires_at BIGINT,
    created_at                 BIGINT NOT NULL,
    updated_at                 BIGINT NOT NULL,
    disabled_at                BIGINT
);

CREATE TABLE sessions (
    id               TEXT   NOT NULL PRIMARY KEY,
    digest           TEXT   NOT NULL UNIQUE,
    user_id          TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    authenticated_at BIGINT NOT NULL,
    amr              TEXT   NOT NULL,
    created_at       BIGINT NOT NULL,
    seen_at          BIGINT NOT NULL,
    idle_expires_at  BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    ended_at         BIGINT
);

CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);
CREATE INDEX sessions_idle_expires_at ON sessions (idle_expires_at);

CREATE TABLE known_browsers (
    digest     TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX known_browsers_user_id ON known_browsers (user_id);
CREATE INDEX known_browsers_expires_at ON known_browsers (expires_at);

CREATE TABLE login_throttles (
    digest         TEXT   NOT NULL PRIMARY KEY,
    failures       BIGINT NOT NULL,
    window_ends_at BIGINT NOT NULL
);

CREATE INDEX login_throttles_window_ends_at ON login_throttles (window_ends_at);

CREATE TABLE authorization_transactions (
    digest            TEXT   NOT NULL PRIMARY KEY,
    browser_digest    TEXT   NOT NULL,
    client_id         TEXT   NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    request           TEXT   NOT NULL,
    created_at        BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    user_id           TEXT,
    authenticated_at  BIGINT,
    account_chosen_at BIGINT,
    consented_at      BIGINT,
    finished_at       BIGINT
);

CREATE INDEX authorization_transactions_client_id ON authorization_transactions (client_id);
CREATE INDEX authorization_transactions_expires_at ON authorization_transactions (expires_at);

CREATE TABLE consents (
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  TEXT   NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    scopes     TEXT   NOT NULL,
    granted_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX consents_user_id_client_id ON consents (user_id, client_id);
CREATE INDEX consents_client_id ON consents (client_id);

-- A grant may outlive the session it was made in, so it does not refer to it by a foreign key.
CREATE TABLE grants (
    id                TEXT   NOT NULL PRIMARY KEY,
    client_id         TEXT   NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    user_id           TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id        TEXT   NOT NULL,
    scopes            TEXT   NOT NULL,
    authenticated_at  BIGINT NOT NULL,
    acr               TEXT   NOT NULL,
    amr               TEXT   NOT NULL,
    nonce             TEXT,
    offline_at        BIGINT,
    created_at        BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    revoked_at        BIGINT,
    revocation_reason TEXT
);

CREATE INDEX grants_user_id ON grants (user_id);
CREATE INDEX grants_client_id ON grants (client_id);
CREATE INDEX grants_session_id ON grants (session_id);
CREATE INDEX grants_expires_at ON grants (expires_at);
CREATE INDEX grants_revoked_at ON grants (revoked_at);

CREATE TABLE authorization_codes (
    digest         TEXT   NOT NULL PRIMARY KEY,
    grant_id       TEXT   NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    redirect_uri   TEXT   NOT NULL,
    code_challenge TEXT,
    failures       BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    consumed_at    BIGINT
);

CREATE INDEX authorization_codes_grant_id ON authorization_codes (grant_id);
CREATE INDEX authorization_codes_expires_at ON authorization_codes (expires_at);

CREATE TABLE refresh_tokens (
    digest     TEXT   NOT NULL PRIMARY KEY,
    grant_id   TEXT   NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    rotated_at BIGINT,
    retries    BIGINT NOT NULL
);

CREATE INDEX refresh_tokens_grant_id ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);

CREATE TABLE access_tokens (
    digest     TEXT   NOT NULL PRIMARY KEY,
    grant_id   TEXT   REFERENCES grants (id) ON DELETE CASCADE,
    client_id  TEXT   NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    scopes     TEXT   NOT NULL,
    audience   TEXT   NOT NULL,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE INDEX access_tokens_grant_id ON access_tokens (grant_id);
CREATE INDEX access_tokens_client_id ON access_tokens (client_id);
CREATE INDEX access_tokens_expires_at ON access_tokens (expires_at);

CREATE TABLE revoked_access_tokens (
    jti        TEXT   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX revoked_access_tokens_expires_at ON revoked_access_tokens (expires_at);

CREATE TABLE signing_keys (
    kid          TEXT   NOT NULL PRIMARY KEY,
    algorithm    TEXT   NOT NULL,
    sealed       TEXT   NOT NULL,
    public_jwk   TEXT   NOT NULL,
    published_at BIGINT NOT NULL,
    activates_at BIGINT NOT NULL,
    retires_at   BIGINT,
    expires_at   BIGINT
);

-- One row, whose version says which keyset the signing keys are; none before the first of them.
CREATE TABLE keyset (
    id      TEXT   NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
