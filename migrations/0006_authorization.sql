-- The single claims that a user has allowed a client, beside those of the scopes; null for none.
ALTER TABLE consents ADD COLUMN claims TEXT;

-- Those of the response types in a client's metadata that bring tokens through the browser, as a
-- list; null for none. The discovery document offers them while an enabled client has them.
ALTER TABLE clients ADD COLUMN front_channel_response_types TEXT;
CREATE INDEX clients_front_channel_response_types ON clients (front_channel_response_types);
