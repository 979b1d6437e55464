-- What only some authorization requests ask for, as JSON; null where a grant has none of it.
ALTER TABLE grants ADD COLUMN details TEXT;
