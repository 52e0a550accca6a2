-- runs at every update of the module
CREATE TABLE IF NOT EXISTS lab_shop_update (id serial PRIMARY KEY, updated_at timestamp NOT NULL DEFAULT now());
INSERT INTO lab_shop_update DEFAULT VALUES;
