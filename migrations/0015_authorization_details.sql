-- What an opaque access token allows in detail (RFC 9396), as JSON; null where that is nothing.
ALTER TABLE access_tokens ADD COLUMN details TEXT;
