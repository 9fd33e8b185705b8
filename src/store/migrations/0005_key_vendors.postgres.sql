-- A key can be for several vendors: their names as a JSON list, in the order of its policy.
ALTER TABLE vault_keys RENAME COLUMN vendor TO vendors;
UPDATE vault_keys SET vendors = json_build_array(vendors)::text;
