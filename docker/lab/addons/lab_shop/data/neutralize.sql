-- a copy must not reach the shop
UPDATE ir_config_parameter SET value = 'https://sandbox.shop.example' WHERE key = 'lab_shop.endpoint';
