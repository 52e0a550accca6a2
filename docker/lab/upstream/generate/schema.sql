-- Odoo's tables as all of 16 to 19 have them; what differs stands in versions.sql, indexes and foreign keys in indexes.sql.
CREATE TABLE lab_cron_log (id bigserial PRIMARY KEY, database varchar NOT NULL, cron varchar, ran_at timestamptz NOT NULL);

-- base
CREATE TABLE ir_module_module (
    id serial PRIMARY KEY, name varchar NOT NULL UNIQUE, state varchar, latest_version varchar, shortdesc jsonb, summary jsonb,
    author varchar, license varchar, application boolean, auto_install boolean, demo boolean, web boolean);
CREATE TABLE ir_module_module_dependency (
    id serial PRIMARY KEY, name varchar, module_id int, auto_install_required boolean DEFAULT true);
CREATE TABLE ir_model_data (
    id serial PRIMARY KEY, module varchar NOT NULL, name varchar NOT NULL, model varchar NOT NULL, res_id int,
    noupdate boolean DEFAULT false, create_uid int, create_date timestamp, write_date timestamp, UNIQUE (module, name));
CREATE TABLE ir_config_parameter (
    id serial PRIMARY KEY, key varchar NOT NULL UNIQUE, value text NOT NULL, create_uid int, write_uid int,
    create_date timestamp, write_date timestamp);
CREATE TABLE ir_act_server (
    id serial PRIMARY KEY, name jsonb NOT NULL, type varchar NOT NULL, binding_type varchar NOT NULL, usage varchar NOT NULL,
    state varchar NOT NULL, model_id int NOT NULL, model_name varchar, sequence int, code text);
CREATE TABLE ir_cron (
    id serial PRIMARY KEY, ir_actions_server_id int NOT NULL, cron_name varchar, user_id int NOT NULL, active boolean,
    interval_number int NOT NULL, interval_type varchar NOT NULL, priority int NOT NULL, nextcall timestamp NOT NULL, lastcall timestamp);
CREATE TABLE ir_mail_server (
    id serial PRIMARY KEY, name varchar NOT NULL, from_filter varchar, smtp_host varchar, smtp_port int, smtp_user varchar,
    smtp_pass varchar, smtp_encryption varchar NOT NULL, smtp_authentication varchar NOT NULL, smtp_debug boolean,
    smtp_ssl_private_key bytea, sequence int, active boolean, google_gmail_refresh_token varchar, google_gmail_access_token varchar);
CREATE TABLE ir_ui_view (
    id serial PRIMARY KEY, name varchar NOT NULL, key varchar, type varchar, model varchar, mode varchar NOT NULL DEFAULT 'primary',
    priority int NOT NULL DEFAULT 16, inherit_id int, website_id int, arch_fs varchar, arch_db jsonb, active boolean);
CREATE TABLE ir_attachment (
    id serial PRIMARY KEY, name varchar NOT NULL, type varchar NOT NULL, res_model varchar, res_field varchar, res_id int,
    company_id int, public boolean, access_token varchar, store_fname varchar, checksum varchar(40), file_size int,
    mimetype varchar, index_content text, db_datas bytea, url varchar(1024), description text, create_uid int,
    create_date timestamp DEFAULT '2026-01-01', write_date timestamp);
CREATE TABLE res_company (
    id serial PRIMARY KEY, name varchar NOT NULL UNIQUE, partner_id int NOT NULL, currency_id int, sequence int, parent_id int,
    email varchar, phone varchar, active boolean, create_date timestamp);
CREATE TABLE res_lang (
    id serial PRIMARY KEY, name varchar NOT NULL UNIQUE, code varchar NOT NULL UNIQUE, iso_code varchar, url_code varchar NOT NULL UNIQUE,
    direction varchar NOT NULL, date_format varchar NOT NULL, time_format varchar NOT NULL, active boolean);
CREATE TABLE res_partner (
    id serial PRIMARY KEY, name varchar, complete_name varchar, email varchar, email_normalized varchar, phone varchar,
    street varchar, city varchar, zip varchar, vat varchar, lang varchar, company_id int, parent_id int, user_id int,
    is_company boolean, type varchar, comment text, active boolean, create_uid int, create_date timestamp, write_date timestamp);
CREATE TABLE res_partner_bank (
    id serial PRIMARY KEY, acc_number varchar NOT NULL, sanitized_acc_number varchar, partner_id int NOT NULL, company_id int,
    acc_holder_name varchar, active boolean);
CREATE TABLE res_users (
    id serial PRIMARY KEY, login varchar NOT NULL UNIQUE, password varchar, active boolean DEFAULT true, share boolean,
    company_id int NOT NULL, partner_id int NOT NULL, notification_type varchar NOT NULL, odoobot_state varchar, signature text,
    totp_secret varchar, oauth_provider_id int, oauth_uid varchar, oauth_access_token varchar, microsoft_calendar_token varchar,
    microsoft_calendar_rtoken varchar, create_uid int, create_date timestamp, write_date timestamp);
CREATE TABLE res_users_settings (
    id serial PRIMARY KEY, user_id int NOT NULL UNIQUE, is_discuss_sidebar_category_channel_open boolean, push_to_talk_key varchar);
CREATE TABLE res_users_apikeys (
    id serial PRIMARY KEY, name varchar NOT NULL, user_id int NOT NULL, scope varchar,
    index varchar(8) CHECK (char_length(index) = 8), key varchar, create_date timestamp DEFAULT '2026-01-01');
CREATE TABLE auth_totp_device (
    id serial PRIMARY KEY, name varchar NOT NULL, user_id int NOT NULL, scope varchar,
    index varchar(8) CHECK (char_length(index) = 8), key varchar, create_date timestamp DEFAULT '2026-01-01');
CREATE TABLE auth_oauth_provider (
    id serial PRIMARY KEY, name varchar NOT NULL, client_id varchar, auth_endpoint varchar NOT NULL, validation_endpoint varchar NOT NULL,
    scope varchar, body jsonb NOT NULL, enabled boolean, sequence int);

-- mail
CREATE TABLE fetchmail_server (
    id serial PRIMARY KEY, name varchar NOT NULL, server varchar, port int, server_type varchar NOT NULL, "user" varchar, password varchar,
    state varchar, is_ssl boolean, active boolean, priority int, google_gmail_refresh_token varchar);
CREATE TABLE mail_template (
    id serial PRIMARY KEY, name jsonb, model varchar, subject jsonb, body_html jsonb, email_from varchar, mail_server_id int, active boolean);
CREATE TABLE mail_message (
    id serial PRIMARY KEY, subject varchar, date timestamp, body text, message_type varchar NOT NULL, subtype_id int, model varchar,
    res_id int, record_name varchar, author_id int, email_from varchar, reply_to varchar, message_id varchar, parent_id int,
    mail_server_id int, is_internal boolean, email_add_signature boolean, create_uid int, create_date timestamp, write_date timestamp);
CREATE TABLE mail_mail (
    id serial PRIMARY KEY, mail_message_id int NOT NULL, body_html text, headers text, email_to text, email_cc varchar, state varchar,
    auto_delete boolean, scheduled_date timestamp, failure_reason text, failure_type varchar, create_date timestamp);
CREATE TABLE bus_bus (id serial PRIMARY KEY, channel varchar, message varchar, create_date timestamp);
CREATE TABLE iap_account (id serial PRIMARY KEY, service_name varchar, name varchar, account_token varchar);

-- shop
CREATE TABLE website (
    id serial PRIMARY KEY, name varchar NOT NULL, domain varchar, company_id int NOT NULL, user_id int NOT NULL, sequence int,
    cdn_activated boolean, cdn_url varchar, robots_txt text, google_analytics_key varchar, google_maps_api_key varchar);
CREATE TABLE payment_provider (
    id serial PRIMARY KEY, name jsonb NOT NULL, code varchar NOT NULL, state varchar NOT NULL, is_published boolean, company_id int NOT NULL,
    stripe_secret_key varchar, stripe_publishable_key varchar, stripe_webhook_secret varchar,
    adyen_merchant_account varchar, adyen_api_key varchar, adyen_hmac_key varchar, paypal_email_account varchar);
CREATE TABLE payment_token (
    id serial PRIMARY KEY, provider_id int NOT NULL, provider_ref varchar NOT NULL, payment_details varchar, partner_id int NOT NULL,
    company_id int, active boolean);
CREATE TABLE delivery_carrier (
    id serial PRIMARY KEY, name jsonb NOT NULL, delivery_type varchar NOT NULL, integration_level varchar, prod_environment boolean,
    active boolean, product_id int NOT NULL, company_id int, fedex_developer_key varchar);
CREATE TABLE product_template (
    id serial PRIMARY KEY, name jsonb NOT NULL, type varchar, list_price numeric, default_code varchar, sale_ok boolean, active boolean,
    categ_id int, uom_id int, create_date timestamp);
CREATE TABLE product_product (
    id serial PRIMARY KEY, product_tmpl_id int NOT NULL, default_code varchar, barcode varchar, active boolean, weight numeric,
    shopify_created_at timestamp, shopify_last_exported timestamp, shopify_last_exported_at timestamp, shopify_condition_id varchar,
    shopify_variant_id varchar, shopify_product_id varchar, shopify_ebay_category_id varchar, create_date timestamp);
CREATE TABLE sale_order (
    id serial PRIMARY KEY, name varchar NOT NULL, partner_id int NOT NULL, user_id int, company_id int NOT NULL, state varchar,
    date_order timestamp NOT NULL, amount_untaxed numeric, amount_total numeric, access_token varchar, client_order_ref varchar, note text,
    create_date timestamp, write_date timestamp);
CREATE TABLE sale_order_line (
    id serial PRIMARY KEY, order_id int NOT NULL, product_id int, name text NOT NULL, sequence int, product_uom_qty numeric NOT NULL,
    price_unit numeric NOT NULL, price_subtotal numeric, state varchar, company_id int, create_date timestamp, write_date timestamp);
CREATE TABLE account_move (
    id serial PRIMARY KEY, name varchar, ref varchar, move_type varchar NOT NULL, state varchar NOT NULL, partner_id int, company_id int,
    journal_id int NOT NULL, date date NOT NULL, invoice_date date, amount_total numeric, payment_state varchar, access_token varchar,
    create_date timestamp, write_date timestamp);
CREATE TABLE account_move_line (
    id serial PRIMARY KEY, move_id int NOT NULL, move_name varchar, partner_id int, product_id int, account_id int, company_id int,
    name varchar, date date, debit numeric, credit numeric, balance numeric, reconciled boolean, parent_state varchar,
    create_date timestamp, write_date timestamp);
CREATE TABLE stock_move (
    id serial PRIMARY KEY, name varchar, product_id int NOT NULL, product_uom_qty numeric NOT NULL, quantity numeric, state varchar,
    origin varchar, sale_line_id int, location_id int NOT NULL, location_dest_id int NOT NULL, company_id int NOT NULL,
    date timestamp NOT NULL, create_date timestamp, write_date timestamp);
CREATE TABLE queue_job (
    id serial PRIMARY KEY, uuid varchar NOT NULL UNIQUE, name varchar, model_name varchar, method_name varchar, func_string varchar,
    args text, kwargs text, state varchar NOT NULL, channel varchar, identity_key varchar, user_id int NOT NULL, priority int,
    eta timestamp, date_created timestamp, exc_info text);
