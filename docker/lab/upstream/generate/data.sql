-- Rows. Every secret holds the word CANARY, so that a search for it in a copy finds what was left.
-- Nothing is random: values come from row numbers and md5 of the seed.
SELECT md5(:'seed')::uuid AS uuid, ('x' || left(md5(:'seed'), 7))::bit(28)::int AS salt \gset

CREATE TEMP TABLE vocabulary ON COMMIT DROP AS
    SELECT n, word
    FROM unnest(string_to_array('the order part of your outboard motor was shipped with invoice and thank you for this message please '
        'find attached our quote about price delivery stock serial number propeller gasket pump fuel carburetor warranty return '
        'customer phone call tomorrow warehouse label tracking', ' ')) WITH ORDINALITY w (word, n);
CREATE TEMP TABLE sentence ON COMMIT DROP AS
    SELECT s.id, string_agg(word, ' ' ORDER BY position) || '. ' AS text
    FROM generate_series(0, 2047) s (id)
    CROSS JOIN generate_series(1, 14) position
    JOIN vocabulary v ON v.n = 1 + ('x' || left(md5(:'seed' || '/' || s.id || '/' || position), 7))::bit(28)::int % (SELECT count(*) FROM vocabulary)
    GROUP BY s.id;
ALTER TABLE sentence ADD PRIMARY KEY (id);

INSERT INTO ir_module_module (name, state, latest_version, shortdesc, author, license, application, auto_install, demo)
    SELECT name, state, CASE WHEN state = 'installed' THEN :'odoo' || '.0.0.9' END, jsonb_build_object('en_US', initcap(name)),
           'Odoo S.A.', 'LGPL-3', false, false, false
    FROM (SELECT unnest(string_to_array('base web mail bus iap auth_totp auth_oauth product sale account stock delivery payment '
              'payment_stripe website google_calendar microsoft_calendar fetchmail queue_job lab_shop', ' ')) AS name, 'installed' AS state
          UNION ALL
          SELECT unnest(string_to_array('crm project hr mrp purchase point_of_sale lab_extra lab_broken', ' ')), 'uninstalled') m;
INSERT INTO ir_module_module_dependency (name, module_id)
    SELECT d.name, m.id
    FROM (VALUES ('web', 'base'), ('mail', 'web'), ('bus', 'web'), ('iap', 'web'), ('auth_totp', 'web'), ('auth_oauth', 'web'),
                 ('product', 'mail'), ('sale', 'product'), ('sale', 'account'), ('account', 'product'), ('stock', 'product'),
                 ('delivery', 'sale'), ('payment', 'account'), ('payment_stripe', 'payment'), ('website', 'web'), ('website', 'mail'),
                 ('google_calendar', 'mail'), ('microsoft_calendar', 'mail'), ('queue_job', 'mail'), ('lab_shop', 'base'),
                 ('lab_extra', 'lab_shop'), ('lab_broken', 'base')) d (module, name)
    JOIN ir_module_module m ON m.name = d.module;

INSERT INTO ir_config_parameter (key, value, create_uid, create_date)
    SELECT key, value, 1, '2024-01-01'
    FROM (VALUES
        ('database.uuid', :'uuid'), ('database.secret', 'CANARY-database-secret'), ('database.create_date', '2024-01-01 00:00:00'),
        ('database.enterprise_code', 'CANARY-enterprise-code'), ('database.expiration_date', '2027-01-01 00:00:00'),
        ('web.base.url', 'https://www.shop.example'), ('report.url', 'https://www.shop.example'), ('ir_attachment.location', 'file'),
        ('base.login_cooldown_after', '10'), ('base.login_cooldown_duration', '60'),
        ('mail.catchall.domain', 'shop.example'), ('mail.catchall.alias', 'catchall'), ('mail.bounce.alias', 'bounce'),
        ('mail.default.from', 'notifications'), ('mail.web_push_vapid_private_key', 'CANARY-vapid-private'),
        ('mail.web_push_vapid_public_key', 'CANARY-vapid-public'), ('mail.sfu_server_key', 'CANARY-sfu'),
        ('recaptcha_public_key', 'CANARY-recaptcha-public'), ('recaptcha_private_key', 'CANARY-recaptcha-private'),
        ('cf.turnstile_site_key', 'CANARY-turnstile-site'), ('cf.turnstile_secret_key', 'CANARY-turnstile-secret'),
        ('google_calendar_client_id', 'CANARY-google-id'), ('google_calendar_client_secret', 'CANARY-google-secret'),
        ('microsoft_calendar_client_secret', 'CANARY-microsoft-secret'), ('google_gmail_client_secret', 'CANARY-gmail-secret'),
        ('cloud_storage_provider', 'azure'), ('cloud_storage_azure_client_secret', 'CANARY-azure-secret'),
        ('shopify.shop_url_key', 'shop-production'), ('shopify.shop_url', 'https://shop-production.myshopify.example'),
        ('shopify.store_url', 'https://shop-production.myshopify.example'), ('shopify.api_token', 'shpat_CANARY'),
        ('shopify.webhook_key', 'CANARY-shopify-webhook'), ('shopify.api_version', '2025-07'), ('shopify.test_store', 'False'),
        ('lab_shop.endpoint', 'https://api.shop.example')) p (key, value);

INSERT INTO res_lang (name, code, iso_code, url_code, direction, date_format, time_format, active) VALUES
    ('English (US)', 'en_US', 'en', 'en', 'ltr', '%m/%d/%Y', '%H:%M:%S', true),
    ('German / Deutsch', 'de_DE', 'de', 'de', 'ltr', '%d.%m.%Y', '%H:%M:%S', true),
    ('French / Français', 'fr_FR', 'fr', 'fr', 'ltr', '%d/%m/%Y', '%H:%M:%S', false);
INSERT INTO res_company (name, partner_id, sequence, email, phone, active, create_date)
    VALUES ('Shop Example Inc.', 1, 0, 'info@shop.example', '+1 555 0100', true, '2024-01-01');

INSERT INTO res_partner (name, complete_name, email, email_normalized, phone, street, city, zip, vat, lang, company_id, is_company, type,
                         comment, active, create_uid, create_date, write_date)
    SELECT name, name, email, email, '+1 555 ' || lpad((n + :salt % 1000)::text, 7, '0'), n || ' Harbour Street',
           (ARRAY['Zürich', 'Orléans', 'Malmö', 'Boston', 'São Paulo'])[1 + n % 5], lpad((n % 90000)::text, 5, '0'),
           'US' || left(md5(:'seed' || n), 9), 'en_US', CASE WHEN n % 3 = 0 THEN 1 END, n % 4 = 1, 'contact',
           (SELECT text FROM sentence s WHERE s.id = p.n % 2048), n <> 2, 1,
           timestamp '2026-01-01' - n * interval '7 minutes', timestamp '2026-01-01'
    FROM (SELECT n,
                 CASE n WHEN 1 THEN 'Shop Example Inc.' WHEN 2 THEN 'OdooBot' WHEN 3 THEN 'Administrator' WHEN 4 THEN 'Public user'
                        ELSE (ARRAY['José', 'Zoë', 'Anna', 'Björn', 'Chloé', 'Max'])[1 + n % 6] || ' '
                             || initcap(left(md5(:'seed' || '/partner/' || n), 8)) END AS name,
                 CASE WHEN n > 4 THEN 'partner' || n || '@customer.example' END AS email
          FROM generate_series(1, :partners) n) p;

-- 1 is the system, 2 the administrator, 3 the public, 4 the portal's template; then fifty who work there.
INSERT INTO res_users (login, password, active, share, company_id, partner_id, notification_type, odoobot_state, signature, totp_secret,
                       oauth_provider_id, oauth_uid, oauth_access_token, microsoft_calendar_token, microsoft_calendar_rtoken, create_date)
    SELECT CASE n WHEN 1 THEN '__system__' WHEN 2 THEN 'admin' WHEN 3 THEN 'public' WHEN 4 THEN 'portaltemplate'
                  ELSE 'user' || n || '@shop.example' END,
           CASE WHEN n NOT IN (1, 3, 4) THEN '$pbkdf2-sha512$600000$CANARY' || left(md5(:'seed' || n), 16) || '$' || md5(:'seed' || '/password/' || n) END,
           n NOT IN (1, 3, 4), n IN (3, 4), 1, n + 1, 'email', 'onboarding_disabled', '<p>User ' || n || '</p>',
           CASE WHEN n % 5 = 0 THEN 'CANARYTOTP' || n END,
           CASE WHEN n % 7 = 0 THEN 1 END, CASE WHEN n % 7 = 0 THEN 'CANARY-oauth-uid-' || n END,
           CASE WHEN n % 7 = 0 THEN 'CANARY-oauth-token-' || n END, CASE WHEN n % 9 = 0 THEN 'CANARY-ms-token-' || n END,
           CASE WHEN n % 9 = 0 THEN 'CANARY-ms-rtoken-' || n END, '2024-01-01'
    FROM generate_series(1, 54) n;
INSERT INTO res_users_settings (user_id) SELECT n FROM generate_series(5, 54) n;
INSERT INTO res_users_apikeys (name, user_id, scope, index, key)
    SELECT 'key ' || n, n, CASE WHEN n % 2 = 0 THEN 'rpc' END, 'CANARY' || n, '$pbkdf2-sha512$6000$CANARY$' || md5(:'seed' || '/key/' || n)
    FROM generate_series(10, 30) n;
INSERT INTO auth_totp_device (name, user_id, scope, index, key)
    SELECT 'browser ' || n, n, 'browser', 'CANARY' || n, '$pbkdf2-sha512$6000$CANARY$' || md5(:'seed' || '/device/' || n)
    FROM generate_series(10, 50, 5) n;
INSERT INTO auth_oauth_provider (name, client_id, auth_endpoint, validation_endpoint, scope, body, enabled) VALUES
    ('Google OAuth2', 'CANARY-google-client', 'https://accounts.google.example/auth', 'https://google.example/userinfo', 'openid', '{"en_US": "Google"}', true),
    ('Odoo.com Accounts', NULL, 'https://accounts.odoo.example/auth', 'https://accounts.odoo.example/token', 'userinfo', '{"en_US": "Odoo"}', false);

-- Every cron is active and due.
INSERT INTO ir_act_server (name, type, binding_type, usage, state, model_id, model_name, sequence, code)
    SELECT jsonb_build_object('en_US', 'Cron ' || n), 'ir.actions.server', 'action', 'ir_cron', 'code', 1, 'res.partner', 5, 'model._run()'
    FROM generate_series(1, 20) n;
INSERT INTO ir_cron (ir_actions_server_id, cron_name, user_id, active, interval_number, interval_type, priority, nextcall)
    SELECT n, name, 1, true, 1 + n % 5, (ARRAY['minutes', 'hours', 'days'])[1 + n % 3], 5, timestamp '2026-01-01' + n * interval '1 minute'
    FROM unnest(ARRAY['Base: Auto-vacuum internal data', 'Mail: Email Queue Manager', 'Mail: Fetchmail Service', 'Shop: export products',
        'Base: Portal Users Deletion', 'Mail: Notifications', 'Digest Emails', 'Account: Post draft entries', 'Sale: Send invoices',
        'Payment: Post-process transactions', 'Website: Visitor clean-up', 'Stock: Procurement scheduler', 'Google Calendar: synchronization',
        'Outlook: synchronization', 'Shop: import orders', 'EDI: Perform web services operations', 'Delivery: fetch labels', 'Users: Notify About Unregistered Users',
        'Partner: Autocomplete sync', 'Queue: Jobs Garbage Collector']) WITH ORDINALITY c (name, n);

INSERT INTO ir_model_data (module, name, model, res_id, noupdate)
    SELECT module, name, model, res_id, true
    FROM (VALUES ('base', 'main_company', 'res.company', 1), ('base', 'main_partner', 'res.partner', 1), ('base', 'user_root', 'res.users', 1),
                 ('base', 'user_admin', 'res.users', 2), ('base', 'public_user', 'res.users', 3), ('base', 'lang_en', 'res.lang', 1),
                 ('base', 'autovacuum_job', 'ir.cron', 1), ('mail', 'ir_cron_mail_scheduler_action', 'ir.cron', 2),
                 ('mail', 'ir_cron_mail_gateway_action', 'ir.cron', 3), ('lab_shop', 'ir_cron_shop_export', 'ir.cron', 4),
                 ('payment', 'cron_post_process_payment_tx', 'ir.cron', 10), ('queue_job', 'ir_cron_autovacuum_queue_jobs', 'ir.cron', 20)) d (module, name, model, res_id);
INSERT INTO ir_model_data (module, name, model, res_id)
    SELECT 'web', 'lab_view_' || n, 'ir.ui.view', n FROM generate_series(1, 300) n;
INSERT INTO ir_ui_view (name, key, type, model, arch_fs, arch_db, active)
    SELECT coalesce(special.name, 'view ' || n), coalesce(special.key, 'web.lab_view_' || n), 'qweb', NULL, 'web/views/view.xml',
           jsonb_build_object('en_US', '<t t-name="v' || n || '"><div>' || s.text || '</div></t>'), coalesce(special.active, true)
    FROM generate_series(1, 300) n
    JOIN sentence s ON s.id = n
    LEFT JOIN (VALUES (1, 'Neutralize banner', 'web.neutralize_banner', false), (2, 'Neutralize ribbon', 'website.neutralize_ribbon', false),
                      (3, 'Login', 'web.login', true)) special (n, name, key, active) USING (n);

-- mail
INSERT INTO ir_mail_server (name, from_filter, smtp_host, smtp_port, smtp_user, smtp_pass, smtp_encryption, smtp_authentication, sequence, active,
                            google_gmail_refresh_token) VALUES
    ('Outgoing', 'shop.example', 'smtp.shop.example', 587, 'mailer@shop.example', 'CANARY-smtp-password', 'starttls', 'login', 10, true, NULL),
    ('Marketing', NULL, 'smtp.gmail.example', 465, 'news@shop.example', NULL, 'ssl', 'gmail', 20, true, 'CANARY-gmail-refresh'),
    ('Old', NULL, 'smtp.old.example', 25, 'old', 'CANARY-old-smtp', 'none', 'login', 30, false, NULL);
INSERT INTO fetchmail_server (name, server, port, server_type, "user", password, state, is_ssl, active) VALUES
    ('Incoming', 'imap.shop.example', 993, 'imap', 'catchall@shop.example', 'CANARY-imap-password', 'done', true, true);
INSERT INTO mail_template (name, model, subject, body_html, email_from, mail_server_id, active)
    SELECT jsonb_build_object('en_US', 'Template ' || id), 'sale.order', '{"en_US": "Your order"}', jsonb_build_object('en_US', s.text),
           'sales@shop.example', CASE WHEN id % 2 = 0 THEN 1 END, true
    FROM sentence s WHERE id BETWEEN 1 AND 40;
INSERT INTO mail_message (subject, date, body, message_type, subtype_id, model, res_id, record_name, author_id, email_from, reply_to,
                          message_id, parent_id, is_internal, email_add_signature, create_uid, create_date, write_date)
    SELECT CASE WHEN n % 3 = 0 THEN left(a.text, 60) END, at, '<p>' || a.text || b.text || '</p><p>' || c.text || d.text || '</p>',
           (ARRAY['comment', 'email', 'notification', 'email_outgoing'])[1 + n % 4], 1 + n % 3,
           (ARRAY['sale.order', 'account.move', 'res.partner', 'product.template'])[1 + n % 4], 1 + n % 5000, 'Record ' || n % 5000,
           1 + n % :partners, 'partner' || 1 + n % :partners || '@customer.example', 'catchall@shop.example',
           '<' || md5(:'seed' || n) || '-openerp-' || n || '@shop.example>', CASE WHEN n % 5 = 0 THEN n - 1 END,
           n % 6 = 0, true, 2, at, at
    FROM generate_series(1, :messages) n
    JOIN sentence a ON a.id = (n + :salt) % 2048
    JOIN sentence b ON b.id = (n * 7 + :salt / 3) % 2048
    JOIN sentence c ON c.id = (n / 5 + n * 11) % 2048
    JOIN sentence d ON d.id = (n / 3 + n * 13) % 2048
    CROSS JOIN LATERAL (SELECT timestamp '2026-01-01' - n * interval '41 seconds' AS at) t;
INSERT INTO mail_mail (mail_message_id, body_html, headers, email_to, state, auto_delete, create_date)
    SELECT n, '<p>CANARY: a letter that must not be sent</p>', '{}', 'partner' || n || '@customer.example',
           (ARRAY['outgoing', 'exception', 'sent'])[1 + n % 3], true, '2026-01-01'
    FROM generate_series(1, least(:messages, 300)) n;
INSERT INTO bus_bus (channel, message, create_date)
    SELECT '["lab", "res.partner", ' || n || ']', '{"type": "CANARY-bus"}', '2026-01-01' FROM generate_series(1, 500) n;
INSERT INTO iap_account (service_name, name, account_token) VALUES
    ('sms', 'SMS', 'CANARY-iap-sms-token'), ('partner_autocomplete', 'Autocomplete', 'CANARY-iap-token-of-more-than-33-characters');

-- shop
INSERT INTO website (name, domain, company_id, user_id, sequence, cdn_activated, cdn_url, google_analytics_key, google_maps_api_key)
    VALUES ('Shop', 'https://www.shop.example', 1, 3, 1, true, 'https://cdn.shop.example', 'CANARY-analytics', 'CANARY-maps');
INSERT INTO payment_provider (name, code, state, is_published, company_id, stripe_secret_key, stripe_publishable_key, stripe_webhook_secret,
                              adyen_merchant_account, adyen_api_key, adyen_hmac_key, paypal_email_account) VALUES
    ('{"en_US": "Stripe"}', 'stripe', 'enabled', true, 1, 'sk_live_CANARY', 'pk_live_CANARY', 'whsec_CANARY', NULL, NULL, NULL, NULL),
    ('{"en_US": "Adyen"}', 'adyen', 'enabled', true, 1, NULL, NULL, NULL, 'CANARY-merchant', 'CANARY-adyen', 'CANARY-hmac', NULL),
    ('{"en_US": "PayPal"}', 'paypal', 'test', true, 1, NULL, NULL, NULL, NULL, NULL, NULL, 'CANARY-paypal@shop.example'),
    ('{"en_US": "Wire Transfer"}', 'custom', 'disabled', false, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO payment_token (provider_id, provider_ref, payment_details, partner_id, company_id, active)
    SELECT 1, 'CANARY-card-' || n, '4242', 4 + n, 1, true FROM generate_series(1, 50) n;
INSERT INTO res_partner_bank (acc_number, sanitized_acc_number, partner_id, company_id, acc_holder_name, active)
    SELECT 'DE00 CANARY ' || n, 'DE00CANARY' || n, 4 + n, 1, 'Holder ' || n, true FROM generate_series(1, 50) n;
INSERT INTO product_template (name, type, list_price, default_code, sale_ok, active, categ_id, uom_id, create_date)
    SELECT jsonb_build_object('en_US', 'Part ' || n || ' ' || left(s.text, 40)), 'consu', 10 + n % 900, 'SKU' || n, true, true, 1, 1, '2025-01-01'
    FROM generate_series(1, greatest(100, :partners / 2)) n JOIN sentence s ON s.id = n % 2048;
INSERT INTO product_product (product_tmpl_id, default_code, barcode, active, weight, shopify_created_at, shopify_last_exported,
                             shopify_last_exported_at, shopify_condition_id, shopify_variant_id, shopify_product_id, shopify_ebay_category_id, create_date)
    SELECT id, default_code, lpad(id::text, 13, '0'), true, 1, '2025-01-01', '2025-06-01', '2025-06-01', 'CANARY-condition-' || id,
           'CANARY-variant-' || id, 'CANARY-product-' || id, 'CANARY-ebay-' || id, '2025-01-01'
    FROM product_template;
INSERT INTO delivery_carrier (name, delivery_type, integration_level, prod_environment, active, product_id, fedex_developer_key) VALUES
    ('{"en_US": "FedEx"}', 'fedex', 'rate_and_ship', true, true, 1, 'CANARY-fedex'),
    ('{"en_US": "Pick up"}', 'fixed', 'rate', false, true, 2, NULL),
    ('{"en_US": "By rule"}', 'base_on_rule', 'rate', false, true, 3, NULL);
INSERT INTO sale_order (name, partner_id, user_id, company_id, state, date_order, amount_untaxed, amount_total, access_token, note, create_date)
    SELECT 'S' || lpad(n::text, 7, '0'), 5 + n % (:partners - 4), 5 + n % 50, 1, (ARRAY['sale', 'draft', 'sent', 'cancel'])[1 + n % 4], at,
           n % 900, n % 900 * 1.2, 'CANARY-' || md5(:'seed' || '/order/' || n), s.text, at
    FROM generate_series(1, greatest(10, :messages / 20)) n
    JOIN sentence s ON s.id = n % 2048
    CROSS JOIN LATERAL (SELECT timestamp '2026-01-01' - n * interval '13 minutes' AS at) t;
INSERT INTO sale_order_line (order_id, product_id, name, sequence, product_uom_qty, price_unit, price_subtotal, state, company_id, create_date)
    SELECT o.id, 1 + (o.id * 3 + line) % 100, 'Part for order ' || o.name || ', line ' || line, line, 1 + line, 10 + line, 10 + line, o.state, 1, o.create_date
    FROM sale_order o, generate_series(1, 4) line;
INSERT INTO account_move (name, ref, move_type, state, partner_id, company_id, journal_id, date, invoice_date, amount_total, payment_state,
                          access_token, create_date)
    SELECT 'INV/2026/' || lpad(id::text, 7, '0'), name, 'out_invoice', 'posted', partner_id, 1, 1, date_order, date_order, amount_total, 'paid',
           access_token, create_date
    FROM sale_order WHERE id % 2 = 0;
INSERT INTO account_move_line (move_id, move_name, partner_id, product_id, account_id, company_id, name, date, debit, credit, balance, reconciled,
                               parent_state, create_date)
    SELECT m.id, m.name, m.partner_id, 1 + (m.id + line) % 100, 1 + line, 1, 'Line ' || line || ' of ' || m.name, m.date,
           CASE WHEN line = 1 THEN m.amount_total ELSE 0 END, CASE WHEN line = 1 THEN 0 ELSE m.amount_total / 3 END,
           CASE WHEN line = 1 THEN m.amount_total ELSE -m.amount_total / 3 END, true, 'posted', m.create_date
    FROM account_move m, generate_series(1, 4) line;
INSERT INTO stock_move (name, product_id, product_uom_qty, quantity, state, origin, sale_line_id, location_id, location_dest_id, company_id, date, create_date)
    SELECT l.name, l.product_id, l.product_uom_qty, l.product_uom_qty, 'done', 'S' || lpad(l.order_id::text, 7, '0'), l.id, 1, 2, 1, l.create_date, l.create_date
    FROM sale_order_line l WHERE l.id % 2 = 0;
INSERT INTO queue_job (uuid, name, model_name, method_name, func_string, kwargs, state, channel, user_id, priority, eta, date_created)
    SELECT md5(:'seed' || '/job/' || n)::uuid, 'export product', 'product.product', 'export_to_shop', 'product.product(' || n || ',).export_to_shop()',
           '{"token": "CANARY-job"}', (ARRAY['pending', 'enqueued', 'started', 'done', 'failed'])[1 + n % 5], 'root', 1, 10, '2026-01-01', '2026-01-01'
    FROM generate_series(1, 200) n;

-- as the version has it
\if :before17
    UPDATE payment_provider SET paypal_seller_account = 'CANARY-seller', paypal_pdt_token = 'CANARY-pdt' WHERE code = 'paypal';
\endif
\if :before18
    UPDATE ir_cron SET numbercall = -1, doall = false;
    UPDATE res_partner SET signup_token = 'CANARY-signup-' || id, signup_type = 'reset' WHERE id BETWEEN 60 AND 90;
    INSERT INTO google_calendar_credentials (calendar_rtoken, calendar_token) VALUES ('CANARY-google-rtoken', 'CANARY-google-token');
\endif
\if :since17
    UPDATE ir_act_server SET state = 'webhook', webhook_url = 'https://hooks.example/CANARY' WHERE id = 20;
    INSERT INTO mail_alias_domain (name, bounce_alias, catchall_alias, default_from) VALUES ('shop.example', 'bounce', 'catchall', 'notifications');
    UPDATE res_company SET alias_domain_id = 1;
\endif
\if :only17
    INSERT INTO mail_partner_device (partner_id, endpoint, keys) VALUES (6, 'https://push.example/CANARY', '{"auth": "CANARY-push"}');
    INSERT INTO mail_notification_web_push (user_device, payload) VALUES (1, '{"title": "CANARY-push"}');
    INSERT INTO microsoft_calendar_credentials (calendar_sync_token, last_sync_date) VALUES ('CANARY-ms-sync', '2026-01-01');
\endif
\if :since18
    UPDATE payment_provider SET paypal_client_id = 'CANARY-client', paypal_client_secret = 'CANARY-client-secret' WHERE code = 'paypal';
    UPDATE res_company SET gelato_api_key = 'CANARY-gelato', gelato_webhook_secret = 'CANARY-gelato-webhook';
    UPDATE res_users_settings SET google_calendar_rtoken = 'CANARY-google-rtoken', google_calendar_token = 'CANARY-google-token',
        microsoft_calendar_sync_token = 'CANARY-ms-sync' WHERE user_id % 9 = 0;
    INSERT INTO mail_push_device (partner_id, endpoint, keys) VALUES (6, 'https://push.example/CANARY', '{"auth": "CANARY-push"}');
    INSERT INTO mail_push (mail_push_device_id, payload) VALUES (1, '{"title": "CANARY-push"}');
    INSERT INTO certificate_key (name, content, password, company_id, active) VALUES ('signing', 'CANARY-private-key', 'CANARY-key-password', 1, true);
    INSERT INTO certificate_certificate (name, content, pkcs12_password, company_id, active) VALUES ('signing', 'CANARY-p12', 'CANARY-p12-password', 1, true);
\endif
\if :since19
    UPDATE res_company SET sms_twilio_auth_token = 'CANARY-twilio', sms_twilio_account_sid = 'CANARY-twilio-sid';
\endif
