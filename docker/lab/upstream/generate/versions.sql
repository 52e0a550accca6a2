-- What differs between Odoo 16, 17, 18 and 19 in the tables that a copy must be careful with.
\if :before17
    ALTER TABLE res_users ADD microsoft_synchronization_stopped boolean;
    ALTER TABLE payment_provider ADD paypal_seller_account varchar, ADD paypal_pdt_token varchar;
\endif
\if :before18
    ALTER TABLE ir_cron ADD numbercall int, ADD doall boolean;
    ALTER TABLE res_partner ADD signup_token varchar, ADD signup_type varchar, ADD signup_expiration timestamp;
    CREATE TABLE google_calendar_credentials (
        id serial PRIMARY KEY, calendar_rtoken varchar, calendar_token varchar, calendar_sync_token varchar, synchronization_stopped boolean);
\endif
\if :since17
    ALTER TABLE ir_act_server ADD webhook_url varchar;
    CREATE TABLE mail_alias_domain (
        id serial PRIMARY KEY, name varchar NOT NULL, bounce_alias varchar NOT NULL, catchall_alias varchar NOT NULL, default_from varchar);
    ALTER TABLE res_company ADD alias_domain_id int;
\endif
\if :only17
    CREATE TABLE mail_partner_device (id serial PRIMARY KEY, partner_id int NOT NULL, endpoint varchar NOT NULL UNIQUE, keys varchar NOT NULL);
    CREATE TABLE mail_notification_web_push (id serial PRIMARY KEY, user_device int, payload text);
    CREATE TABLE microsoft_calendar_credentials (
        id serial PRIMARY KEY, calendar_sync_token varchar, last_sync_date timestamp, synchronization_stopped boolean);
\endif
\if :since18
    ALTER TABLE ir_cron ADD failure_count int, ADD first_failure_date timestamp;
    ALTER TABLE res_users_apikeys ADD expiration_date timestamp;
    ALTER TABLE auth_totp_device ADD expiration_date timestamp;
    ALTER TABLE payment_provider ADD paypal_client_id varchar, ADD paypal_client_secret varchar;
    ALTER TABLE res_company ADD gelato_api_key varchar, ADD gelato_webhook_secret varchar;
    ALTER TABLE res_users_settings
        ADD google_calendar_rtoken varchar, ADD google_calendar_token varchar, ADD google_synchronization_stopped boolean,
        ADD microsoft_calendar_sync_token varchar, ADD microsoft_last_sync_date timestamp, ADD microsoft_synchronization_stopped boolean;
    CREATE TABLE mail_push_device (id serial PRIMARY KEY, partner_id int NOT NULL, endpoint varchar NOT NULL UNIQUE, keys varchar NOT NULL);
    CREATE TABLE mail_push (id serial PRIMARY KEY, mail_push_device_id int, payload text);
    CREATE TABLE certificate_key (id serial PRIMARY KEY, name varchar NOT NULL, content bytea, password varchar, company_id int, active boolean);
    CREATE TABLE certificate_certificate (
        id serial PRIMARY KEY, name varchar NOT NULL, content bytea, pkcs12_password varchar, company_id int, active boolean);
\endif
\if :since19
    ALTER TABLE res_company ADD sms_twilio_auth_token varchar, ADD sms_twilio_account_sid varchar;
\endif
