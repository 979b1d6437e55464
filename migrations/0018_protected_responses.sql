-- How the userinfo endpoint protects its answers to the client beside by TLS, as its metadata says
-- it, as JSON; null for plain JSON.
ALTER TABLE clients ADD COLUMN userinfo_protection TEXT;
