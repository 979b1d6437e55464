-- Who acts in an opaque access token that came of a token exchange (RFC 8693), as JSON; null where
-- nobody acts for anybody.
ALTER TABLE access_tokens ADD COLUMN actor TEXT;
