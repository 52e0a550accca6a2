-- After the rows, as a restore does it too.
CREATE INDEX res_partner_name_unaccent_trgm ON res_partner USING gin (unaccent(name) gin_trgm_ops);
CREATE INDEX res_partner_email_trgm ON res_partner USING gin (email gin_trgm_ops);
CREATE INDEX product_template_name_trgm ON product_template USING gin ((jsonb_path_query_array(name, '$.*')::text) gin_trgm_ops);

-- Indexes on one column, named as Odoo names them; a trailing % marks those that leave out NULL.
SELECT format('CREATE INDEX %I ON %I (%I)%s', t || '_' || c || '_index', t, c, CASE WHEN partial THEN format(' WHERE %I IS NOT NULL', c) ELSE '' END)
FROM (VALUES
    ('ir_model_data', 'model res_id module'), ('ir_attachment', 'store_fname checksum res_model url% original_id'),
    ('ir_ui_view', 'key model inherit_id%'), ('ir_cron', 'active'), ('ir_act_server', 'model_id'),
    ('res_partner', 'name complete_name vat company_id parent_id% type email_normalized write_date'), ('res_users', 'partner_id'),
    ('mail_message', 'author_id message_id parent_id subtype_id date record_name create_uid%'), ('mail_mail', 'mail_message_id state'),
    ('bus_bus', 'create_date'), ('product_template', 'default_code categ_id'), ('product_product', 'product_tmpl_id default_code barcode%'),
    ('sale_order', 'name partner_id user_id company_id state create_date date_order'), ('sale_order_line', 'order_id product_id company_id'),
    ('account_move', 'name ref partner_id date state move_type payment_state journal_id'),
    ('account_move_line', 'move_id partner_id product_id account_id date move_name parent_state'),
    ('stock_move', 'product_id state origin sale_line_id% location_id location_dest_id date'),
    ('queue_job', 'state channel identity_key date_created'), ('payment_token', 'partner_id provider_id'), ('res_partner_bank', 'partner_id'))
    wanted (t, names),
    LATERAL (SELECT trim(trailing '%' FROM n) AS c, n LIKE '%\%' AS partial FROM unnest(string_to_array(names, ' ')) n) columns
WHERE EXISTS (SELECT FROM pg_attribute WHERE attrelid = t::regclass AND attname = c) \gexec
CREATE INDEX mail_message_model_res_id_idx ON mail_message (model, res_id);
CREATE INDEX ir_attachment_res_idx ON ir_attachment (res_model, res_id);
CREATE INDEX sale_order_date_order_id_idx ON sale_order (date_order DESC, id DESC);
CREATE INDEX account_move_line_date_name_id_idx ON account_move_line (date DESC, move_name DESC, id);

-- Foreign keys.
SELECT format('ALTER TABLE %I ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %I ON DELETE %s', t, t || '_' || c || '_fkey', c, target, rule)
FROM (VALUES
    ('ir_module_module_dependency', 'module_id', 'ir_module_module', 'CASCADE'), ('ir_cron', 'ir_actions_server_id', 'ir_act_server', 'RESTRICT'),
    ('ir_cron', 'user_id', 'res_users', 'RESTRICT'), ('ir_attachment', 'company_id', 'res_company', 'SET NULL'),
    ('ir_ui_view', 'inherit_id', 'ir_ui_view', 'RESTRICT'), ('ir_ui_view', 'website_id', 'website', 'CASCADE'),
    ('res_company', 'partner_id', 'res_partner', 'RESTRICT'), ('res_partner', 'company_id', 'res_company', 'SET NULL'),
    ('res_partner', 'parent_id', 'res_partner', 'SET NULL'), ('res_partner', 'user_id', 'res_users', 'SET NULL'),
    ('res_partner_bank', 'partner_id', 'res_partner', 'CASCADE'), ('res_users', 'partner_id', 'res_partner', 'RESTRICT'),
    ('res_users', 'company_id', 'res_company', 'RESTRICT'), ('res_users', 'oauth_provider_id', 'auth_oauth_provider', 'SET NULL'),
    ('res_users_settings', 'user_id', 'res_users', 'CASCADE'), ('res_users_apikeys', 'user_id', 'res_users', 'CASCADE'),
    ('auth_totp_device', 'user_id', 'res_users', 'CASCADE'), ('mail_template', 'mail_server_id', 'ir_mail_server', 'SET NULL'),
    ('mail_message', 'author_id', 'res_partner', 'SET NULL'), ('mail_message', 'parent_id', 'mail_message', 'SET NULL'),
    ('mail_message', 'mail_server_id', 'ir_mail_server', 'SET NULL'), ('mail_message', 'create_uid', 'res_users', 'SET NULL'),
    ('mail_mail', 'mail_message_id', 'mail_message', 'CASCADE'), ('website', 'company_id', 'res_company', 'RESTRICT'),
    ('website', 'user_id', 'res_users', 'RESTRICT'), ('payment_provider', 'company_id', 'res_company', 'RESTRICT'),
    ('payment_token', 'provider_id', 'payment_provider', 'RESTRICT'), ('payment_token', 'partner_id', 'res_partner', 'RESTRICT'),
    ('product_product', 'product_tmpl_id', 'product_template', 'CASCADE'), ('delivery_carrier', 'product_id', 'product_product', 'RESTRICT'),
    ('sale_order', 'partner_id', 'res_partner', 'RESTRICT'), ('sale_order', 'user_id', 'res_users', 'SET NULL'),
    ('sale_order_line', 'order_id', 'sale_order', 'CASCADE'), ('sale_order_line', 'product_id', 'product_product', 'RESTRICT'),
    ('account_move', 'partner_id', 'res_partner', 'RESTRICT'), ('account_move_line', 'move_id', 'account_move', 'CASCADE'),
    ('account_move_line', 'partner_id', 'res_partner', 'RESTRICT'), ('account_move_line', 'product_id', 'product_product', 'RESTRICT'),
    ('stock_move', 'product_id', 'product_product', 'RESTRICT'), ('stock_move', 'sale_line_id', 'sale_order_line', 'SET NULL'),
    ('queue_job', 'user_id', 'res_users', 'RESTRICT')) f (t, c, target, rule) \gexec
