-- Authorization requests that clients pushed (RFC 9126), under the digest of their request_uri.
CREATE TABLE pushed_authorization_requests (
    digest     TEXT   NOT NULL PRIMARY KEY,
    client_id  TEXT   NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    request    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);

CREATE INDEX pushed_authorization_requests_client_id ON pushed_authorization_requests (client_id);
CREATE INDEX pushed_authorization_requests_expires_at ON pushed_authorization_requests (expires_at);

-- The pushed request that a transaction carries out; null where the request came with the browser.
ALTER TABLE authorization_transactions ADD COLUMN pushed_digest TEXT;
