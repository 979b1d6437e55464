-- Device authorizations (RFC 8628). Both codes are kept as digests; the one that a person types is
-- short, so its digest is keyed. A decision is `grant_id` or `denied_at`.
CREATE TABLE device_authorizations (
    digest           TEXT   NOT NULL PRIMARY KEY,
    user_code_digest TEXT   NOT NULL UNIQUE,
    client_id        TEXT   NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    scopes           TEXT   NOT NULL,
    poll_interval    BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    polled_at        BIGINT,
    grant_id         TEXT   REFERENCES grants (id) ON DELETE CASCADE,
    denied_at        BIGINT,
    consumed_at      BIGINT
);

CREATE INDEX device_authorizations_client_id ON device_authorizations (client_id);
CREATE INDEX device_authorizations_expires_at ON device_authorizations (expires_at);
CREATE INDEX device_authorizations_grant_id ON device_authorizations (grant_id);

-- The device authorization that a transaction decides on; null where a client's request waits.
ALTER TABLE authorization_transactions ADD COLUMN device_digest TEXT;
