-- The tables of Odoo's `base` and `web` that are looked at from outside, for `-i base` in an empty database.
CREATE TABLE ir_module_module (
    id serial PRIMARY KEY, name varchar NOT NULL UNIQUE, state varchar, latest_version varchar, shortdesc jsonb,
    author varchar, application boolean, auto_install boolean);
CREATE TABLE ir_module_module_dependency (
    id serial PRIMARY KEY, name varchar, module_id int REFERENCES ir_module_module ON DELETE CASCADE,
    auto_install_required boolean DEFAULT true);
CREATE TABLE ir_model_data (
    id serial PRIMARY KEY, module varchar NOT NULL, name varchar NOT NULL, model varchar NOT NULL, res_id int,
    noupdate boolean DEFAULT false, UNIQUE (module, name));
CREATE TABLE ir_config_parameter (
    id serial PRIMARY KEY, key varchar NOT NULL UNIQUE, value text NOT NULL, create_date timestamp, write_date timestamp);
CREATE TABLE ir_act_server (
    id serial PRIMARY KEY, name jsonb NOT NULL, type varchar NOT NULL, binding_type varchar NOT NULL, usage varchar NOT NULL,
    state varchar NOT NULL, model_id int NOT NULL, model_name varchar, code text, webhook_url varchar);
CREATE TABLE ir_cron (
    id serial PRIMARY KEY, ir_actions_server_id int NOT NULL REFERENCES ir_act_server ON DELETE RESTRICT, cron_name varchar,
    user_id int NOT NULL, interval_number int NOT NULL, interval_type varchar NOT NULL, priority int NOT NULL,
    nextcall timestamp NOT NULL, lastcall timestamp, active boolean);
CREATE TABLE ir_mail_server (
    id serial PRIMARY KEY, name varchar NOT NULL, smtp_host varchar, smtp_port int, smtp_user varchar, smtp_pass varchar,
    smtp_encryption varchar NOT NULL, smtp_authentication varchar NOT NULL, active boolean);
CREATE TABLE res_company (id serial PRIMARY KEY, name varchar NOT NULL UNIQUE, partner_id int, email varchar, active boolean);
CREATE TABLE res_lang (id serial PRIMARY KEY, name varchar NOT NULL, code varchar NOT NULL UNIQUE, iso_code varchar, active boolean);
CREATE TABLE res_partner (
    id serial PRIMARY KEY, name varchar, email varchar, company_id int REFERENCES res_company, active boolean DEFAULT true,
    create_date timestamp, write_date timestamp);
CREATE TABLE res_users (
    id serial PRIMARY KEY, login varchar NOT NULL UNIQUE, password varchar, active boolean DEFAULT true, share boolean,
    company_id int NOT NULL REFERENCES res_company, partner_id int NOT NULL REFERENCES res_partner,
    notification_type varchar DEFAULT 'email', signature text, create_date timestamp, write_date timestamp);
CREATE TABLE res_users_apikeys (
    id serial PRIMARY KEY, name varchar NOT NULL, user_id int REFERENCES res_users ON DELETE CASCADE, scope varchar,
    expiration_date timestamp, index varchar(8) CHECK (char_length(index) = 8), key varchar,
    create_date timestamp DEFAULT (now() AT TIME ZONE 'UTC'));
CREATE TABLE ir_ui_view (
    id serial PRIMARY KEY, name varchar NOT NULL, key varchar, type varchar, mode varchar NOT NULL DEFAULT 'primary',
    priority int NOT NULL DEFAULT 16, arch_db jsonb, active boolean);
CREATE TABLE ir_attachment (
    id serial PRIMARY KEY, name varchar NOT NULL, type varchar NOT NULL, res_model varchar, res_id int, store_fname varchar,
    checksum varchar(40), file_size int, mimetype varchar, db_datas bytea, url varchar, create_date timestamp);

INSERT INTO res_company (name, partner_id, active) VALUES ('My Company', 1, true);
INSERT INTO res_lang (name, code, iso_code, active) VALUES ('English (US)', 'en_US', 'en', true);
INSERT INTO res_partner (name, email, company_id) VALUES
    ('My Company', 'info@yourcompany.example', 1), ('OdooBot', 'odoobot@example.com', 1),
    ('Administrator', 'admin@yourcompany.example', 1), ('Public user', NULL, 1);
INSERT INTO res_users (login, password, active, share, company_id, partner_id) VALUES
    ('__system__', NULL, false, false, 1, 2), ('admin', 'admin', true, false, 1, 3), ('public', '', false, true, 1, 4);
INSERT INTO ir_model_data (module, name, model, res_id, noupdate) VALUES
    ('base', 'main_company', 'res.company', 1, true), ('base', 'lang_en', 'res.lang', 1, true),
    ('base', 'user_root', 'res.users', 1, true), ('base', 'user_admin', 'res.users', 2, true),
    ('base', 'public_user', 'res.users', 3, true);
INSERT INTO ir_config_parameter (key, value) VALUES
    ('database.uuid', gen_random_uuid()::text), ('database.secret', gen_random_uuid()::text),
    ('database.create_date', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')),
    ('web.base.url', 'http://localhost:8069');
INSERT INTO ir_ui_view (name, key, type, arch_db, active) VALUES
    ('Neutralize banner', 'web.neutralize_banner', 'qweb', '{"en_US": "<t/>"}', false),
    ('Login', 'web.login', 'qweb', '{"en_US": "<t/>"}', true);
