-- DPoP proofs that were used, for as long as they could be used again. The digest is of the key's
-- thumbprint and the jti.
CREATE TABLE dpop_proofs (
    digest     TEXT   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX dpop_proofs_expires_at ON dpop_proofs (expires_at);

-- The keys that a token is bound to, as JSON; null for a bearer token.
ALTER TABLE access_tokens ADD COLUMN confirmation TEXT;
ALTER TABLE refresh_tokens ADD COLUMN confirmation TEXT;
