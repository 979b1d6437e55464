-- Resource indicators (RFC 8707): the APIs that a person has allowed a client to get tokens for,
-- with spaces between; null for none.
ALTER TABLE consents ADD COLUMN resources TEXT;

-- The same of those that a device asks for.
ALTER TABLE device_authorizations ADD COLUMN resources TEXT;
